import { Entries, NONE } from '../weak/entries.js';
import { notListed } from './collection-entries.js';

/**
 * The entries of a map from anything to weak values: the place of each key, and at the place of each entry its key. The map is
 * the collection's own; iterators of it go on when it is cleared.
 */
export class ValueEntries<K> extends Entries {
  readonly map: Map<K, number>;
  /** Lives until the map is cleared. */
  companions: WeakMap<WeakKey, unknown> | undefined;

  constructor(map: Map<K, number>) {
    super();
    this.map = map;
  }

  /** A new entry for a key that has none. */
  add(key: K, value: WeakKey): void {
    const place = this.place(value, key, false);
    try {
      this.map.set(key, place);
    } catch (cause) {
      throw notListed(cause);
    }
    this.loose = NONE;
  }

  /** Sets the value of a key. */
  set(key: K, value: WeakKey): void {
    const place = this.map.get(key);
    if (place !== undefined) {
      if (this.retarget(place, value)) return;
      // A dead value has no place in the order any more.
      this.remove(key, place);
    }
    this.add(key, value);
  }

  /** Removes a key; whether its value was alive. */
  remove(key: K, place: number): boolean {
    this.settle();
    // First: what is listed must be there.
    this.map.delete(key);
    this.loose = place;
    return this.giveBack();
  }

  clear(): void {
    this.forgetAll(this.map);
    this.companions = undefined;
  }

  protected override ended(place: number): boolean {
    const key = this.payload(place) as K;
    // Since then the key may have got another value.
    if (this.map.get(key) !== place) return false;
    this.gone(key);
    this.map.delete(key);
    return false;
  }

  /** The value of a key has died, and the key is being removed. As `ended`. */
  protected gone(_key: K): void {}

  protected override verifyListed(places: readonly number[]): string | null {
    for (const [key, place] of this.map) {
      if (!this.inUse(place)) return `a key has the place ${place}, which is free`;
      // As a Map compares keys: NaN is itself, and 0 is -0.
      if (![this.payload(place)].includes(key)) return `a key has the place ${place} of another`;
    }
    const listed = new Set(this.map.values());
    if (listed.size !== this.map.size) return 'two keys have the same place';
    const lost = places.find((place) => !listed.has(place));
    return lost === undefined ? null : `the value at place ${lost} has no key`;
  }
}
