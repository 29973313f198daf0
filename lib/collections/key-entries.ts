import { Entries } from '../weak/entries.js';
import { notListed } from './collection-entries.js';

/**
 * The entries of a collection with weak keys. `order` has their places as they were inserted: it is the collection's, and
 * iterators of it go on when that is cleared. It must never have a place that is free, and may be given to others, wherever the
 * stack ends: so it is changed first when an entry goes.
 */
export class OrderedEntries extends Entries {
  readonly #order: Set<number>;

  constructor(order: Set<number>) {
    super();
    this.#order = order;
  }

  /** The places in their order, and no loose one. */
  get order(): Set<number> {
    this.settle();
    return this.#order;
  }

  /** A new entry for a key that has none; its place. `findable`: by `find`. Loose, until the collection has noted it. */
  add(key: WeakKey, findable: boolean): number {
    const place = this.place(key, undefined, findable);
    try {
      this.#order.add(place);
    } catch (cause) {
      throw notListed(cause);
    }
    return place;
  }

  override giveBack(): boolean {
    this.#order.delete(this.loose);
    return super.giveBack();
  }

  clear(): void {
    this.forgetAll(this.#order);
  }

  protected override ended(place: number): boolean {
    this.#order.delete(place);
    return false;
  }

  protected override verifyListed(places: readonly number[]): string | null {
    const gone = [...this.#order].find((place) => !this.inUse(place));
    if (gone !== undefined) return `the place ${gone} is listed, and free`;
    const lost = places.find((place) => !this.#order.has(place));
    return lost === undefined ? null : `the key at place ${lost} is not listed`;
  }
}
