import { afterEach, describe, expect, it } from 'vitest';
import { WeakKeyMap, WeakKeySet } from '../../lib/collections/index.js';
import { verify } from '../support/gc.js';
import { SET_METHODS } from '../support/set-methods.js';

/* What Set does, with everything alive: the same tests for both. */

interface Thing {
  readonly name: string;
}

const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name })) as [Thing, Thing, Thing, Thing, Thing];

interface Methods {
  union(other: unknown): Set<Thing>;
  intersection(other: unknown): Set<Thing>;
  difference(other: unknown): Set<Thing>;
  symmetricDifference(other: unknown): Set<Thing>;
  isSubsetOf(other: unknown): boolean;
  isSupersetOf(other: unknown): boolean;
  isDisjointFrom(other: unknown): boolean;
}

type AnySet = Set<Thing> & Methods;
type Constructor = (new (values?: Iterable<Thing> | null) => AnySet) & { readonly name: string };

const hasMethods = SET_METHODS.every((method) => method in Set.prototype);
const names = (set: Iterable<Thing>): string => [...set].map(({ name }) => name).join('');

afterEach(() => verify());

describe.each<[string, Constructor]>([
  ['Set', Set as unknown as Constructor],
  ['WeakKeySet', WeakKeySet as unknown as Constructor],
])('%s', (name, Collection) => {
  it('is made of an iterable, or of nothing', () => {
    expect(names(new Collection([c, a, c, b]))).toBe('cab');
    for (const nothing of [undefined, null, []]) expect(new Collection(nothing).size).toBe(0);
    expect(names(new Collection(new Collection([a, b])))).toBe('ab');
  });

  it('calls add() of a derived class for each value', () => {
    const seen: string[] = [];
    class Derived extends Collection {
      override add(value: Thing): this {
        seen.push(value.name);
        return super.add(value);
      }
    }
    expect(names(new Derived([a, b]))).toBe('ab');
    expect(seen).toEqual(['a', 'b']);
  });

  it('add returns the set; has and delete tell what is and was in it', () => {
    const set = new Collection();
    expect(set.add(a).add(a).add(b)).toBe(set);
    expect([set.size, set.has(a), set.has(c)]).toEqual([2, true, false]);
    expect([set.delete(a), set.delete(a), set.has(a), set.size]).toEqual([true, false, false, 1]);
  });

  it('clear empties it, and it can be used again', () => {
    const set = new Collection([a, b]);
    set.clear();
    set.clear();
    expect([set.size, set.has(a), names(set)]).toEqual([0, false, '']);
    expect(names(set.add(b).add(a))).toBe('ba');
  });

  it('is iterated in the order of insertion, which adding again keeps and re-inserting ends', () => {
    const set = new Collection([a, b, c]);
    expect(names(set.add(a))).toBe('abc');
    set.delete(a);
    expect(names(set.add(a))).toBe('bca');
  });

  it('keys, values, entries and forEach agree', () => {
    const set = new Collection([a, b]);
    expect([...set.keys()]).toEqual([a, b]);
    expect([...set.values()]).toEqual([a, b]);
    expect([...set.entries()]).toEqual([
      [a, a],
      [b, b],
    ]);
    const seen: unknown[] = [];
    const context = {};
    set.forEach(function (this: unknown, value, same, whole) {
      seen.push([this, value, same, whole]);
    }, context);
    expect(seen).toEqual([
      [context, a, a, set],
      [context, b, b, set],
    ]);
  });

  it('iterators see what is added and removed meanwhile, also after clear()', () => {
    const set = new Collection([a, b, c]);
    const seen: string[] = [];
    for (const value of set) {
      seen.push(value.name);
      if (value === a) {
        set.delete(b);
        set.add(d);
      }
      if (value === d && !set.has(e)) {
        set.clear();
        set.add(e).add(a);
      }
    }
    expect(seen.join('')).toBe('acdead');
  });

  it('has the shape of a built-in: names, lengths, nothing enumerable, one function under three names', () => {
    const { prototype } = Collection;
    expect(prototype[Symbol.iterator]).toBe(prototype.values);
    expect(prototype.keys).toBe(prototype.values);
    expect(Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag)).toEqual({
      value: name,
      writable: false,
      enumerable: false,
      configurable: true,
    });
    expect(Object.keys(prototype)).toEqual([]);
    for (const key of Reflect.ownKeys(Set.prototype)) {
      if (key === 'constructor') continue;
      const native = Object.getOwnPropertyDescriptor(Set.prototype, key) as PropertyDescriptor;
      const ours = Object.getOwnPropertyDescriptor(prototype, key);
      if (ours === undefined) throw new Error(`there is no ${String(key)}`);
      for (const part of ['value', 'get', 'set'] as const) {
        expect([key, part, typeof ours[part]]).toEqual([key, part, typeof native[part]]);
        if (typeof native[part] !== 'function') continue;
        expect([key, ours[part].name, ours[part].length]).toEqual([key, native[part].name, native[part].length]);
      }
      expect([key, ours.enumerable, ours.configurable]).toEqual([key, false, true]);
    }
  });

  // Set has the methods from V8 12.2 on.
  if (name === 'Set' && !hasMethods) return;

  describe('as a set of mathematics', () => {
    const left = new Collection([a, b, c]);
    const others: [string, unknown][] = [
      ['a Set', new Set([c, d, b])],
      ['a WeakKeySet', new WeakKeySet([c, d, b])],
      ['a Map', new Map([[c, 1], [d, 2], [b, 3]])], // biome-ignore format: one line each
      ['a WeakKeyMap', new WeakKeyMap([[c, 1], [d, 2], [b, 3]])], // biome-ignore format: one line each
      ['something like a set', { size: 3.5, has: (value: Thing) => value !== a && value !== e, keys: () => [c, d, b].values() }], // biome-ignore format: one line each
    ];

    it.each(others)('joins, cuts and subtracts %s', (_, right) => {
      expect(names(left.union(right))).toBe('abcd');
      expect(names(left.intersection(right))).toBe('bc');
      expect(names(left.difference(right))).toBe('a');
      expect(names(left.symmetricDifference(right))).toBe('ad');
      expect(left.union(right)).toBeInstanceOf(name === 'Set' ? Set : WeakKeySet);
      expect(names(left)).toBe('abc');
    });

    it.each(others)('is compared with %s', (_, right) => {
      expect([left.isSubsetOf(right), left.isSupersetOf(right), left.isDisjointFrom(right)]).toEqual([
        false,
        false,
        false,
      ]);
      const within = new Collection([b, d]);
      expect([within.isSubsetOf(right), within.isSupersetOf(right), within.isDisjointFrom(right)]).toEqual([
        true,
        false,
        false,
      ]);
      const around = new Collection([a, b, c, d, e]);
      expect([around.isSubsetOf(right), around.isSupersetOf(right), around.isDisjointFrom(right)]).toEqual([
        false,
        true,
        false,
      ]);
      const apart = new Collection([a, e]);
      expect([apart.isSubsetOf(right), apart.isSupersetOf(right), apart.isDisjointFrom(right)]).toEqual([
        false,
        false,
        true,
      ]);
      const larger = new Collection([a, e, { name: 'f' }, { name: 'g' }]);
      expect(larger.isDisjointFrom(new Set([c]))).toBe(true);
      expect(larger.isDisjointFrom(new Set([e]))).toBe(false);
    });

    it('cuts with a smaller one in the order of that, and subtracts one', () => {
      const set = new Collection([a, b, c, d]);
      expect(names(set.intersection(new Set([d, e, a])))).toBe('da');
      expect(names(set.difference(new Set([d, a])))).toBe('bc');
    });

    it('is closed by none of the methods, but they close what they leave early', () => {
      let closed = 0;
      const endless = {
        size: 1,
        has: () => true,
        keys: () => ({
          next: () => ({ value: e, done: false }),
          return: () => {
            closed++;
            return {};
          },
        }),
      };
      expect(left.isSupersetOf(endless)).toBe(false);
      expect(closed).toBe(1);
      expect(new Collection([a, e]).isDisjointFrom(endless)).toBe(false);
      expect(closed).toBe(2);
    });

    it.each(SET_METHODS)('%s refuses what is no set, and changes nothing', (method) => {
      const set = new Collection([a]);
      for (const bad of [
        undefined,
        null,
        1,
        'set',
        [],
        {},
        { size: 1, has: () => true },
        { size: 1, has: 1, keys: () => [].values() },
        { size: 'many', has: () => true, keys: () => [].values() },
        { size: Symbol('many'), has: () => true, keys: () => [].values() },
        { size: 1n, has: () => true, keys: () => [].values() },
        { size: -1, has: () => true, keys: () => [].values() },
      ])
        expect(() => set[method](bad)).toThrow(
          bad !== null && typeof bad === 'object' && 'size' in bad && bad.size === -1 ? RangeError : TypeError,
        );
      expect(names(set)).toBe('a');
    });
  });
});
