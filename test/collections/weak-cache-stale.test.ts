import { afterEach, describe, expect, it, vi } from 'vitest';
import { type LoadContext, WeakCache, type WeakCacheOptions } from '../../lib/collections/index.js';
import { keepAlive, make } from '../../lib/index.js';
import { deferred, ManualClock, type Value } from '../support/cache.js';
import { away, gcUntil, turn, verify } from '../support/gc.js';

afterEach(verify);

/** A cache whose loads are settled by hand, in the order of their calls. */
class Kit {
  readonly perf = new ManualClock();
  readonly loads: { key: string; context: LoadContext<Value>; resolve(value: Value): void; reject(error: unknown): void }[] = [];
  readonly cache: WeakCache<string, Value>;

  constructor(options: object) {
    const all: WeakCacheOptions<string, Value> = {
      max: 10,
      ttl: 10,
      perf: this.perf,
      loader: (key, context) => {
        const { promise, resolve, reject } = deferred<Value>();
        this.loads.push({ key, context, resolve, reject });
        return promise;
      },
      ...options,
    };
    this.cache = new WeakCache(all);
  }

  load(n: number): Kit['loads'][number] {
    return this.loads[n] as Kit['loads'][number];
  }

  /** A value that is as old. */
  with(age: number, key = 'a'): Value {
    const value = { id: this.loads.length };
    this.cache.set(key, value);
    this.perf.time += age;
    return value;
  }
} // biome-ignore format: one line each

