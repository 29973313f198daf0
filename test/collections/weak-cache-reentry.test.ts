import { afterEach, describe, expect, it } from 'vitest';
import { WeakCache } from '../../lib/collections/index.js';
import { keepAlive } from '../../lib/index.js';
import { deferred, ManualClock, type Value } from '../support/cache.js';
import { gcUntil, turn, verify } from '../support/gc.js';

/*
 * The user's code comes in through `sizeCalculation`, `perf.now`, the loader, and the methods of a subclass. Whatever it
 * does to the cache, the cache is in order afterwards.
 */

afterEach(verify);

type Cache = WeakCache<string, Value>;

const changes: [string, (cache: Cache) => unknown][] = [
  ['set the same key', (cache) => cache.set('a', { id: 77 }, { size: 1, ttl: 50 })],
  ['set others', (cache) => {
    for (let id = 0; id < 5; id++) cache.set(`other ${id}`, { id }, { size: 1 });
  }],
  ['delete the same key', (cache) => cache.delete('a')],
  ['get the same key', (cache) => cache.get('a')],
  ['clear', (cache) => cache.clear()],
  ['dispose', (cache) => cache[Symbol.asyncDispose]()],
  ['fetch the same key', (cache) => cache.fetch('a', () => ({ id: 88 }), { size: 1 }).catch(() => undefined)],
  ['throw', () => {
    throw new Error('on purpose');
  }],
]; // biome-ignore format: a list

const calls: [string, (cache: Cache) => unknown][] = [
  ['get', (cache) => cache.get('a')],
  ['get of what is weak', (cache) => cache.get('weak')],
  ['has', (cache) => cache.has('a')],
  ['set', (cache) => cache.set('a', { id: 5 })],
  ['set of what is new', (cache) => cache.set('new', { id: 5 })],
  ['delete', (cache) => cache.delete('a')],
  ['fetch', (cache) => cache.fetch('a', () => ({ id: 6 }))],
  ['fetch of what is new', (cache) => cache.fetch('new', async () => ({ id: 6 }))],
];

/** What holds for any cache of this size, whatever has happened to it. */
async function check(cache: Cache, held: readonly Value[]): Promise<void> {
  await turn();
  // A GC may come between any two of these, and only take away.
  const { strong, weak, loading } = cache.stats();
  const { size } = cache;
  const after = cache.stats();
  expect(strong).toBeLessThanOrEqual(2);
  expect(loading).toBe(0);
  expect(size).toBeLessThanOrEqual(strong + weak);
  expect(size).toBeGreaterThanOrEqual(after.strong + after.weak);
  for (const key of ['a', 'weak', 'strong', 'new']) {
    const value = cache.get(key);
    const has = cache.has(key);
    expect([key, has]).toEqual([key, value !== undefined]);
    keepAlive(value);
  }
  expect(cache.stats().strong).toBeLessThanOrEqual(2);
  // Nothing is left over: what nobody holds goes.
  for (const key of ['a', 'weak', 'strong', 'new', ...Array.from({ length: 5 }, (_, id) => `other ${id}`)])
    cache.delete(key);
  expect(cache.stats()).toMatchObject({ strong: 0, weak: 0 });
  await gcUntil(() => cache.size === 0, 'empty');
  expect(held).toHaveLength(2);
}

