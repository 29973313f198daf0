import { binding } from '../binding.js';
import { plainError } from '../errors.js';
import { ownList } from '../own-list.js';

/*
 * The JavaScript half of the entries of collections. The native half (native/entry_table.h) has a cell for each, with the
 * weak handle, read here as the slots' are (slots.ts).
 *
 * What a collection has of an entry is its place: a small number of its own, which its Map or Set may hold. The place has two
 * numbers, the cell of the entry and its generation, which name the entry for ever. They are in an Int32Array, so what reaches
 * the native half is a small integer whatever the users' keys and values are, and one that is out of date reads undefined,
 * never what belongs to another.
 *
 *   in use   cell, generation (odd)
 *   ended    cell, 0: told to be dead, and kept by its collection until it gives the place back
 *   free     what was there, and ~(the next free place + 1): never a generation
 */

// Constants of this module: V8 compiles a call of a function that it knows into a fraction of one that it has to look up.
const { addEntry, addKey, addOwner, countEntries, discardEntry, entry: targetOf, findKey, retarget } = binding;

export const NONE = -1;

/** Words of all cells. A cell's are at `table[cell >>> 12][(cell & 4095) << 2]`: the literals of slots.ts. */
const table: Int32Array[] = [];

const NO_CELLS = new Int32Array(0);
const NO_PAYLOADS = ownList<unknown[]>();
const FIRST_PLACES = 4;
/** More places than this are not kept for a collection that has become empty. */
const KEPT = 1024;

/**
 * After an entry was refused: another attempt is worth it, or this throws `ERR_WEAKLY_MEMORY`. Whether nothing was done yet: a
 * table that waits for its dead refuses one in so many, and takes the next; only one that is full refuses twice (`again`).
 */
function makeRoom(again: boolean): boolean {
  if (reclaimEntries() !== 0) return false;
  if (!again) return true;
  if (binding.growEntries(table)) return false;
  const { entries } = binding.stats();
  throw plainError('ERR_WEAKLY_MEMORY', `weakly: no memory or no number for one more entry; there are ${entries}`);
}

/** What entries belong to, natively. Only they hold it: when they are garbage so is it, and the native half finds out. */
class Owner {
  /** Undefined: the collection was cleared, and has another owner since. */
  entries: Entries | undefined;
  readonly cell: number;
  readonly generation: number;

  constructor(entries: Entries) {
    this.entries = entries;
    let cell = addOwner(this);
    for (let again = false; cell < 0; cell = addOwner(this)) again = makeRoom(again);
    this.cell = cell;
    this.generation = generationOf(cell);
  }
}

/**
 * The entries of one collection. It lives as long as that, and must hold nothing that others should not.
 *
 * A change of a collection takes several calls, each of which may be one too many for the stack, or the last before a timeout
 * of `vm`; so every change keeps to this order:
 *
 *   settle()                    what an earlier one has left
 *   the entry, if it is new: loose from here on until the end, and given back if nothing else happens
 *   where it is listed
 *   loose = NONE, or giveBack()
 *
 * Between a call that has returned and an assignment nothing can end, so an entry is listed, or loose, or not there. The
 * length of an Int32Array is such a call, too, where V8 reads it for the first time: asked in the middle of `freePlace`, it left
 * a place counted as free that was not.
 */
export abstract class Entries {
  /** Two numbers for each place. */
  #cells: Int32Array = NO_CELLS;
  /**
   * What belongs to the entry at each place, where there is something, in lists of 4096. Nothing of the house is in them. One
   * list that grows is copied whole whenever it is half as long again: that was a third of registering a million targets.
   */
  #payloads = NO_PAYLOADS;
  #owner = new Owner(this);
  #free = NONE;
  /** Places from here on have not been used yet. */
  #end = 0;
  #used = 0;
  /** The place of an entry that is not in the collection yet, or not any more. */
  loose = NONE;

  /**
   * The target of the entry at a place has died; whether the place is kept, until `freePlace`. Must run no user code. Where
   * the stack ends in the middle it is called once more, so it has to do last what must not be done twice.
   */
  protected abstract ended(place: number): boolean;

