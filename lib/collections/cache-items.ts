import { binding } from '../binding.js';
import { NONE } from './collection-entries.js';
import { PlacedEntries } from './placed-entries.js';

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

  /** Goes on counting where `other` has ended. */
  continue(other: Counts): void {
    this.hitsStrong = other.hitsStrong;
    this.hitsWeak = other.hitsWeak;
    this.misses = other.misses;
    this.loads = other.loads;
    this.deaths = other.deaths;
  }

  get counts(): CacheCounts {
    const { hitsStrong, hitsWeak, misses, loads, deaths } = this;
    return { hitsStrong, hitsWeak, misses, loads, deaths };
  }
}

/** In place of an entry: another item is in its place. */
const REPLACED = -2;
/** In place of an entry: {@link CacheItems} does not know it either. The strong tier finds its own. */
const UNLISTED = -3;

/** How a value is stored, where that is not as usual. */
export interface Terms {
  readonly size: number | undefined;
  /** 0: for ever. */
  readonly ttl: number;
  /** While weak; undefined: never. */
  expires: number | undefined;
}

/**
 * What the cache has for one key. What happens to it is counted here, so that a hit costs no search for its counts.
 *
 *   strong  has a value
 *   weak    has an entry only
 *   ended   has neither: counts are all that is left
 *
 * One that has come back from the weak tier has both: the entry is of use when it is evicted again.
 */
export class Item<K, V extends object> extends Counts {
  readonly key: K;
  value: V | undefined;
  readonly terms: Terms | undefined;
  entry = UNLISTED;

  constructor(key: K, value: V | undefined, terms: Terms | undefined) {
    super();
    this.key = key;
    this.value = value;
    this.terms = terms;
  }

  get ttl(): number {
    return this.terms === undefined ? 0 : this.terms.ttl;
  }

  get expires(): number | undefined {
    return this.terms?.expires;
  }

  get hasEnded(): boolean {
    return this.value === undefined && this.entry < 0;
  }
}

/**
 * The items of a cache that are not in the strong tier alone, by their keys: those that have been evicted, and of so many
 * that have ended as `history` says, the latest.
 */
export class CacheItems<K, V extends object> extends PlacedEntries<Item<K, V>> {
  readonly #items: Map<K, Item<K, V>> = new Map();
  readonly #totals: Counts;
  readonly #history: number;
  #forgotten = false;
  /** How many have a value and an entry. */
  #both = 0;
  /** The ended ones, oldest first, from `#first` on; some may have been replaced. */
  #past: Item<K, V>[] = [];
  #first = 0;

  constructor(totals: Counts, history: number) {
    super();
    this.#totals = totals;
    this.#history = history;
  }

  get(key: K): Item<K, V> | undefined {
    return this.#items.get(key);
  }

  /** How many values are alive in the weak tier. */
  get weak(): number {
    return this.count - this.#both;
  }

  /** The value of a weak item, if it is alive and not expired. */
  peek(item: Item<K, V>): V | undefined {
    if (item.entry < 0) return undefined;
    const { expires } = item;
    if (expires !== undefined && expires <= clock.now()) return undefined;
    return binding.entry(item.entry) as V | undefined;
  }

  /** A new item of the strong tier goes on counting where the one before it has ended, which may have been there, too. */
  replace(item: Item<K, V>, inStrong: Item<K, V> | undefined): void {
    const before = inStrong?.entry === UNLISTED ? inStrong : this.#items.get(item.key);
    if (before === undefined) return;
    const listed = before.entry !== UNLISTED;
    this.#end(before);
    before.entry = REPLACED;
    item.continue(before);
    if (listed) this.#list(item);
  }

  /** From the strong tier into the weak one. Without memory for one more entry, it has ended. */
  demote(item: Item<K, V>, expires: number | undefined): void {
    if (item.value === undefined) return;
    if (item.entry >= 0) {
      this.#both--;
    } else {
      try {
        if (item.entry === UNLISTED) this.#list(item);
        item.entry = this.place(item.value, item);
        this.loose = NONE;
      } catch {
        this.end(item);
        return;
      }
    }
    item.value = undefined;
    if (item.terms !== undefined) item.terms.expires = expires;
  }

  /** From the weak tier into the strong one. */
  promote(item: Item<K, V>, value: V): void {
    item.value = value;
    this.#both++;
  }

  /** It has no value any more. */
  end(item: Item<K, V>): void {
    this.#end(item);
    if (item.entry === UNLISTED) this.#list(item);
    this.#remember(item);
  }

  #list(item: Item<K, V>): void {
    this.#items.set(item.key, item);
    item.entry = NONE;
  }

  /** One whose value is dead has its end here, as if the queue had come to it. */
  #end(item: Item<K, V>): void {
    const { entry } = item;
    if (entry < 0) {
      item.value = undefined;
      return;
    }
    this.settle();
    if (item.value !== undefined) this.#both--;
    item.value = undefined;
    item.entry = NONE;
    this.loose = entry;
    if (this.giveBack()) return;
    item.deaths++;
    this.#totals.deaths++;
  }

  #remember(item: Item<K, V>): void {
    this.#past.push(item);
    if (this.#past.length - this.#first <= this.#history) return;
    const oldest = this.#past[this.#first++] as Item<K, V>;
    if (oldest.entry !== REPLACED) this.#items.delete(oldest.key);
    // Half of the array is of no use.
    if (2 * this.#first < this.#past.length) return;
    this.#past = this.#past.slice(this.#first);
    this.#first = 0;
  }

  /** The cache was cleared: what dies now is not its any more. */
  forget(): void {
    this.#forgotten = true;
  }

  protected override diedWith(item: Item<K, V>, entry: number): void {
    // It may have been replaced since.
    if (item.entry !== entry) return;
    this.#remember(item);
    item.entry = NONE;
    item.deaths++;
    if (!this.#forgotten) this.#totals.deaths++;
  }
}
