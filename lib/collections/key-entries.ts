import { binding } from '../binding.js';
import { makeRoom } from '../weak/entries.js';
import { CollectionEntries, NONE, notListed } from './collection-entries.js';

function enter(key: WeakKey, owner: number, findable: boolean): number {
  if (!findable) return binding.addEntry(key, owner, 0);
  return typeof key === 'symbol' ? binding.addSymbolKey(key, owner) : binding.addKey(key, owner);
}

/**
 * The entries of a collection with weak keys. `order` has them as they were inserted: it is the collection's, and outlives
 * this object, which goes when the collection is cleared. It must never have a number that is not there any more and may be
 * given to others, wherever the stack ends: so it is changed first when an entry goes.
 */
export class OrderedEntries extends CollectionEntries {
  readonly #order: Set<number>;

  constructor(order: Set<number>) {
    super();
    this.#order = order;
  }

  /** The entries in their order, and no loose one. */
  get order(): Set<number> {
    this.settle();
    return this.#order;
  }

  /** A new entry for a key that has none. `findable`: by `find`. Loose, until the collection has noted it. */
  add(key: WeakKey, findable: boolean): number {
    this.settle();
    for (;;) {
      const entry = enter(key, this.number, findable);
      if (entry >= 0) {
        this.loose = entry;
        try {
          this.#order.add(entry);
        } catch (cause) {
          throw notListed(cause);
        }
        return entry;
      }
      makeRoom();
    }
  }

  /** The entry of a key that lives, or `NONE`. */
  find(key: WeakKey): number {
    return typeof key === 'symbol' ? binding.findSymbolKey(key, this.number) : binding.findKey(key, this.number);
  }

  override giveBack(): boolean {
    this.#order.delete(this.loose);
    const left = binding.discardEntry(this.loose);
    this.loose = NONE;
    return (left & 1) === 1;
  }

  override died(_place: number, entry: number): void {
    this.#order.delete(entry);
    if (entry === this.loose) this.loose = NONE;
  }
}
