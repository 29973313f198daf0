import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { binding } from '../../lib/binding.js';
import { WeakKeyMap, WeakKeySet } from '../../lib/collections/index.js';
import { addCleanup, make, queue } from '../../lib/index.js';
import { away, gcNowUntil, gcUntil, majorGc, minorGc, turn, verify } from '../support/gc.js';

const MAX_CELLS = 2 ** 28;
const MAX_GENERATION = 2 ** 30 - 1;

afterEach(() => {
  binding.testing.setLimits(MAX_CELLS, MAX_GENERATION);
  binding.testing.refuseMemory(0);
  verify();
});

interface Key {
  readonly id: number;
}

/** What the two have in common. */
interface Keyed {
  readonly size: number;
  put(key: object | symbol): void;
  has(key: object): boolean;
  delete(key: object): boolean;
  clear(): void;
  keys(): IterableIterator<Key>;
}

class KeyedMap extends WeakKeyMap<object, unknown> {
  put(key: object): void {
    this.set(key, { of: (key as Key).id, self: key, map: this });
  }
}

class KeyedSet extends WeakKeySet<object> {
  put(key: object): void {
    this.add(key);
  }
}

const kinds: [string, () => Keyed][] = [
  ['WeakKeyMap', () => new KeyedMap() as unknown as Keyed],
  ['WeakKeySet', () => new KeyedSet() as unknown as Keyed],
];

