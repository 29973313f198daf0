import { LRUCache } from 'lru-cache';
import { plainError, rangeError, typeError } from '../errors.js';
import {
  booleanOption,
  checkCallback,
  checkOptions,
  optionError,
  positiveOption,
  receiverError,
  targetError,
} from '../validate.js';
import { type CacheCounts, CacheItems, Counts, clock, Item } from './cache-items.js';
import { type Shrinkable, unwatchHeap, watchHeap } from './heap-pressure.js';
import { Load, type LoadContext } from './load.js';

const NAME = 'WeakCache';

interface Options<K, V extends object> {
  /** How many values the strong tier holds at most. */
  readonly max?: number | undefined;
  /** The sum of sizes that the strong tier holds at most; every value then needs a size, see `sizeCalculation`. */
  readonly maxSize?: number | undefined;
  /**
   * A value of a larger size does not enter the strong tier.
   *
   * @default `maxSize`
   */
  readonly maxEntrySize?: number | undefined;
  /** The size of a value: a positive integer. `set` and `fetch` may be told it, instead. */
  readonly sizeCalculation?: ((value: V, key: K) => number) | undefined;
  /**
   * How long a value may be found after it was set, in milliseconds. It then is in neither tier, in use or not.
   *
   * @default for ever
   */
  readonly ttl?: number | undefined;
  /**
   * `get` starts the time anew.
   *
   * @default false
   */
  readonly updateAgeOnGet?: boolean | undefined;
  /**
   * Memory-pressure mode: whenever a major GC leaves more than this share of V8's heap limit in use (0.8: 80 %), the strong
   * tier gives up half of its values, the least recently used first. They are still found as long as others use them. The
   * limit is that of the old generation: `--max-old-space-size`, a worker's `resourceLimits`, or V8's own.
   *
   * @default none: the limits above are all there is
   */
  readonly maxHeapRatio?: number | undefined;
  /**
   * For how many keys that have left the cache counts are kept; see {@link WeakCache.stats}.
   *
   * @default 1000
   */
  readonly history?: number | undefined;
}

/** One limit at least has to be there: `max`, `maxSize`, or `ttl`. */
export type WeakCacheOptions<K, V extends object> = Options<K, V> &
  ({ readonly max: number } | { readonly maxSize: number } | { readonly ttl: number });

export interface WeakCacheSetOptions {
  /** In milliseconds, instead of the cache's. */
  readonly ttl?: number | undefined;
  /** Instead of what `sizeCalculation` would give. */
  readonly size?: number | undefined;
}

export interface WeakCacheFetchOptions extends WeakCacheSetOptions {
  /** Gives up waiting: rejects with its reason. The load goes on as long as anybody else waits for it. */
  readonly signal?: AbortSignal | undefined;
}

export interface WeakCacheStats extends CacheCounts {
  /** Values in the strong tier. */
  readonly strong: number;
  /** Values that are still alive outside of it. */
  readonly weak: number;
  /** Loads under way. */
  readonly loading: number;
}

/** The options that are lru-cache's own; it checks them. */
const LIMITS = ['max', 'maxSize', 'maxEntrySize', 'sizeCalculation', 'ttl', 'updateAgeOnGet'] as const;
const OPTIONS = [...LIMITS, 'maxHeapRatio', 'history'];
const SET_OPTIONS = ['ttl', 'size'];
const FETCH_OPTIONS = [...SET_OPTIONS, 'signal'];

const NOW = -1;

/** At a time, when shrinking. */
const SHRINK_STEP = 256;

/** lru-cache says which option, and what it expected. */
function refuse(error: unknown, where: string): Error {
  const refusal = typeError('ERR_WEAKLY_OPTION', `${where}: ${error instanceof Error ? error.message : String(error)}`);
  return Object.defineProperty(refusal, 'cause', { value: error, configurable: true, writable: true });
}

function wrongReceiver(receiver: unknown, method: string): Error {
  return receiverError(receiver, `${NAME}.prototype.${method}`, NAME);
}

function disposedError(where: string): Error {
  return plainError('ERR_WEAKLY_DISPOSED', `${where}: the cache has been disposed of`);
}

function checkValue(value: unknown, name: string, where: string): asserts value is object {
  if (typeof value === 'object' ? value === null : typeof value !== 'function')
    throw targetError(value, where, 'an object or a function', name);
}

function checkSetOptions(options: unknown, known: readonly string[], where: string): void {
  checkOptions(options, known, where);
  positiveOption(options, 'ttl', where, 1);
}

