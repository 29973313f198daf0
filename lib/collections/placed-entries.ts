import { binding } from '../binding.js';
import { isAlive, isOccupied, makeRoom, Owner } from '../weak/entries.js';

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

  /** Gives an entry back out of turn; whether its target was alive. */
  protected unplace(entry: number): boolean {
    // A dead one's place is free when its turn in the queue comes.
    if (!isOccupied(entry)) return false;
    const alive = isAlive(entry);
    this.#freePlace(binding.discardEntry(entry));
    return alive;
  }

  override died(place: number, entry: number): void {
    const payload = this.#payloads[place] as P;
    this.#freePlace(place);
    this.diedWith(payload, entry);
  }

  /** The target of an entry has died, which may have been given back since. Must not throw and must run no user code. */
  protected abstract diedWith(payload: P, entry: number): void;

  /** How many places there are, in use or not. */
  protected get places(): number {
    return this.#payloads.length;
  }

  #freePlace(place: number): void {
    this.#payloads[place] = this.#free;
    this.#free = place;
  }
}