describe.each(calls)("during %s the user's code", (_call, call) => {
  it.each(changes)('may %s, from perf.now()', async (_change, change) => {
    for (const expired of [false, true]) {
      let hook: (() => unknown) | undefined;
      const perf = {
        time: 0,
        now(): number {
          const run = hook;
          hook = undefined;
          run?.();
          return this.time;
        },
      };
      const cache: Cache = new WeakCache({ max: 2, ttl: 100, perf, maxSize: 9, sizeCalculation: () => 1 });
      const held = [{ id: 1 }, { id: 2 }];
      cache.set('weak', held[0] as Value);
      cache.set('strong', { id: 3 });
      cache.set('a', held[1] as Value);
      if (expired) perf.time = 101;
      hook = () => change(cache);
      await Promise.allSettled([(async () => call(cache))()]);
      hook = undefined;
      await check(cache, held);
    }
  });

  it.each(changes)('may %s, from sizeCalculation', async (_change, change) => {
    let hook: (() => unknown) | undefined;
    const cache: Cache = new WeakCache({
      max: 2,
      ttl: 100,
      maxSize: 9,
      sizeCalculation: () => {
        const run = hook;
        hook = undefined;
        run?.();
        return 1;
      },
    });
    const held = [{ id: 1 }, { id: 2 }];
    cache.set('weak', held[0] as Value);
    cache.set('strong', { id: 3 });
    cache.set('a', held[1] as Value);
    hook = () => change(cache);
    await Promise.allSettled([(async () => call(cache))()]);
    hook = undefined;
    await check(cache, held);
  });
});

describe("the user's code", () => {
  it('that disposes of the cache in sizeCalculation closes it for that value, too', async () => {
    const cache: Cache = new WeakCache({
      maxSize: 9,
      sizeCalculation: () => {
        void cache[Symbol.asyncDispose]();
        return 1;
      },
    });
    expect(() => cache.set('a', { id: 1 })).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_DISPOSED' }));
    expect(cache.size).toBe(0);
  });

  it.each<[string, (cache: Cache) => unknown, Value | undefined]>([
    ['set', (cache) => cache.set('a', { id: 2 }, { size: 1 }), { id: 2 }],
    ['delete', (cache) => cache.delete('a'), undefined],
    ['clear', (cache) => cache.clear(), undefined],
  ])('that does a %s while the size of what was loaded is computed comes before it is stored', async (_, change, left) => {
    const cache: Cache = new WeakCache({
      maxSize: 9,
      sizeCalculation: () => {
        change(cache);
        return 1;
      },
    });
    expect(await cache.fetch('a', () => ({ id: 1 }))).toEqual({ id: 1 });
    expect(cache.get('a')).toEqual(left);
  }); // biome-ignore format: a title

  it('that gives up while the size of what was loaded is computed has given up', async () => {
    const controller = new AbortController();
    let loaders: AbortSignal | undefined;
    const cache: Cache = new WeakCache({
      maxSize: 9,
      sizeCalculation: () => {
        controller.abort(new Error('given up'));
        return 1;
      },
    });
    const waiting = cache.fetch(
      'a',
      (_key, { signal }) => {
        loaders = signal;
        return { id: 1 };
      },
      { signal: controller.signal },
    );
    await expect(waiting).rejects.toThrow('given up');
    expect([cache.has('a'), loaders?.aborted]).toEqual([false, true]);
  });

  it('that disposes of the cache while the clock is read for fetch() keeps the loader from being called', async () => {
    let dispose = false;
    const cache: Cache = new WeakCache({
      max: 1,
      ttl: 1,
      perf: {
        now: () => {
          if (dispose) void cache[Symbol.asyncDispose]();
          return 0;
        },
      },
    });
    dispose = true;
    let loads = 0;
    const load = (): Value => ({ id: ++loads });
    await expect(cache.fetch('a', load)).rejects.toMatchObject({ code: 'ERR_WEAKLY_DISPOSED' });
    expect(loads).toBe(0);
  });

  it('that gives up while the clock is read for fetch() keeps the loader from being called', async () => {
    const controller = new AbortController();
    const perf = {
      now: () => {
        controller.abort(new Error('given up'));
        return 0;
      },
    };
    const cache: Cache = new WeakCache({ max: 1, ttl: 1, perf });
    let loads = 0;
    const load = (): Value => ({ id: ++loads });
    await expect(cache.fetch('a', load, { signal: controller.signal })).rejects.toThrow('given up');
    expect([loads, cache.stats().loading]).toEqual([0, 0]);
  });
});

