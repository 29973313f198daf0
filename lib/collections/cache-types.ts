import type { WeakCacheClock } from './cache-clock.js';
import type { CacheCounts } from './cache-items.js';
import type { LoadContext } from './load.js';

/** All options of a {@link WeakCache}; see {@link WeakCacheOptions}. */
export interface Options<K, V extends object> {
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
   * How long a value is found after it was set, in milliseconds, the last moment included. It then is in neither tier, in
   * use or not. `Infinity`: for ever.
   *
   * @default Infinity
   */
  readonly ttl?: number | undefined;
  /**
   * What `fetch` calls for a key that is not there, unless it is told another one. Types of keys and values follow from it.
   *
   * @default none: `fetch` has to be told
   */
  readonly loader?: ((key: K, context: LoadContext<V>) => V | Promise<V>) | undefined;
  /**
   * A value that has less than this left of its `ttl`, in milliseconds, is loaded anew when `fetch` finds it: that gets the value at
   * once, and nobody has to wait for the next one. Caffeine's `refreshAfterWrite`, counted from the end. Has to be less than `ttl`;
   * of a value whose own `ttl` is not longer than this, the last half counts.
   *
   * @default none: a value is loaded anew when it has expired, and somebody asks for it
   */
  readonly refreshAhead?: number | undefined;
  /**
   * For so many milliseconds after its `ttl`, `fetch` gives a value at once, and loads it anew in the background, once; what
   * that fails with nobody is told but the `weakly:cache:load` channel and the counts. `get`, `has` and `peek` do not find it.
   * As in HTTP (RFC 5861). `Infinity`: for ever.
   *
   * @default none: `fetch` waits for the new one
   */
  readonly staleWhileRevalidate?: number | undefined;
  /**
   * For so many milliseconds after its `ttl`, all who wait for a value to be loaded anew get the old one if that fails. As in HTTP
   * (RFC 5861). `Infinity`: for ever.
   *
   * @default none: they are rejected with the error
   */
  readonly staleIfError?: number | undefined;
  /**
   * `get` starts the time anew.
   *
   * @default false
   */
  readonly updateAgeOnGet?: boolean | undefined;
  /**
   * The clock by which the `ttl` is measured, in either tier. It is asked whenever something depends on it. Where it goes
   * backwards, the cache goes on from its last reading.
   *
   * @default performance
   */
  readonly perf?: WeakCacheClock | undefined;
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

interface ByMax {
  /** How many values the strong tier holds at most. */
  readonly max: number;
}

interface BySize {
  /** The sum of sizes that the strong tier holds at most. */
  readonly maxSize: number;
}

interface ByTime {
  /** How long a value is found after it was set, in milliseconds. */
  readonly ttl: number;
}

/** One limit at least has to be there: `max`, `maxSize`, or `ttl`. */
export type WeakCacheOptions<K, V extends object> = Options<K, V> & (ByMax | BySize | ByTime);

/** The last argument of {@link WeakCache.set}. */
export interface WeakCacheSetOptions {
  /** In milliseconds, instead of the cache's. `Infinity`: for ever. */
  readonly ttl?: number | undefined;
  /** Instead of what `sizeCalculation` would give. */
  readonly size?: number | undefined;
}

/** The last argument of {@link WeakCache.fetch}. */
export interface WeakCacheFetchOptions extends WeakCacheSetOptions {
  /** Gives up waiting: rejects with its reason. The load goes on as long as anybody else waits for it. */
  readonly signal?: AbortSignal | undefined;
}

/** What {@link WeakCache.stats} gives. */
export interface WeakCacheStats extends CacheCounts {
  /**
   * The share of requests that called for no load: (`hitsStrong` + `hitsWeak` + `hitsStale` + `coalesced`) of these and `misses`. 1
   * before the first request, as Caffeine's `hitRate`.
   */
  readonly hitRatio: number;
  /** Values in the strong tier. */
  readonly strong: number;
  /** Values that are still alive outside of it. */
  readonly weak: number;
  /** Loads under way. */
  readonly loading: number;
}