describe('staleWhileRevalidate', () => {
  it.each([10.5, 11, 30])('gives what has expired at once, and loads it anew, once (%d ms old)', async (age) => {
    const kit = new Kit({ staleWhileRevalidate: 20 });
    const old = kit.with(age);
    expect(await Promise.all([kit.cache.fetch('a'), kit.cache.fetch('a')])).toEqual([old, old]);
    expect(await kit.cache.fetch('a')).toBe(old);
    expect(kit.loads.length).toBe(1);
    expect(kit.load(0).context).toEqual({ signal: expect.any(AbortSignal), stale: old, ttl: 10 });
    const fresh = { id: 100 };
    kit.load(0).resolve(fresh);
    await turn();
    expect(kit.cache.get('a')).toBe(fresh);
    expect(await kit.cache.fetch('a')).toBe(fresh);
    expect(kit.cache.stats()).toMatchObject({ hitsStale: 3, hitsStrong: 2, misses: 0, loads: 1, coalesced: 0 });
    expect(kit.cache.statsOf('a')).toMatchObject({ hitsStale: 3, loads: 1, misses: 0 });
  });

  it('ends: later, fetch waits for the new one', async () => {
    const kit = new Kit({ staleWhileRevalidate: 20 });
    kit.with(30.5);
    const waiting = kit.cache.fetch('a');
    expect(kit.load(0).context.stale).toBe(undefined);
    kit.load(0).resolve({ id: 100 });
    expect(await waiting).toEqual({ id: 100 });
    expect(kit.cache.stats()).toMatchObject({ hitsStale: 0, misses: 1, loads: 1 });
  });

  it('may be for ever', async () => {
    const kit = new Kit({ staleWhileRevalidate: Number.POSITIVE_INFINITY });
    const old = kit.with(1e300);
    expect(await kit.cache.fetch('a')).toBe(old);
  });

  it('is no matter of get, has and peek, which do not take it away either', async () => {
    const kit = new Kit({ staleWhileRevalidate: 20 });
    const old = kit.with(11);
    expect([kit.cache.get('a'), kit.cache.has('a'), kit.cache.peek('a'), [...kit.cache]]).toEqual([undefined, false, undefined, []]);
    expect(await kit.cache.fetch('a')).toBe(old);
    expect(kit.cache.stats()).toMatchObject({ misses: 1, hitsStale: 1 });
  }); // biome-ignore format: one line each

  it('who comes when the time for it is over joins the load that has begun', async () => {
    const kit = new Kit({ staleWhileRevalidate: 20 });
    const old = kit.with(29);
    expect(await kit.cache.fetch('a')).toBe(old);
    kit.perf.time += 2;
    const waiting = kit.cache.fetch('a');
    kit.load(0).resolve({ id: 100 });
    expect(await waiting).toEqual({ id: 100 });
    expect(kit.cache.stats()).toMatchObject({ coalesced: 1, loads: 1 });
  });

  it('one who joins and gives up does not end the load', async () => {
    const kit = new Kit({ staleWhileRevalidate: 20 });
    kit.with(29);
    await kit.cache.fetch('a');
    kit.perf.time += 2;
    const controller = new AbortController();
    const waiting = kit.cache.fetch('a', { signal: controller.signal });
    controller.abort(new Error('given up'));
    await expect(waiting).rejects.toThrow('given up');
    expect(kit.load(0).context.signal.aborted).toBe(false);
    const fresh = { id: 100 };
    kit.load(0).resolve(fresh);
    await turn();
    expect(kit.cache.get('a')).toBe(fresh);
  });

  it('an error of the load is nobody’s, and the next fetch tries again', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const kit = new Kit({ staleWhileRevalidate: 20 });
    const old = kit.with(11);
    expect(await kit.cache.fetch('a')).toBe(old);
    kit.load(0).reject(new Error('thrown on purpose'));
    await turn();
    expect(await kit.cache.fetch('a')).toBe(old);
    expect(kit.loads.length).toBe(2);
    await turn();
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
    expect(kit.cache.stats()).toMatchObject({ loads: 2, loadErrors: 1, loading: 1 });
    expect(kit.cache.statsOf('a')).toMatchObject({ loads: 2, loadErrors: 1 });
  });

  it.each<[string, () => never]>([
    ['throws', () => { throw new Error('thrown on purpose'); }],
    ['recurses', function recurse(): never { return recurse(); }],
  ])('a loader that %s is no error of who gets the old value', async (_, loader) => {
    const kit = new Kit({ staleWhileRevalidate: 20, loader });
    const old = kit.with(11);
    expect(await kit.cache.fetch('a')).toBe(old);
    await turn();
    expect(kit.cache.stats()).toMatchObject({ loadErrors: 1, loading: 0 });
  }); // biome-ignore format: one line each

  it.each<[string, (kit: Kit) => unknown]>([
    ['set', ({ cache }) => cache.set('a', { id: 50 })],
    ['delete', ({ cache }) => cache.delete('a')],
    ['clear', ({ cache }) => cache.clear()],
  ])('%s during the load wins', async (name, change) => {
    const kit = new Kit({ staleWhileRevalidate: 20 });
    kit.with(11);
    await kit.cache.fetch('a');
    change(kit);
    kit.load(0).resolve({ id: 100 });
    await turn();
    expect(kit.cache.get('a')).toEqual(name === 'set' ? { id: 50 } : undefined);
  });

  it('is aborted with the cache', async () => {
    const kit = new Kit({ staleWhileRevalidate: 20 });
    kit.with(11);
    await kit.cache.fetch('a');
    const disposed = kit.cache[Symbol.asyncDispose]();
    expect(kit.load(0).context.signal.aborted).toBe(true);
    kit.load(0).reject(new Error('aborted'));
    await disposed;
    expect(kit.cache.size).toBe(0);
  });

  it('the loader may find that nothing has changed: what it gives back is as good as new', async () => {
    const kit = new Kit({ staleWhileRevalidate: 20 });
    const old = kit.with(11);
    await kit.cache.fetch('a');
    kit.load(0).resolve(kit.load(0).context.stale as Value);
    await turn();
    kit.perf.time += 10;
    expect(kit.cache.get('a')).toBe(old);
    kit.perf.time += 1;
    expect(kit.cache.get('a')).toBe(undefined);
  });

  it('the loader may say that it is not to be stored: what has expired goes, too', async () => {
    const kit = new Kit({ staleWhileRevalidate: 20 });
    kit.with(11);
    await kit.cache.fetch('a');
    kit.load(0).context.ttl = 0;
    kit.load(0).resolve({ id: 100 });
    await turn();
    void kit.cache.fetch('a');
    expect(kit.load(1).context.stale).toBe(undefined);
    expect(kit.cache.size).toBe(0);
  });

  it('holds of what was evicted, as long as it is in use', async () => {
    const kit = new Kit({ max: 1, staleWhileRevalidate: 20 });
    const old = kit.with(0);
    kit.cache.set('b', { id: 50 });
    kit.perf.time += 11;
    expect(await kit.cache.fetch('a')).toBe(old);
    keepAlive(old);
    expect(kit.load(0).context.stale).toBe(old);
  });

  it('keeps nothing alive: what was evicted, has expired and is not in use is loaded anew', async () => {
    const kit = new Kit({ max: 1, staleWhileRevalidate: 20 });
    const gone = away(() => make(kit.with(0)));
    kit.cache.set('b', { id: 50 });
    kit.perf.time += 11;
    await gcUntil(() => !gone.alive, 'dead');
    const waiting = kit.cache.fetch('a');
    kit.load(0).resolve({ id: 100 });
    expect(await waiting).toEqual({ id: 100 });
    expect(kit.cache.stats()).toMatchObject({ hitsStale: 0, misses: 1, deaths: 1 });
  });

  it('counts from the ttl of the value: its own, or what its loader has said', async () => {
    const kit = new Kit({ staleWhileRevalidate: 20 });
    const old = { id: 1 };
    kit.cache.set('a', old, { ttl: 100 });
    kit.perf.time += 119;
    expect(await kit.cache.fetch('a')).toBe(old);
    kit.load(0).context.ttl = 1;
    const next = { id: 2 };
    kit.load(0).resolve(next);
    await turn();
    kit.perf.time += 20;
    expect(await kit.cache.fetch('a')).toBe(next);
    kit.perf.time += 2;
    void kit.cache.fetch('a');
    expect(kit.cache.stats()).toMatchObject({ hitsStale: 2, coalesced: 1 });
  });
});

