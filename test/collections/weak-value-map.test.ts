import { afterEach, describe, expect, it } from 'vitest';
import { binding } from '../../lib/binding.js';
import { WeakValueMap } from '../../lib/collections/index.js';
import { addCleanup, keepAlive, make, queue } from '../../lib/index.js';
import { away, gcNowUntil, gcUntil, majorGc, minorGc, turn, until, verify } from '../support/gc.js';

const MAX_CELLS = 2 ** 28;
const MAX_GENERATION = 2 ** 30 - 1;

afterEach(() => {
  binding.testing.setLimits(MAX_CELLS, MAX_GENERATION);
  binding.testing.refuseMemory(0);
  binding.testing.refuseCells(false);
  verify();
});

interface Value {
  readonly id: number;
}

/** A map of `count` values that are held by what is returned with it. */
function filled(count: number): { map: WeakValueMap<number, Value>; held: (Value | undefined)[] } {
  const held = Array.from({ length: count }, (_, id) => ({ id }));
  return { map: new WeakValueMap(held.map((value) => [value.id, value])), held };
}

describe('WeakValueMap', () => {
  it('has a value as long as something else holds it', async () => {
    const { map, held } = filled(100);
    for (let i = 0; i < 100; i += 2) held[i] = undefined;
    await gcUntil(() => map.size === 50, 'half are gone');
    expect([...map.keys()]).toEqual(Array.from({ length: 50 }, (_, i) => 2 * i + 1));
    expect([...map.values()]).toEqual(held.filter((value) => value !== undefined));
    expect([map.has(0), map.get(0), map.has(1), map.get(1)]).toEqual([false, undefined, true, held[1]]);
  });

  it('gives, counts and iterates nothing dead, from the GC on and before anything was drained', () => {
    const { map, held } = filled(2_000);
    for (let i = 0; i < 1_990; i++) held[i] = undefined;
    const others = held.slice(1_990);
    gcNowUntil(() => map.size <= 20, 'dead');
    expect(binding.stats().deadEntries).toBeGreaterThan(1_900);
    const alive = [...map];
    expect(alive.length).toBe(map.size);
    expect([...map.keys()].length).toBe(map.size);
    expect([...map.values()]).not.toContain(undefined);
    expect(alive.slice(-10).map(([, value]) => value)).toEqual(others);
    let seen = 0;
    map.forEach((value, key) => {
      expect(value.id).toBe(key);
      seen++;
    });
    expect(seen).toBe(map.size);
    const dead = Array.from({ length: 2_000 }, (_, i) => i).filter((key) => !map.has(key));
    expect(dead.every((key) => map.get(key) === undefined && !map.delete(key))).toBe(true);
    expect(dead.length).toBe(2_000 - map.size);
  });

  it('counts exactly after a GC whose callbacks V8 has skipped', () => {
    const { map, held } = filled(1_000);
    map.delete(0);
    expect(map.size).toBe(999);
    for (let i = 0; i < 990; i++) held[i] = undefined;
    // As if the GCs had begun inside the callbacks of another one.
    for (let i = 0; i < 10 && [...map].length > 20; i++) {
      binding.testing.skipEpilogues(1);
      majorGc();
      binding.testing.skipEpilogues(0);
      // Any of the three may run a GC itself, under stress flags.
      const [before, seen, after] = [map.size, [...map].length, map.size];
      expect([before >= seen, seen >= after], `${before}, ${seen}, ${after}`).toEqual([true, true]);
    }
    expect(map.size).toBeLessThanOrEqual(20);
  });

  it('counts exactly after a GC that V8 has run, and skipped the callbacks of, inside those of another one', () => {
    for (const seen of [1, 2, 3]) {
      const { map, held } = filled(1_000);
      for (let i = 0; i < 500; i++) held[i] = undefined;
      expect(map.size).toBeGreaterThan(0);
      for (let i = 0; i < seen; i++) majorGc();
      for (let i = 500; i < 990; i++) held[i] = undefined;
      binding.testing.skipEpilogues(1);
      majorGc();
      binding.testing.skipEpilogues(0);
      const [before, counted, after] = [map.size, [...map].length, map.size];
      expect([before >= counted, counted >= after], `${before}, ${counted}, ${after}`).toEqual([true, true]);
      expect(held.length).toBe(1_000);
    }
  });

  it('lets go of the keys of the dead when the event loop comes to them', async () => {
    const map = new WeakValueMap<object, object>();
    const key = away(() => {
      const target = {};
      map.set(target, {});
      return make(target);
    });
    await gcUntil(() => !key.alive, 'the key is gone');
    expect(map.size).toBe(0);
  });

  it('a job that never yields lets go of them as well', () => {
    const map = new WeakValueMap<number, object>();
    const { entryCapacity } = binding.stats();
    for (let round = 0; round < 20; round++) {
      away(() => {
        for (let i = 0; i < 20_000; i++) map.set(round * 20_000 + i, { i });
      });
      minorGc();
      minorGc();
    }
    // 400,000 entries later.
    expect(binding.stats().entryCapacity).toBeLessThanOrEqual(Math.max(2 * entryCapacity, 131_072));
  });

  it('holds keys as long as their values live, whatever refers to them', async () => {
    const { map, held } = away(() => {
      const value = { id: 1 };
      return { map: new WeakValueMap([[{ key: true }, value]]), held: [value] };
    });
    await turn();
    majorGc();
    expect([...map.keys()]).toEqual([{ key: true }]);
    expect(held.length).toBe(1);
  });

  it('the death of an overwritten value does not remove its successor', async () => {
    const map = new WeakValueMap<string, object>();
    const old = away(() => {
      const value = {};
      map.set('key', value);
      return make(value);
    });
    const successor = {};
    map.set('key', successor);
    await gcUntil(() => !old.alive, 'the old one is gone');
    await queue.settled();
    expect([map.get('key'), map.size]).toEqual([successor, 1]);
  });

  it('a key that is set again between the death of its value and the drain keeps the new one, in last place', async () => {
    const { map, held } = filled(1_000);
    for (let i = 0; i < 1_000; i += 2) held[i] = undefined;
    gcNowUntil(() => map.size <= 510, 'dead');
    const again = [0, 2, 4, 6].filter((key) => !map.has(key));
    expect(again.length).toBeGreaterThan(0);
    const values = again.map((id) => ({ id }));
    for (const value of values) map.set(value.id, value);
    expect([...map.keys()].slice(-again.length)).toEqual(again);
    await gcUntil(() => binding.stats().deadEntries === 0 && map.size === 500 + again.length, 'drained');
    expect(again.map((key) => map.get(key))).toEqual(values);
    expect([...map.keys()].slice(-again.length)).toEqual(again);
    await turn();
    expect(values.length).toBe(again.length);
  });

  it('a key that is deleted between the death of its value and the drain stays away', async () => {
    const { map, held } = filled(1_000);
    held.fill(undefined);
    gcNowUntil(() => map.size <= 10, 'dead');
    for (let key = 0; key < 1_000; key++) map.delete(key);
    expect(map.size).toBe(0);
    verify();
    await gcUntil(() => binding.stats().deadEntries === 0, 'drained');
    expect([map.size, [...map]]).toEqual([0, []]);
  });

  it('clear between death and drain', async () => {
    const { map, held } = filled(1_000);
    const kept = { id: -1 };
    held.fill(undefined, 0, 500);
    gcNowUntil(() => map.size <= 510, 'dead');
    map.clear();
    map.set(0, kept);
    await gcUntil(() => binding.stats().deadEntries === 0, 'drained');
    expect([...map]).toEqual([[0, kept]]);
  });

  it('can be changed by cleanups of its values', async () => {
    const map = new WeakValueMap<number, object>();
    const kept: object[] = [];
    const replace = (key: number): void => {
      expect(map.has(key)).toBe(false);
      const value = { key };
      kept.push(value);
      map.set(key, value);
    };
    away(() => {
      for (let i = 0; i < 1_000; i++) {
        const value = { i };
        map.set(i, value);
        addCleanup(value, replace, i);
      }
    });
    await gcUntil(() => kept.length === 1_000, 'all replaced');
    await queue.settled();
    expect(map.size).toBe(1_000);
    const values = new Set(map.values());
    expect(kept.every((value) => values.has(value))).toBe(true);
  });

  it('survives GCs and drains in the middle of an iteration', async () => {
    const { map, held } = filled(3_000);
    const seen: number[] = [];
    for (const [key, value] of map) {
      expect(value.id).toBe(key);
      seen.push(key);
      if (key % 500 !== 0) continue;
      for (let i = key + 1; i < key + 250; i++) held[i] = undefined;
      majorGc();
      if (key % 1_000 === 0) queue.drain();
      else await turn();
    }
    expect(seen).toEqual([...seen].sort((x, y) => x - y));
    expect(seen).toEqual(expect.arrayContaining(held.filter((value) => value !== undefined).map(({ id }) => id)));
    // A few may have been held by a register.
    expect(seen.length).toBeLessThan(3_000 - 6 * 200);
  });

  it('keeps no value alive by iterating keys, asking has(), or counting', async () => {
    const { map, held } = filled(100);
    held.fill(undefined);
    for (let i = 0; i < 100; i++) map.has(i);
    for (const key of map.keys()) map.has(key);
    expect(map.size).toBeGreaterThanOrEqual(0);
    await gcUntil(() => map.size === 0, 'all gone');
  });

  it('is itself collected while its values live, and its entries with it', async () => {
    await gcUntil(() => binding.stats().deadEntries === 0, 'quiet');
    const before = binding.stats().entries;
    const values = Array.from({ length: 50_000 }, (_, id) => ({ id }));
    const map = away(() => make(new WeakValueMap(values.map((value) => [value.id, value]))));
    await gcUntil(() => !map.alive, 'the map is gone');
    // Swept away: nothing else would free them as long as the values live.
    await gcUntil(() => binding.stats().entries - before <= 5_000, 'swept');
    expect(values.length).toBe(50_000);
    verify();
  });

  it('is collected although its keys, or its values, refer to it', async () => {
    const pointers = away(() => {
      const map = new WeakValueMap<object, object>();
      const value = { map };
      map.set({ map }, value);
      const other = new WeakValueMap<object, object>();
      const key = { other };
      other.set(key, key);
      return [make(map), make(other), make(value), make(key)];
    });
    await gcUntil(() => !pointers.some(({ alive }) => alive), 'all gone');
  });

  it('many small ones come and go', async () => {
    await gcUntil(() => binding.stats().deadEntries === 0, 'quiet');
    const value = {};
    const { entryCapacity } = binding.stats();
    for (let round = 0; round < 20; round++) {
      away(() => {
        for (let i = 0; i < 2_000; i++) new WeakValueMap([['value', value]]);
      });
      majorGc();
      await turn();
    }
    await gcUntil(() => binding.stats().deadEntries === 0, 'drained');
    expect(binding.stats().entryCapacity).toBeLessThanOrEqual(Math.max(2 * entryCapacity, 65_536));
    expect(value).toEqual({});
  });

  it('do not let the table grow while it has room, however often GCs end one that is being filled', async () => {
    away(() => filled(20_000));
    await gcUntil(() => binding.stats().deadEntries === 0 && binding.stats().entries < 10_000, 'room');
    const value = {};
    const { entryCapacity } = binding.stats();
    for (let round = 0; round < 50; round++) {
      away(() => {
        for (let i = 0; i < 200; i++) new WeakValueMap([['value', value]]);
      });
      majorGc();
    }
    expect(binding.stats().entryCapacity).toBe(entryCapacity);
    expect(value).toEqual({});
  });

  it('inspects as a Map does', async () => {
    const { inspect } = await import('node:util');
    const { map, held } = filled(2);
    expect(inspect(map)).toBe('WeakValueMap(2) { 0 => { id: 0 }, 1 => { id: 1 } }');
    expect(inspect({ a: { b: { map } } }, { depth: 2 })).toContain('[WeakValueMap]');
    keepAlive(held);
  });
});

