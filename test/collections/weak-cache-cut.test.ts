import { getEventListeners } from 'node:events';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WeakCache } from '../../lib/collections/index.js';
import { make } from '../../lib/index.js';
import { ManualClock, type Value } from '../support/cache.js';
import { away, gcUntil, turn, verify } from '../support/gc.js';

afterEach(verify);

/** Calls `fetch` of the cache in a script whose timeout ends it, in the middle of the loader. */
function cut(cache: WeakCache<string, Value>, key: string, options: object = {}): void {
  const loader = (): never => {
    for (;;);
  };
  expect(() => runInNewContext('cache.fetch(key, loader, options)', { cache, key, loader, options }, { timeout: 20 })).toThrow(/timed out/);
} // biome-ignore format: one line each

describe('a loader that the timeout of a vm script ends', () => {
  it('in the background: who has joined it is rejected, and waits for nothing', async () => {
    const perf = new ManualClock();
    const cache = new WeakCache<string, Value>({ max: 5, ttl: 5, staleWhileRevalidate: 20, perf });
    cache.set('a', { id: 1 });
    perf.time += 6;
    cut(cache, 'a');
    perf.time += 30;
    const joined = [cache.fetch('a', () => ({ id: 2 })), cache.fetch('a', () => ({ id: 2 }))];
    const error = expect.objectContaining({ code: 'ERR_WEAKLY_TERMINATED' });
    expect(await Promise.allSettled(joined)).toEqual([
      { status: 'rejected', reason: error },
      { status: 'rejected', reason: error },
    ]);
    expect(await cache.fetch('a', () => ({ id: 3 }))).toEqual({ id: 3 });
    expect(cache.stats().loading).toBe(0);
  });

  it('is nobody’s unhandled rejection when the cache is disposed of in the same job', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const cache = new WeakCache<string, Value>({ max: 5 });
    cut(cache, 'a');
    await cache[Symbol.asyncDispose]();
    await turn();
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('leaves nothing on the signal, and the cache to the collector', async () => {
    const { signal } = new AbortController();
    const cache = away(() => {
      const made = new WeakCache<string, Value>({ max: 5 });
      cut(made, 'a', { signal });
      return make(made);
    });
    await turn();
    expect(getEventListeners(signal, 'abort').length).toBe(0);
    await gcUntil(() => !cache.alive, 'collected');
  });
});

it('a rejection that nobody handles is told as one: of `fetch`, once', async () => {
  const unhandled: unknown[] = [];
  const listeners = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (error) => unhandled.push(error));
  const error = new Error('thrown on purpose');
  void new WeakCache<string, Value>({ max: 5 }).fetch('a', () => Promise.reject(error));
  await turn();
  process.removeAllListeners('unhandledRejection');
  for (const listener of listeners) process.on('unhandledRejection', listener);
  expect(unhandled).toEqual([error]);
});
