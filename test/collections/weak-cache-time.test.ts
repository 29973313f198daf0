import { afterEach, describe, expect, it, vi } from 'vitest';
import { WeakCache } from '../../lib/collections/index.js';
import { fakeClock, ManualClock, type Value } from '../support/cache.js';
import { verify } from '../support/gc.js';

afterEach(() => {
  vi.useRealTimers();
  verify();
});

describe('the ttl of a WeakCache', () => {
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

  it('ends after it, however long a job has been going on (weak tier)', () => {
    // Only the clock: whatever waits for a timer waits for the end of the job.
    vi.useFakeTimers({ toFake: ['performance'] });
    const cache = new WeakCache<string, Value>({ max: 1, ttl: 100 });
    vi.advanceTimersByTime(1000);
    const held = { id: 1 };
    cache.set('a', held);
    cache.get('a');
    vi.advanceTimersByTime(80);
    cache.set('b', { id: 2 }); // evicts it
    vi.advanceTimersByTime(50);
    expect([cache.has('a'), cache.get('a'), held]).toEqual([false, undefined, { id: 1 }]);
  });

  it('ends after it, however long a job has been going on (strong tier)', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const cache = new WeakCache<string, Value>({ max: 2, ttl: 100 });
    vi.advanceTimersByTime(1000);
    cache.set('a', { id: 1 });
    cache.get('a');
    vi.advanceTimersByTime(101);
    expect([cache.has('a'), cache.get('a')]).toEqual([false, undefined]);
  });

  it('does not add up where a value goes to and fro between the tiers', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const cache = new WeakCache<string, Value>({ max: 1, ttl: 100 });
    vi.advanceTimersByTime(1000);
    const held = [{ id: 1 }, { id: 2 }];
    for (const [i, value] of held.entries()) cache.set(String(i), value);
    for (let i = 0; i < 10; i++) {
      for (const [id, value] of held.entries()) expect(cache.get(String(id))).toBe(value);
      vi.advanceTimersByTime(10);
    }
    vi.advanceTimersByTime(1);
    expect([cache.get('0'), cache.get('1')]).toEqual([undefined, undefined]);
  });

  it.each([1, 2])('begins at 0, if the clock does (max: %i)', (max) => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const held = { id: 1 };
    const cache = new WeakCache<string, Value>({ max, ttl: 100 });
    expect(performance.now()).toBe(0);
    cache.set('a', held);
    cache.set('b', { id: 2 });
    vi.advanceTimersByTime(101);
    expect([cache.has('a'), cache.has('b'), cache.get('a'), cache.get('b')]).toEqual([
      false,
      false,
      undefined,
      undefined,
    ]);
  });

  it.each<[string, number]>([
    ['weak', 1],
    ['strong', 2],
  ])('has its last moment in it (%s tier)', (_tier, max) => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const cache = new WeakCache<string, Value>({ max, ttl: 100 });
    vi.advanceTimersByTime(1000);
    const held = { id: 1 };
    cache.set('a', held);
    cache.set('b', { id: 2 }, { ttl: 1e6 });
    vi.advanceTimersByTime(100);
    expect([cache.has('a'), cache.get('a')]).toEqual([true, held]);
    cache.get('b'); // evicts it again
    vi.advanceTimersByTime(1);
    expect([cache.has('a'), cache.get('a'), cache.delete('a')]).toEqual([false, undefined, false]);
  });

  it('needs no timer', () => {
    vi.useFakeTimers();
    const cache = new WeakCache<string, Value>({ max: 1, ttl: 100 });
    vi.advanceTimersByTime(1);
    cache.set('a', { id: 1 });
    cache.get('a');
    cache.has('a');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is measured by the clock that is passed, in both tiers', () => {
    const perf = new ManualClock();
    const cache = new WeakCache<string, Value>({ max: 1, ttl: 100, perf });
    const held = { id: 1 };
    cache.set('a', held);
    cache.set('b', { id: 2 });
    perf.time = 100;
    expect([cache.has('a'), cache.get('a')]).toEqual([true, held]);
    perf.time = 101;
    expect([cache.has('a'), cache.get('a'), held]).toEqual([false, undefined, { id: 1 }]);
  });

  it.each<[string, (cache: WeakCache<string, Value>) => unknown]>([
    ['get', (cache) => cache.get('old')],
    ['has', (cache) => cache.has('old')],
    ['set', (cache) => cache.set('old', { id: 3 })],
    ['delete', (cache) => cache.delete('old')],
    ['fetch', (cache) => cache.fetch('old', () => ({ id: 3 }))],
  ])('and where that throws, %s() has changed nothing, not even what was used last', async (_method, use) => {
    const perf = new ManualClock();
    const cache = new WeakCache<string, Value>({ max: 2, ttl: 100, perf });
    const [old, young] = [{ id: 1 }, { id: 2 }];
    cache.set('old', old).set('young', young);
    const before = cache.stats();
    perf.now = () => {
      throw new Error('no time');
    };
    await expect((async () => use(cache))()).rejects.toThrow('no time');
    perf.now = () => 0;
    expect(cache.stats()).toEqual(before);
    cache.set('new', { id: 4 }); // evicts the one that was used longest ago
    expect(cache.get('young')).toBe(young);
    expect(cache.statsOf('young')).toMatchObject({ hitsStrong: 1 });
    expect(cache.get('old')).toBe(old);
    expect(cache.statsOf('old')).toMatchObject({ hitsWeak: 1 });
  });

  it('that has lost its now() since is told with a code', () => {
    const perf = new ManualClock();
    const cache = new WeakCache<string, Value>({ max: 2, ttl: 100, perf });
    Object.assign(perf, { now: 'soon' });
    const lost = expect.objectContaining({ code: 'ERR_WEAKLY_OPTION', message: expect.stringContaining('"perf"') });
    expect(() => cache.get('a')).toThrow(lost);
    expect(() => cache.set('a', { id: 1 })).toThrow(lost);
  });

  it('and one whose now() is another each time it is read: it is read once for each time', () => {
    let reads = 0;
    const perf = {
      get now(): () => number {
        reads++;
        if (reads % 2 === 0) return 'no function' as unknown as () => number;
        return () => 0;
      },
    };
    const cache = new WeakCache<string, Value>({ max: 2, ttl: 100, perf });
    for (let turns = 0; turns < 4; turns++) {
      reads = 0;
      cache.get('a');
      expect(reads).toBe(1);
    }
  });

  it('and performance itself that has lost its own, where the cache has no other', () => {
    const cache = new WeakCache<string, Value>({ max: 2, ttl: 100 });
    const restore = Object.getOwnPropertyDescriptor(performance, 'now');
    Object.defineProperty(performance, 'now', { value: 5, configurable: true, writable: true });
    try {
      expect(() => cache.get('a')).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_OPTION' }));
    } finally {
      if (restore === undefined) Reflect.deleteProperty(performance, 'now');
      else Object.defineProperty(performance, 'now', restore);
    }
    expect(cache.get('a')).toBeUndefined();
  });

  it('is not asked any more once the cache is disposed of', async () => {
    const perf = new ManualClock();
    const cache = new WeakCache<string, Value>({ max: 2, ttl: 100, perf });
    cache.set('a', { id: 1 });
    await cache[Symbol.asyncDispose]();
    perf.now = () => {
      throw new Error('no time');
    };
    expect([cache.get('a'), cache.has('a'), cache.delete('a'), cache.size]).toEqual([undefined, false, false, 0]);
  });

  it.each<[string, object]>([
    ['an object', { now: () => 0 }],
    ['performance', performance],
    ['Date', Date],
  ])('takes %s for a clock', (_what, perf) => {
    const cache = new WeakCache<string, Value>({ max: 1, ttl: 1e9, perf: perf as typeof Date });
    cache.set('a', { id: 1 });
    expect(cache.get('a')).toEqual({ id: 1 });
  });

  it('Infinity is no expiry, of the cache or of one value', () => {
    const perf = new ManualClock();
    const never = new WeakCache<string, Value>({ max: 1, ttl: Number.POSITIVE_INFINITY, perf });
    const some = new WeakCache<string, Value>({ max: 2, ttl: 10, perf });
    const held = [{ id: 1 }, { id: 2 }];
    never.set('a', held[0] as Value);
    never.set('b', held[1] as Value);
    some.set('a', held[0] as Value, { ttl: Number.POSITIVE_INFINITY });
    some.set('b', held[1] as Value);
    perf.time = 1e15;
    expect([never.get('a'), never.get('b')]).toEqual(held);
    expect([some.get('a'), some.get('b')]).toEqual([held[0], undefined]);
  });

  it('may be a fraction, of the cache or of one value', () => {
    const perf = new ManualClock();
    const cache = new WeakCache<string, Value>({ max: 2, ttl: 1.5, perf });
    cache.set('a', { id: 1 });
    cache.set('b', { id: 2 }, { ttl: 0.25 });
    perf.time = 0.25;
    expect([cache.has('a'), cache.has('b')]).toEqual([true, true]);
    perf.time = 0.5;
    expect([cache.has('a'), cache.has('b')]).toEqual([true, false]);
    perf.time = 1.75;
    expect([cache.has('a'), cache.has('b')]).toEqual([false, false]);
  });

  it.each([1e15, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE])('may be as large as %d', (ttl) => {
    const perf = new ManualClock();
    const held = { id: 1 };
    const cache = new WeakCache<string, Value>({ max: 1, ttl, perf });
    cache.set('a', held);
    perf.time = 1e14;
    cache.set('b', { id: 2 });
    expect(cache.get('a')).toBe(held);
  });

  it('goes on where the clock goes backwards: nothing lives longer by it', () => {
    const perf = new ManualClock();
    perf.time = 1e6;
    const held = { id: 1 };
    const cache = new WeakCache<string, Value>({ max: 1, ttl: 100, perf });
    cache.set('weak', held);
    cache.set('strong', { id: 2 });
    perf.time = 0;
    expect([cache.has('weak'), cache.has('strong')]).toEqual([true, true]);
    perf.time = 100;
    expect([cache.has('weak'), cache.has('strong')]).toEqual([true, true]);
    perf.time = 101;
    expect([cache.has('weak'), cache.has('strong')]).toEqual([false, false]);
    // And again: what is set meanwhile has its whole time, too.
    cache.set('strong', { id: 2 });
    perf.time = -1e6;
    expect(cache.has('strong')).toBe(true);
    perf.time += 101;
    expect([cache.has('strong'), held]).toEqual([false, { id: 1 }]);
  });

  it('goes on when fake timers are installed, and when they are taken away', () => {
    const cache = new WeakCache<string, Value>({ max: 2, ttl: 1e7 });
    cache.set('a', { id: 1 });
    vi.useFakeTimers({ toFake: ['performance'] });
    expect(cache.has('a')).toBe(true);
    vi.advanceTimersByTime(1e7 + 1);
    expect(cache.has('a')).toBe(false);
    cache.set('b', { id: 2 });
    vi.useRealTimers();
    expect(cache.has('b')).toBe(true);
  });

  it('is the only limit of a cache that has no other', () => {
    const perf = new ManualClock();
    const cache = new WeakCache<number, Value>({ ttl: 10, perf });
    for (let id = 0; id < 100; id++) cache.set(id, { id });
    expect(cache.stats()).toMatchObject({ strong: 100, weak: 0 });
    perf.time = 11;
    for (let id = 0; id < 100; id++) expect(cache.get(id)).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it('begins anew with each get, where that is asked for, in both tiers', () => {
    const perf = new ManualClock();
    const held = [{ id: 0 }, { id: 1 }];
    const cache = new WeakCache<number, Value>({ max: 1, ttl: 10, updateAgeOnGet: true, perf });
    for (const value of held) cache.set(value.id, value);
    for (let i = 0; i < 5; i++) {
      perf.time += 10;
      expect([cache.get(0), cache.get(0), cache.get(1), cache.get(1)]).toEqual([held[0], held[0], held[1], held[1]]);
    }
    perf.time += 5;
    expect([cache.has(0), cache.has(1)]).toEqual([true, true]);
    perf.time += 6;
    expect([cache.has(0), cache.has(1)]).toEqual([false, false]);
  });

  it('begins anew with the one get that brings a value back from the weak tier, where that is asked for', () => {
    const perf = new ManualClock();
    const held = [{ id: 0 }, { id: 1 }];
    const cache = new WeakCache<number, Value>({ max: 1, ttl: 10, updateAgeOnGet: true, perf });
    for (const value of held) cache.set(value.id, value);
    perf.time = 10;
    cache.get(0);
    perf.time = 20;
    expect([cache.has(0), cache.has(1)]).toEqual([true, false]);
  });

  it('of a loaded value begins when it is there', async () => {
    const perf = new ManualClock();
    const cache = new WeakCache<string, Value>({ max: 1, ttl: 10, perf });
    await cache.fetch('a', () => {
      perf.time = 50;
      return { id: 1 };
    });
    perf.time = 60;
    expect(cache.has('a')).toBe(true);
    perf.time = 61;
    expect(cache.has('a')).toBe(false);
  });

  it('what has expired in the strong tier, and is evicted from there, is not counted as weak', () => {
    const perf = new ManualClock();
    const held = { id: 1 };
    const cache = new WeakCache<string, Value>({ max: 1, ttl: 10, perf });
    cache.set('a', held);
    perf.time = 11;
    cache.set('b', { id: 2 });
    expect(cache.stats()).toMatchObject({ strong: 1, weak: 0 });
    expect([cache.get('a'), held]).toEqual([undefined, { id: 1 }]);
  });
});

