import { channel } from 'node:diagnostics_channel';
import { LRUCache } from 'lru-cache';
import { type Limits, NEVER } from './cache-options.js';

/*
 * The strong tier of a WeakCache is an lru-cache, and that is left half changed where a call of it is cut short: by the end
 * of the stack, or by `vm`'s timeout. It would then give out the value of another key, or not come to an end. So one that
 * has been cut short is not used again, but replaced by an empty one.
 */

/** In place of a strong tier that is being changed, or was cut short. It has nothing, and is never written. */
// biome-ignore lint/suspicious/noExplicitAny: of any keys and values
export const BROKEN: LRUCache<any, any> = new LRUCache({ max: 1 });

/** Those who listen may use the cache in the middle of a change: that is no sign that it was cut short. */
export const metrics: { readonly hasSubscribers: boolean } = channel('lru-cache:metrics');

/** In the place of a clock, which it has no use for: expiry is not its business. */
const NO_CLOCK = { now: (): number => 0 };

/** `maxEntrySize`: instead of what `limits` says. */
export function newStrongTier<K extends {}, I extends object>(
  { max, maxSize }: Pick<Limits<never, never>, 'max' | 'maxSize'>,
  maxEntrySize: number,
  dispose: (item: I, key: K, reason: LRUCache.DisposeReason) => void,
): LRUCache<K, I> {
  const unbounded = max === undefined && maxSize === undefined;
  const strong = new LRUCache<K, I>({
    ...(max === undefined ? {} : { max }),
    ...(maxSize === undefined ? {} : { maxSize }),
    ...(maxEntrySize === NEVER ? {} : { maxEntrySize }),
    // Without any limit of its own it has to be told that there is a ttl, and warns of that.
    ...(unbounded ? { ttl: 1 } : {}),
    perf: NO_CLOCK,
    dispose,
  } as { max: number });
  // Not always: V8 takes a field that is written once more for no constant, and `get` for a tenth longer.
  if (unbounded) strong.ttl = 0;
  return strong;
}
