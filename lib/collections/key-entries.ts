import { binding } from '../binding.js';
import { makeRoom, Owner } from '../weak/entries.js';

/** Another attempt is worth it. */
const REFUSED = -1;

/**
 * The entries of a collection with weak keys. `order` has them as they were inserted: it is the collection's, and outlives
 * this object, which goes when the collection is cleared.
 */
export class OrderedEntries extends Owner {
  readonly #order: Set<number>;

  constructor(order: Set<number>) {
    super();
    this.#order = order;
  }

  /** A new entry for a key that has none. */
  add(key: WeakKey): number {
    let entry = REFUSED;
    while (entry === REFUSED) {
      entry = binding.addEntry(key, this.number, 0); // it is found by its number alone
      if (entry === REFUSED) makeRoom();
    }
    this.#order.add(entry);
    return entry;
  }

  /** Adds a key that has no entry, to be found by `remove`. */
  addKey(key: WeakKey): void {
    let entry = REFUSED;
    while (entry === REFUSED) {
      entry = typeof key === 'symbol' ? binding.addSymbolKey(key, this.number) : binding.addKey(key, this.number);
      if (entry === REFUSED) makeRoom();
    }
    this.#order.add(entry);
  }

  /** Gives the entry of a key that was added by `addKey`, and lives. */
  find(key: WeakKey): number {
    return typeof key === 'symbol' ? binding.findSymbolKey(key, this.number) : binding.findKey(key, this.number);
  }

  /** Removes the entry of a key that lives. */
  remove(entry: number): void {
    binding.discardEntry(entry);
    this.#order.delete(entry);
  }

  override died(_place: number, entry: number): void {
    this.#order.delete(entry);
  }
}
