import { afterEach, describe, expect, it } from 'vitest';
import { WeakCache } from '../../lib/collections/index.js';
import { Load } from '../../lib/collections/load.js';
import { deferred, type Value } from '../support/cache.js';
import { turn, verify } from '../support/gc.js';

/*
 * What comes first decides: the loader has ended, the last one who waited has given up, or the cache is disposed of. Then
 * the cache, the loader's signal and all who wait see the same.
 */

afterEach(verify);

const given = new Error('given up');
const failed = new Error('not loaded');

/** How a loader gives what `promise` does, and how it ends. */
const loaders: [string, (promise: Promise<Value>) => Promise<Value>][] = [
  ['gives its promise', (promise) => promise],
  ['awaits it', async (promise) => await promise],
  ['returns it, in an async function', async (promise) => promise],
  // biome-ignore lint/suspicious/noThenProperty: it is what is tested
  ['gives a thenable', (promise) => ({ then: promise.then.bind(promise) }) as unknown as Promise<Value>],
];

/** After each number of microtasks since the end of the loader, up to where everybody has heard of it. */
const late = Array.from({ length: 10 }, (_, ticks) => ticks);

async function microtasks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await null;
}

/** A cache, and what its loader, which ends when it is told to, has for a signal. */
function loading(load: (promise: Promise<Value>) => Promise<Value>): {
  readonly cache: WeakCache<string, Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
  readonly fetch: (signal?: AbortSignal) => Promise<Value>;
  readonly isAborted: () => boolean | undefined;
} {
  const cache = new WeakCache<string, Value>({ max: 1 });
  const { promise, resolve, reject } = deferred<Value>();
  let loaders: AbortSignal | undefined;
  const loader = (_key: string, { signal }: { readonly signal: AbortSignal }): Promise<Value> => {
    loaders = signal;
    return load(promise);
  };
  return {
    cache,
    resolve,
    reject,
    fetch: (signal) => cache.fetch('a', loader, { signal }),
    isAborted: () => loaders?.aborted,
  };
}

describe.each(loaders)('a signal that is aborted late, where the loader %s', (_name, load) => {
  it.each(late)('%i microtasks after the value: one truth for all', async (ticks) => {
    const { cache, resolve, fetch, isAborted } = loading(load);
    const controller = new AbortController();
    const outcome = Promise.allSettled([fetch(controller.signal)]);
    const value = { id: 1 };
    resolve(value);
    await microtasks(ticks);
    controller.abort(given);
    const [result] = await outcome;
    await turn();
    const loaded = [{ status: 'fulfilled', value }, value, false];
    const abandoned = [{ status: 'rejected', reason: given }, undefined, true];
    expect([loaded, abandoned]).toContainEqual([result, cache.get('a'), isAborted()]);
    expect(cache.stats().loading).toBe(0);
  });

  it.each(late)('%i microtasks after the error: one truth for all', async (ticks) => {
    const { cache, reject, fetch, isAborted } = loading(load);
    const controller = new AbortController();
    const outcome = Promise.allSettled([fetch(controller.signal)]);
    reject(failed);
    await microtasks(ticks);
    controller.abort(given);
    const [result] = await outcome;
    await turn();
    expect([
      [{ status: 'rejected', reason: failed }, undefined, false],
      [{ status: 'rejected', reason: given }, undefined, true],
    ]).toContainEqual([result, cache.get('a'), isAborted()]);
  });

  it.each(late)('%i microtasks after the value, two of three: the third gets it', async (ticks) => {
    const { cache, resolve, fetch, isAborted } = loading(load);
    const controllers = [new AbortController(), new AbortController()];
    const outcome = Promise.allSettled([...controllers.map(({ signal }) => fetch(signal)), fetch()]);
    const value = { id: 1 };
    resolve(value);
    await microtasks(ticks);
    for (const controller of controllers) controller.abort(given);
    const results = await outcome;
    expect(results[2]).toEqual({ status: 'fulfilled', value });
    expect(results[0]).toEqual(results[1]);
    expect([cache.get('a'), isAborted()]).toEqual([value, false]);
  });

  it.each(late)('%i microtasks after the value, by disposal: who waits gets it, or all is as if it never came', async (ticks) => {
    const { cache, resolve, fetch, isAborted } = loading(load);
    const outcome = Promise.allSettled([fetch()]);
    const value = { id: 1 };
    resolve(value);
    await microtasks(ticks);
    await cache[Symbol.asyncDispose]();
    const [result] = await outcome;
    expect(cache.get('a')).toBeUndefined();
    if (isAborted()) expect(result).toMatchObject({ reason: { code: 'ERR_WEAKLY_DISPOSED' } });
    else expect(result).toEqual({ status: 'fulfilled', value });
  }); // biome-ignore format: a title
});

