import { binding } from '../binding.js';
import { makeRoom } from '../weak/entries.js';
import { CollectionEntries, NONE } from './collection-entries.js';

/** Entries with something that belongs to each, at its place. */
export abstract class PlacedEntries<P> extends CollectionEntries {
  /** What belongs to the entry at each place; a free place has the number of the next free one. */
  readonly #payloads: unknown[] = [];
  #free = NONE;

  /** A new entry. Loose, until whoever wants it has noted it. */
  protected place(target: WeakKey, payload: P): number {
    this.settle();
    for (;;) {
      const place = this.#free === NONE ? this.#payloads.length : this.#free;
      const entry = binding.addEntry(target, this.number, place);
      if (entry >= 0) {
        this.loose = entry;
        if (place === this.#free) this.#free = this.#payloads[place] as number;
        this.#payloads[place] = payload;
        return entry;
      }
      makeRoom(); // which may have freed places
    }
  }

  override giveBack(): boolean {
    const left = binding.discardEntry(this.loose);
    this.loose = NONE;
    // A dead one's place is free when its turn in the queue comes.
    if (left < 0) return false;
    const place = left >>> 1;
    this.#payloads[place] = this.#free;
    this.#free = place;
    return (left & 1) === 1;
  }

  override died(place: number, entry: number): void {
    this.diedWith(this.#payloads[place] as P, entry);
    if (entry === this.loose) this.loose = NONE;
    this.#payloads[place] = this.#free;
    this.#free = place;
  }

  /** The target of an entry has died; the entry may have been given back since. As `died`. */
  protected abstract diedWith(payload: P, entry: number): void;

  /** How many places there are, in use or not. */
  protected get places(): number {
    return this.#payloads.length;
  }
}
