import { binding } from '../binding.js';
import { makeRoom, Owner } from '../weak/entries.js';

/**
 * The entries of a collection with weak keys, found again by their key. `order` has them as they were inserted. It is the
 * collection's, and outlives this object, which goes when the collection is cleared.
 */
export class KeyEntries extends Owner {
  readonly #order: Set<number>;

  constructor(order: Set<number>) {
    super();
    this.#order = order;
  }

  /** Whether a key, which must be a possible one, is in it. */
  has(key: WeakKey): boolean {
    return this.#find(key) >= 0;
  }

  /** Whether the key, which must be a possible one, is new. */
  add(key: WeakKey): boolean {
    for (;;) {
      const entry = typeof key === 'symbol' ? binding.addSymbolKey(key, this.number) : binding.addKey(key, this.number);
      if (entry >= 0) this.#order.add(entry);
      if (entry !== REFUSED) return entry >= 0;
      makeRoom();
    }
  }

  /** Whether the key, which must be a possible one, was in it. */
  remove(key: WeakKey): boolean {
    const entry = this.#find(key);
    if (entry < 0) return false;
    binding.discardEntry(entry);
    this.#order.delete(entry);
    return true;
  }

  override died(_place: number, entry: number): void {
    this.#order.delete(entry);
  }

  #find(key: WeakKey): number {
    return typeof key === 'symbol' ? binding.findSymbolKey(key, this.number) : binding.findKey(key, this.number);
  }
}

const REFUSED = -1;