describe('what decides about a load', () => {
  it('a microtask after the loader has ended, it is its end', async () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    const { promise, resolve } = deferred<Value>();
    const controller = new AbortController();
    const waiting = cache.fetch('a', () => promise, { signal: controller.signal });
    resolve({ id: 1 });
    await null;
    controller.abort(given);
    expect(cache.get('a')).toEqual({ id: 1 });
    await expect(waiting).resolves.toBe(cache.get('a'));
  });

  it('in the very job in which the loader ends, it is the signal', async () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    const { promise, resolve } = deferred<Value>();
    const controller = new AbortController();
    const waiting = cache.fetch('a', () => promise, { signal: controller.signal });
    resolve({ id: 1 });
    controller.abort(given);
    await expect(waiting).rejects.toBe(given);
    await turn();
    expect(cache.has('a')).toBe(false);
  });

  it('a loader that aborts the signal of who asked, and then gives a value, has come too late', async () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    const controller = new AbortController();
    const waiting = cache.fetch(
      'a',
      () => {
        controller.abort(given);
        return { id: 1 };
      },
      { signal: controller.signal },
    );
    await expect(waiting).rejects.toBe(given);
    await turn();
    expect([cache.has('a'), cache.stats().loading]).toEqual([false, 0]);
  });

  it('one who gives up while the loader is still being called does not end it for the first', async () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    const controller = new AbortController();
    let inner: Promise<unknown> | undefined;
    let loaders: AbortSignal | undefined;
    const outer = cache.fetch('a', (_key, context) => {
      loaders = context.signal;
      inner = Promise.allSettled([cache.fetch('a', () => ({ id: 2 }), { signal: controller.signal })]);
      controller.abort(given);
      return { id: 1 };
    });
    expect(await outer).toEqual({ id: 1 });
    expect(await inner).toEqual([{ status: 'rejected', reason: given }]);
    expect([cache.get('a'), loaders?.aborted]).toEqual([{ id: 1 }, false]);
  });

  it('a value that cannot be stored rejects who waits, and aborts nothing', async () => {
    const cache = new WeakCache<string, Value>({ maxSize: 10 });
    let loaders: AbortSignal | undefined;
    const waiting = cache.fetch('a', (_key, { signal }) => {
      loaders = signal;
      return { id: 1 };
    });
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_WEAKLY_OPTION' });
    expect([cache.has('a'), loaders?.aborted]).toEqual([false, false]);
  });

  it('a load that has been replaced still belongs to who waits for it', async () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    const { promise, resolve } = deferred<Value>();
    const controller = new AbortController();
    let loaders: AbortSignal | undefined;
    const waiting = cache.fetch(
      'a',
      (_key, { signal }) => {
        loaders = signal;
        return promise;
      },
      { signal: controller.signal },
    );
    cache.set('a', { id: 2 });
    controller.abort(given);
    await expect(waiting).rejects.toBe(given);
    expect([loaders?.aborted, cache.get('a')]).toEqual([true, { id: 2 }]);
    resolve({ id: 1 });
    await turn();
    expect(cache.get('a')).toEqual({ id: 2 });
  });

  it("what an abandoned loader throws later is nobody's", async () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    const { promise, reject } = deferred<Value>();
    const controller = new AbortController();
    const unhandled: unknown[] = [];
    const listen = (reason: unknown): number => unhandled.push(reason);
    process.on('unhandledRejection', listen);
    try {
      const waiting = cache.fetch('a', () => promise, { signal: controller.signal });
      controller.abort(given);
      await expect(waiting).rejects.toBe(given);
      reject(failed);
      await turn();
      await turn();
      expect([unhandled, cache.stats().loading]).toEqual([[], 0]);
    } finally {
      process.off('unhandledRejection', listen);
    }
  });

  it("while its signal is being told, the loader's cache is in order: the key can be loaded again", async () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    const controller = new AbortController();
    let again: Promise<Value> | undefined;
    const waiting = cache.fetch(
      'a',
      (_key, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            again = cache.fetch('a', () => ({ id: 2 }));
            reject(signal.reason);
          });
        }),
      { signal: controller.signal },
    );
    controller.abort(given);
    await expect(waiting).rejects.toBe(given);
    expect(await again).toEqual({ id: 2 });
    expect(cache.get('a')).toEqual({ id: 2 });
  });

  it('a listener that stops the event does not keep it from who waits', async () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    const controller = new AbortController();
    controller.signal.addEventListener('abort', (event) => event.stopImmediatePropagation());
    const waiting = cache.fetch('a', () => new Promise<Value>(() => undefined), { signal: controller.signal });
    controller.abort(given);
    await expect(waiting).rejects.toBe(given);
  });
});

