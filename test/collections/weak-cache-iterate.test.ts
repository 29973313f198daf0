import { afterEach, describe, expect, it } from 'vitest';
import { WeakCache } from '../../lib/collections/index.js';
import { keepAlive, make } from '../../lib/index.js';
import { ManualClock, type Value } from '../support/cache.js';
import { away, gcUntil, verify } from '../support/gc.js';
import { keysOfEveryKind } from '../support/keys.js';

afterEach(verify);

/** Of which two are in the strong tier, the last of them the latest used one. */
function filled(count: number, options: object = {}): { cache: WeakCache<number, Value>; values: Value[] } {
  const cache = new WeakCache<number, Value>({ max: 2, ...options });
  const values = Array.from({ length: count }, (_, id) => ({ id }));
  for (const value of values) cache.set(value.id, value);
  return { cache, values };
}

describe('WeakCache as an iterable', () => {
  it('gives the strong tier, the latest used one first, and then what is in use elsewhere', () => {
    const { cache, values } = filled(5);
    cache.get(3);
    expect([...cache.keys()]).toEqual([3, 4, 0, 1, 2]);
    expect([...cache.values()].map(({ id }) => id)).toEqual([3, 4, 0, 1, 2]);
    expect([...cache.entries()]).toEqual([3, 4, 0, 1, 2].map((id) => [id, values[id]]));
    expect([...cache]).toEqual([...cache.entries()]);
    expect(new Map(cache).size).toBe(5);
    const seen: unknown[] = [];
    const self = {};
    cache.forEach(function (this: unknown, value, key, of) {
      seen.push([this === self, value, key, of === cache]);
    }, self);
    expect(seen).toEqual([3, 4, 0, 1, 2].map((id) => [true, values[id], id, true]));
  });

  it('is empty when the cache is', async () => {
    const { cache } = filled(0);
    expect([[...cache], [...cache.keys()], [...cache.values()]]).toEqual([[], [], []]);
    await cache[Symbol.asyncDispose]();
    expect([...cache]).toEqual([]);
  });

  it('has keys of every kind', () => {
    const keys = keysOfEveryKind().filter((key) => key !== undefined && key !== null) as string[];
    const cache = new WeakCache<string, Value>({ max: 3 });
    const values = keys.map((_, id) => ({ id }));
    for (const [id, key] of keys.entries()) cache.set(key, values[id] as Value);
    const found = new Map(cache);
    expect(found.size).toBe(new Map(keys.map((key) => [key, 0])).size);
    for (const [key, value] of found) expect(cache.peek(key)).toBe(value);
    keepAlive(values);
  });

  it('is without what is dead, expired, deleted, or was never there', async () => {
    const perf = new ManualClock();
    const { cache, values } = filled(4, { perf });
    cache.set(10, { id: 10 }, { ttl: 5 });
    const gone = away(() => {
      const value = { id: 11 };
      cache.set(11, value);
      return make(value);
    });
    for (const value of values) cache.set(value.id, value);
    cache.get(99);
    cache.delete(0);
    perf.time += 6;
    await gcUntil(() => !gone.alive, 'dead');
    expect([...cache.keys()]).toEqual([3, 2, 1]);
    keepAlive(values);
  });

  it('counts as no use, nor as a hit or miss', () => {
    const { cache } = filled(2);
    const { hitsStrong, hitsWeak, misses } = cache.stats();
    expect([...cache].length).toBe(2);
    expect(cache.stats()).toMatchObject({ hitsStrong, hitsWeak, misses });
    cache.set(2, { id: 2 });
    expect([...cache.keys()].slice(0, 2)).toEqual([2, 1]);
  });

  it('copes with what is set, deleted and used on the way', () => {
    const { cache, values } = filled(6);
    const seen: [number, Value][] = [];
    for (const [key, value] of cache) {
      seen.push([key, value]);
      if (seen.length === 1) {
        cache.delete(0);
        cache.set(1, { id: -1 });
        cache.set(100, { id: 100 });
      }
      cache.get(key);
    }
    expect(seen.map(([key, { id }]) => [key, id])).toEqual([[5, 5], [4, 4], [1, -1], [2, 2], [3, 3]]); // biome-ignore format: short
    keepAlive(values);
  });

  it('is what an iterator is: it can be left, and has helpers where V8 has them', () => {
    const { cache } = filled(2);
    const iterator = cache.keys();
    expect(iterator.next()).toEqual({ done: false, value: 1 });
    expect(iterator[Symbol.iterator]()).toBe(iterator);
    for (const key of iterator) {
      expect(key).toBe(0);
      break;
    }
    expect(iterator.next().done).toBe(true);
  });

  it.each(['keys', 'values', 'entries', 'peek', 'forEach', Symbol.iterator] as const)('%s refuses what is no WeakCache', (name) => {
    const method = WeakCache.prototype[name];
    for (const receiver of [undefined, null, {}, new Map(), WeakCache.prototype])
      expect(() => Reflect.apply(method, receiver, [() => undefined])).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_RECEIVER' }));
  }); // biome-ignore format: one line each

  it.each([undefined, null, {}, 'f'])('forEach wants a function: %s', (callback) => {
    expect(() => filled(1).cache.forEach(callback as never)).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_CALLBACK' }),
    );
  });

  it.each(['keys', 'values', 'entries'] as const)('%s holds no value while it is left alone', async (name) => {
    const cache = new WeakCache<string, Value>({ max: 2 });
    const pointer = away(() => {
      const value = { id: 1 };
      cache.set('a', value);
      return make(value);
    });
    const iterator = cache[name]();
    away(() => iterator.next());
    cache.delete('a');
    await gcUntil(() => !pointer.alive, 'collected');
    expect(iterator.next()).toEqual({ done: true, value: undefined });
  });

  it('iterators have one prototype, and refuse what is none', () => {
    const iterator = filled(1).cache.keys();
    const prototype = Object.getPrototypeOf(iterator);
    expect(Object.getPrototypeOf(filled(1).cache[Symbol.iterator]())).toBe(prototype);
    expect(Reflect.get(prototype, Symbol.toStringTag)).toBe('WeakCache Iterator');
    for (const receiver of [{}, new Map().keys(), prototype])
      expect(() => Reflect.apply(iterator.next, receiver, [])).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_RECEIVER' }));
  }); // biome-ignore format: one line each

  it('passes on what a callback throws', () => {
    const error = new Error('thrown on purpose');
    const { cache } = filled(2);
    const failing = (): never => {
      throw error;
    };
    expect(() => cache.forEach(failing)).toThrow(error);
  });
});