function ratioOption(options: object, where: string): number | undefined {
  const ratio = positiveOption(options, 'maxHeapRatio', where, Number.POSITIVE_INFINITY);
  if (ratio === Number.POSITIVE_INFINITY) return undefined;
  if (ratio <= 1) return ratio;
  throw rangeError('ERR_WEAKLY_RANGE', `${where}: expected option "maxHeapRatio" to be at most 1, got ${ratio}`);
}

function historyOption(history: unknown, where: string): number {
  if (typeof history !== 'number') throw optionError('history', where, 'a number', history);
  if (Number.isSafeInteger(history) && history >= 0) return history;
  throw rangeError(
    'ERR_WEAKLY_RANGE',
    `${where}: expected option "history" to be an integer, 0 or more, got ${history}`,
  );
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
 * | is older than its `ttl`, was deleted or cleared, in use or not | do not find it |
 *
 * Guaranteed:
 * - `fetch` calls the loader once for all who ask for a key while it is being loaded, and for none while a value is found.
 * - An error is not cached: all who wait are rejected with it, and the next `fetch` loads again. Nor is the value of a load
 *   whose key was set, deleted or cleared meanwhile, or that nobody waits for any more.
 * - The cache keeps no value alive beyond the strong tier's limits.
 *
 * Not guaranteed:
 * - That what has been evicted is gone at once: a garbage collector finds out.
 * - That memory-pressure mode prevents running out of memory: it acts after major GCs, and from the event loop.
 *
 * @throws TypeError `ERR_WEAKLY_OPTION`, RangeError `ERR_WEAKLY_RANGE` for options, and for limits that lru-cache refuses.
 * @throws TypeError `ERR_WEAKLY_TARGET` when a value is no object or function. Nothing is changed when an error is thrown.
 * @throws TypeError `ERR_WEAKLY_RECEIVER` when a method is called on anything but a WeakCache.
 * @throws Error `ERR_WEAKLY_DISPOSED` by `set` and `fetch` after the cache was disposed of.
 */
export class WeakCache<K extends {}, V extends object> {
  readonly #strong: LRUCache<K, Item<K, V>>;
  readonly #sizeOf: ((value: V, key: K) => number) | undefined;
  readonly #sized: boolean;
  readonly #ttl: number;
  readonly #renewing: boolean;
  #items: CacheItems<K, V>;
  readonly #totals = new Counts();
  readonly #history: number;
  /** The loads whose values are going to be stored. */
  readonly #loads: Map<K, Load<V>> = new Map();
  /**
   * Options for lru-cache, used over and over: V8 13.6 (Node.js 24) and later really make one for each call otherwise. It
   * writes into them what it has done, if somebody wants to know.
   */
  readonly #usual: { ttl: number; status: unknown } = { ttl: 0, status: undefined };
  /** The item in whose place lru-cache puts the one that it is being given. */
  #replaced: Item<K, V> | undefined = undefined;
  readonly #running: Set<Load<V>> = new Set();
  readonly #shrinkable: Shrinkable | undefined;
  #toEvict = 0;
  #disposed = false;

  constructor(options: WeakCacheOptions<K, V>) {
    const where = `new ${NAME}`;
    checkOptions(options, OPTIONS, where);
    const ratio = ratioOption(options, where);
    this.#history = historyOption(options.history ?? 1000, where);
    try {
      this.#strong = this.#newStrongTier(options);
    } catch (error) {
      throw refuse(error, where);
    }
    this.#sizeOf = options.sizeCalculation;
    this.#sized = options.maxSize !== undefined || options.maxEntrySize !== undefined;
    this.#ttl = options.ttl ?? 0;
    this.#renewing = booleanOption(options, 'updateAgeOnGet', where);
    this.#items = new CacheItems(this.#totals, this.#history);
    if (ratio === undefined) return;
    this.#shrinkable = { ratio, startShrinking: () => this.#startShrinking(), shrinkMore: () => this.#shrinkMore() };
    watchHeap(this.#shrinkable);
  }

  /** How many values are in the strong tier, or alive outside of it. What has expired counts until somebody asks for it. */
  get size(): number {
    if (!(#strong in Object(this))) throw wrongReceiver(this, 'size');
    return this.#strong.size + this.#items.weak;
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
    const usual = this.#usual;
    usual.status = undefined;
    const item = strong.get(key, usual as LRUCache.GetOptions<K, Item<K, V>, unknown>);
    if (item === undefined) return this.#getWeak(key);
    item.hitsStrong++;
    this.#totals.hitsStrong++;
    return item.value;
  }

  /** Whether there is a value; counts as no use of it. */
  has(key: K): boolean {
    if (!(#strong in Object(this))) throw wrongReceiver(this, 'has');
    if (this.#strong.has(key)) return true;
    const item = this.#items.get(key);
    return item !== undefined && this.#items.peek(item) !== undefined;
  }

  /** Sets the value of a key. A load of this key that is under way will not be stored. */
  set(key: K, value: V, options?: WeakCacheSetOptions): this {
    const where = `${NAME}.prototype.set`;
    if (!(#strong in Object(this))) throw receiverError(this, where, NAME);
    if (options !== undefined) checkSetOptions(options, SET_OPTIONS, where);
    this.#checkOpen(where);
    checkValue(value, 'argument "value"', where);
    this.#store(key, value, options, where);
    if (this.#loads.size > 0) this.#loads.delete(key);
    return this;
  }

  /** Forgets a key, also if its value is still in use; whether there was a value. A load under way will not be stored. */
  delete(key: K): boolean {
    if (!(#strong in Object(this))) throw wrongReceiver(this, 'delete');
    this.#loads.delete(key);
    const known = this.has(key);
    const item = this.#itemOf(key);
    this.#strong.delete(key);
    if (item !== undefined && !item.hasEnded) this.#items.end(item);
    return known;
  }

  /** Forgets everything. Loads under way will not be stored. */
  clear(): void {
    if (!(#strong in Object(this))) throw wrongReceiver(this, 'clear');
    const items = new CacheItems<K, V>(this.#totals, this.#history);
    this.#items.forget();
    this.#items = items;
    this.#loads.clear();
    this.#strong.clear();
    this.#toEvict = 0;
  }

  /**
   * The value of a key; if there is none, `loader` makes it, once for all who ask meanwhile. The cache's `ttl` and limits
   * apply, or those in the options of whoever asked first.
   *
   * Rejects with what the loader throws, with `signal.reason`, or with the errors that are named at the class. `loader` gets
   * a signal of its own: it is aborted when all who waited have given up.
   */
  async fetch(
    key: K,
    loader: (key: K, context: LoadContext) => V | Promise<V>,
    options?: WeakCacheFetchOptions,
  ): Promise<V> {
    const where = `${NAME}.prototype.fetch`;
    if (!(#strong in Object(this))) throw receiverError(this, where, NAME);
    checkCallback(loader, 'loader', where);
    if (options !== undefined) checkSetOptions(options, FETCH_OPTIONS, where);
    const signal = options?.signal;
    if (signal !== undefined && !(signal instanceof AbortSignal))
      throw optionError('signal', where, 'an AbortSignal', signal);
    this.#checkOpen(where);
    signal?.throwIfAborted();
    const known = this.get(key);
    if (known !== undefined) return known;
    const load = this.#loads.get(key) ?? this.#load(key, loader, options, where);
    return load.wait(signal);
  }

  /** What has happened so far, and how much there is now. As cheap as a `size`: the first after a GC may look for the dead. */
  stats(): WeakCacheStats {
    if (!(#strong in Object(this))) throw wrongReceiver(this, 'stats');
    return { ...this.#totals.counts, strong: this.#strong.size, weak: this.#items.weak, loading: this.#running.size };
  }

  /** The same for one key; undefined when it has never been asked for, or too long ago (see `history`). */
  statsOf(key: K): CacheCounts | undefined {
    if (!(#strong in Object(this))) throw wrongReceiver(this, 'statsOf');
    return this.#itemOf(key)?.counts;
  }

  /**
   * Forgets everything, aborts all loads, and waits for their loaders to end. Whoever waits for one is rejected with
   * `ERR_WEAKLY_DISPOSED`, unless the loader rejects with something else first. `get` and `has` find nothing afterwards.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!(#strong in Object(this))) throw receiverError(this, `${NAME}.prototype[Symbol.asyncDispose]`, NAME);
    this.#disposed = true;
    if (this.#shrinkable !== undefined) unwatchHeap(this.#shrinkable);
    const running = [...this.#running];
    for (const load of running) load.abort(disposedError(`${NAME}.prototype.fetch`));
    this.clear();
    await Promise.all(running.map((load) => load.ended));
  }

  get [Symbol.toStringTag](): string {
    return NAME;
  }

  #checkOpen(where: string): void {
    if (this.#disposed) throw disposedError(where);
  }

  #newStrongTier(options: WeakCacheOptions<K, V>): LRUCache<K, Item<K, V>> {
    const limits = LIMITS.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]);
    const strong = new LRUCache<K, Item<K, V>>({
      ...(Object.fromEntries(limits) as { max: number }),
      perf: clock,
      dispose: (item, key, reason) => {
        if (reason === 'evict') this.#demote(item, key);
        else if (reason === 'expire' && !item.hasEnded) this.#items.end(item);
        else if (reason === 'set') this.#replaced = item;
      },
    });
    // Sizes are taken once, when a value is set (#store): it may come back from the weak tier.
    (strong as { sizeCalculation: unknown }).sizeCalculation = undefined;
    return strong;
  }

  #startShrinking(): void {
    this.#toEvict = Math.ceil(this.#strong.size / 2);
  }

  #shrinkMore(): boolean {
    for (let i = 0; i < SHRINK_STEP && this.#toEvict > 0; i++, this.#toEvict--) this.#strong.pop();
    return this.#toEvict > 0;
  }

  /** Must not throw: lru-cache would be left half changed. */
  #demote(item: Item<K, V>, key: K): void {
    if (item.ttl === 0) {
      this.#items.demote(item, undefined);
      return;
    }
    const remaining = this.#strong.getRemainingTTL(key);
    if (remaining > 0) this.#items.demote(item, clock.now() + remaining);
    else this.#items.end(item);
  }

  #getWeak(key: K): V | undefined {
    const item = this.#items.get(key);
    const value = item === undefined ? undefined : this.#items.peek(item);
    if (item === undefined || value === undefined) {
      this.#totals.misses++;
      this.#noted(key, item).misses++;
      return undefined;
    }
    item.hitsWeak++;
    this.#totals.hitsWeak++;
    this.#items.promote(item, value);
    this.#putStrong(item, item.expires === undefined || this.#renewing ? NOW : item.expires - item.ttl);
    return value;
  }

  #itemOf(key: K): Item<K, V> | undefined {
    return this.#strong.peek(key, { allowStale: true }) ?? this.#items.get(key);
  }

  /** Where to count what happens to a key that is not found. */
  #noted(key: K, known: Item<K, V> | undefined): Item<K, V> {
    if (known?.hasEnded === true) return known;
    const item = known ?? new Item<K, V>(key, undefined, undefined);
    // It has expired, or is dead, and nobody has found out before; or there was none.
    this.#items.end(item);
    return item;
  }

  #store(key: K, value: V, options: WeakCacheSetOptions | undefined, where: string): void {
    const sizeOf = this.#sizeOf;
    const size = options?.size ?? sizeOf?.(value, key);
    const ttl = options?.ttl ?? this.#ttl;
    const item = new Item(key, value, ttl === 0 && size === undefined ? undefined : { ttl, size, expires: undefined });
    try {
      this.#putStrong(item, NOW);
    } catch (error) {
      throw refuse(error, where);
    }
  }

  /** `from`: when its time has begun. */
  #putStrong(item: Item<K, V>, from: number): void {
    const { key, terms } = item;
    this.#replaced = undefined;
    if (terms === undefined) {
      const usual = this.#usual;
      usual.status = undefined;
      this.#strong.set(key, item, usual as { ttl: number });
      this.#replace(item);
      return;
    }
    const { ttl, size } = terms;
    const start = from === NOW ? clock.now() : from;
    this.#strong.set(key, item, size === undefined ? { ttl, start } : { ttl, start, size });
    this.#replace(item);
    // Too large for the strong tier: it is found as long as it is in use.
    if (this.#sized && this.#strong.peek(key) !== item) this.#items.demote(item, ttl === 0 ? undefined : start + ttl);
  }

  #replace(item: Item<K, V>): void {
    const replaced = this.#replaced;
    this.#replaced = undefined;
    // One that has come back from the weak tier is there already.
    if (item.entry < 0) this.#items.replace(item, replaced);
  }

  #load(
    key: K,
    loader: (key: K, context: LoadContext) => V | Promise<V>,
    options: WeakCacheSetOptions | undefined,
    where: string,
  ): Load<V> {
    this.#noted(key, this.#items.get(key)).loads++;
    this.#totals.loads++;
    const forget = (): boolean => this.#loads.get(key) === load && this.#loads.delete(key);
    const load = new Load<V>(forget);
    this.#loads.set(key, load);
    this.#running.add(load);
    load.start(async (context) => {
      try {
        const value = await loader(key, context);
        checkValue(value, 'what "loader" gives', where);
        if (forget()) this.#store(key, value, options, where);
        return value;
      } finally {
        forget();
        this.#running.delete(load);
      }
    });
    return load;
  }
}