describe('staleIfError', () => {
  it('all who wait get what has expired, if the load fails', async () => {
    const kit = new Kit({ staleIfError: 20 });
    const old = kit.with(11);
    const all = [kit.cache.fetch('a'), kit.cache.fetch('a')];
    expect(kit.load(0).context.stale).toBe(old);
    kit.load(0).reject(new Error('thrown on purpose'));
    const [one, two] = await Promise.all(all);
    expect([one === old, two === old]).toEqual([true, true]);
    expect(kit.cache.stats()).toMatchObject({ misses: 1, coalesced: 1, loads: 1, loadErrors: 1, hitsStale: 0 });
    // It is tried again.
    const again = kit.cache.fetch('a');
    kit.load(1).resolve({ id: 100 });
    expect(await again).toEqual({ id: 100 });
  });

  it('and the new one, if it does not', async () => {
    const kit = new Kit({ staleIfError: 20 });
    kit.with(11);
    const waiting = kit.cache.fetch('a');
    const fresh = { id: 100 };
    kit.load(0).resolve(fresh);
    expect(await waiting).toBe(fresh);
    expect(kit.cache.get('a')).toBe(fresh);
  });

  it.each<[string, number, boolean]>([
    ['in the last moment', 19, true],
    ['later', 19.5, false],
  ])('counts when the load fails: %s', async (_, passes, given) => {
    const kit = new Kit({ staleIfError: 20 });
    const old = kit.with(11);
    const waiting = kit.cache.fetch('a');
    kit.perf.time += passes;
    const error = new Error('thrown on purpose');
    kit.load(0).reject(error);
    expect(await Promise.allSettled([waiting])).toEqual([
      given ? { status: 'fulfilled', value: old } : { status: 'rejected', reason: error },
    ]);
  });

  it.each<[string, unknown]>([
    ['no object', 5],
    ['nothing', undefined],
  ])('is as good for a loader that gives %s', async (_, value) => {
    const kit = new Kit({ staleIfError: 20 });
    const old = kit.with(11);
    const waiting = kit.cache.fetch('a');
    kit.load(0).resolve(value as Value);
    expect(await waiting).toBe(old);
  });

  it('is not for who gives up', async () => {
    const kit = new Kit({ staleIfError: 20 });
    kit.with(11);
    const controller = new AbortController();
    const waiting = kit.cache.fetch('a', { signal: controller.signal });
    controller.abort(new Error('given up'));
    await expect(waiting).rejects.toThrow('given up');
    expect(kit.load(0).context.signal.aborted).toBe(true);
  });

  it.each<[string, (kit: Kit) => unknown]>([
    ['deleted', ({ cache }) => cache.delete('a')],
    ['set', ({ cache }) => cache.set('a', { id: 50 })],
    ['cleared', ({ cache }) => cache.clear()],
  ])('is not given when the key was %s since: who waits gets the error', async (_, change) => {
    const kit = new Kit({ staleIfError: 20 });
    kit.with(11);
    const waiting = kit.cache.fetch('a');
    change(kit);
    kit.load(0).reject(new Error('thrown on purpose'));
    await expect(waiting).rejects.toThrow('thrown on purpose');
  });

  it('is not given when the cache is disposed of', async () => {
    const kit = new Kit({ staleIfError: 20 });
    kit.with(11);
    const waiting = kit.cache.fetch('a');
    const disposed = kit.cache[Symbol.asyncDispose]();
    kit.load(0).reject(new Error('thrown on purpose'));
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_WEAKLY_DISPOSED' });
    await disposed;
  });

  it('a clock that throws gives the error of the load', async () => {
    let broken = false;
    const perf = {
      time: 0,
      now(): number {
        if (broken) throw new Error('no time');
        return this.time;
      },
    };
    const kit = new Kit({ staleIfError: 20, perf });
    kit.cache.set('a', { id: 1 });
    perf.time += 11;
    const waiting = kit.cache.fetch('a');
    broken = true;
    kit.load(0).reject(new Error('thrown on purpose'));
    await expect(waiting).rejects.toThrow('thrown on purpose');
    broken = false;
  });

  it.each<[string, (kit: Kit) => unknown]>([
    ['deleted', ({ cache }) => cache.delete('a')],
    ['set', ({ cache }) => cache.set('a', { id: 50 })],
  ])('is not given when the key is %s by the clock that is asked', async (_, change) => {
    let then: (() => void) | undefined;
    const perf = {
      time: 0,
      now(): number {
        const once = then;
        then = undefined;
        once?.();
        return this.time;
      },
    };
    const kit = new Kit({ staleIfError: 20, perf });
    kit.cache.set('a', { id: 1 });
    perf.time += 11;
    const waiting = kit.cache.fetch('a');
    then = () => change(kit);
    kit.load(0).reject(new Error('thrown on purpose'));
    await expect(waiting).rejects.toThrow('thrown on purpose');
  });

  it('together with staleWhileRevalidate each has its own time', async () => {
    const kit = new Kit({ staleWhileRevalidate: 5, staleIfError: 20 });
    const old = kit.with(14);
    expect(await kit.cache.fetch('a')).toBe(old);
    kit.load(0).reject(new Error('thrown on purpose'));
    await turn();
    kit.perf.time += 4;
    const waiting = kit.cache.fetch('a');
    kit.load(1).reject(new Error('thrown on purpose'));
    expect(await waiting).toBe(old);
    expect(kit.cache.stats()).toMatchObject({ hitsStale: 1, misses: 1, loadErrors: 2 });
  });
});