  /** The place of a new entry. Loose, until the collection has noted it. `findable`: by `find`. */
  protected place(target: WeakKey, payload: unknown, findable: boolean): number {
    this.settle();
    let again = false;
    for (;;) {
      const place = this.#free === NONE ? this.#end : this.#free;
      if (2 * place >= this.#cells.length) {
        this.#grow();
        continue; // somebody may have made the engine run something else meanwhile, which has taken the place
      }
      const cells = this.#cells;
      const owner = this.#owner;
      const cell = findable
        ? addKey(target, owner.cell, owner.generation, place)
        : addEntry(target, owner.cell, owner.generation, place);
      if (cell >= 0) {
        // Without a call: were that one too many for the stack, there would be an entry that nobody knows.
        const words = table[cell >>> 12] as Int32Array;
        if (place === this.#end) this.#end = place + 1;
        else this.#free = ~(cells[2 * place + 1] as number) - 1;
        cells[2 * place] = cell;
        // Should the target be dead by now, the generation is one more already.
        cells[2 * place + 1] = ((words[((cell & 4095) << 2) + 2] as number) - 1) | 1;
        if (payload !== undefined) (this.#payloads[place >>> 12] as unknown[])[place & 4095] = payload;
        this.#used++;
        this.loose = place;
        return place;
      }
      again = makeRoom(again); // which may have freed places
    }
  }

  /** Room for more places, or an error and everything as it was. */
  #grow(): void {
    const { length } = this.#cells;
    let grown: Int32Array;
    try {
      grown = new Int32Array(Math.max(2 * FIRST_PLACES, 2 * length));
    } catch (cause) {
      // V8 says so of memory; of the stack it says something else.
      if (!(cause instanceof RangeError) || !/allocation failed/.test(cause.message)) throw cause;
      throw plainError('ERR_WEAKLY_MEMORY', 'weakly: no memory for one more entry', cause);
    }
    // Not set(), which somebody may have replaced.
    for (let i = 0; i < length; i++) grown[i] = this.#cells[i] as number;
    if (this.#payloads === NO_PAYLOADS) this.#payloads = ownList();
    while (this.#payloads.length << 13 < grown.length) this.#payloads[this.#payloads.length] = ownList();
    this.#cells = grown;
  }

  /** The target of the entry at a place; undefined when it is gone. */
  read(place: number): unknown {
    const cells = this.#cells;
    return targetOf(cells[2 * place] as number, cells[2 * place + 1] as number);
  }

  /** Whether the target of the entry at a place is there. Reads memory, calls nothing. */
  isAlive(place: number): boolean {
    const cells = this.#cells;
    const cell = cells[2 * place] as number;
    const words = table[cell >>> 12] as Int32Array;
    const word = (cell & 4095) << 2;
    // The generation alone would miss a death that no GC epilogue has seen.
    return words[word + 2] === cells[2 * place + 1] && (words[word] !== 0 || words[word + 1] !== 0);
  }

  /** What belongs to the entry at a place. */
  protected payload(place: number): unknown {
    // An undefined one may never have been written: see own-list.ts.
    const list = this.#payloads[place >>> 12] as unknown[];
    return (place & 4095) < list.length ? list[place & 4095] : undefined;
  }

  protected setPayload(place: number, payload: unknown): void {
    (this.#payloads[place >>> 12] as unknown[])[place & 4095] = payload;
  }

  /** What the native half knows these by. */
  protected get owner(): { readonly cell: number; readonly generation: number } {
    return this.#owner;
  }

  /** Gives another target to an entry; false when its own is dead. */
  retarget(place: number, target: WeakKey): boolean {
    const cells = this.#cells;
    return retarget(cells[2 * place] as number, cells[2 * place + 1] as number, target);
  }

  /** The place of the entry of a key that lives, or `NONE`. */
  find(key: WeakKey): number {
    return findKey(key, this.#owner.cell, this.#owner.generation);
  }

  /** How many targets are alive. */
  get count(): number {
    this.settle();
    return countEntries(this.#owner.cell, this.#owner.generation);
  }

  settle(): void {
    if (this.loose !== NONE) this.giveBack();
  }

  /** Gives the loose entry back, which is listed nowhere; whether its target was alive. */
  giveBack(): boolean {
    const place = this.loose;
    const cells = this.#cells;
    const generation = cells[2 * place + 1] as number;
    let left = 0;
    // 0: it has been given back, and then the stack has ended.
    if (generation !== 0) {
      left = discardEntry(cells[2 * place] as number, generation);
      // A dead one's place is free when its turn in the queue comes.
      if (left < 0) {
        this.loose = NONE;
        return false;
      }
      cells[2 * place + 1] = 0;
    }
    this.freePlace(place);
    return left === 1;
  }

  /** The place of an entry that has been given back, or was kept after its end, can be used again. All assignments. */
  protected freePlace(place: number): void {
    const list = this.#payloads[place >>> 12] as unknown[];
    if ((place & 4095) < list.length) list[place & 4095] = undefined;
    if (place === this.loose) this.loose = NONE;
    if (--this.#used === 0 && this.#end > KEPT) {
      // A burst must not hold its peak for ever.
      this.#cells = NO_CELLS;
      this.#payloads = NO_PAYLOADS;
      this.#free = NONE;
      this.#end = 0;
      return;
    }
    this.#cells[2 * place + 1] = ~(this.#free + 1);
    this.#free = place;
  }

  /** As told by the native half: the entry of a cell and a generation is dead, and this was its place. */
  died(place: number, cell: number, generation: number): void {
    // It may have been told before, if that was cut short.
    if (this.#cells[2 * place] !== cell || this.#cells[2 * place + 1] !== generation) return;
    if (this.ended(place)) this.#cells[2 * place + 1] = 0;
    else this.freePlace(place);
  }

  /** Takes a new owner; `list` is where the collection has its places. Dead entries that are on their way find nobody. */
  protected forgetAll(list: { clear(): void }): void {
    const owner = new Owner(this);
    list.clear();
    // From here on nothing is called.
    this.#owner.entries = undefined;
    this.#owner = owner;
    this.loose = NONE;
    this.#cells = NO_CELLS;
    this.#payloads = NO_PAYLOADS;
    this.#free = NONE;
    this.#end = 0;
    this.#used = 0;
  }

  /**
   * For {@link verifyEntries}: what does not agree with the native half, or null. A place has several rows where telling of the
   * dead was cut short: those that were told, and are not freed yet, and the one that has taken it since.
   */
  verify(rows: readonly Row[]): string | null {
    const named = new Set(rows.map(({ place, cell, generation }) => `${place} ${cell} ${generation}`));
    const places = new Set(rows.map(({ place }) => place));
    let used = 0;
    for (let place = 0; place < this.#end; place++) {
      const generation = this.#cells[2 * place + 1] as number;
      if (generation < 0) continue;
      used++;
      if (generation === 0) continue;
      if (!places.has(place)) return `place ${place} has no entry`;
      if (!named.has(`${place} ${this.#cells[2 * place]} ${generation}`)) return `place ${place} has another's entry`;
    }
    if (used !== this.#used) return `${used} places are in use, and ${this.#used} counted`;
    let free = 0;
    for (let place = this.#free; place !== NONE; place = ~(this.#cells[2 * place + 1] as number) - 1)
      if (++free > this.#end || (this.#cells[2 * place + 1] as number) >= 0) return 'the free places are broken';
    if (free + used !== this.#end) return 'free places are miscounted';
    const live = rows.filter((row) => row.live);
    for (const { place, cell } of live) if (this.#cells[2 * place] !== cell) return `the entry ${cell} has no place`;
    return this.verifyListed(live.map(({ place }) => place).filter((place) => place !== this.loose));
  }

  /** For `verify`: whether exactly these places of entries that are not found dead are listed, maybe with some that are. */
  protected abstract verifyListed(places: readonly number[]): string | null;

  /** Whether the entry at a place has come to its end, and the place is kept. */
  protected isKept(place: number): boolean {
    return this.#cells[2 * place + 1] === 0;
  }

  /** How many places are in use. */
  protected get used(): number {
    return this.#used;
  }

  protected inUse(place: number): boolean {
    return place >= 0 && place < this.#end && (this.#cells[2 * place + 1] as number) >= 0;
  }
}

/** What belongs to the owner of a cell and a generation; undefined when that is garbage. */
export function entriesOf(cell: number, generation: number): Entries | undefined {
  return (targetOf(cell, generation) as Owner | undefined)?.entries;
}

/** Odd while the cell is live; (cell, generation) names one entry or owner for ever. */
function generationOf(cell: number): number {
  return (table[cell >>> 12] as Int32Array)[((cell & 4095) << 2) + 2] as number;
}

/** Gives the memory of one chunk of entries back that a peak has left behind; false when there is none. */
export function giveBackEntries(): boolean {
  return binding.giveBackEntries() >= 0;
}

let reclaiming = false;

/** An execution that was terminated (by `vm`'s timeout, say) ran no `finally`. Only for who cannot be inside of one. */
export function endInterruptedReclaim(): void {
  reclaiming = false;
}

/**
 * Tells owners of up to one batch of dead entries, and frees those. Their number, 0 when there is nothing to do, or -1 when
 * there is more. Runs no user code, so it may be called from anywhere.
 */
export function reclaimEntries(): number {
  if (reclaiming) return 0;
  reclaiming = true;
  try {
    const count = binding.takeEntries();
    if (count <= 0) return count;
    tellOwners(binding.deadEntries, count);
    binding.releaseEntries();
    return count;
  } finally {
    reclaiming = false;
  }
}

function tellOwners(dead: Int32Array, count: number): void {
  let number = NONE;
  let owner: Owner | undefined;
  for (let i = 0; i < 5 * count; i += 5) {
    if (dead[i + 2] !== number) {
      number = dead[i + 2] as number;
      owner = targetOf(number, dead[i + 3] as number) as Owner | undefined;
    }
    owner?.entries?.died(dead[i + 4] as number, dead[i] as number, dead[i + 1] as number);
  }
}

/** What the native half says of an entry. */
interface Row {
  readonly place: number;
  readonly cell: number;
  readonly generation: number;
  readonly live: boolean;
}

/** What the native table gives as the owner of an owner. */
const IS_OWNER = 0xffffffff;

/** For tests: where the two halves disagree, or null. Walks everything. */
export function verifyEntries(): string | null {
  const rows = binding.testing.entries();
  const owned = new Map<Entries, Row[]>();
  for (let i = 0; i < rows.length; i += 6) {
    const [cell, generation, owner, ownerGeneration, place, live] = [...rows.subarray(i, i + 6)] as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const entries = owner === IS_OWNER ? entriesOf(cell, generation) : entriesOf(owner, ownerGeneration);
    if (entries === undefined) continue;
    const list = owned.get(entries) ?? [];
    owned.set(entries, list);
    if (owner !== IS_OWNER) list.push({ place, cell, generation, live: live === 1 });
  }
  for (const [entries, list] of owned) {
    const broken = entries.verify(list);
    if (broken !== null) return `entries: ${broken}`;
  }
  return null;
}