describe('WeakCache.peek', () => {
  it('gives what get would, and is no use of it', () => {
    const { cache, values } = filled(3);
    expect([cache.peek(0), cache.peek(1), cache.peek(2), cache.peek(3)]).toEqual([...values, undefined]);
    expect(cache.stats()).toMatchObject({ hitsStrong: 0, hitsWeak: 0, misses: 0, strong: 2, weak: 1 });
    cache.set(3, { id: 3 });
    expect(cache.stats().strong).toBe(2);
    // 1 was the least recently used one, and still was it after peek.
    expect([...cache.keys()].slice(0, 2)).toEqual([3, 2]);
    keepAlive(values);
  });

  it('does not start the time anew', () => {
    const perf = new ManualClock();
    const cache = new WeakCache<string, Value>({ ttl: 10, max: 1, updateAgeOnGet: true, perf });
    const value = { id: 1 };
    cache.set('a', value);
    perf.time += 10;
    expect(cache.peek('a')).toBe(value);
    perf.time += 1;
    expect(cache.peek('a')).toBe(undefined);
  });
});

describe('the hit ratio', () => {
  it('is the share of requests that called for no load', async () => {
    const { cache } = filled(2);
    expect(cache.stats().hitRatio).toBe(1);
    cache.get(0);
    expect(cache.stats().hitRatio).toBe(1);
    cache.get(99);
    expect(cache.stats().hitRatio).toBe(1 / 2);
    await Promise.all([1, 2].map(() => cache.fetch(7, () => ({ id: 7 }))));
    // 0 and the second who asked for 7, of four.
    expect(cache.stats()).toMatchObject({ hitRatio: 2 / 4, hitsStrong: 1, coalesced: 1, misses: 2 });
  });
});
