import type { WeakCacheClock } from './cache-clock.js';
import type { CacheCounts } from './cache-items.js';

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
   * How long a value is found after it was set, in milliseconds, the last moment included. It then is in neither tier, in
   * use or not. `Infinity`: for ever.
   *
   * @default Infinity
   */
  readonly ttl?: number | undefined;
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

/** One limit at least has to be there: `max`, `maxSize`, or `ttl`. */
export type WeakCacheOptions<K, V extends object> = Options<K, V> &
  ({ readonly max: number } | { readonly maxSize: number } | { readonly ttl: number });

export interface WeakCacheSetOptions {
  /** In milliseconds, instead of the cache's. `Infinity`: for ever. */
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
