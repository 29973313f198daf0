import { type Channel, channel } from 'node:diagnostics_channel';

/*
 * What happens in a WeakCache, for who listens to the channels of node:diagnostics_channel. Where nobody does, it costs asking that.
 *
 * Each is told in a microtask of its own: a subscriber is the user's code, and may use the cache, which is in the middle of a change.
 */

const load = channel('weakly:cache:load');
const evict = channel('weakly:cache:evict');
const revive = channel('weakly:cache:revive');
const death = channel('weakly:cache:death');

/** A message of `weakly:cache:evict`, `weakly:cache:revive` and `weakly:cache:death`. */
export interface WeakCacheEvent {
  /** The WeakCache. */
  readonly cache: object;
  /** Of the value that it is about. */
  readonly key: unknown;
}

/** A message of `weakly:cache:load`: a loader has ended. */
export interface WeakCacheLoadEvent extends WeakCacheEvent {
  /** From the call of the loader to its end, in milliseconds. */
  readonly duration: number;
  /** Nobody has waited when it began: a value was there, and is loaded anew. */
  readonly background: boolean;
  /** Whether its value is in the cache now. Else see `error`; or the key was set, deleted or cleared, or nobody waits any more. */
  readonly stored: boolean;
  /** What it has thrown or rejected with, or what was wrong with its value; undefined if nothing was. */
  readonly error: unknown;
}

// Taken now: fake timers replace it later, and nothing would be told.
const later = queueMicrotask;

/** Runs no user code. In the asynchronous context of what has happened. Where the stack ends in it, nothing is told. */
function tell(to: Channel, message: object): void {
  try {
    later(() => to.publish(message));
  } catch {}
}

/** A limit has evicted a value from the strong tier, or memory pressure has. */
export function tellEvicted(cache: object, key: unknown): void {
  if (evict.hasSubscribers) tell(evict, { cache, key } satisfies WeakCacheEvent);
}

/** A value that had been evicted was found in use, and is in the strong tier again. */
export function tellRevived(cache: object, key: unknown): void {
  if (revive.hasSubscribers) tell(revive, { cache, key } satisfies WeakCacheEvent);
}

/** A value outside of the strong tier was found dead. */
export function tellDead(cache: object, key: unknown): void {
  if (death.hasSubscribers) tell(death, { cache, key } satisfies WeakCacheEvent);
}

/** When a load begins: what to call at its end, if somebody listens. */
export function watchLoad(
  cache: object,
  key: unknown,
): ((background: boolean, stored: boolean, error: unknown) => void) | undefined {
  if (!load.hasSubscribers) return undefined;
  const start = performance.now();
  return (background, stored, error) => {
    const duration = performance.now() - start;
    tell(load, { cache, key, duration, background, stored, error } satisfies WeakCacheLoadEvent);
  };
}
