import { binding } from '../binding.js';
import { addEntry, isAlive, isOccupied, Owner } from '../weak/entries.js';

/** More places than this are not kept for a map that has become empty. */
const FEW = 1024;

/**
 * The entries of a map from anything to weak values: the entry of each key, and the key of each entry, at its place.
 *
 * The map is its owner's, and outlives this object, which goes when the map is cleared: dead entries that are still on
 * their way then find nobody. Iterators of the map go on.
 */
export class ValueEntries<K> extends Owner {
  readonly map: Map<K, number>;
  /** The key at each place; a free place has the number of the next free one. */
  readonly #keys: unknown[] = [];
  #free = -1;
  /** Lives as long as this. */
  companions: WeakMap<WeakKey, unknown> | undefined;

  constructor(map: Map<K, number>) {
    super();
    this.map = map;
  }

  /** A new entry for a key that has none. */
  add(key: K, value: WeakKey): number {
    const entry = addEntry(this, value, () => this.#nextPlace());
    const place = this.#nextPlace();
    if (place === this.#free) this.#free = this.#keys[place] as number;
    this.#keys[place] = key;
    this.map.set(key, entry);
    return entry;
  }

  /** Sets the value of a key. */
  set(key: K, value: WeakKey): void {
    const entry = this.map.get(key);
    if (entry !== undefined) {
      if (isAlive(entry)) {
        binding.retarget(entry, value);
        return;
      }
      // A dead value has no place in the order any more.
      this.remove(key, entry);
    }
    this.add(key, value);
  }

  /** Removes a key; whether its value was alive. */
  remove(key: K, entry: number): boolean {
    this.map.delete(key);
    // A dead one's place is free when its turn in the queue comes.
    if (!isOccupied(entry)) return false;
    const alive = isAlive(entry);
    this.#freePlace(binding.discardEntry(entry));
    return alive;
  }

  override died(place: number, entry: number): void {
    const key = this.#keys[place] as K;
    // Since then the key may have got another value.
    if (this.map.get(key) === entry) {
      this.map.delete(key);
      this.gone(key);
    }
    this.#freePlace(place);
  }

  /** The value of a key has died, and the key is removed. Must not throw and must run no user code. */
  protected gone(_key: K): void {}

  /** Whether a fresh one is better than this one, of whose places none is in use. */
  get isWorn(): boolean {
    return this.map.size === 0 && this.#keys.length > FEW;
  }

  #nextPlace(): number {
    return this.#free === -1 ? this.#keys.length : this.#free;
  }

  #freePlace(place: number): void {
    this.#keys[place] = this.#free;
    this.#free = place;
  }
}
