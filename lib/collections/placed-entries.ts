import { binding } from '../binding.js';
import { plainError } from '../errors.js';
import { makeRoom, Owner } from '../weak/entries.js';

/** What to throw when a Map or Set has not taken an entry: V8 has a limit of its own, some 16 million. Or the stack has ended. */
export function notListed(cause: unknown): unknown {
  return cause instanceof RangeError && / maximum size exceeded$/.test(cause.message)
    ? plainError('ERR_WEAKLY_MEMORY', 'weakly: no more entries fit into one collection', cause)
    : cause;
}

/** Entries with something that belongs to each, at its place. */
export abstract class PlacedEntries<P> extends Owner {
  /** What belongs to the entry at each place; a free place has the number of the next free one. */
  readonly #payloads: unknown[] = [];
  #free = -1;

  /** A new entry. */
  protected place(target: WeakKey, payload: P): number {
    for (;;) {
      const place = this.#free === -1 ? this.#payloads.length : this.#free;
      const entry = binding.addEntry(target, this.number, place);
      if (entry >= 0) {
        if (place === this.#free) this.#free = this.#payloads[place] as number;
        this.#payloads[place] = payload;
        return entry;
      }
      makeRoom(); // which may have freed places
    }
  }

  /** Gives an entry back out of turn, and takes it off a list of them; whether its target was alive. */
  protected unplace(entry: number, list?: Map<P, number>, key?: P): boolean {
    // First: what is listed must be there, and the call into V8 needs less of the stack than this one.
    list?.delete(key as P);
    const left = binding.discardEntry(entry);
    // A dead one's place is free when its turn in the queue comes.
    if (left < 0) return false;
    // Not in a function of its own, for which the stack could be too small: nobody would free the place any more.
    const place = left >>> 1;
    this.#payloads[place] = this.#free;
    this.#free = place;
    return (left & 1) === 1;
  }

  override died(place: number, entry: number): void {
    this.diedWith(this.#payloads[place] as P, entry);
    this.#payloads[place] = this.#free;
    this.#free = place;
  }

  /** The target of an entry has died; the entry may have been given back since. As {@link Owner.died}. */
  protected abstract diedWith(payload: P, entry: number): void;

  /** How many places there are, in use or not. */
  protected get places(): number {
    return this.#payloads.length;
  }
}
