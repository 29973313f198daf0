import { inspect } from 'node:util';
import type { LRUCache } from 'lru-cache';
import { isAborted, reasonOf } from '../aborts.js';
import { plainError } from '../errors.js';
import { identityTag } from '../identity.js';
import { type Depth, viewOf } from '../inspect.js';
import { booleanOption, checkCallback, receiverError } from '../validate.js';
import { CacheClock } from './cache-clock.js';
import { tellEvicted, tellRevived, watchLoad } from './cache-events.js';
import { type CacheCounts, CacheItems, Counts, hitRatioOf, Item, type RareCount, type Terms } from './cache-items.js';
import { CacheJob, checkValue, type JobHost, type Loader } from './cache-job.js';
import {
  checkCacheOptions,
  fetchOptions,
  type Given,
  historyOption,
  type Limits,
  limitsOf,
  loaderOption,
  NEVER,
  perfOption,
  ratioOption,
  setOptions,
  sizeOf,
} from './cache-options.js';
import type { WeakCacheFetchOptions, WeakCacheOptions, WeakCacheSetOptions, WeakCacheStats } from './cache-types.js';
import { notListed } from './collection-entries.js';
import { Freshness } from './freshness.js';
import { type Shrinkable, unwatchHeap, watchHeap } from './heap-pressure.js';
import { WeakCacheIterator } from './iterator.js';
import { type Job, type LoadContext, Loads } from './load.js';
import { BROKEN, metrics, newStrongTier } from './strong-tier.js';

const NAME = 'WeakCache';

/** At a time, when shrinking. */
const SHRINK_STEP = 256;

function wrongReceiver(receiver: unknown, method: string): Error {
  return receiverError(receiver, `${NAME}.prototype.${method}`, NAME);
}

function disposedError(where: string): Error {
  return plainError('ERR_WEAKLY_DISPOSED', `${where}: the cache has been disposed of`);
}

/**
 * A cache that never loads twice what is still in use. Values are held by a strong tier (`lru-cache`, with its limits), and
 * those that have had to leave it are still found as long as anybody else holds them.
 *
 *     const images = new WeakCache<string, Image>({ max: 100 });
 *     const image = await images.fetch(url, load);   // loads it, unless it is cached, in use, or being loaded
 *
 * | a value that | `get`, `has`, `fetch` |
 * |---|---|
 * | is in the strong tier | find it |
 * | has been evicted from there by a limit, and is in use elsewhere | find it, and put it back into the strong tier |
 * | has been evicted, and is not in use | do not find it, from the moment the collector has found it dead |
 * | is older than its `ttl`, was deleted or cleared, in use or not | do not find it; but see {@link WeakCache.fetch} |
 *
 * Guaranteed:
 * - The `ttl` is the same in both tiers: from when a value was set, the last moment included, by the clock of the cache.
 * - What comes first decides about a load, for the cache, the loader's signal and all who wait alike: the loader has ended,
 *   all who waited have given up, or the cache is disposed of.
 * - `fetch` calls the loader once for all who ask for a key while it is being loaded, and for none while a value is found.
 * - An error is not cached: all who wait are rejected with it, and the next `fetch` loads again. Nor is the value of a load
 *   whose key was set, deleted or cleared meanwhile, or that nobody waits for any more.
 * - The cache keeps no value alive beyond the strong tier's limits, but for one that is being loaded anew.
 *
 * Not guaranteed:
 * - That what has been evicted is gone at once: a garbage collector finds out.
 * - That memory-pressure mode prevents running out of memory: it acts after major GCs, and from the event loop.
 *
 * @throws TypeError `ERR_WEAKLY_OPTION`, RangeError `ERR_WEAKLY_RANGE` for options, and for a clock that gives no number.
 * @throws TypeError `ERR_WEAKLY_TARGET` when a value is no object or function. Nothing is changed when an error is thrown.
 * @throws TypeError `ERR_WEAKLY_RECEIVER` when a method is called on anything but a WeakCache.
 * @throws Error `ERR_WEAKLY_DISPOSED` by `set` and `fetch` after the cache was disposed of.
 */