describe('many who wait with one signal', () => {
  async function warningsOf(run: () => Promise<unknown>): Promise<Error[]> {
    const warnings: Error[] = [];
    const warn = (warning: Error): number => warnings.push(warning);
    process.on('warning', warn);
    try {
      await run();
      await turn();
      await turn();
    } finally {
      process.off('warning', warn);
    }
    return warnings;
  }

  it.each([
    ['one key', () => 0],
    ['many keys', (i: number) => i],
  ])('warn of nothing: %s', async (_what, keyOf) => {
    const caches = [new WeakCache<number, Value>({ max: 100 }), new WeakCache<number, Value>({ max: 100 })];
    const { signal } = new AbortController();
    const { promise, resolve } = deferred<Value>();
    const warnings = await warningsOf(async () => {
      const all = Array.from({ length: 50 }, (_, i) =>
        caches.map((cache) => cache.fetch(keyOf(i), () => promise, { signal })),
      ).flat();
      resolve({ id: 1 });
      await Promise.all(all);
    });
    expect(warnings).toEqual([]);
  });

  it('are all told, and leave nothing behind', async () => {
    const cache = new WeakCache<number, Value>({ max: 100 });
    const controller = new AbortController();
    const aborted: number[] = [];
    const waiting = Array.from({ length: 20 }, (_, i) =>
      cache.fetch(
        i % 15,
        (key, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              aborted.push(key);
              reject(signal.reason);
            });
          }),
        { signal: controller.signal },
      ),
    );
    controller.abort(given);
    for (const each of waiting) await expect(each).rejects.toBe(given);
    await turn();
    expect(aborted).toHaveLength(15);
    expect([cache.stats().loading, cache.size]).toEqual([0, 0]);
  });

  it('one whose load has ended does not take the listener away from the others', async () => {
    const cache = new WeakCache<string, Value>({ max: 100 });
    const controller = new AbortController();
    const { signal } = controller;
    const never = cache.fetch('never', () => new Promise<Value>(() => undefined), { signal });
    expect(await cache.fetch('soon', async () => ({ id: 1 }), { signal })).toEqual({ id: 1 });
    const later = cache.fetch('never', () => ({ id: 2 }), { signal });
    controller.abort(given);
    await expect(never).rejects.toBe(given);
    await expect(later).rejects.toBe(given);
  });

  it('a signal of which nobody is left can be used again', async () => {
    const cache = new WeakCache<string, Value>({ max: 100 });
    const controller = new AbortController();
    const { signal } = controller;
    for (let i = 0; i < 3; i++) await cache.fetch(`key ${i}`, () => ({ id: i }), { signal });
    const never = cache.fetch('never', () => new Promise<Value>(() => undefined), { signal });
    controller.abort(given);
    await expect(never).rejects.toBe(given);
  });
});

describe('a load whose first fetch was cut short', () => {
  it('is not abandoned by what was left of that, while another waits', async () => {
    let abandoned = 0;
    const load = new Load<Value>(() => abandoned++);
    const [first, second] = [new AbortController(), new AbortController()];
    const cut = load.wait(first.signal, () => undefined).catch(() => 'rejected');
    load.forgetFirst();
    const other = load.wait(second.signal);
    first.abort(given);
    expect([abandoned, load.signal.aborted]).toEqual([0, false]);
    load.resolve({ n: 1 } as unknown as Value);
    expect(await other).toEqual({ n: 1 });
    expect(await Promise.race([cut, turn().then(() => 'nothing')])).toBe('nothing');
  });
});
