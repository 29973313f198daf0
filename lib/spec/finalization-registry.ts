import { type Depth, viewOf } from '../inspect.js';
import { ownList } from '../own-list.js';
import { callOutside } from '../reclaim/call.js';
import { addLane } from '../reclaim/queue.js';
import { raiseLater } from '../reclaim/report.js';
import { Entries, entriesOf, NONE } from '../weak/entries.js';
import { Returned } from './returned.js';

/*
 * What a FinalizationRegistry does, whatever realm its constructor is of (intrinsics.ts). Each registration is an entry; the
 * registry is their owner. What it holds is held by itself alone: a registry that is garbage is so with all that it holds,
 * and calls nobody, even for what had died before.
 */

type Callback = (held: unknown) => unknown;

/** Instead of what is held: not registered yet, or not any more, while the place waits for the queue. */
const NOTHING = Symbol('nothing');

/** A token's list of registrations is looked through when it has so many that have gone. */
const FEW = 16;

/** So many serials are kept; of more places than these, `Entries` keeps none either. */
const KEPT = 1024;

/**
 * A place that a list has. V8 makes a list one of doubles if another from the same line of code has become one, which may hold
 * the users' values, and what is read is a boxed number then; this makes it a small integer again, which native calls ask for.
 */
function placeIn(list: readonly number[], i: number): number {
  return (list[i] as number) | 0;
}

/** A pair, as a list of the house, which can grow. */
function listOf(pair: readonly number[]): number[] {
  const list = ownList<number>();
  list[0] = pair[0] as number;
  list[1] = pair[1] as number;
  return list;
}

/** At the place of each entry, what is held. A place whose target is dead is kept until its callback is called. */
class Registrations extends Entries {
  readonly #callback: Callback;
  /**
   * Of what was registered at each place last: none is used twice, so that tokens name what they were given for. There are
   * none before the first token: growing such a list took two fifths of registering a million targets.
   */
  #serials: number[] | undefined;
  #serial = 0;
  /** For each token, place and serial of what was registered with it. */
  #tokens: WeakMap<WeakKey, number[]> | undefined;
  /** Places of the dead, whose callbacks are due: a queue from `#next` on. */
  #due = ownList<number>();
  #next = 0;

  constructor(callback: Callback) {
    super();
    this.#callback = callback;
  }

  register(target: WeakKey, held: unknown, token: WeakKey | undefined): void {
    const place = this.place(target, NOTHING, false);
    if (token !== undefined || this.#serials !== undefined) this.#name(place, token);
    // Last: what could not be noted is given back, and calls nobody.
    this.setPayload(place, held);
    this.loose = NONE;
  }

  /** What was registered at a place is told from what was there before, and its token knows it. */
  #name(place: number, token: WeakKey | undefined): void {
    this.#serials ??= ownList();
    const serials = this.#serials;
    // Those that were registered before the first token have none.
    while (serials.length < place) serials[serials.length] = 0;
    const serial = ++this.#serial;
    serials[place] = serial;
    if (token !== undefined) this.#note(token, place, serial);
  }

  #note(token: WeakKey, place: number, serial: number): void {
    this.#tokens ??= new WeakMap();
    const known = this.#tokens.get(token);
    if (known === undefined) {
      // Most have no more than this. A list of the house would be four times the price.
      this.#tokens.set(token, [place, serial]);
      return;
    }
    const list = known.length === 2 ? listOf(known) : known;
    // Without a call, as a setter on Array.prototype would be.
    list[list.length] = place;
    list[list.length] = serial;
    if (list !== known) this.#tokens.set(token, list);
    // A token that outlives most of what it was given for must not remember it for ever.
    if (list.length < 4 * FEW || (list.length & (list.length - 1)) !== 0) return;
    const left = ownList<number>();
    for (let i = 0; i < list.length; i += 2) {
      if (!this.#isNamed(list[i] as number, list[i + 1] as number)) continue;
      left[left.length] = list[i] as number;
      left[left.length] = list[i + 1] as number;
    }
    if (left.length <= list.length / 2) this.#tokens.set(token, left);
  }

  #isNamed(place: number, serial: number): boolean {
    return this.inUse(place) && this.#serials?.[place] === serial;
  }

  /** A burst must not hold its peak for ever. */
  #trim(): void {
    if (this.#serials !== undefined && this.#serials.length > KEPT && this.used === 0) this.#serials = ownList();
  }

  unregister(token: WeakKey): boolean {
    const list = this.#tokens?.get(token);
    if (list === undefined) return false;
    let removed = false;
    for (let i = 0; i < list.length; i += 2) {
      const place = placeIn(list, i);
      if (!this.#isNamed(place, list[i + 1] as number) || this.payload(place) === NOTHING) continue;
      this.settle();
      const isDue = this.isKept(place);
      this.setPayload(place, NOTHING);
      removed = true;
      if (isDue) continue;
      this.loose = place;
      this.giveBack();
    }
    // Last: should the stack end before, those that are left can still be taken back.
    this.#tokens?.delete(token);
    this.#trim();
    return removed;
  }

  protected override ended(place: number): boolean {
    if (this.payload(place) === NOTHING) return false;
    if (this.#due.length === 0) {
      const { cell, generation } = this.owner;
      // Without a call, as a setter on Array.prototype would be.
      due[due.length] = cell;
      due[due.length] = generation;
    }
    this.#due[this.#due.length] = place;
    return true;
  }

  /** Calls the next callback that is due; false when none is. */
  callNext(): boolean {
    while (this.#next < this.#due.length) {
      const place = placeIn(this.#due, this.#next);
      const held = this.payload(place);
      this.freePlace(place);
      this.#next++;
      if (held === NOTHING) continue;
      callOutside(this.#callback, held);
      return true;
    }
    this.#due = ownList();
    this.#next = 0;
    this.#trim();
    return false;
  }

  get due(): number {
    return this.#due.length - this.#next;
  }

  protected override verifyListed(): null {
    return null;
  }
}

/** Cells and generations of the owners of registries that have callbacks due. Not the registries: they may die meanwhile. */
let due = ownList<number>();
let next = 0;

addLane(() => {
  while (next < due.length) {
    const registry = entriesOf(placeIn(due, next), placeIn(due, next + 1)) as Registrations | undefined;
    try {
      if (registry?.callNext() === true) return true;
    } catch (error) {
      raiseLater(error);
      return true;
    }
    next += 2;
  }
  due = ownList();
  next = 0;
  return false;
});

/** The internal slots of a FinalizationRegistry, on an object of any realm. */
class Registry extends Returned {
  readonly #registrations: Registrations;

  constructor(object: object, callback: Callback) {
    super(object);
    this.#registrations = new Registrations(callback);
  }

  static of(value: unknown): Registrations | undefined {
    const object = Object(value) as object;
    return #registrations in object ? object.#registrations : undefined;
  }
}

/** Makes `object` a FinalizationRegistry. */
export function makeRegistry(object: object, callback: Callback): object {
  new Registry(object, callback);
  return object;
}

/** How many targets are alive, and how many callbacks are due. */
export function inspectRegistry(registry: object, depth: Depth): object {
  const { count: registered, due } = Registry.of(registry) as Registrations;
  return viewOf(registry, 'FinalizationRegistry', Object, depth, false, () => ({ registered, due }));
}

/** Undefined: `value` is no FinalizationRegistry. */
export function registrationsOf(value: unknown): Pick<Registrations, 'register' | 'unregister'> | undefined {
  return Registry.of(value);
}
