import { binding } from '../binding.js';
import { NONE, notListed } from './collection-entries.js';
import { PlacedEntries } from './placed-entries.js';

/** More places than this are not kept for a map that has become empty. */
const FEW = 1024;

/**
 * The entries of a map from anything to weak values: the entry of each key, and at the place of each entry its key.
 *
 * The map is its owner's, and outlives this object, which goes when the map is cleared: dead entries that are still on
 * their way then find nobody. Iterators of the map go on.
 */
export class ValueEntries<K> extends PlacedEntries<K> {
  readonly map: Map<K, number>;
  /** Lives as long as this. */
  companions: WeakMap<WeakKey, unknown> | undefined;

  constructor(map: Map<K, number>) {
    super();
    this.map = map;
  }

  /** A new entry for a key that has none. */
  add(key: K, value: WeakKey): void {
    const entry = this.place(value, key);
    try {
      this.map.set(key, entry);
    } catch (cause) {
      throw notListed(cause);
    }
    this.loose = NONE;
  }

  /** Sets the value of a key. */
  set(key: K, value: WeakKey): void {
    const entry = this.map.get(key);
    if (entry !== undefined) {
      if (binding.retarget(entry, value)) return;
      // A dead value has no place in the order any more.
      this.remove(key, entry);
    }
    this.add(key, value);
  }

  /** Removes a key; whether its value was alive. */
  remove(key: K, entry: number): boolean {
    this.settle();
    // First: what is listed must be there.
    this.map.delete(key);
    this.loose = entry;
    return this.giveBack();
  }

  protected override diedWith(key: K, entry: number): void {
    // Since then the key may have got another value.
    if (this.map.get(key) !== entry) return;
    this.gone(key);
    this.map.delete(key);
  }

  /** The value of a key has died, and the key is being removed. As `died`. */
  protected gone(_key: K): void {}

  /** Whether a fresh one is better than this one, of whose places none is in use. */
  get isWorn(): boolean {
    return this.map.size === 0 && this.places > FEW;
  }
}
