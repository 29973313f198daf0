import { ownList } from '../own-list.js';
import { Entries, NONE } from '../weak/entries.js';
import { tellDead } from './cache-events.js';
import type { NEVER } from './cache-options.js';

/** What has happened to one key of a {@link WeakCache}, or to all. */
export interface CacheCounts {
  /** Found in the strong tier. */
  readonly hitsStrong: number;
  /** Found because somebody else was still using it: one load that was not made twice. */
  readonly hitsWeak: number;
  /** Expired, and given by `fetch` while they were loaded anew (`staleWhileRevalidate`). */
  readonly hitsStale: number;
  /** `fetch` has joined a load that was under way: one more that was not made twice. */
  readonly coalesced: number;
  /** Asked for and not found: by `get`, and by `fetch` which then called its loader. */
  readonly misses: number;
  /** Loaders called, by `fetch` that found nothing, and to load anew what was found. */
  readonly loads: number;
  /** Those that have thrown or rejected, or given what cannot be stored, while somebody waited or to load anew. */
  readonly loadErrors: number;
  /** Values that were found dead after they had left the strong tier. */
  readonly deaths: number;
}

/**
 * The share of requests that called for no load, so far: those of `get` and `fetch` that have found something, or joined a load. As
 * Caffeine's `hitRate`, it is 1 before the first request.
 */
export function hitRatioOf({ hitsStrong, hitsWeak, hitsStale, coalesced, misses }: CacheCounts): number {
  const spared = hitsStrong + hitsWeak + hitsStale + coalesced;
  return spared + misses === 0 ? 1 : spared / (spared + misses);
}

/** What has not happened to most keys: one field for all of it, so that a key costs little more. */
interface RareCounts {
  hitsStale: number;
  coalesced: number;
  loadErrors: number;
}

export type RareCount = keyof RareCounts;

const NO_RARE: RareCounts = Object.freeze({ hitsStale: 0, coalesced: 0, loadErrors: 0 });

export class Counts implements CacheCounts {
  hitsStrong = 0;
  hitsWeak = 0;
  misses = 0;
  loads = 0;
  deaths = 0;
  #rare = NO_RARE;

  get hitsStale(): number {
    return this.#rare.hitsStale;
  }

  get coalesced(): number {
    return this.#rare.coalesced;
  }

  get loadErrors(): number {
    return this.#rare.loadErrors;
  }

  count(what: RareCount): void {
    if (this.#rare === NO_RARE) this.#rare = { ...NO_RARE };
    this.#rare[what]++;
  }

  /** Goes on counting where `other` has ended. */
  continue(other: Counts): void {
    this.hitsStrong = other.hitsStrong;
    this.hitsWeak = other.hitsWeak;
    this.misses = other.misses;
    this.loads = other.loads;
    this.deaths = other.deaths;
    this.#rare = other.#rare;
  }

  get counts(): CacheCounts {
    const { hitsStrong, hitsWeak, hitsStale, coalesced, misses, loads, loadErrors, deaths } = this;
    return { hitsStrong, hitsWeak, hitsStale, coalesced, misses, loads, loadErrors, deaths };
  }
}

/** Instead of a place: another item has replaced this one. */
const REPLACED = -2;
/** Instead of a place: {@link CacheItems} does not know it either. The strong tier finds its own. */
const UNLISTED = -3;

/** The list of those that have ended is not looked through for so few that are of no use. */
const FEW = 16;

/** How a value is stored, where that is not as usual. They are its in both tiers. */
export interface Terms {
  readonly size: number | undefined;
  /** Or {@link NEVER}. */
  readonly ttl: number;
  /** The last moment at which it is found, by the clock of the cache; or {@link NEVER}. */
  expires: number;
}

/**
 * What the cache has for one key. What happens to it is counted here, so that a hit costs no search for its counts.
 *
 *   strong  has a value
 *   weak    has the place of an entry only
 *   ended   has neither: counts are all that is left
 *
 * One that has come back from the weak tier has both: the entry is of use when it is evicted again.
 */
export class Item<K, V extends object> extends Counts {
  readonly key: K;
  value: V | undefined;
  readonly terms: Terms | undefined;
  place = UNLISTED;

  constructor(key: K, value: V | undefined, terms: Terms | undefined) {
    super();
    this.key = key;
    this.value = value;
    this.terms = terms;
  }

  /** The same rule in both tiers. */
  hasExpired(now: number): boolean {
    return this.terms !== undefined && this.terms.expires < now;
  }

  get hasEnded(): boolean {
    return this.value === undefined && this.place < 0;
  }
}

/**
 * The items of a cache that are not in the strong tier alone, by their keys: those that have been evicted, and of so many
 * that have ended as `history` says, the latest.
 */
export class CacheItems<K, V extends object> extends Entries {
  readonly #items: Map<K, Item<K, V>> = new Map();
  readonly #totals: Counts;
  readonly #history: number;
  /** Whose they are. */
  readonly #cache: object;
  #forgotten = false;
  /** How many have a value and an entry. */
  #both = 0;
  /** The ended ones, oldest first, from `#first` on; some may have been replaced. */
  #past = ownList<Item<K, V>>();
  #first = 0;
  /** How many of them have been replaced: they take no other key's place. */
  #replaced = 0;

