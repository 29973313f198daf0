import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, it } from 'vitest';
import { WeakCache } from '../../lib/collections/index.js';
import { make, queue } from '../../lib/index.js';
import type { Value } from '../support/cache.js';
import { away, gcUntil, majorGc, minorGc, turn, verify } from '../support/gc.js';

afterEach(verify);

const NONE = { hitsStrong: 0, hitsWeak: 0, hitsStale: 0, coalesced: 0, misses: 0, loads: 0, loadErrors: 0, deaths: 0 };

describe('WeakCache', () => {
  it('finds what is in the strong tier', () => {
    const cache = new WeakCache<string, Value>({ max: 2 });
    const a = { id: 1 };
    expect(cache.set('a', a)).toBe(cache);
    expect([cache.get('a'), cache.has('a'), cache.get('b'), cache.has('b'), cache.size]).toEqual([
      a,
      true,
      undefined,
      false,
      1,
    ]);
  });

  it('the strong tier keeps alive what nobody else holds, up to its limit', async () => {
    const cache = new WeakCache<number, Value>({ max: 2 });
    away(() => {
      for (let id = 0; id < 5; id++) cache.set(id, { id });
    });
    await gcUntil(() => cache.size === 2 && cache.stats().deaths === 3, 'the others are gone');
    expect([cache.get(3), cache.get(4), cache.get(0)]).toEqual([{ id: 3 }, { id: 4 }, undefined]);
    expect(cache.stats()).toMatchObject({ strong: 2, weak: 0, deaths: 3 });
  });

  it('a value that is still in use after its eviction is found, and not loaded twice', async () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    let loads = 0;
    const load = (): Value => ({ id: ++loads });
    const inUse = await cache.fetch('a', load);
    cache.set('b', { id: -1 }); // evicts it
    expect(cache.stats()).toMatchObject({ strong: 1, weak: 1 });
    majorGc();
    await turn();
    majorGc();
    expect(cache.has('a')).toBe(true);
    expect(await cache.fetch('a', load)).toBe(inUse);
    expect(loads).toBe(1);
    expect(cache.stats()).toMatchObject({ hitsWeak: 1, loads: 1, misses: 1 });
    expect(cache.statsOf('a')).toEqual({ ...NONE, hitsWeak: 1, misses: 1, loads: 1 });
  });

  it('what was found in the weak tier is in the strong one again', async () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    const pointer = away(() => {
      const value = { id: 1 };
      cache.set('a', value);
      cache.set('b', { id: 2 });
      expect(cache.get('a')).toBe(value);
      return make(value);
    });
    await gcUntil(() => cache.size === 1, 'b is gone');
    expect([pointer.alive, cache.get('a')]).toEqual([true, { id: 1 }]);
  });

  it('a value that died after its eviction is loaded anew', async () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    let loads = 0;
    const load = (): Value => ({ id: ++loads });
    await cache.fetch('a', load);
    cache.set('b', { id: -1 });
    await gcUntil(() => cache.stats().weak === 0, 'dead');
    expect(cache.has('a')).toBe(false);
    expect(await cache.fetch('a', load)).toEqual({ id: 2 });
    await gcUntil(() => cache.stats().deaths >= 1, 'counted');
    expect(cache.statsOf('a')).toMatchObject({ misses: 2, loads: 2, deaths: 1 });
  });

  it('set replaces in both tiers', () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    const [old, fresh] = [{ id: 1 }, { id: 2 }];
    cache.set('a', old);
    cache.set('b', { id: 3 });
    cache.set('a', fresh);
    expect(cache.get('a')).toBe(fresh);
    cache.set('b', { id: 4 });
    expect(cache.get('a')).toBe(fresh);
    expect(old).toEqual({ id: 1 });
  });

  it('delete and clear forget what is in use, too', () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    const held = [{ id: 1 }, { id: 2 }, { id: 3 }];
    for (const [i, value] of held.entries()) cache.set(String(i), value);
    expect([cache.delete('0'), cache.delete('0'), cache.delete('2'), cache.delete('9')]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect([cache.has('0'), cache.has('1'), cache.has('2'), cache.size]).toEqual([false, true, false, 1]);
    cache.clear();
    expect([cache.has('1'), cache.get('1'), cache.size]).toEqual([false, undefined, 0]);
    cache.set('1', held[0] as Value);
    expect(cache.get('1')).toBe(held[0]);
  });

  it('sizes are respected; what is too large for the strong tier is found while in use', async () => {
    const cache = new WeakCache<string, Value>({ maxSize: 10, maxEntrySize: 8, sizeCalculation: ({ id }) => id });
    const [small, other, large] = [{ id: 4 }, { id: 5 }, { id: 9 }];
    cache.set('small', small).set('other', other);
    expect(cache.stats()).toMatchObject({ strong: 2, weak: 0 });
    cache.set('large', large);
    expect(cache.stats()).toMatchObject({ strong: 2, weak: 1 });
    expect([cache.get('large'), cache.get('small')]).toEqual([large, small]);
    cache.set('given', { id: 1 }, { size: 7 }); // evicts the least recently used
    expect(cache.stats()).toMatchObject({ strong: 1, weak: 3 });
    expect([cache.has('other'), cache.get('small')]).toEqual([true, small]);
    const pointer = away(() => {
      const huge = { id: 1_000 };
      cache.set('huge', huge);
      return make(huge);
    });
    await gcUntil(() => !pointer.alive, 'gone');
    expect(cache.has('huge')).toBe(false);
  });

  it('counts what happens, in total and for each key', async () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    const held = { id: 1 };
    expect(cache.statsOf('a')).toBeUndefined();
    cache.get('a');
    cache.set('a', held);
    cache.get('a');
    cache.get('a');
    cache.set('b', { id: 2 });
    cache.get('a');
    expect(cache.statsOf('a')).toEqual({ ...NONE, hitsStrong: 2, hitsWeak: 1, misses: 1 });
    await gcUntil(() => cache.stats().deaths === 1, 'b is dead');
    expect(cache.statsOf('b')).toMatchObject({ deaths: 1 });
    expect(cache.stats()).toEqual({
      ...NONE,
      hitsStrong: 2,
      hitsWeak: 1,
      misses: 1,
      deaths: 1,
      hitRatio: 3 / 4,
      strong: 1,
      weak: 0,
      loading: 0,
    });
    cache.delete('a');
    expect(cache.statsOf('a')).toMatchObject({ hitsStrong: 2 });
    expect(held).toEqual({ id: 1 });
  });

  it('what dies after clear() is no death of the cache any more', async () => {
    const cache = new WeakCache<number, Value>({ max: 1 });
    // Until a major GC, what an old cache has forgotten is old, too, and still there when young values die.
    for (let i = 0; i < 2; i++) majorGc();
    const pointers = away(() => {
      const held = Array.from({ length: 100 }, (_, id) => ({ id }));
      for (const value of held) cache.set(value.id, value);
      cache.clear();
      return held.map((value) => make(value));
    });
    for (let i = 0; i < 3; i++) minorGc();
    await turn();
    await gcUntil(() => !pointers.some(({ alive }) => alive), 'dead');
    await queue.settled();
    expect(cache.stats()).toMatchObject({ deaths: 0, strong: 0, weak: 0 });
  });

  it('keeps counts of so many keys that have left as it is told', () => {
    const cache = new WeakCache<number, Value>({ max: 10, history: 3 });
    for (let i = 0; i < 5; i++) cache.get(i);
    expect([0, 1, 2, 3, 4].map((i) => cache.statsOf(i)?.misses)).toEqual([undefined, undefined, 1, 1, 1]);
    const none = new WeakCache<number, Value>({ max: 10, history: 0 });
    none.get(1);
    expect([none.statsOf(1), none.stats().misses]).toEqual([undefined, 1]);
  });

  it('keeps those of other keys, however often one key leaves', () => {
    const cache = new WeakCache<string, Value>({ max: 5, history: 100 });
    for (let i = 0; i < 99; i++) cache.get(`k${i}`);
    const value = { id: 1 };
    for (let i = 0; i < 1000; i++) {
      cache.set('hot', value);
      cache.delete('hot');
    }
    expect([cache.statsOf('k0')?.misses, cache.statsOf('k98')?.misses, cache.statsOf('hot')?.misses]).toEqual([
      1, 1, 0,
    ]);
    cache.get('one more');
    cache.get('and one more');
    expect([cache.statsOf('k0'), cache.statsOf('k1'), cache.statsOf('k2')?.misses]).toEqual([undefined, undefined, 1]);
  });

  it('is itself collected, with all that it holds', async () => {
    const pointers = away(() => {
      const cache = new WeakCache<string, object>({ max: 10, maxHeapRatio: 0.9 });
      const value = { cache };
      cache.set('a', value);
      return [make(cache), make(value)];
    });
    await gcUntil(() => !pointers.some(({ alive }) => alive), 'gone');
  });
});