describe('a subclass whose methods call those of WeakCache', () => {
  class Everything extends WeakCache<string, Value> {
    readonly calls: string[] = [];

    override get(key: string): Value | undefined {
      this.calls.push('get');
      void this.fetch(key, () => ({ id: 1 })).catch(() => undefined);
      return super.get(key);
    }

    override has(key: string): boolean {
      this.calls.push('has');
      return this.delete(key);
    }

    override delete(key: string): boolean {
      this.calls.push('delete');
      return super.delete(key);
    }

    override clear(): void {
      this.calls.push('clear');
      void this[Symbol.asyncDispose]();
    }

    override set(key: string, value: Value): this {
      this.calls.push('set');
      return super.set(key, value);
    }
  }

  it('fetch() does not call get(), nor set()', async () => {
    const cache = new Everything({ max: 1 });
    expect(await cache.fetch('a', () => ({ id: 2 }))).toEqual({ id: 2 });
    expect(cache.calls).toEqual([]);
  });

  it('get() may load', async () => {
    class Loading extends WeakCache<string, Value> {
      override get(key: string): never {
        return super.fetch(key, async () => ({ id: key.length })) as never;
      }
    }
    const cache = new Loading({ max: 1 });
    expect(await cache.get('four')).toEqual({ id: 4 });
    expect(cache.stats()).toMatchObject({ loads: 1, misses: 1 });
  });

  it('delete() does not call has(), and disposal does not call clear()', async () => {
    const cache = new Everything({ max: 1 });
    cache.set('a', { id: 1 });
    expect(cache.has('a')).toBe(true);
    cache.clear();
    await turn();
    expect(cache.calls).toEqual(['set', 'has', 'delete', 'clear']);
  });

  it('accessors of a subclass are not asked', async () => {
    class Sized extends WeakCache<string, Value> {
      override get size(): number {
        throw new Error('asked');
      }

      override stats(): never {
        throw new Error('asked');
      }
    }
    const cache = new Sized({ max: 1 });
    cache.set('a', { id: 1 }).set('b', { id: 2 });
    expect([cache.get('b'), cache.delete('b')]).toEqual([{ id: 2 }, true]);
    await cache[Symbol.asyncDispose]();
  });
});

describe('lru-cache and sizes', () => {
  it('a value larger than all may be together leaves the limit as it is', () => {
    const cache = new WeakCache<string, Value>({ maxSize: 10, maxEntrySize: 100, sizeCalculation: ({ id }) => id });
    const large = { id: 50 };
    for (let i = 0; i < 3; i++) cache.set(`large ${i}`, large);
    expect(cache.stats()).toMatchObject({ strong: 0, weak: 3 });
    for (const key of ['a', 'b', 'c', 'd', 'e']) cache.set(key, { id: 5 });
    expect(cache.stats().strong).toBe(2);
    expect(cache.get('large 1')).toBe(large);
    expect(cache.stats().strong).toBe(2);
  });

  it('a load that nobody waits for computes no size', async () => {
    let sizes = 0;
    const cache = new WeakCache<string, Value>({ maxSize: 10, sizeCalculation: () => ++sizes });
    const controller = new AbortController();
    const { promise, resolve } = deferred<Value>();
    const waiting = cache.fetch('a', () => promise, { signal: controller.signal });
    controller.abort(new Error('given up'));
    await expect(waiting).rejects.toThrow('given up');
    resolve({ id: 1 });
    await turn();
    expect([sizes, cache.size]).toEqual([0, 0]);
  });

  it('the time of a value begins after its size was computed', () => {
    const perf = new ManualClock();
    const cache = new WeakCache<string, Value>({
      maxSize: 10,
      ttl: 10,
      perf,
      sizeCalculation: () => {
        perf.time += 100;
        return 1;
      },
    });
    cache.set('a', { id: 1 });
    expect(cache.get('a')).toEqual({ id: 1 });
  });
});
