import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WeakCache, type WeakCacheEvent, type WeakCacheLoadEvent } from '../../lib/collections/index.js';
import { keepAlive, make, queue } from '../../lib/index.js';
import { deferred, ManualClock, type Value } from '../support/cache.js';
import { away, gcUntil, turn, verify } from '../support/gc.js';

const undo: (() => void)[] = [];

afterEach(() => {
  for (const each of undo.splice(0)) each();
  verify();
});

type Name = 'load' | 'evict' | 'revive' | 'death';

function listen(name: Name, listener: (message: never) => void): void {
  const told = (message: unknown): void => listener(message as never);
  subscribe(`weakly:cache:${name}`, told);
  undo.push(() => unsubscribe(`weakly:cache:${name}`, told));
}

function heard(...names: Name[]): [Name, WeakCacheEvent][] {
  const all: [Name, WeakCacheEvent][] = [];
  for (const name of names) listen(name, (message: WeakCacheEvent) => all.push([name, message]));
  return all;
}

/** Of this cache: what those of earlier tests had may die now. */
function about(cache: object, told: [Name, WeakCacheEvent][]): [Name, WeakCacheEvent][] {
  return told.filter(([, message]) => message.cache === cache);
}

describe('the channels of WeakCache', () => {
  it('tell of evictions and returns, in their order, after the job in which they happen', async () => {
    const told = heard('load', 'evict', 'revive', 'death');
    const cache = new WeakCache<string, Value>({ max: 1 });
    const [one, two] = [{ id: 1 }, { id: 2 }];
    cache.set('a', one);
    cache.set('b', two);
    cache.get('a');
    cache.get('a');
    expect(about(cache, told)).toEqual([]);
    await turn();
    expect(about(cache, told)).toEqual([
      ['evict', { cache, key: 'a' }],
      ['evict', { cache, key: 'b' }],
      ['revive', { cache, key: 'a' }],
    ]);
    keepAlive([one, two]);
  });

  it('tell of deaths, once each, whoever finds them', async () => {
    const told = heard('death');
    const cache = new WeakCache<string, Value>({ max: 1 });
    const gone = away(() =>
      ['a', 'b', 'c'].map((key, id) => {
        const value = { id };
        cache.set(key, value);
        return make(value);
      }),
    );
    cache.set('d', { id: 4 });
    await gcUntil(() => gone.every((pointer) => !pointer.alive), 'dead');
    expect(cache.get('a')).toBe(undefined);
    await queue.settled();
    await turn();
    expect(
      about(cache, told)
        .map(([, { key }]) => key)
        .sort(),
    ).toEqual(['a', 'b', 'c']);
    expect(cache.stats().deaths).toBe(3);
  });

  it('tell nothing of what is not the cache’s any more: deleted, cleared, replaced, disposed of', async () => {
    const told = heard('evict', 'death');
    const cache = new WeakCache<string, Value>({ max: 10 });
    cache.set('a', { id: 1 });
    cache.set('a', { id: 2 });
    cache.delete('a');
    cache.set('b', { id: 3 });
    cache.clear();
    cache.set('c', { id: 4 });
    await cache[Symbol.asyncDispose]();
    await turn();
    expect(about(cache, told)).toEqual([]);
  });

  it('tell of loads: how long they took, and what became of them', async () => {
    const told: WeakCacheLoadEvent[] = [];
    listen('load', (message: WeakCacheLoadEvent) => told.push(message));
    const perf = new ManualClock();
    const cache = new WeakCache<string, Value>({ max: 10, ttl: 10, staleWhileRevalidate: 10, perf });
    const error = new Error('thrown on purpose');
    const [slow, background] = [deferred<Value>(), deferred<Value>()];
    const waiting = cache.fetch('slow', () => slow.promise);
    await new Promise((resolve) => setTimeout(resolve, 30));
    slow.resolve({ id: 1 });
    await waiting;
    await Promise.allSettled([cache.fetch('failing', () => Promise.reject(error))]);
    perf.time += 11;
    await cache.fetch('slow', () => background.promise);
    background.reject(error);
    await turn();
    const dropped = cache.fetch('dropped', () => {
      cache.set('dropped', { id: 2 });
      return { id: 3 };
    });
    expect(await dropped).toEqual({ id: 3 });
    await turn();
    const duration = expect.any(Number);
    expect(told).toEqual([
      { cache, key: 'slow', duration, background: false, stored: true, error: undefined },
      { cache, key: 'failing', duration, background: false, stored: false, error },
      { cache, key: 'slow', duration, background: true, stored: false, error },
      { cache, key: 'dropped', duration, background: false, stored: false, error: undefined },
    ]);
    expect(told[0]?.duration).toBeGreaterThan(25);
    expect(told[1]?.duration).toBeLessThan(told[0]?.duration as number);
  });

  it('a subscriber may use the cache', async () => {
    const cache = new WeakCache<number, Value>({ max: 2 });
    const held = Array.from({ length: 10 }, (_, id) => ({ id }));
    let told = 0;
    listen('evict', ({ key }: { key: number }) => {
      told++;
      if (told < 20) cache.get(key);
    });
    for (const value of held) cache.set(value.id, value);
    await turn();
    expect(told).toBeGreaterThanOrEqual(20);
    for (const value of held) expect(cache.get(value.id)).toBe(value);
  });

  it('an error of a subscriber is nobody else’s', async () => {
    const told: unknown[] = [];
    const uncaught: unknown[] = [];
    const error = new Error('thrown on purpose');
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (thrown) => uncaught.push(thrown));
    try {
      listen('evict', () => {
        throw error;
      });
      listen('evict', ({ key }: WeakCacheEvent) => told.push(key));
      const cache = new WeakCache<number, Value>({ max: 1 });
      for (let id = 0; id < 3; id++) cache.set(id, { id });
      await turn();
      await turn();
      expect([told, uncaught]).toEqual([[0, 1], [error, error]]); // biome-ignore format: short
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of listeners) process.on('uncaughtException', listener);
    }
  });

  it('tell no eviction or return of what is too large for the strong tier', async () => {
    const told = heard('evict', 'revive');
    const cache = new WeakCache<string, Value>({ maxSize: 10, sizeCalculation: ({ id }) => id });
    const value = { id: 50 };
    cache.set('a', value);
    expect([cache.get('a'), cache.get('a')]).toEqual([value, value]);
    await turn();
    expect(about(cache, told)).toEqual([]);
  });

  it('tell each in the asynchronous context in which it happens', async () => {
    const store = new AsyncLocalStorage<string>();
    const told: unknown[] = [];
    listen('load', ({ key }: WeakCacheEvent) => told.push([key, store.getStore()]));
    listen('evict', ({ key }: WeakCacheEvent) => told.push([key, store.getStore()]));
    const cache = new WeakCache<string, Value>({ max: 1 });
    await Promise.all(['a', 'b'].map((key) => store.run(`of ${key}`, () => cache.fetch(key, async () => ({ id: 1 })))));
    store.run('of c', () => cache.set('c', { id: 1 }));
    await turn();
    expect(told).toContainEqual(['a', 'of a']);
    expect(told).toContainEqual(['b', 'of b']);
    expect(told).toContainEqual(['b', 'of c']);
  });

  it('tell under fake timers, and after them', async () => {
    const told = heard('evict');
    const cache = new WeakCache<number, Value>({ max: 1 });
    vi.useFakeTimers({ toFake: ['queueMicrotask'] });
    cache.set(1, { id: 1 });
    cache.set(2, { id: 2 });
    vi.useRealTimers();
    cache.set(3, { id: 3 });
    await turn();
    expect(about(cache, told).map(([, { key }]) => key)).toEqual([1, 2]);
  });

  it('keep neither the cache nor its values alive', async () => {
    heard('evict');
    const made = away(() => {
      const [cache, value] = [new WeakCache<number, Value>({ max: 1 }), { id: 1 }];
      cache.set(1, value);
      cache.set(2, { id: 2 });
      return [make(cache), make(value)];
    });
    undo.splice(0)[0]?.();
    await turn();
    await gcUntil(() => made.every((pointer) => !pointer.alive), 'collected');
  });
});