it('what lru-cache tells of its calls is told of each by itself, although its options are used again', () => {
  const cache = new WeakCache<string, Value>({ max: 2 });
  const told: Record<string, unknown>[] = [];
  const listen = (status: unknown): void => void told.push(status as Record<string, unknown>);
  const value = { id: 1 };
  subscribe('lru-cache:metrics', listen);
  try {
    cache.set('a', value);
    cache.get('a');
    cache.get('b');
    cache.set('a', value);
  } finally {
    unsubscribe('lru-cache:metrics', listen);
  }
  expect(told.map(({ op, key, get, set }) => [op, key, get ?? set])).toEqual([
    ['set', 'a', 'add'],
    ['get', 'a', 'hit'],
    ['get', 'b', 'miss'],
    ['set', 'a', 'replace'],
  ]);
});

it('who listens to lru-cache may use the cache in the middle of a call, which loses nothing', () => {
  const cache = new WeakCache<string, Value>({ max: 2 });
  const held = [{ id: 0 }, { id: 1 }, { id: 2 }];
  let inside = false;
  const seen: unknown[] = [];
  const listen = (): void => {
    if (inside) return;
    inside = true;
    seen.push([cache.size, cache.has('0'), cache.get('0') ?? cache.set('0', held[0] as Value)]);
    inside = false;
  };
  subscribe('lru-cache:metrics', listen);
  try {
    cache.set('1', held[1] as Value);
    cache.set('2', held[2] as Value);
    expect(cache.get('1')).toBe(held[1]);
    cache.delete('1');
    cache.clear();
  } finally {
    unsubscribe('lru-cache:metrics', listen);
  }
  expect(seen.length).toBeGreaterThanOrEqual(4);
  cache.set('0', held[0] as Value).set('2', held[2] as Value);
  expect([cache.get('0'), cache.get('2'), cache.size]).toEqual([held[0], held[2], 2]);
});
