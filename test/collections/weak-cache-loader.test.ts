import { afterEach, describe, expect, it, vi } from 'vitest';
import { type LoadContext, WeakCache } from '../../lib/collections/index.js';
import { ManualClock, type Value } from '../support/cache.js';
import { verify } from '../support/gc.js';

afterEach(verify);

describe('the loader of a WeakCache', () => {
  it('is called by fetch that is told none, and not by one that is', async () => {
    const loader = vi.fn((key: number) => ({ id: key }));
    const cache = new WeakCache({ max: 10, loader });
    expect(await cache.fetch(1)).toEqual({ id: 1 });
    expect(await cache.fetch(2, undefined)).toEqual({ id: 2 });
    expect(await cache.fetch(3, {})).toEqual({ id: 3 });
    expect(await cache.fetch(4, undefined, {})).toEqual({ id: 4 });
    expect(await cache.fetch(5, () => ({ id: -5 }))).toEqual({ id: -5 });
    expect(await cache.fetch(6, () => ({ id: -6 }), {})).toEqual({ id: -6 });
    expect(await cache.fetch(7, loader, {})).toEqual({ id: 7 });
    expect(loader.mock.calls.map(([key]) => key)).toEqual([1, 2, 3, 4, 7]);
  });

  it('is called once for all who ask meanwhile, who are counted apart from misses', async () => {
    const loader = vi.fn(async (key: string) => ({ key }));
    const cache = new WeakCache({ max: 10, loader });
    const all = await Promise.all([cache.fetch('a'), cache.fetch('a'), cache.fetch('a')]);
    expect(new Set(all).size).toBe(1);
    expect(cache.stats()).toMatchObject({ misses: 1, coalesced: 2, loads: 1 });
    expect(cache.statsOf('a')).toMatchObject({ misses: 1, coalesced: 2, loads: 1 });
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ['the option signal, given second', () => withLoader().fetch(1, { signal: AbortSignal.abort(new Error('given up')) }), 'given up'],
    ['the option signal, given third', () => withLoader().fetch(1, undefined, { signal: AbortSignal.abort(new Error('given up')) }), 'given up'],
    ['no loader at all', () => new WeakCache<number, Value>({ max: 1 }).fetch(1), 'expected argument "loader" to be a function, as the cache has none, got undefined'],
    ['options only, and no loader', () => new WeakCache<number, Value>({ max: 1 }).fetch(1, {}), 'as the cache has none, got an object'],
    ['a number', () => withLoader().fetch(1, 5 as never), 'expected argument "options" to be an object, got the number 5'],
    ['null', () => withLoader().fetch(1, null as never), 'expected argument "options" to be an object, got null'],
    ['an unknown option', () => withLoader().fetch(1, { timeout: 1 } as never), 'the unknown option timeout'],
  ])('%s is what fetch makes of it', async (_, fetch, message) => {
    await expect(fetch()).rejects.toThrow(message);
  }); // biome-ignore format: a table

  it.each([null, 1, 'load', {}, Symbol('loader')])('has to be a function: %s', (loader) => {
    expect(() => new WeakCache({ max: 1, loader } as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_WEAKLY_OPTION',
        message: expect.stringContaining('option "loader" to be a function'),
      }),
    );
  });

  it('is read once, and called as a function', async () => {
    let reads = 0;
    const receivers: unknown[] = [];
    const options = {
      max: 1,
      get loader() {
        reads++;
        return function (this: unknown) {
          receivers.push(this);
          return { id: 1 };
        };
      },
    };
    const cache = new WeakCache(options);
    await cache.fetch(1);
    await cache.fetch(2);
    expect([reads, receivers]).toEqual([1, [undefined, undefined]]);
  });
});

function withLoader(): WeakCache<number, Value> {
  return new WeakCache<number, Value>({ max: 1, loader: (key) => ({ id: key }) });
}

describe('the counts of a key', () => {
  it('do not come back with the error of a load that was cleared', async () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    const waiting = cache.fetch('a', async () => {
      cache.clear();
      throw new Error('thrown on purpose');
    });
    await expect(waiting).rejects.toThrow('thrown on purpose');
    expect(cache.statsOf('a')).toBe(undefined);
    expect(cache.stats()).toMatchObject({ loads: 1, loadErrors: 1 });
  });

  it.each([0, 1])('are there for what was loaded, though history is for %d', async (history) => {
    const cache = new WeakCache<string, Value>({ max: 10, history });
    await cache.fetch('a', async () => {
      for (const other of ['b', 'c', 'd']) cache.get(other);
      return { id: 1 };
    });
    expect(cache.statsOf('a')).toMatchObject({ loads: 1, misses: 1 });
  });
});

