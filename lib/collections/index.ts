// What is held for dead entries is let go of when the queue drains, which this starts.
import '../reclaim/queue.js';

export type { CodedError, ErrorCode } from '../errors.js';
export type { WeakCacheClock } from './cache-clock.js';
export type { WeakCacheEvent, WeakCacheLoadEvent } from './cache-events.js';
export type { CacheCounts } from './cache-items.js';
export type { WeakCacheFetchOptions, WeakCacheOptions, WeakCacheSetOptions, WeakCacheStats } from './cache-types.js';
export { Handle } from './handle.js';
export type { LoadContext } from './load.js';
export type { SetLike } from './set-like.js';
export { type Frozen, Unique, type UniqueOptions, unique } from './unique.js';
export { WeakCache } from './weak-cache.js';
export { WeakKeyMap } from './weak-key-map.js';
export { WeakKeySet } from './weak-key-set.js';
export { WeakValueMap } from './weak-value-map.js';