describe.each(kinds)('%s', (_, create) => {
  function filled(count: number): { keyed: Keyed; held: (Key | undefined)[] } {
    const keyed = create();
    const held = Array.from({ length: count }, (_, id) => ({ id }));
    for (const key of held) keyed.put(key);
    return { keyed, held };
  }

  it('has a key as long as something else holds it', async () => {
    const { keyed, held } = filled(100);
    for (let i = 0; i < 100; i += 2) held[i] = undefined;
    await gcUntil(() => keyed.size === 50, 'half are gone');
    expect([...keyed.keys()]).toEqual(held.filter((key) => key !== undefined));
    expect(keyed.has(held[1] as Key)).toBe(true);
  });

  it('gives, counts and iterates nothing dead, from the GC on and before anything was drained', () => {
    const { keyed, held } = filled(2_000);
    for (let i = 0; i < 1_990; i++) held[i] = undefined;
    gcNowUntil(() => keyed.size <= 20, 'dead');
    expect(binding.stats().deadEntries).toBeGreaterThan(1_900);
    const keys = [...keyed.keys()];
    expect(keys.length).toBe(keyed.size);
    expect(keys).not.toContain(undefined);
    expect(keys.slice(-10)).toEqual(held.slice(1_990));
  });

  it('counts exactly after a GC whose callbacks V8 has skipped', () => {
    const { keyed, held } = filled(1_000);
    keyed.delete(held[0] as Key);
    expect(keyed.size).toBe(999);
    for (let i = 0; i < 990; i++) held[i] = undefined;
    for (let i = 0; i < 10 && [...keyed.keys()].length > 20; i++) {
      binding.testing.skipEpilogues(1);
      majorGc();
      binding.testing.skipEpilogues(0);
      // Any of the three may run a GC itself, under stress flags.
      const [before, seen, after] = [keyed.size, [...keyed.keys()].length, keyed.size];
      expect([before >= seen, seen >= after], `${before}, ${seen}, ${after}`).toEqual([true, true]);
    }
    expect(keyed.size).toBeLessThanOrEqual(20);
  });

  it('keys of the same identity hash do not get into each other’s way', () => {
    // 21 bits: among 30,000 some share one.
    const { keyed, held } = filled(30_000);
    for (const [i, key] of held.entries()) if (i % 2 === 0) keyed.delete(key as Key);
    expect(held.every((key, i) => keyed.has(key as Key) === (i % 2 === 1))).toBe(true);
    for (const key of held) keyed.put(key as Key);
    expect([keyed.size, [...keyed.keys()].length, held.length]).toEqual([30_000, 30_000, 30_000]);
  });

  it('one key in many collections is in those it was put into', () => {
    const key = { id: 1 };
    const many = Array.from({ length: 1_000 }, create);
    for (const [i, keyed] of many.entries()) if (i % 3 === 0) keyed.put(key);
    expect(many.every((keyed, i) => keyed.has(key) === (i % 3 === 0))).toBe(true);
    for (const [i, keyed] of many.entries()) expect(keyed.delete(key)).toBe(i % 3 === 0);
    expect(many.every((keyed) => !keyed.has(key) && keyed.size === 0)).toBe(true);
  });

  it('keys can be symbols that are not registered', async () => {
    const keyed = create();
    const symbol = Symbol('held');
    keyed.put(symbol);
    away(() => {
      const dropped = Symbol('dropped');
      keyed.put(dropped);
      expect([...keyed.keys()]).toEqual([symbol, dropped]);
    });
    await gcUntil(() => keyed.size === 1, 'the other is gone');
    expect([...keyed.keys()]).toEqual([symbol]);
    expect([keyed.has(symbol as never), keyed.delete(symbol as never), keyed.size]).toEqual([true, true, 0]);
  });

  it('clear and re-insertion between death and drain', async () => {
    const { keyed, held } = filled(1_000);
    held.fill(undefined, 0, 500);
    gcNowUntil(() => keyed.size <= 510, 'dead');
    keyed.clear();
    expect([keyed.size, [...keyed.keys()]]).toEqual([0, []]);
    keyed.put(held[700] as Key);
    await gcUntil(() => binding.stats().deadEntries === 0, 'drained');
    expect([...keyed.keys()]).toEqual([held[700]]);
    expect([keyed.has(held[700] as Key), keyed.has(held[701] as Key)]).toEqual([true, false]);
  });

  it('deletion and re-insertion of the living, while others are dead', async () => {
    const { keyed, held } = filled(2_000);
    for (let i = 0; i < 2_000; i += 2) held[i] = undefined;
    gcNowUntil(() => keyed.size <= 1_010, 'dead');
    const living = held.filter((key) => key !== undefined);
    for (const key of living) expect(keyed.delete(key)).toBe(true);
    for (const key of living.toReversed()) keyed.put(key);
    await gcUntil(() => binding.stats().deadEntries === 0 && keyed.size === 1_000, 'drained');
    expect([...keyed.keys()]).toEqual(living.toReversed());
  });

  it('can be changed by cleanups of its keys', async () => {
    const keyed = create();
    const kept: object[] = [];
    away(() => {
      for (let i = 0; i < 500; i++) {
        const key = { i };
        keyed.put(key);
        addCleanup(key, () => {
          const next = { id: i };
          kept.push(next);
          keyed.put(next);
        });
      }
    });
    await gcUntil(() => kept.length === 500, 'all called');
    await queue.settled();
    expect([...keyed.keys()]).toEqual(kept);
  });

  it('survives GCs and drains in the middle of an iteration', async () => {
    const { keyed, held } = filled(3_000);
    const seen: number[] = [];
    for (const { id } of keyed.keys()) {
      seen.push(id);
      if (id % 500 !== 0) continue;
      for (let i = id + 1; i < id + 250; i++) held[i] = undefined;
      majorGc();
      if (id % 1_000 === 0) queue.drain();
      else await turn();
    }
    expect(seen).toEqual([...seen].sort((x, y) => x - y));
    expect(seen).toEqual(expect.arrayContaining(held.filter((key) => key !== undefined).map(({ id }) => id)));
    expect(seen.length).toBeLessThan(3_000 - 6 * 200);
  });

  it('a job that never yields lets go of the dead as well', () => {
    const keyed = create();
    const { entryCapacity } = binding.stats();
    for (let round = 0; round < 10; round++) {
      away(() => {
        for (let i = 0; i < 20_000; i++) keyed.put({ id: i });
      });
      // What has a value in a WeakMap dies in major GCs only, up to Node.js 24.
      majorGc();
      minorGc();
    }
    expect(binding.stats().entryCapacity).toBeLessThanOrEqual(Math.max(2 * entryCapacity, 131_072));
  });

  it('is itself collected while its keys live, and its entries with it', async () => {
    await gcUntil(() => binding.stats().deadEntries === 0, 'quiet');
    const before = binding.stats().entries;
    const keys = Array.from({ length: 20_000 }, (_, id) => ({ id }));
    const collection = away(() => {
      const keyed = create();
      for (const key of keys) keyed.put(key);
      return make(keyed);
    });
    await gcUntil(() => !collection.alive, 'the collection is gone');
    await gcUntil(() => binding.stats().entries - before <= 5_000, 'swept');
    expect(keys.length).toBe(20_000);
    verify();
    // Their numbers are used again by others, which must not be mistaken for the old ones.
    const next = create();
    expect(keys.some((key) => next.has(key))).toBe(false);
  });

  it('out of memory, or of numbers, changes nothing, and it works again afterwards', async () => {
    await gcUntil(() => binding.stats().deadEntries === 0, 'quiet');
    const keyed = create();
    const kept: Key[] = [];
    const add = (): void => {
      const key = { id: kept.length };
      keyed.put(key);
      kept.push(key);
    };
    const refused = expect.objectContaining({ code: 'ERR_WEAKLY_MEMORY' });
    const { entryCapacity } = binding.stats();
    binding.testing.setLimits(entryCapacity, MAX_GENERATION);
    expect(() => {
      for (let i = 0; i <= entryCapacity; i++) add();
    }).toThrow(refused);
    expect([keyed.size, [...keyed.keys()].length]).toEqual([kept.length, kept.length]);
    verify();
    binding.testing.setLimits(MAX_CELLS, MAX_GENERATION);
    binding.testing.refuseMemory(1);
    // More than once only if a GC has made room.
    expect(() => {
      for (let i = 0; i <= entryCapacity; i++) add();
    }).toThrow(refused);
    expect(keyed.size).toBe(kept.length);
    binding.testing.refuseMemory(0);
    add();
    expect([...keyed.keys()]).toEqual(kept);
  });

  it('has and delete find nothing for what cannot be a key, as with WeakMap', () => {
    const { keyed, held } = filled(1);
    for (const bad of [undefined, null, 1, 'key', Symbol.for('weakly.test')])
      expect([keyed.has(bad as never), keyed.delete(bad as never)]).toEqual([false, false]);
    expect([...keyed.keys()]).toEqual(held);
  });
});