describe('what a loader is told', () => {
  const told = async (options: object, given?: object): Promise<LoadContext<Value>> => {
    let context: LoadContext<Value> | undefined;
    const loader = (id: number, its: LoadContext<Value>): Value => {
      context = its;
      return { id };
    };
    await new WeakCache<number, Value>({ max: 10, loader, ...options }).fetch(1, given);
    return context as LoadContext<Value>;
  };

  it.each<[string, object, object | undefined, number]>([
    ['for ever', {}, undefined, Number.POSITIVE_INFINITY],
    ['the one of the cache', { ttl: 50 }, {}, 50],
    ['the one of the call', { ttl: 50 }, { ttl: 0.5 }, 0.5],
  ])('is the ttl: %s', async (_, options, given, ttl) => {
    expect(await told(options, given)).toEqual({ signal: expect.any(AbortSignal), stale: undefined, ttl });
  });
});

describe('the ttl that a loader says', () => {
  const saying = (ttl: unknown, options: object = {}): { cache: WeakCache<number, Value>; perf: ManualClock } => {
    const perf = new ManualClock();
    const loader = async (id: number, context: LoadContext<Value>): Promise<Value> => {
      await null;
      context.ttl = ttl as number;
      return { id };
    };
    return { cache: new WeakCache<number, Value>({ max: 10, ttl: 10, perf, loader, ...options }), perf };
  };

  it.each([0.5, 5, 20, 1e300])('counts from when the value is there: %d', async (ttl) => {
    const { cache, perf } = saying(ttl);
    await cache.fetch(1);
    perf.time += ttl;
    expect(cache.has(1)).toBe(true);
    perf.time += ttl;
    expect(cache.has(1)).toBe(false);
  });

  it.each<[string, number, object?]>([
    ['Infinity', Number.POSITIVE_INFINITY],
    ['Infinity, in a cache of values that stay', Number.POSITIVE_INFINITY, { ttl: Number.POSITIVE_INFINITY }],
  ])('may be %s: for ever', async (_, ttl, options = {}) => {
    const { cache, perf } = saying(ttl, options);
    await cache.fetch(1);
    perf.time += 1e300;
    expect(cache.has(1)).toBe(true);
  });

  it('that is left alone, or made undefined, is the usual one', async () => {
    const { cache, perf } = saying(undefined);
    await cache.fetch(1);
    perf.time += 10;
    expect(cache.has(1)).toBe(true);
    perf.time += 1;
    expect(cache.has(1)).toBe(false);
  });

  it.each([0, -0])('may be %d: given to all who wait, and not stored', async (ttl) => {
    const { cache } = saying(ttl);
    const [one, two] = await Promise.all([cache.fetch(1), cache.fetch(1)]);
    expect(one).toEqual({ id: 1 });
    expect(two).toBe(one);
    expect([cache.size, cache.has(1), cache.stats().loading]).toEqual([0, false, 0]);
    expect(await cache.fetch(1)).not.toBe(one);
    expect(cache.stats()).toMatchObject({ loads: 2, loadErrors: 0 });
  });

  it.each<[unknown, string, string]>([
    [-1, 'ERR_WEAKLY_RANGE', 'got -1'],
    [Number.NaN, 'ERR_WEAKLY_RANGE', 'got NaN'],
    [Number.NEGATIVE_INFINITY, 'ERR_WEAKLY_RANGE', 'got -Infinity'],
    ['5', 'ERR_WEAKLY_OPTION', 'to be a number, got the string "5"'],
    [null, 'ERR_WEAKLY_OPTION', 'got null'],
    [5n, 'ERR_WEAKLY_OPTION', 'got the bigint 5n'],
  ])('may not be %s: all who wait are rejected, nothing is stored', async (ttl, code, message) => {
    const { cache } = saying(ttl);
    const all = await Promise.allSettled([cache.fetch(1), cache.fetch(1)]);
    const error = expect.objectContaining({ code, message: expect.stringContaining(message) });
    expect(all).toEqual([
      { status: 'rejected', reason: error },
      { status: 'rejected', reason: error },
    ]);
    expect([cache.size, cache.stats().loadErrors]).toEqual([0, 1]);
  });

  it('is no use once the loader has ended', async () => {
    const perf = new ManualClock();
    let context: LoadContext<Value> | undefined;
    const loader = (id: number, its: LoadContext<Value>): Value => {
      context = its;
      return { id };
    };
    const cache = new WeakCache<number, Value>({ max: 10, ttl: 10, perf, loader });
    await cache.fetch(1);
    (context as LoadContext<Value>).ttl = 100;
    perf.time += 11;
    expect(cache.has(1)).toBe(false);
  });
});