describe('a clock that fails', () => {
  const calls: [string, (cache: WeakCache<string, Value>) => unknown][] = [
    ['get, strong', (cache) => cache.get('strong')],
    ['get, weak', (cache) => cache.get('weak')],
    ['has', (cache) => cache.has('strong')],
    ['set', (cache) => cache.set('strong', { id: 3 })],
    ['delete', (cache) => cache.delete('strong')],
    ['fetch', (cache) => cache.fetch('new', () => ({ id: 4 }))],
  ];

  it.each(calls)('leaves everything as it is (%s)', async (_name, call) => {
    const perf = { now: (): unknown => 0 };
    const held = [{ id: 1 }, { id: 2 }];
    const cache = new WeakCache<string, Value>({ max: 1, ttl: 10, perf: perf as { now(): number } });
    cache.set('weak', held[0] as Value);
    cache.set('strong', held[1] as Value);
    const attempt = async (): Promise<unknown> => call(cache);
    for (const wrong of [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      '5',
      5n,
      undefined,
      null,
      {},
    ]) {
      perf.now = () => wrong;
      await expect(attempt()).rejects.toMatchObject({
        code: 'ERR_WEAKLY_OPTION',
        message: expect.stringContaining('"perf"'),
      });
    }
    const thrown = new Error('the clock has stopped');
    perf.now = () => {
      throw thrown;
    };
    await expect(attempt()).rejects.toBe(thrown);
    perf.now = () => 10;
    expect(cache.stats()).toMatchObject({ strong: 1, weak: 1, loading: 0, loads: 0 });
    expect([cache.get('weak'), cache.get('strong'), cache.has('new')]).toEqual([...held, false]);
  });

  it('does not keep what was loaded, and says so to who waits', async () => {
    const perf = { now: (): number => 0 };
    const cache = new WeakCache<string, Value>({ max: 1, ttl: 10, perf });
    const loading = cache.fetch('a', () => {
      perf.now = () => Number.NaN;
      return { id: 1 };
    });
    await expect(loading).rejects.toMatchObject({ code: 'ERR_WEAKLY_OPTION' });
    perf.now = () => 0;
    expect([cache.has('a'), cache.stats().loading]).toEqual([false, 0]);
  });

  it('is never asked by a cache without a ttl, nor by clear, size, stats and disposal', async () => {
    const perf = {
      now: (): number => {
        throw new Error('asked');
      },
    };
    const cache = new WeakCache<string, Value>({ max: 1, perf });
    cache.set('a', { id: 1 });
    cache.set('b', { id: 2 });
    await cache.fetch('c', () => ({ id: 3 }));
    expect([cache.get('c'), cache.has('c'), cache.delete('c')]).toEqual([{ id: 3 }, true, true]);
    const timed = new WeakCache<string, Value>({ max: 1, ttl: 1, perf });
    timed.clear();
    expect([timed.size, timed.stats().strong, timed.statsOf('a')]).toEqual([0, 0, undefined]);
    await timed[Symbol.asyncDispose]();
  });
});