describe('WeakValueMap.groupBy', () => {
  const items = Array.from({ length: 10 }, (_, id) => ({ id }));

  it('groups as Map.groupBy does', () => {
    const indexes: number[] = [];
    const map = WeakValueMap.groupBy(items, ({ id }, index) => {
      indexes.push(index);
      return id % 3;
    });
    expect(map).toBeInstanceOf(WeakValueMap);
    expect([...map].map(([key, group]) => [key, group.map(({ id }) => id)])).toEqual([
      [0, [0, 3, 6, 9]],
      [1, [1, 4, 7]],
      [2, [2, 5, 8]],
    ]);
    expect(indexes).toEqual([...items.keys()]);
  });

  it('a group lives as long as one of its items', async () => {
    const kept: (Value | undefined)[] = Array.from({ length: 9 }, (_, id) => ({ id }));
    const map = away(() => WeakValueMap.groupBy(kept as Value[], ({ id }) => id % 3));
    for (let i = 0; i < 9; i++) if (i !== 4) kept[i] = undefined;
    await gcUntil(() => map.size === 1, 'the others are gone');
    expect(map.get(1)?.map(({ id }) => id)).toEqual([1, 4, 7]);
    kept.fill(undefined);
    await gcUntil(() => map.size === 0, 'all gone');
  });

  it('a group is not kept by its items when the map is gone', async () => {
    const group = away(() => make(WeakValueMap.groupBy(items, () => 'all').get('all') as object));
    await gcUntil(() => !group.alive, 'gone');
    expect(items.length).toBe(10);
  });

  it('refuses items that hold nothing, and callbacks that are none', () => {
    expect(() => WeakValueMap.groupBy([1] as never, () => 1)).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_TARGET', message: expect.stringContaining('each item') }),
    );
    expect(() => WeakValueMap.groupBy(1 as never, () => 1)).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_ARGUMENT' }),
    );
    expect(() => WeakValueMap.groupBy([], 1 as never)).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_CALLBACK' }),
    );
  });
});

