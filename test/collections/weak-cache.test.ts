import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { binding } from '../../lib/binding.js';
import { WeakCache, type WeakCacheOptions } from '../../lib/collections/index.js';
import { keepAlive, make, queue } from '../../lib/index.js';
import { away, gcUntil, majorGc, minorGc, turn, verify } from '../support/gc.js';

afterEach(() => {
  vi.useRealTimers();
  verify();
});

interface Value {
  readonly id: number;
}

/** The clock of both tiers, and the timer by which lru-cache looks at it now and then. */
function fakeClock(): (ms: number) => void {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  vi.advanceTimersByTime(1); // lru-cache takes 0 for no time at all
  return (ms) => vi.advanceTimersByTime(ms);
}

/** Resolved by hand. */
function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: unknown) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

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
    expect(cache.statsOf('a')).toEqual({ hitsStrong: 0, hitsWeak: 1, misses: 1, loads: 1, deaths: 0 });
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

  it('values are found for their ttl, in whichever tier they are', () => {
    const pass = fakeClock();
    const cache = new WeakCache<string, Value>({ max: 1, ttl: 40 });
    const held = [{ id: 1 }, { id: 2 }];
    cache.set('short', held[0] as Value);
    cache.set('long', held[1] as Value, { ttl: 10_000 }); // evicts the first
    expect([cache.has('short'), cache.has('long')]).toEqual([true, true]);
    pass(60);
    expect([cache.has('short'), cache.get('short'), cache.get('long')]).toEqual([false, undefined, held[1]]);
    cache.set('short', held[0] as Value);
    expect(cache.get('long')).toBe(held[1]);
    pass(60);
    expect(cache.get('short')).toBeUndefined();
    expect(cache.get('long')).toBe(held[1]);
  });

  it('coming back from the weak tier does not renew a ttl; updateAgeOnGet does', () => {
    const pass = fakeClock();
    const held = { id: 1 };
    const plain = new WeakCache<string, Value>({ max: 1, ttl: 60 });
    const renewed = new WeakCache<string, Value>({ max: 1, ttl: 60, updateAgeOnGet: true });
    for (const cache of [plain, renewed]) {
      cache.set('a', held);
      cache.set('b', { id: 2 });
    }
    pass(40);
    for (const cache of [plain, renewed]) {
      expect(cache.get('a')).toBe(held); // from the weak tier
      expect(cache.get('a')).toBe(held); // from the strong one
    }
    pass(40);
    expect([plain.get('a'), renewed.get('a')]).toEqual([undefined, held]);
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
    expect(cache.statsOf('a')).toEqual({ hitsStrong: 2, hitsWeak: 1, misses: 1, loads: 0, deaths: 0 });
    await gcUntil(() => cache.stats().deaths === 1, 'b is dead');
    expect(cache.statsOf('b')).toMatchObject({ deaths: 1 });
    expect(cache.stats()).toEqual({
      hitsStrong: 2,
      hitsWeak: 1,
      misses: 1,
      loads: 0,
      deaths: 1,
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

describe('WeakCache.fetch', () => {
  it('loads once for all who ask meanwhile', async () => {
    const cache = new WeakCache<string, Value>({ max: 10 });
    const { promise, resolve } = deferred<Value>();
    const load = vi.fn(() => promise);
    const all = [cache.fetch('a', load), cache.fetch('a', load), cache.fetch('a', load)];
    expect(cache.stats()).toMatchObject({ loading: 1, loads: 1, misses: 3 });
    const value = { id: 1 };
    resolve(value);
    expect(await Promise.all(all)).toEqual([value, value, value]);
    expect(load).toHaveBeenCalledTimes(1);
    expect(load).toHaveBeenCalledWith('a', { signal: expect.any(AbortSignal) });
    expect(await cache.fetch('a', load)).toBe(value);
    expect(load).toHaveBeenCalledTimes(1);
    expect(cache.stats()).toMatchObject({ loading: 0, hitsStrong: 1 });
  });

  it('loads different keys apart', async () => {
    const cache = new WeakCache<number, Value>({ max: 10 });
    const values = await Promise.all([1, 2, 1].map((id) => cache.fetch(id, (key) => ({ id: key }))));
    expect(values).toEqual([{ id: 1 }, { id: 2 }, { id: 1 }]);
    expect(values[0]).toBe(values[2]);
  });

  it('does not cache errors, thrown or rejected', async () => {
    const cache = new WeakCache<string, Value>({ max: 10 });
    const error = new Error('thrown on purpose');
    const all = [cache.fetch('a', () => Promise.reject(error)), cache.fetch('a', () => ({ id: 1 }))];
    expect(await Promise.allSettled(all)).toEqual([
      { status: 'rejected', reason: error },
      { status: 'rejected', reason: error },
    ]);
    const failing = (): never => {
      throw error;
    };
    await expect(cache.fetch('a', failing)).rejects.toBe(error);
    expect([cache.has('a'), cache.stats().loading]).toEqual([false, 0]);
    expect(await cache.fetch('a', () => ({ id: 2 }))).toEqual({ id: 2 });
  });

  it('may be asked for the same key by its own loader', async () => {
    const cache = new WeakCache<string, Value>({ max: 10 });
    let inner: Promise<Value> | undefined;
    const outer = await cache.fetch('a', () => {
      inner = cache.fetch('a', () => ({ id: 2 }));
      return { id: 1 };
    });
    expect(await inner).toBe(outer);
  });

  it('one who gives up is rejected with its reason; the others go on', async () => {
    const cache = new WeakCache<string, Value>({ max: 10 });
    const { promise, resolve } = deferred<Value>();
    const controller = new AbortController();
    let aborted = false;
    const load = (_key: string, { signal }: { signal: AbortSignal }): Promise<Value> => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return promise;
    };
    const first = cache.fetch('a', load, { signal: controller.signal });
    const second = cache.fetch('a', load);
    const reason = new Error('no more interest');
    controller.abort(reason);
    await expect(first).rejects.toBe(reason);
    expect(aborted).toBe(false);
    resolve({ id: 1 });
    expect(await second).toEqual({ id: 1 });
    expect(cache.has('a')).toBe(true);
    await expect(cache.fetch('b', load, { signal: controller.signal })).rejects.toBe(reason);
    expect(cache.stats().loads).toBe(1);
  });

  it('when all have given up the loader is aborted, its result is dropped, and the next one loads anew', async () => {
    const cache = new WeakCache<string, Value>({ max: 10 });
    const slow = deferred<Value>();
    const controllers = [new AbortController(), new AbortController()];
    let signal: AbortSignal | undefined;
    const waiting = controllers.map((controller) =>
      cache.fetch(
        'a',
        (_key, context) => {
          signal = context.signal;
          return slow.promise;
        },
        { signal: controller.signal },
      ),
    );
    for (const [i, controller] of controllers.entries()) {
      controller.abort(new Error(String(i)));
      expect(signal?.aborted).toBe(i === 1);
    }
    expect((await Promise.allSettled(waiting)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await cache.fetch('a', () => ({ id: 2 }))).toEqual({ id: 2 });
    slow.resolve({ id: 1 });
    await turn();
    expect(cache.get('a')).toEqual({ id: 2 });
  });

  it('a loader that aborts the signal of who asked, before it returns, is not waited for', async () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    const controller = new AbortController();
    const load = vi.fn((_key: string, { signal }: { signal: AbortSignal }) => {
      controller.abort(new Error('enough'));
      return new Promise<Value>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    await expect(cache.fetch('a', load, { signal: controller.signal })).rejects.toThrow('enough');
    expect([load.mock.calls.length, cache.stats().loading, cache.has('a')]).toEqual([1, 0, false]);
  });

  it('a loader that disposes of the cache, before it returns, is not waited for', async () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    let disposed: Promise<void> | undefined;
    const loading = cache.fetch('a', () => {
      disposed = cache[Symbol.asyncDispose]();
      return { id: 1 };
    });
    await expect(loading).rejects.toMatchObject({ code: 'ERR_WEAKLY_DISPOSED' });
    await disposed;
    expect(cache.size).toBe(0);
  });

  it('any number may wait for one load, and V8 has nothing to say to that', async () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    const warnings: Error[] = [];
    const warn = (warning: Error): number => warnings.push(warning);
    process.on('warning', warn);
    try {
      const { promise, resolve } = deferred<Value>();
      const waiting = Array.from({ length: 50 }, () => cache.fetch('a', () => promise));
      const value = { id: 1 };
      resolve(value);
      expect(new Set(await Promise.all(waiting))).toEqual(new Set([value]));
      await turn();
      expect(warnings).toEqual([]);
    } finally {
      process.off('warning', warn);
    }
  });

  it('leaves no listener on a signal that outlives the load', async () => {
    const cache = new WeakCache<string, Value>({ max: 10 });
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, 'addEventListener');
    const removed = vi.spyOn(signal, 'removeEventListener');
    await cache.fetch('a', async () => ({ id: 1 }), { signal });
    await turn();
    expect(added.mock.calls.length).toBe(1);
    expect(removed.mock.calls.length).toBeGreaterThanOrEqual(1);
    expect(removed.mock.calls[0]?.[1]).toBe(added.mock.calls[0]?.[1]);
  });

  it.each<[string, (cache: WeakCache<string, Value>) => unknown, Value | undefined]>([
    ['set', (cache) => cache.set('a', { id: 2 }), { id: 2 }],
    ['delete', (cache) => cache.delete('a'), undefined],
    ['clear', (cache) => cache.clear(), undefined],
  ])('a load during which the key is %s is given to who waits, and not stored', async (_, change, left) => {
    const cache = new WeakCache<string, Value>({ max: 10 });
    const { promise, resolve } = deferred<Value>();
    const waiting = cache.fetch('a', () => promise);
    change(cache);
    resolve({ id: 1 });
    expect(await waiting).toEqual({ id: 1 });
    expect(cache.get('a')).toEqual(left);
  });

  it('takes ttl and size for what it loads', async () => {
    const pass = fakeClock();
    const cache = new WeakCache<string, Value>({ maxSize: 10 });
    const held = await cache.fetch('a', () => ({ id: 1 }), { ttl: 20, size: 5 });
    expect(cache.get('a')).toBe(held);
    pass(40);
    expect(cache.get('a')).toBeUndefined();
    await expect(cache.fetch('b', () => ({ id: 1 }))).rejects.toMatchObject({ code: 'ERR_WEAKLY_OPTION' });
    expect(cache.has('b')).toBe(false);
  });

  it.each<[string, unknown, unknown]>([
    ['ERR_WEAKLY_CALLBACK', undefined, undefined],
    ['ERR_WEAKLY_CALLBACK', {}, undefined],
    ['ERR_WEAKLY_OPTION', () => ({}), 1],
    ['ERR_WEAKLY_OPTION', () => ({}), { signals: 1 }],
    ['ERR_WEAKLY_OPTION', () => ({}), { signal: {} }],
    ['ERR_WEAKLY_OPTION', () => ({}), { ttl: '1' }],
    ['ERR_WEAKLY_RANGE', () => ({}), { ttl: -1 }],
    ['ERR_WEAKLY_TARGET', () => 1, undefined],
    ['ERR_WEAKLY_TARGET', async () => 'text', undefined],
    ['ERR_WEAKLY_TARGET', () => undefined, undefined],
    ['ERR_WEAKLY_TARGET', () => Symbol('s'), undefined],
  ])('rejects with %s for loader %s, options %j; nothing is cached', async (code, loader, options) => {
    const cache = new WeakCache<string, Value>({ max: 10 });
    await expect(cache.fetch('a', loader as never, options as never)).rejects.toMatchObject({ code });
    expect([cache.has('a'), cache.size, cache.stats().loading]).toEqual([false, 0, 0]);
  });
});

describe('WeakCache[Symbol.asyncDispose]', () => {
  it('aborts loads, waits for them to end, and closes the cache', async () => {
    const cache = new WeakCache<string, Value>({ max: 10, maxHeapRatio: 0.9 });
    cache.set('a', { id: 1 });
    let ended = false;
    const waiting = cache.fetch(
      'b',
      (_key, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () =>
            setTimeout(() => {
              ended = true;
              reject(signal.reason);
            }, 20),
          );
        }),
    );
    const outcome = expect(waiting).rejects.toMatchObject({ code: 'ERR_WEAKLY_DISPOSED' });
    await cache[Symbol.asyncDispose]();
    expect(ended).toBe(true);
    await outcome;
    expect([cache.get('a'), cache.has('a'), cache.size, cache.stats().loading]).toEqual([undefined, false, 0, 0]);
    expect(() => cache.set('a', { id: 1 })).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_DISPOSED' }));
    await expect(cache.fetch('a', () => ({ id: 1 }))).rejects.toMatchObject({ code: 'ERR_WEAKLY_DISPOSED' });
    await cache[Symbol.asyncDispose]();
  });
});