  constructor(totals: Counts, history: number, cache: object) {
    super();
    this.#totals = totals;
    this.#history = history;
    this.#cache = cache;
  }

  get(key: K): Item<K, V> | undefined {
    return this.#items.get(key);
  }

  /** How many values are alive in the weak tier. */
  get weak(): number {
    return this.count - this.#both;
  }

  /** The value of a weak item, if it is alive and not expired. */
  peek(item: Item<K, V>, now: number): V | undefined {
    if (item.place < 0 || item.hasExpired(now)) return undefined;
    return this.read(item.place) as V | undefined;
  }

  /** The value of an item in whichever tier, expired or not. */
  lookUp(item: Item<K, V>): V | undefined {
    return item.value ?? (item.place < 0 ? undefined : (this.read(item.place) as V | undefined));
  }

  /** Of those that are in the weak tier alone, as far as it is known. */
  weakKeys(): K[] {
    const keys: K[] = [];
    for (const { key, value, place } of this.#items.values())
      if (value === undefined && place >= 0) keys[keys.length] = key;
    return keys;
  }

  /** A new item of the strong tier goes on counting where the one before it has ended, which may have been there, too. */
  replace(item: Item<K, V>, inStrong: Item<K, V> | undefined): void {
    const before = inStrong?.place === UNLISTED ? inStrong : this.#items.get(item.key);
    if (before === undefined) return;
    const listed = before.place !== UNLISTED;
    const remembered = listed && before.hasEnded;
    this.#end(before);
    item.continue(before);
    if (listed) this.#list(item);
    before.place = REPLACED;
    if (remembered) this.#replaced++;
  }

  /** From the strong tier into the weak one. Without memory for one more entry, it has ended. */
  demote(item: Item<K, V>): void {
    if (item.value === undefined) return;
    if (item.place >= 0) {
      this.#both--;
    } else {
      try {
        if (item.place === UNLISTED) this.#list(item);
        item.place = this.place(item.value, item, false);
        this.loose = NONE;
      } catch {
        this.end(item);
        return;
      }
    }
    item.value = undefined;
  }

  /** There is no strong tier any more: what it had is weak, as far as it is listed here. */
  demoteAll(): void {
    for (const item of this.#items.values()) if (item.value !== undefined) this.demote(item);
    this.#both = 0;
  }

  /** From the weak tier into the strong one. */
  promote(item: Item<K, V>, value: V): void {
    item.value = value;
    this.#both++;
  }

  /** It has no value any more. */
  end(item: Item<K, V>): void {
    this.#end(item);
    if (item.place === UNLISTED) this.#list(item);
    this.#remember(item);
  }

  #list(item: Item<K, V>): void {
    this.#items.set(item.key, item);
    item.place = NONE;
  }

  /** One whose value is dead has its end here, as if the queue had come to it. */
  #end(item: Item<K, V>): void {
    const { place } = item;
    if (place < 0) {
      item.value = undefined;
      return;
    }
    this.settle();
    if (item.value !== undefined) this.#both--;
    item.value = undefined;
    item.place = NONE;
    this.loose = place;
    if (this.giveBack()) return;
    item.deaths++;
    this.#totals.deaths++;
    tellDead(this.#cache, item.key);
  }

  #remember(item: Item<K, V>): void {
    this.#past[this.#past.length] = item;
    while (this.#past.length - this.#first > this.#history + this.#replaced) {
      const oldest = this.#past[this.#first] as Item<K, V>;
      if (oldest.place === REPLACED) {
        if (this.#replaced > 0) this.#replaced--;
      } else if (this.#items.get(oldest.key) === oldest) {
        // By itself: one that was cut short here is remembered twice, and its key may have another since.
        this.#items.delete(oldest.key);
      }
      // Last: cut short before, it would be remembered for ever.
      this.#first++;
    }
    // Half of the array is of no use.
    if (this.#first + this.#replaced > Math.max(FEW, this.#past.length / 2)) this.#compact();
  }

  #compact(): void {
    const rest = ownList<Item<K, V>>();
    for (let i = this.#first; i < this.#past.length; i++) {
      const item = this.#past[i] as Item<K, V>;
      if (item.place !== REPLACED) rest[rest.length] = item;
    }
    this.#past = rest;
    this.#first = 0;
    this.#replaced = 0;
  }

  /** The cache was cleared: what dies now is not its any more. */
  forget(): void {
    this.#forgotten = true;
  }

  protected override ended(place: number): boolean {
    const item = this.payload(place) as Item<K, V>;
    // It may have been replaced since.
    if (item.place !== place) return false;
    this.#remember(item);
    if (!this.#forgotten) tellDead(this.#cache, item.key);
    // From here on nothing is called.
    item.place = NONE;
    item.deaths++;
    if (!this.#forgotten) this.#totals.deaths++;
    return false;
  }

  protected override verifyListed(places: readonly number[]): string | null {
    const lost = places.find((place) => (this.payload(place) as Item<K, V>).place !== place);
    return lost === undefined ? null : `the value at place ${lost} has no item`;
  }
}