export class WeakCache<K extends {}, V extends object> {
  #tier: LRUCache<K, Item<K, V>>;
  /** The same; or {@link BROKEN}, from before a call that changes it until it has returned. */
  #strong: LRUCache<K, Item<K, V>>;
  readonly #limits: Limits<K, V>;
  /** A larger value does not enter the strong tier. */
  readonly #maxEntrySize: number;
  readonly #ttl: number;
  readonly #freshness: Freshness;
  readonly #loader: Loader<K, V> | undefined;
  readonly #renewing: boolean;
  readonly #clock: CacheClock;
  /** Whether any value has ever had a ttl. Else nobody asks what time it is. */
  #timed: boolean;
  #items: CacheItems<K, V>;
  readonly #totals = new Counts();
  readonly #history: number;
  readonly #loads = new Loads<K, V>();
  readonly #host: JobHost<K, V> = {
    newItem: (key, value, given, where) => this.#newItem(key, value, given, where),
    put: (item) => this.#putStrong(item),
    drop: (key) => this.#end(key, this.#itemOf(key)),
    mayReplaceError: (terms) => this.#freshness.mayReplaceError(terms, this.#clock.now()),
    countError: (key) => {
      this.#totals.count('loadErrors');
      // Not if it was forgotten meanwhile.
      this.#itemOf(key)?.count('loadErrors');
    },
  };
  /**
   * Options for lru-cache, used over and over: V8 13.6 (Node.js 24) and later really make one for each call otherwise. It
   * writes into them what it has done, if somebody wants to know.
   */
  readonly #usual: { status: unknown } = { status: undefined };
  /** The item in whose place lru-cache puts the one that it is being given. */
  #replaced: Item<K, V> | undefined = undefined;
  readonly #shrinkable: Shrinkable | undefined;
  #toEvict = 0;
  #disposed = false;

  constructor(options: WeakCacheOptions<K, V>) {
    const where = `new ${NAME}`;
    checkCacheOptions(options, where);
    const limits = limitsOf<K, V>(options, where);
    const ratio = ratioOption(options, where);
    this.#limits = limits;
    this.#history = historyOption(options, where);
    this.#renewing = booleanOption(options, 'updateAgeOnGet', where);
    this.#clock = new CacheClock(perfOption(options, where));
    this.#loader = loaderOption(options, where) as Loader<K, V> | undefined;
    this.#ttl = limits.ttl ?? NEVER;
    this.#freshness = new Freshness(options, this.#ttl, where);
    this.#timed = this.#ttl !== NEVER;
    // lru-cache loses count where a value is larger than all of them may be together.
    this.#maxEntrySize = Math.min(limits.maxEntrySize ?? NEVER, limits.maxSize ?? NEVER);
    this.#tier = this.#newTier();
    this.#strong = this.#tier;
    this.#items = new CacheItems(this.#totals, this.#history, this);
    if (ratio === undefined) return;
    this.#shrinkable = { ratio, startShrinking: () => this.#startShrinking(), shrinkMore: () => this.#shrinkMore() };
    watchHeap(this.#shrinkable);
  }

  /** How many values are in the strong tier, or alive outside of it. What has expired counts until somebody asks for it. */
  get size(): number {
    if (!(#strong in Object(this))) throw wrongReceiver(this, 'size');
    return this.#whole().size + this.#items.weak;
  }

  /** The value of a key, if there is one. */
  get(key: K): V | undefined {
    let strong: LRUCache<K, Item<K, V>>;
    // Short, and in one step with the read: V8 then inlines it together with lru-cache's.
    try {
      strong = this.#strong;
    } catch {
      throw wrongReceiver(this, 'get');
    }
    if (this.#timed) return this.#getTimed(key) ?? this.#missed(key);
    const usual = this.#usual;
    usual.status = undefined;
    this.#strong = BROKEN;
    const item = strong.get(key, usual as LRUCache.GetOptions<K, Item<K, V>, unknown>);
    this.#strong = strong;
    if (item === undefined || item.terms !== undefined) return this.#check(key, item) ?? this.#missed(key);
    item.hitsStrong++;
    this.#totals.hitsStrong++;
    return item.value;
  }

  /** The value of a key, if there is one. Counts as no use of it, nor as a hit or miss. */
  peek(key: K): V | undefined {
    if (!(#strong in Object(this))) throw wrongReceiver(this, 'peek');
    return this.#peek(key);
  }

  /** Whether there is a value; counts as no use of it. */
  has(key: K): boolean {
    if (!(#strong in Object(this))) throw wrongReceiver(this, 'has');
    return this.#peek(key) !== undefined;
  }

  /**
   * The keys of all values that there are, in either tier: those of the strong tier first, the latest used one before the others.
   * Like the other iterators it counts as no use, and copes with what is set and deleted meanwhile: it goes along the keys that
   * there were when it was first asked, and gives what there is when it comes to them.
   */
  keys(): MapIterator<K> {
    if (!(#strong in Object(this))) throw wrongReceiver(this, 'keys');
    return this.#each((key) => key) as unknown as MapIterator<K>;
  }

  /** The values, as {@link keys} has them. */
  values(): MapIterator<V> {
    if (!(#strong in Object(this))) throw wrongReceiver(this, 'values');
    return this.#each((_key, value) => value) as unknown as MapIterator<V>;
  }

  /** Keys and values, as {@link keys} has them. */
  entries(): MapIterator<[K, V]> {
    if (!(#strong in Object(this))) throw wrongReceiver(this, 'entries');
    return this.#each((key, value) => [key, value]) as unknown as MapIterator<[K, V]>;
  }

  /** As {@link entries}. */
  [Symbol.iterator](): MapIterator<[K, V]> {
    if (!(#strong in Object(this))) throw receiverError(this, `${NAME}.prototype[Symbol.iterator]`, NAME);
    return this.#each((key, value) => [key, value]) as unknown as MapIterator<[K, V]>;
  }

  /** Calls `callback` for each value, as {@link keys} has them. */
  forEach(callback: (value: V, key: K, cache: WeakCache<K, V>) => void, thisArg: unknown = undefined): void {
    const where = `${NAME}.prototype.forEach`;
    if (!(#strong in Object(this))) throw receiverError(this, where, NAME);
    checkCallback(callback, 'callback', where);
    const all = this.#each((key, value) => Reflect.apply(callback, thisArg, [value, key, this]));
    while (all.next().done !== true);
  }

  /** Sets the value of a key. A load of this key that is under way will not be stored. */
  set(key: K, value: V, options?: WeakCacheSetOptions): this {
    const where = `${NAME}.prototype.set`;
    if (!(#strong in Object(this))) throw receiverError(this, where, NAME);
    const given = setOptions(options, where);
    this.#checkOpen(where);
    checkValue(value, 'argument "value"', where);
    const item = this.#newItem(key, value, given, where);
    // The user's code may have run: for the size, and for the time.
    this.#checkOpen(where);
    this.#putStrong(item);
    this.#loads.forget(key);
    return this;
  }

  /** Forgets a key, also if its value is still in use; whether there was a value. A load under way will not be stored. */
  delete(key: K): boolean {
    if (!(#strong in Object(this))) throw wrongReceiver(this, 'delete');
    const known = this.#peek(key) !== undefined;
    this.#loads.forget(key);
    this.#end(key, this.#itemOf(key));
    return known;
  }

  /** Forgets everything. Loads under way will not be stored. */
  clear(): void {
    if (!(#strong in Object(this))) throw wrongReceiver(this, 'clear');
    this.#clear();
  }

  /**
   * The value of a key; if there is none, the loader makes it, once for all who ask meanwhile: `loader`, or else the one of the
   * cache. The cache's `ttl` and limits apply, or those in the options of whoever asked first, or what the loader says.
   *
   * With the options `staleWhileRevalidate`, `staleIfError` and `refreshAhead` it also gives values that have expired, and loads
   * anew before anybody has to wait; see {@link WeakCacheOptions}.
   *
   * Rejects with what the loader throws, with `signal.reason`, or with the errors that are named at the class. The loader gets
   * a signal of its own: it is aborted when all who waited have given up before it has ended.
   */
  fetch(
    key: K,
    loader: ((key: K, context: LoadContext<V>) => V | Promise<V>) | undefined,
    options?: WeakCacheFetchOptions,
  ): Promise<V>;
  fetch(key: K, options?: WeakCacheFetchOptions): Promise<V>;
  async fetch(key: K, first?: unknown, second?: unknown): Promise<V> {
    const where = `${NAME}.prototype.fetch`;
    if (!(#strong in Object(this))) throw receiverError(this, where, NAME);
    const own = this.#loader;
    const loader = own === undefined || typeof first === 'function' ? first : own;
    checkCallback(loader, 'loader', where, own === undefined ? ', as the cache has none' : '');
    const given = fetchOptions(loader === first || first === undefined ? second : first, where);
    const { signal } = given;
    this.#checkOpen(where);
    if (signal !== undefined && isAborted(signal)) throw reasonOf(signal);
    const known = this.#find(key);
    if (known !== undefined) {
      if (!this.#freshness.isPlain) this.#refreshAhead(key, known, loader as Loader<K, V>, given);
      return known;
    }
    // The user's code may have run, for the time.
    this.#checkOpen(where);
    if (signal !== undefined && isAborted(signal)) throw reasonOf(signal);
    const item = this.#noted(key, this.#leftOf(key));
    const stale = this.#staleValue(item);
    const load = this.#loads.get(key);
    if (stale !== undefined && this.#freshness.mayRevalidate(item.terms as Terms, this.#clock.last)) {
      this.#count(item, 'hitsStale');
      if (load === undefined)
        this.#loads.startInBackground(this.#jobOf(item, key, loader as Loader<K, V>, given, stale));
      return stale;
    }
    if (load !== undefined) {
      this.#count(item, 'coalesced');
      return load.wait(signal);
    }
    item.misses++;
    this.#totals.misses++;
    return this.#loads.start(this.#jobOf(item, key, loader as Loader<K, V>, given, stale), signal);
  }

  /** What has happened so far, and how much there is now. As cheap as a `size`: the first after a GC may look for the dead. */
  stats(): WeakCacheStats {
    if (!(#strong in Object(this))) throw wrongReceiver(this, 'stats');
    const { counts } = this.#totals;
    const strong = this.#whole().size;
    return { ...counts, hitRatio: hitRatioOf(counts), strong, weak: this.#items.weak, loading: this.#loads.running };
  }

  /** The same for one key; undefined when it has never been asked for, or too long ago (see `history`). */
  statsOf(key: K): CacheCounts | undefined {
    if (!(#strong in Object(this))) throw wrongReceiver(this, 'statsOf');
    return this.#itemOf(key)?.counts;
  }

  /**
   * Forgets everything, aborts all loads, and waits for their loaders to end. Whoever waits for one is rejected with
   * `ERR_WEAKLY_DISPOSED`, unless the loader has ended before. `get` and `has` find nothing afterwards.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!(#strong in Object(this))) throw receiverError(this, `${NAME}.prototype[Symbol.asyncDispose]`, NAME);
    this.#disposed = true;
    if (this.#shrinkable !== undefined) unwatchHeap(this.#shrinkable);
    const ended = this.#loads.abort(() => disposedError(`${NAME}.prototype.fetch`));
    this.#clear();
    // There will be nothing that could expire, and so no reason to ask the clock, which may throw.
    this.#timed = false;
    await ended;
  }

  /** With a number: so that tests which compare deeply tell two of them apart. */
  get [Symbol.toStringTag](): string {
    return #strong in Object(this) ? identityTag(NAME, this) : NAME;
  }

  /** For `console.log`: how many values there are, and where. Not the values: a cache may be large. */
  [inspect.custom](depth?: Depth): object | string {
    if (!(#strong in Object(this))) return `[object ${NAME}]`;
    return viewOf(this, NAME, Object, depth, false, () => {
      const strong = this.#whole().size;
      const { weak } = this.#items;
      return { size: strong + weak, strong, weak, loading: this.#loads.running };
    });
  }

  #checkOpen(where: string): void {
    if (this.#disposed) throw disposedError(where);
  }

  #startShrinking(): void {
    this.#toEvict = Math.ceil(this.#whole().size / 2);
  }

  #shrinkMore(): boolean {
    const strong = this.#whole();
    this.#strong = BROKEN;
    for (let i = 0; i < SHRINK_STEP && this.#toEvict > 0; i++, this.#toEvict--) strong.pop();
    this.#strong = strong;
    return this.#toEvict > 0;
  }

  #newTier(): LRUCache<K, Item<K, V>> {
    return newStrongTier<K, Item<K, V>>(this.#limits, this.#maxEntrySize, (item, _key, reason) => {
      if (reason === 'evict') this.#demote(item);
      else if (reason === 'set') this.#replaced = item;
    });
  }

  /** The strong tier. Where a change of it was cut short, an empty one: what of the old one is known elsewhere is weak then. */
  #whole(): LRUCache<K, Item<K, V>> {
    if (this.#strong !== BROKEN) return this.#strong;
    if (!metrics.hasSubscribers) {
      const fresh = this.#newTier();
      this.#items.demoteAll();
      this.#tier = fresh;
    }
    this.#strong = this.#tier;
    return this.#tier;
  }

  /** Must not throw, and must not run the user's code: lru-cache would be left half changed. So it does not ask for the time. */
  #demote(item: Item<K, V>): void {
    if (this.#freshness.isOver(item.terms, this.#clock.last)) this.#items.end(item);
    else this.#items.demote(item);
    tellEvicted(this, item.key);
  }

  #clear(): void {
    const strong = this.#whole();
    const items = new CacheItems<K, V>(this.#totals, this.#history, this);
    this.#strong = BROKEN;
    this.#items.forget();
    this.#items = items;
    this.#loads.forgetAll();
    strong.clear();
    this.#strong = strong;
    this.#toEvict = 0;
  }

  /** May run the user's code: so first this, and then whatever is looked up or changed. */
  #now(): number {
    return this.#timed ? this.#clock.now() : 0;
  }

  /** No generator: suspended, it would hold the value that it has given last. */
  #each<T>(of: (key: K, value: V) => T): WeakCacheIterator<K, V, T> {
    const keys = (): K[] => [...this.#whole().keys(), ...this.#items.weakKeys()];
    return new WeakCacheIterator(keys, (key) => this.#peek(key), of);
  }

  #peek(key: K): V | undefined {
    const now = this.#now();
    const strong = this.#whole().peek(key);
    if (strong?.value !== undefined) return strong.hasExpired(now) ? undefined : strong.value;
    const item = this.#items.get(key);
    return item === undefined ? undefined : this.#items.peek(item, now);
  }

  /** As `get`, but counts no miss. That does not call it: there it would cost a call, and here a method of `this` may be a subclass's. */
  #find(key: K): V | undefined {
    if (this.#timed) return this.#getTimed(key);
    const strong = this.#strong;
    const usual = this.#usual;
    usual.status = undefined;
    this.#strong = BROKEN;
    const item = strong.get(key, usual as LRUCache.GetOptions<K, Item<K, V>, unknown>);
    this.#strong = strong;
    return this.#check(key, item);
  }

  /** Of what the strong tier has given, or not, where nothing expires. */
  #check(key: K, item: Item<K, V> | undefined): V | undefined {
    return item?.value === undefined ? this.#getSlowly(key, item, 0) : this.#hit(item);
  }

  /** Where values may have a ttl. First the time: should the clock throw, nothing has been used. */
  #getTimed(key: K): V | undefined {
    const now = this.#clock.now();
    const strong = this.#whole();
    const usual = this.#usual;
    usual.status = undefined;
    this.#strong = BROKEN;
    const item = strong.get(key, usual as LRUCache.GetOptions<K, Item<K, V>, unknown>);
    this.#strong = strong;
    if (item?.value === undefined || item.hasExpired(now)) return this.#getSlowly(key, item, now);
    this.#renew(item, now);
    return this.#hit(item);
  }

  #renew({ terms }: Item<K, V>, now: number): void {
    if (this.#renewing && terms !== undefined) terms.expires = now + terms.ttl;
  }

  #hit(item: Item<K, V>): V | undefined {
    item.hitsStrong++;
    this.#totals.hitsStrong++;
    return item.value;
  }

  /** What is not in the strong tier, or has expired there. `found`: what was there. Counts a hit, but no miss. */
  #getSlowly(key: K, found: Item<K, V> | undefined, now: number): V | undefined {
    const strong = this.#strong === BROKEN ? this.#whole().peek(key) : found;
    if (strong?.value !== undefined) {
      if (!strong.hasExpired(now)) return this.#hit(strong);
      if (this.#freshness.isOver(strong.terms, now)) this.#end(key, strong);
      return undefined;
    }
    const item = this.#items.get(key);
    if (item === undefined) return undefined;
    const value = this.#items.peek(item, now);
    if (value === undefined) return undefined;
    item.hitsWeak++;
    this.#totals.hitsWeak++;
    this.#renew(item, now);
    this.#putStrong(item, value);
    // Not what is too large for the strong tier.
    if (item.value !== undefined) tellRevived(this, key);
    return value;
  }

  #missed(key: K): undefined {
    this.#totals.misses++;
    this.#noted(key, this.#leftOf(key)).misses++;
    return undefined;
  }

  /** Outside of the strong tier, alive, and of use; by the last reading of the clock, as all of this. */
  #isKept(item: Item<K, V>): boolean {
    return !this.#freshness.isOver(item.terms, this.#clock.last) && this.#items.lookUp(item) !== undefined;
  }

  /** What has expired, and is of use still. */
  #staleValue(item: Item<K, V>): V | undefined {
    return item.hasExpired(this.#clock.last) && !this.#freshness.isOver(item.terms, this.#clock.last)
      ? this.#items.lookUp(item)
      : undefined;
  }

  /** Loads anew what was found, if it is about to expire. */
  #refreshAhead(key: K, known: V, loader: Loader<K, V>, given: Given): void {
    const item = this.#itemOf(key);
    if (item === undefined || !this.#freshness.isDue(item.terms, this.#clock.last)) return;
    if (this.#loads.get(key) === undefined) this.#loads.startInBackground(this.#jobOf(item, key, loader, given, known));
  }

  /** Counts a load. `item`: of the key, which may be loaded anew; `stale`: what is going to be replaced. */
  #jobOf(item: Item<K, V>, key: K, loader: Loader<K, V>, given: Given, stale: V | undefined): Job<K, V> {
    item.loads++;
    this.#totals.loads++;
    const job = { key, loader, stale, ttl: given.ttl ?? this.#ttl };
    return new CacheJob(this.#host, item, job, given.size, `${NAME}.prototype.fetch`, watchLoad(this, key));
  }

  #count(item: Item<K, V>, what: RareCount): void {
    item.count(what);
    this.#totals.count(what);
  }

  /** What there is of a key that was not found: in the strong tier may be what has expired, if that is of use. */
  #leftOf(key: K): Item<K, V> | undefined {
    return this.#freshness.isPlain ? this.#items.get(key) : this.#itemOf(key);
  }

  #itemOf(key: K): Item<K, V> | undefined {
    return this.#whole().peek(key) ?? this.#items.get(key);
  }

  /** Its counts are all that is left. */
  #end(key: K, item: Item<K, V> | undefined): void {
    const strong = this.#whole();
    this.#strong = BROKEN;
    strong.delete(key);
    if (item !== undefined && !item.hasEnded) this.#items.end(item);
    this.#strong = strong;
  }

  /** Where to count what happens to a key that is not found. */
  #noted(key: K, known: Item<K, V> | undefined): Item<K, V> {
    if (known !== undefined && (known.hasEnded || known.value !== undefined || this.#isKept(known))) return known;
    const item = known ?? new Item<K, V>(key, undefined, undefined);
    // It has expired, or is dead, and nobody has found out before; or there was none.
    this.#items.end(item);
    return item;
  }

  /** Runs the user's code: for the size, and for the time. */
  #newItem(key: K, value: V, given: Given, where: string): Item<K, V> {
    const size = sizeOf(value, key, given.size, this.#limits, where);
    const ttl = given.ttl ?? this.#ttl;
    if (ttl === NEVER && size === undefined) return new Item(key, value, undefined);
    const expires = ttl === NEVER ? NEVER : this.#clock.now() + ttl;
    return new Item(key, value, { ttl, size, expires });
  }

  /** Into the strong tier, in the place of what is there; whole or not at all. `value`: of one that comes from the weak tier. */
  #putStrong(item: Item<K, V>, value?: V): void {
    const { key, terms } = item;
    const strong = this.#whole();
    this.#replaced = undefined;
    this.#strong = BROKEN;
    if (value !== undefined) this.#items.promote(item, value);
    try {
      if (terms?.size === undefined) {
        const usual = this.#usual;
        usual.status = undefined;
        strong.set(key, item, usual as object);
      } else strong.set(key, item, { size: terms.size });
    } catch (error) {
      throw notListed(error);
    }
    this.#replace(item);
    if (terms !== undefined) this.#keepTerms(item, terms);
    this.#strong = strong;
  }

  #keepTerms(item: Item<K, V>, { size, expires }: Terms): void {
    if (expires !== NEVER) this.#timed = true;
    // Too large for the strong tier: it is found as long as it is in use.
    if (size !== undefined && size > this.#maxEntrySize) this.#items.demote(item);
  }

  #replace(item: Item<K, V>): void {
    const replaced = this.#replaced;
    this.#replaced = undefined;
    // One that has come back from the weak tier is there already.
    if (item.place < 0) this.#items.replace(item, replaced);
  }
}