describe('WeakKeyMap', () => {
  it('is ephemeron-correct: values that refer to their key, or to the map, keep neither', async () => {
    const map = new WeakKeyMap<object, object>();
    const keys = away(() =>
      Array.from({ length: 100 }, (_, id) => {
        const key = { id };
        map.set(key, { key, map });
        return make(key);
      }),
    );
    await gcUntil(() => !keys.some(({ alive }) => alive), 'all gone');
    expect(map.size).toBe(0);
    const pointers = away(() => {
      const cyclic = new WeakKeyMap<object, object>();
      const key = {};
      cyclic.set(key, { cyclic });
      return [make(cyclic), make(key)];
    });
    await gcUntil(() => !pointers.some(({ alive }) => alive), 'the map is gone as well');
  });

  it('a value lives as long as its key, also in a chain, and not when the map is gone', async () => {
    const map = new WeakKeyMap<object, object>();
    const first = {};
    const last = away(() => {
      let key: object = first;
      for (let i = 0; i < 100; i++) {
        const value = { i };
        map.set(key, value);
        key = value;
      }
      return make(key);
    });
    majorGc();
    await turn();
    majorGc();
    expect([last.alive, map.size]).toEqual([true, 100]);
    const lost = away(() => {
      const value = {};
      new WeakKeyMap([[first, value]]);
      return make(value);
    });
    await gcUntil(() => !lost.alive, 'the value is gone with its map');
    map.clear();
    await gcUntil(() => !last.alive, 'and those that were cleared');
    expect(first).toEqual({});
  });

  it('holds any value, undefined included', () => {
    const key = {};
    const map = new WeakKeyMap<object, unknown>([[key, undefined]]);
    expect([map.has(key), map.get(key), map.size]).toEqual([true, undefined, 1]);
    expect(map.getOrInsert(key, 1)).toBeUndefined();
    expect([...map.set(key, 1)]).toEqual([[key, 1]]);
  });

  it('a value that was overwritten, or whose key was deleted, is let go of', async () => {
    const key = {};
    const map = new WeakKeyMap<object, object>();
    const pointers = away(() => {
      const values = [{ n: 1 }, { n: 2 }];
      map.set(key, values[0] as object);
      map.set(key, values[1] as object);
      map.delete(key);
      return values.map((value) => make(value));
    });
    await gcUntil(() => !pointers.some(({ alive }) => alive), 'gone');
    expect(map.size).toBe(0);
  });

  it('groupBy groups by objects', () => {
    const [odd, even] = [{ odd: true }, { even: true }];
    const map = WeakKeyMap.groupBy([1, 2, 3, 4], (n, i) => {
      expect(i).toBe(n - 1);
      return n % 2 === 0 ? even : odd;
    });
    expect(map).toBeInstanceOf(WeakKeyMap);
    expect([...map]).toEqual([
      [odd, [1, 3]],
      [even, [2, 4]],
    ]);
    expect(() => WeakKeyMap.groupBy([1], () => 1 as never)).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_TARGET' }),
    );
    expect(() => WeakKeyMap.groupBy(undefined as never, () => odd)).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_ARGUMENT' }),
    );
    expect(() => WeakKeyMap.groupBy([], undefined as never)).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_CALLBACK' }),
    );
  });

  it('inspects as a Map does', () => {
    const key = { id: 1 };
    expect(inspect(new WeakKeyMap([[key, 'one']]))).toBe("WeakKeyMap(1) { { id: 1 } => 'one' }");
    expect(inspect(new WeakKeySet([key]))).toBe('WeakKeySet(1) { { id: 1 } }');
  });

  it.each([undefined, null, 1, 'key', 1n, true, Symbol.for('weakly.test')])('refuses %s as a key', (bad) => {
    const map = new WeakKeyMap<object, number>();
    const refused = expect.objectContaining({
      code: 'ERR_WEAKLY_TARGET',
      name: 'TypeError',
      message: expect.stringContaining('"key"'),
    });
    expect(() => map.set(bad as never, 1)).toThrow(refused);
    expect(() => map.getOrInsert(bad as never, 1)).toThrow(refused);
    let called = false;
    const compute = (): number => {
      called = true;
      return 1;
    };
    expect(() => map.getOrInsertComputed(bad as never, compute)).toThrow(refused);
    expect(() => new WeakKeyMap([[bad as never, 1]])).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_TARGET', message: expect.stringContaining('the key of each entry') }),
    );
    expect([called, map.size]).toEqual([false, 0]);
    const set = new WeakKeySet();
    expect(() => set.add(bad as never)).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_TARGET', message: expect.stringContaining('"value"') }),
    );
    expect(set.size).toBe(0);
  });

  it.each([WeakKeyMap, WeakKeySet])('methods of %o refuse foreign receivers', ({ prototype }) => {
    const methods = Reflect.ownKeys(prototype).filter((key) => key !== 'constructor' && key !== Symbol.toStringTag);
    for (const foreign of [undefined, null, 1, {}, new WeakMap(), prototype])
      for (const key of methods) {
        const { value, get } = Object.getOwnPropertyDescriptor(prototype, key) as PropertyDescriptor;
        if (key === inspect.custom) continue;
        expect(() => Reflect.apply(value ?? get, foreign, [])).toThrow(
          expect.objectContaining({ code: 'ERR_WEAKLY_RECEIVER' }),
        );
      }
  });

  it('what is not iterable, and entries that are none, have their code', () => {
    const refused = expect.objectContaining({ code: 'ERR_WEAKLY_ARGUMENT' });
    expect(() => new WeakKeyMap(1 as never)).toThrow(refused);
    expect(() => new WeakKeyMap([1] as never)).toThrow(refused);
    expect(() => new WeakKeySet(1 as never)).toThrow(refused);
    expect(() => new WeakKeySet().union(1 as never)).toThrow(refused);
    expect(() => new WeakKeySet().union(new Set([1]) as never)).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_TARGET' }),
    );
  });
});