describe('refreshAhead', () => {
  it.each<[number, boolean]>([
    [0, false],
    [7, false],
    [7.5, true],
    [10, true],
  ])('loads anew what is about to expire, and gives it meanwhile (%d ms old: %s)', async (age, loads) => {
    const kit = new Kit({ refreshAhead: 3 });
    const old = kit.with(age);
    expect(await Promise.all([kit.cache.fetch('a'), kit.cache.fetch('a')])).toEqual([old, old]);
    expect(kit.loads.length).toBe(loads ? 1 : 0);
    if (!loads) return;
    expect(kit.load(0).context.stale).toBe(old);
    const fresh = { id: 100 };
    kit.load(0).resolve(fresh);
    await turn();
    expect(kit.cache.get('a')).toBe(fresh);
    expect(kit.cache.stats()).toMatchObject({ hitsStrong: 3, loads: 1, misses: 0, hitsStale: 0 });
  });

  it('is no matter of get', () => {
    const kit = new Kit({ refreshAhead: 3 });
    const old = kit.with(9);
    expect([kit.cache.get('a'), kit.loads.length]).toEqual([old, 0]);
  });

  it('a load that fails leaves the value as it is, and who has come to wait gets it while it is good', async () => {
    const kit = new Kit({ refreshAhead: 3, staleIfError: 20 });
    const old = kit.with(9);
    expect(await kit.cache.fetch('a')).toBe(old);
    kit.perf.time += 2;
    const waiting = kit.cache.fetch('a');
    kit.load(0).reject(new Error('thrown on purpose'));
    expect(await waiting).toBe(old);
    expect(kit.cache.stats()).toMatchObject({ coalesced: 1, loads: 1, loadErrors: 1 });
  });

  it('of a value that does not live as long counts the last half: not each fetch loads it anew', async () => {
    const kit = new Kit({ refreshAhead: 3 });
    const value = { id: 1 };
    kit.cache.set('a', value, { ttl: 2 });
    for (let i = 0; i < 5; i++) expect(await kit.cache.fetch('a')).toBe(value);
    kit.perf.time += 1;
    expect([await kit.cache.fetch('a'), kit.loads.length]).toEqual([value, 0]);
    kit.perf.time += 0.5;
    expect([await kit.cache.fetch('a'), kit.loads.length]).toEqual([value, 1]);
  });

  it('does nothing for what never expires', async () => {
    const kit = new Kit({ refreshAhead: 3 });
    const value = { id: 1 };
    kit.cache.set('a', value, { ttl: Number.POSITIVE_INFINITY });
    kit.perf.time = 1e300;
    expect(await kit.cache.fetch('a')).toBe(value);
    expect(kit.loads.length).toBe(0);
  });

  it.each([10, 11, Number.POSITIVE_INFINITY])('has to be less than the ttl: %d', (refreshAhead) => {
    expect(() => new Kit({ refreshAhead })).toThrow(
      expect.objectContaining({
        code: 'ERR_WEAKLY_RANGE',
        message: `new WeakCache: expected option "refreshAhead" to be less than "ttl", which is 10, got ${refreshAhead}`,
      }),
    );
  });
});

describe.each(['staleWhileRevalidate', 'staleIfError', 'refreshAhead'])('the option %s', (name) => {
  it.each<[unknown, string]>([
    [0, 'ERR_WEAKLY_RANGE'],
    [-1, 'ERR_WEAKLY_RANGE'],
    [Number.NaN, 'ERR_WEAKLY_RANGE'],
    [true, 'ERR_WEAKLY_OPTION'],
    ['5', 'ERR_WEAKLY_OPTION'],
    [null, 'ERR_WEAKLY_OPTION'],
    [5n, 'ERR_WEAKLY_OPTION'],
  ])('may not be %s', (value, code) => {
    expect(() => new WeakCache({ max: 1, [name]: value } as never)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(`option "${name}"`) }),
    );
  });

  it('may be a fraction, or undefined', () => {
    expect(new WeakCache({ max: 1, [name]: 0.5 } as never).size).toBe(0);
    expect(new WeakCache({ max: 1, [name]: undefined } as never).size).toBe(0);
  });
});
