import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { binding } from '../../lib/binding.js';
import { WeakCache } from '../../lib/collections/index.js';
import { keepAlive } from '../../lib/index.js';
import { deferred, type Value } from '../support/cache.js';
import { turn, verify } from '../support/gc.js';

afterEach(verify);

describe('WeakCache.fetch', () => {
  it('loads once for all who ask meanwhile', async () => {
    const cache = new WeakCache<string, Value>({ max: 10 });
    const { promise, resolve } = deferred<Value>();
    const load = vi.fn(() => promise);
    const all = [cache.fetch('a', load), cache.fetch('a', load), cache.fetch('a', load)];
    expect(cache.stats()).toMatchObject({ loading: 1, loads: 1, misses: 1, coalesced: 2 });
    const value = { id: 1 };
    resolve(value);
    expect(await Promise.all(all)).toEqual([value, value, value]);
    expect(load).toHaveBeenCalledTimes(1);
    const context = { signal: expect.any(AbortSignal), stale: undefined, ttl: Number.POSITIVE_INFINITY };
    expect(load).toHaveBeenCalledWith('a', context);
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
    const loading = cache.fetch('a', async () => ({ id: 1 }), { signal });
    expect(getEventListeners(signal, 'abort').length).toBe(1);
    await loading;
    await turn();
    expect(getEventListeners(signal, 'abort').length).toBe(0);
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

/** What it has of its own is nobody's business. */
function odd(signal: AbortSignal): AbortSignal {
  const names = ['throwIfAborted', 'addEventListener', 'removeEventListener', 'aborted', 'reason'];
  return Object.defineProperties(
    signal,
    Object.fromEntries(
      names.map((name) => [
        name,
        {
          get: () => {
            throw new Error(`${name} was asked for`);
          },
        },
      ]),
    ),
  );
}

describe('a signal with properties of its own', () => {
  it('aborts a load like any other, and none of them is read', async () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    const [first, second] = [new AbortController(), new AbortController()];
    const signal = odd(first.signal);
    let loaders: AbortSignal | undefined;
    const loading = cache.fetch(
      'a',
      (_, context) => {
        loaders = context.signal;
        return new Promise(() => undefined);
      },
      { signal },
    );
    const joined = cache.fetch('a', () => ({ id: 1 }), { signal: odd(second.signal) });
    first.abort('given up');
    second.abort('given up');
    expect(await Promise.allSettled([loading, joined])).toEqual([
      { status: 'rejected', reason: 'given up' },
      { status: 'rejected', reason: 'given up' },
    ]);
    expect([loaders?.aborted, loaders?.reason]).toEqual([true, 'given up']);
    expect(await cache.fetch('a', () => ({ id: 2 }))).toEqual({ id: 2 });
  });

  it('does not keep the value from the others who wait', async () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    const load = async (): Promise<Value> => ({ id: 1 });
    const signal = odd(new AbortController().signal);
    const both = [cache.fetch('a', load, { signal }), cache.fetch('a', load)];
    const [first, second] = await Promise.all(both);
    expect(first).toEqual({ id: 1 });
    expect([second, cache.get('a')]).toEqual([first, first]);
  });

  it('is seen to be aborted already', async () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    const signal = odd(AbortSignal.abort('given up'));
    await expect(cache.fetch('a', () => ({ id: 1 }), { signal })).rejects.toBe('given up');
    expect(cache.stats().loading).toBe(0);
  });
});
