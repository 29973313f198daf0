import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { WeakCache, type WeakCacheOptions } from '../../lib/collections/index.js';
import type { Value } from '../support/cache.js';
import { verify } from '../support/gc.js';

afterEach(verify);

/** Options of lru-cache that a WeakCache does not have, of its constructor, of set and of fetch. */
const THEIRS = [
  'allowStale',
  'allowStaleOnFetchAbort',
  'allowStaleOnFetchRejection',
  'backgroundFetchSize',
  'context',
  'dispose',
  'disposeAfter',
  'fetchMethod',
  'forceRefresh',
  'ignoreFetchAbort',
  'memoMethod',
  'noDeleteOnFetchRejection',
  'noDeleteOnStaleGet',
  'noDisposeOnSet',
  'noUpdateTTL',
  'onInsert',
  'start',
  'status',
  'ttlAutopurge',
  'ttlResolution',
  'updateAgeOnHas',
];

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
      if (key === 'constructor' || key === Symbol.toStringTag || key === inspect.custom) continue;
      const { value, get } = Object.getOwnPropertyDescriptor(prototype, key) as PropertyDescriptor;
      for (const receiver of [{}, undefined, 1]) {
        const call = async (): Promise<unknown> => Reflect.apply(value ?? get, receiver, []);
        await expect(call()).rejects.toEqual(refused);
      }
    }
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
  ])('fetch rejects with %s for loader %s, options %j; nothing is cached', async (code, loader, options) => {
    const cache = new WeakCache<string, Value>({ max: 10 });
    await expect(cache.fetch('a', loader as never, options as never)).rejects.toMatchObject({ code });
    expect([cache.has('a'), cache.size, cache.stats().loading]).toEqual([false, 0, 0]);
  });

  it.each<[string, unknown, string]>([
    ['max', { max: -1 }, 'the number -1'],
    ['max', { max: 0 }, 'the number 0'],
    ['max', { max: -0, ttl: 1 }, 'the number 0'],
    ['max', { max: Number.NaN }, 'the number NaN'],
    ['max', { max: Number.POSITIVE_INFINITY }, 'the number Infinity'],
    ['max', { max: 1.5 }, 'the number 1.5'],
    ['max', { max: 2 ** 24 + 1 }, 'the number 16777217'],
    ['max', { max: 2 ** 32 }, 'the number 4294967296'],
    ['max', { max: '10' }, 'the string "10"'],
    ['max', { max: null }, 'null'],
    ['max', { max: 5n }, 'the bigint 5n'],
    ['maxSize', { maxSize: 0 }, 'the number 0'],
    ['maxSize', { max: 1, maxSize: null }, 'null'],
    ['maxSize', { max: 1, maxSize: false }, 'the boolean false'],
    ['maxSize', { max: 1, maxSize: 1.5 }, 'the number 1.5'],
    ['maxEntrySize', { max: 1, maxEntrySize: Number.NaN }, 'the number NaN'],
    ['maxEntrySize', { max: 1, maxSize: 1, maxEntrySize: null }, 'null'],
    ['maxEntrySize', { max: 1, maxEntrySize: 0 }, 'the number 0'],
    ['ttl', { max: 1, ttl: 0 }, 'the number 0'],
    ['ttl', { max: 1, ttl: -0 }, 'the number 0'],
    ['ttl', { max: 1, ttl: -1.5 }, 'the number -1.5'],
    ['ttl', { max: 1, ttl: Number.NaN }, 'the number NaN'],
    ['ttl', { max: 1, ttl: Number.NEGATIVE_INFINITY }, 'the number -Infinity'],
    ['ttl', { max: 1, ttl: null }, 'null'],
    ['ttl', { max: 1, ttl: '1s' }, 'the string "1s"'],
    ['ttl', { ttl: Number.POSITIVE_INFINITY }, 'Infinity'],
    ['sizeCalculation', { maxSize: 1, sizeCalculation: null }, 'null'],
    ['sizeCalculation', { maxSize: 1, sizeCalculation: 0 }, 'the number 0'],
    ['sizeCalculation', { max: 1, sizeCalculation: () => 1 }, 'a function'],
    ['perf', { max: 1, perf: null }, 'null'],
    ['perf', { max: 1, perf: {} }, 'an object'],
    ['perf', { max: 1, perf: { now: 1 } }, 'an object'],
    ['perf', { max: 1, perf: 'performance' }, 'the string "performance"'],
    ['updateAgeOnGet', { max: 1, updateAgeOnGet: null }, 'null'],
    ['history', { max: 1, history: 0.5 }, '0.5'],
    ['history', { max: 1, history: Number.NaN }, 'NaN'],
    ['maxHeapRatio', { max: 1, maxHeapRatio: Number.NaN }, 'NaN'],
  ])('says which option of the constructor, what was expected, and what it got: "%s" in %o', (name, options, got) => {
    expect(() => new WeakCache(options as WeakCacheOptions<string, Value>)).toThrow(
      expect.objectContaining({
        code: expect.stringMatching(/^ERR_WEAKLY_(OPTION|RANGE)$/),
        message: expect.stringMatching(`"${name}".*got.*${got.replace('.', '\\.')}`),
      }),
    );
  });

  it.each<[string, object, unknown, string]>([
    ['size', { maxSize: 9 }, {}, 'undefined'],
    ['size', { maxSize: 9 }, { size: 0 }, 'the number 0'],
    ['size', { maxSize: 9 }, { size: -0 }, 'the number 0'],
    ['size', { maxSize: 9 }, { size: 1.5 }, 'the number 1.5'],
    ['size', { maxSize: 9 }, { size: Number.POSITIVE_INFINITY }, 'the number Infinity'],
    ['size', { maxSize: 9 }, { size: '1' }, 'the string "1"'],
    ['size', { maxSize: 9, sizeCalculation: () => 1 }, { size: Number.NaN }, 'the number NaN'],
    ['size', { maxSize: 9, sizeCalculation: () => 1 }, { size: null }, 'null'],
    ['sizeCalculation', { maxSize: 9, sizeCalculation: () => 0 }, {}, 'the number 0'],
    ['sizeCalculation', { maxSize: 9, sizeCalculation: () => '1' }, {}, 'the string "1"'],
    ['sizeCalculation', { maxEntrySize: 9, max: 1, sizeCalculation: () => Number.NaN }, {}, 'the number NaN'],
    ['size', { max: 1 }, { size: 1 }, 'the number 1'],
    ['size', { max: 1 }, { size: 0 }, 'the number 0'],
    ['ttl', { max: 1 }, { ttl: -0 }, 'the number 0'],
    ['ttl', { max: 1 }, { ttl: Number.NaN }, 'the number NaN'],
    ['ttl', { max: 1 }, { ttl: Number.NEGATIVE_INFINITY }, 'the number -Infinity'],
    ['ttl', { max: 1 }, { ttl: null }, 'null'],
  ])('says which option of set and fetch, and what it got: "%s" for %o and %o', async (name, options, given, got) => {
    const cache = new WeakCache<string, Value>(options as WeakCacheOptions<string, Value>);
    const refusal = expect.objectContaining({
      code: expect.stringMatching(/^ERR_WEAKLY_(OPTION|RANGE)$/),
      message: expect.stringMatching(`"${name}".*got ${got.replace('.', '\\.')}`),
    });
    expect(() => cache.set('a', { id: 1 }, given as never)).toThrow(refusal);
    await expect(cache.fetch('a', () => ({ id: 1 }), given as never)).rejects.toEqual(refusal);
    expect([cache.size, cache.stats().loading]).toEqual([0, 0]);
  });

  it('tells a controller from its signal', async () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    const options = { signal: new AbortController() as never };
    await expect(cache.fetch('a', () => ({ id: 1 }), options)).rejects.toMatchObject({
      code: 'ERR_WEAKLY_OPTION',
      message: expect.stringMatching(/"signal".*AbortSignal.*AbortController/),
    });
  });

  it.each<[string, unknown]>([
    ['what only has its prototype', Object.create(AbortSignal.prototype)],
    ['null', null],
    ['an EventTarget', new EventTarget()],
  ])('takes no signal that is none: %s', async (_what, signal) => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    await expect(cache.fetch('a', () => ({ id: 1 }), { signal: signal as never })).rejects.toMatchObject({
      code: 'ERR_WEAKLY_OPTION',
      message: expect.stringContaining('"signal"'),
    });
  });

  it.each(THEIRS)('says why there is no %s, which lru-cache has', (name) => {
    expect(() => new WeakCache({ max: 1, [name]: undefined } as WeakCacheOptions<string, Value>)).toThrow(
      expect.objectContaining({
        code: 'ERR_WEAKLY_OPTION',
        message: expect.stringMatching(`${name}.*lru-cache's: ..........`),
      }),
    );
  });

  it.each<[string, RegExp]>([
    ...THEIRS.map((name): [string, RegExp] => [name, new RegExp(`${name}.*lru-cache's: ..........`)]),
    ['sizeCalculation', /sizeCalculation.*constructor/],
    ['updateAgeOnGet', /updateAgeOnGet.*constructor/],
  ])('says why neither set nor fetch has %s', async (name, message) => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    const refusal = expect.objectContaining({ code: 'ERR_WEAKLY_OPTION', message: expect.stringMatching(message) });
    expect(() => cache.set('a', { id: 1 }, { [name]: 1 } as never)).toThrow(refusal);
    await expect(cache.fetch('a', () => ({ id: 1 }), { [name]: 1 } as never)).rejects.toEqual(refusal);
    expect(cache.size).toBe(0);
  });

  it('sends who passes a signal to set to fetch', () => {
    const cache = new WeakCache<string, Value>({ max: 1 });
    expect(() => cache.set('a', { id: 1 }, { signal: 1 } as never)).toThrow(/signal.*fetch/);
  });

  it('reads each option once: what has been checked is what is taken', () => {
    let reads = 0;
    const once = (value: unknown): PropertyDescriptor => ({
      enumerable: true,
      get: () => {
        reads++;
        return reads === 1 ? value : 'another';
      },
    });
    const cache = new WeakCache<string, Value>(Object.defineProperty({ max: 1 }, 'ttl', once(5)) as { max: number });
    reads = 0;
    cache.set('a', { id: 1 }, Object.defineProperty({}, 'ttl', once(1e6)));
    expect([reads, cache.get('a')]).toEqual([1, { id: 1 }]);
  });
});
