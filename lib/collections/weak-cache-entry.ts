import { binding } from '../binding.js';
import { ValueEntries } from './value-entries.js';

/** Of both tiers. Asked anew each time: tests may have replaced it. */
export const clock = { now: (): number => performance.now() };

/** What has happened to one key of a {@link WeakCache}, or to all. */
export interface CacheCounts {
  /** Found in the strong tier. */
  readonly hitsStrong: number;
  /** Found because somebody else was still using it: one load that was not made twice. */
  readonly hitsWeak: number;
  /** Asked for and not found, `fetch` included. */
  readonly misses: number;
  /** Loaders called. */
  readonly loads: number;
  /** Values that were found dead after they had left the strong tier. */
  readonly deaths: number;
}

export class Counts implements CacheCounts {
  hitsStrong = 0;
  hitsWeak = 0;
  misses = 0;
  loads = 0;
  deaths = 0;
}

/** What the cache has for one key. It is counted here, so that a hit costs no search for its counts. */
export class Item<V extends object> {
  /** While it is in the strong tier. */
  value: V | undefined;
  readonly counts: Counts;
  readonly size: number | undefined;
  /** 0: for ever. */
  readonly ttl: number;
  /** While it is in the weak tier. */
  expires = Number.POSITIVE_INFINITY;

  constructor(value: V, counts: Counts, size: number | undefined, ttl: number) {
    this.value = value;
    this.counts = counts;
    this.size = size;
    this.ttl = ttl;
  }
}

/** What has been evicted from the strong tier and is still in use elsewhere, as far as is known. */
export class WeakTier<K, V extends object> extends ValueEntries<K> {
  readonly #items: Map<K, Item<V>> = new Map();
  readonly #onDeath: (key: K, counts: Counts) => void;

  constructor(onDeath: (key: K, counts: Counts) => void) {
    super(new Map());
    this.#onDeath = onDeath;
  }

  /** Takes over an item from the strong tier; false when there is no memory for one more. */
  put(key: K, item: Item<V>, expires: number): boolean {
    try {
      this.set(key, item.value as V);
    } catch {
      return false;
    }
    item.value = undefined;
    item.expires = expires;
    this.#items.set(key, item);
    return true;
  }

  countsOf(key: K): Counts | undefined {
    return this.#items.get(key)?.counts;
  }

  /** The value of a key, if it is alive and not expired. */
  peek(key: K): V | undefined {
    const entry = this.map.get(key);
    if (entry === undefined || (this.#items.get(key) as Item<V>).expires <= clock.now()) return undefined;
    return binding.entry(entry) as V | undefined;
  }

  /** Takes an item out. One whose value is dead has its end here, as if the queue had come to it. */
  take(key: K): Item<V> | undefined {
    const item = this.#items.get(key);
    if (item === undefined) return undefined;
    if (!this.remove(key, this.map.get(key) as number)) {
      this.gone(key);
      return undefined;
    }
    this.#items.delete(key);
    return item;
  }

  /** How many values are alive. */
  get size(): number {
    return binding.countEntries(this.number);
  }

  protected override gone(key: K): void {
    const { counts } = this.#items.get(key) as Item<V>;
    this.#items.delete(key);
    this.#onDeath(key, counts);
  }
}