it('disposal without memory for an owner aborts all loads, says so, and can be tried again', async () => {
  const cache = new WeakCache<string, Value>({ max: 1 });
  const value = { id: 1 };
  cache.set('b', value);
  const loading = cache.fetch('a', (_, { signal }) => {
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  binding.testing.refuseCells(true);
  try {
    const disposed = cache[Symbol.asyncDispose]();
    await expect(loading).rejects.toMatchObject({ code: 'ERR_WEAKLY_DISPOSED' });
    await expect(disposed).rejects.toMatchObject({ code: 'ERR_WEAKLY_MEMORY' });
    expect(cache.size).toBe(1);
  } finally {
    binding.testing.refuseCells(false);
  }
  await cache[Symbol.asyncDispose]();
  expect([cache.size, cache.get('b')]).toEqual([0, undefined]);
  keepAlive(value);
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

describe('bad input', () => {
  it.each<[string, string, unknown]>([
    ['ERR_WEAKLY_OPTION', 'options', undefined],
    ['ERR_WEAKLY_OPTION', 'max', {}],
    ['ERR_WEAKLY_OPTION', 'maxAge', { max: 1, maxAge: 1 }],
    ['ERR_WEAKLY_OPTION', 'max', { max: -1 }],
    ['ERR_WEAKLY_OPTION', 'max', { max: 1.5 }],
    ['ERR_WEAKLY_OPTION', 'max', { max: '10' }],
    ['ERR_WEAKLY_OPTION', 'maxSize', { maxSize: -1 }],
    ['ERR_WEAKLY_OPTION', 'maxEntrySize', { max: 1, maxSize: 10, maxEntrySize: 1.5 }],
    ['ERR_WEAKLY_OPTION', 'ttl', { max: 1, ttl: -1 }],
    ['ERR_WEAKLY_OPTION', 'sizeCalculation', { max: 1, sizeCalculation: () => 1 }],
    ['ERR_WEAKLY_OPTION', 'sizeCalculation', { maxSize: 1, sizeCalculation: 1 }],
    ['ERR_WEAKLY_OPTION', 'maxHeapRatio', { max: 1, maxHeapRatio: '0.5' }],
    ['ERR_WEAKLY_RANGE', 'maxHeapRatio', { max: 1, maxHeapRatio: 0 }],
    ['ERR_WEAKLY_RANGE', 'maxHeapRatio', { max: 1, maxHeapRatio: 1.5 }],
    ['ERR_WEAKLY_OPTION', 'updateAgeOnGet', { max: 1, updateAgeOnGet: 1 }],
    ['ERR_WEAKLY_OPTION', 'history', { max: 1, history: '1' }],
    ['ERR_WEAKLY_RANGE', 'history', { max: 1, history: -1 }],
  ])('new WeakCache throws %s, naming %s, for %j', (code, name, options) => {
    expect(() => new WeakCache(options as WeakCacheOptions<string, Value>)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(name) }),
    );
  });

  it('what lru-cache refuses keeps its error as the cause', () => {
    expect(() => new WeakCache({ max: -1 })).toThrow(expect.objectContaining({ cause: expect.any(Error) }));
  });

  it.each<[string, unknown, unknown]>([
    ['ERR_WEAKLY_TARGET', 1, undefined],
    ['ERR_WEAKLY_TARGET', undefined, undefined],
    ['ERR_WEAKLY_TARGET', Symbol('s'), undefined],
    ['ERR_WEAKLY_OPTION', {}, null],
    ['ERR_WEAKLY_OPTION', {}, { signal: new AbortController().signal }],
    ['ERR_WEAKLY_OPTION', {}, { size: 1 }],
    ['ERR_WEAKLY_RANGE', {}, { ttl: 0 }],
  ])('set throws %s for %s with options %j, and changes nothing', (code, value, options) => {
    const cache = new WeakCache<string, object>({ max: 10 });
    const kept = {};
    cache.set('a', kept);
    expect(() => cache.set('a', value as never, options as never)).toThrow(expect.objectContaining({ code }));
    expect([cache.get('a'), cache.size]).toEqual([kept, 1]);
  });

  it('a size that lru-cache refuses changes nothing, in either tier', () => {
    const cache = new WeakCache<string, Value>({ maxSize: 10, sizeCalculation: ({ id }) => id });
    const held = { id: 6 };
    cache.set('a', held);
    cache.set('b', { id: 7 }); // evicts it
    expect(() => cache.set('a', { id: -1 })).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_OPTION' }));
    expect(cache.get('a')).toBe(held);
    const thrown = new Error('from sizeCalculation');
    const failing = new WeakCache<string, Value>({
      maxSize: 10,
      sizeCalculation: () => {
        throw thrown;
      },
    });
    expect(() => failing.set('a', held)).toThrow(thrown);
    expect(failing.size).toBe(0);
  });

  it('its methods refuse foreign receivers', async () => {
    const { prototype } = WeakCache;
    const refused = expect.objectContaining({ code: 'ERR_WEAKLY_RECEIVER' });
    for (const key of Reflect.ownKeys(prototype)) {
      if (key === 'constructor' || key === Symbol.toStringTag) continue;
      const { value, get } = Object.getOwnPropertyDescriptor(prototype, key) as PropertyDescriptor;
      for (const receiver of [{}, undefined, 1]) {
        const call = async (): Promise<unknown> => Reflect.apply(value ?? get, receiver, []);
        await expect(call()).rejects.toEqual(refused);
      }
    }
  });
});
