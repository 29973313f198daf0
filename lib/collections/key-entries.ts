import { binding } from '../binding.js';
import { makeRoom, Owner } from '../weak/entries.js';
import { notListed } from './placed-entries.js';

function enter(key: WeakKey, owner: number, findable: boolean): number {
  if (!findable) return binding.addEntry(key, owner, 0);
  return typeof key === 'symbol' ? binding.addSymbolKey(key, owner) : binding.addKey(key, owner);
}

/**
 * The entries of a collection with weak keys. `order` has them as they were inserted: it is the collection's, and outlives
 * this object, which goes when the collection is cleared. It must never have a number that is not there any more and may be
 * given to others, wherever the stack ends: so it is changed first when an entry goes. Calls into V8 need the least of the stack.
 */
export class OrderedEntries extends Owner {
  readonly #order: Set<number>;

  constructor(order: Set<number>) {
    super();
    this.#order = order;
  }

  /** A new entry for a key that has none; or one to be found by `removeKey`, which if it is there already stays the only one. */
  add(key: WeakKey, findable: boolean): number {
    for (;;) {
      const entry = enter(key, this.number, findable);
      if (entry >= 0) {
        try {
          this.#order.add(entry);
        } catch (cause) {
          // One that was there before stays: its number must not become another's.
          if (!findable || !this.#order.has(entry)) binding.discardEntry(entry);
          throw notListed(cause);
        }
        return entry;
      }
      makeRoom();
    }
  }

  /** Removes a key that lives. */
  removeKey(key: WeakKey): void {
    const entry = typeof key === 'symbol' ? binding.findSymbolKey(key, this.number) : binding.findKey(key, this.number);
    if (entry < 0) return;
    this.#order.delete(entry);
    binding.discardEntry(entry);
  }

  /** Removes the entry of a key that lives. */
  remove(entry: number): void {
    this.#order.delete(entry);
    binding.discardEntry(entry);
  }

  override died(_place: number, entry: number): void {
    this.#order.delete(entry);
  }
}