describe('bad input', () => {
  const BAD: [string, unknown][] = [
    ['undefined', undefined],
    ['null', null],
    ['a number', 1],
    ['a string', 'value'],
    ['a bigint', 1n],
    ['a boolean', true],
    ['a registered symbol', Symbol.for('weakly.test')],
  ];

  it.each(BAD)('%s as a value throws ERR_WEAKLY_TARGET, and changes nothing', (_, bad) => {
    const kept = {};
    const map = new WeakValueMap<string, object>([['kept', kept]]);
    const code = 'ERR_WEAKLY_TARGET';
    const refused = expect.objectContaining({ code, name: 'TypeError', message: expect.stringContaining('"value"') });
    expect(() => map.set('kept', bad as never)).toThrow(refused);
    expect(() => map.set('new', bad as never)).toThrow(refused);
    expect(() => map.getOrInsert('new', bad as never)).toThrow(refused);
    expect(() => map.getOrInsertComputed('new', () => bad as never)).toThrow(expect.objectContaining({ code }));
    expect(() => new WeakValueMap([['new', bad as never]])).toThrow(expect.objectContaining({ code }));
    expect([...map]).toEqual([['kept', kept]]);
  });

  it('what is not iterable, entries that are none and callbacks that are none have their codes', () => {
    expect(() => new WeakValueMap(1 as never)).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_ARGUMENT' }));
    expect(() => new WeakValueMap({} as never)).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_ARGUMENT' }));
    expect(() => new WeakValueMap(['ab'] as never)).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_ARGUMENT' }));
    const map = new WeakValueMap();
    expect(() => map.forEach(undefined as never)).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_CALLBACK' }));
    expect(() => map.getOrInsertComputed('key', {} as never)).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_CALLBACK' }),
    );
  });

  it('its methods refuse foreign receivers', () => {
    const { prototype } = WeakValueMap;
    const methods = Reflect.ownKeys(prototype).filter((key) => key !== 'constructor' && key !== Symbol.toStringTag);
    for (const foreign of [undefined, null, 1, {}, new Map(), prototype])
      for (const key of methods) {
        const { value, get } = Object.getOwnPropertyDescriptor(prototype, key) as PropertyDescriptor;
        if (key === Symbol.for('nodejs.util.inspect.custom')) continue;
        expect(() => Reflect.apply(value ?? get, foreign, [])).toThrow(
          expect.objectContaining({ code: 'ERR_WEAKLY_RECEIVER' }),
        );
      }
  });

  it('out of memory, or of numbers, changes nothing, and it works again afterwards', async () => {
    await gcUntil(() => binding.stats().deadEntries === 0, 'quiet');
    const kept: object[] = [];
    const map = new WeakValueMap<number, object>();
    const add = (): void => {
      const value = { i: kept.length };
      map.set(kept.length, value);
      kept.push(value);
    };
    const refused = expect.objectContaining({ code: 'ERR_WEAKLY_MEMORY' });
    const { entryCapacity } = binding.stats();
    binding.testing.setLimits(entryCapacity, MAX_GENERATION);
    expect(() => {
      for (let i = 0; i <= entryCapacity; i++) add();
    }).toThrow(refused);
    expect([map.size, [...map].length]).toEqual([kept.length, kept.length]);
    verify();
    binding.testing.setLimits(MAX_CELLS, MAX_GENERATION);
    binding.testing.refuseMemory(1);
    // More than once only if a GC has made room.
    expect(() => {
      for (let i = 0; i <= entryCapacity; i++) add();
    }).toThrow(refused);
    expect(map.size).toBe(kept.length);
    binding.testing.refuseMemory(0);
    // It needs one cell for its new owner, and gets none.
    binding.testing.refuseCells(true);
    expect(() => map.clear()).toThrow(refused);
    expect(map.size).toBe(kept.length);
    binding.testing.refuseCells(false);
    add();
    expect([...map.values()]).toEqual(kept);
    map.clear();
    expect(map.size).toBe(0);
  });

  it('cells whose generations are used up retire', async () => {
    await gcUntil(() => binding.stats().deadEntries === 0, 'quiet');
    binding.testing.setLimits(MAX_CELLS, 1);
    const map = away(() => filled(5_000).map);
    await gcUntil(() => map.size === 0, 'gone');
    await until(() => binding.stats().deadEntries === 0, 'drained');
    const { map: next, held } = filled(5_000);
    expect([...next.values()]).toEqual(held);
    verify();
  });
});
