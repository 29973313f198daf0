import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { WeakKeyMap, WeakValueMap } from '../../lib/collections/index.js';
import { verify } from '../support/gc.js';

/*
 * What Map does, with everything alive: the same tests for all three. Keys and values are objects of their own, so that all
 * can hold them; they are held here, to the end.
 */

interface Thing {
  readonly name: string;
}

const things = new Map<string, Thing>();

function thing(name: string): Thing {
  const known = things.get(name) ?? { name };
  things.set(name, known);
  return known;
}

const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(thing) as [Thing, Thing, Thing, Thing];
const [one, two, three] = ['1', '2', '3'].map(thing) as [Thing, Thing, Thing];

type AnyMap = Map<Thing, Thing> & {
  getOrInsert(key: Thing, value: Thing): Thing;
  getOrInsertComputed(key: Thing, callback: (key: Thing) => Thing): Thing;
};

type Constructor = (new (entries?: Iterable<readonly [Thing, Thing]> | null) => AnyMap) & { readonly name: string };

/** Map has them from V8 14.5 on. */
class NativeMap extends Map<Thing, Thing> {
  override getOrInsert(key: Thing, value: Thing): Thing {
    if (!this.has(key)) this.set(key, value);
    return this.get(key) as Thing;
  }

  override getOrInsertComputed(key: Thing, callback: (key: Thing) => Thing): Thing {
    if (!this.has(key)) this.set(key, callback(key));
    return this.get(key) as Thing;
  }
}

const names = (map: Iterable<[Thing, Thing]>): string =>
  [...map].map(([key, value]) => key.name + value.name).join(' ');

afterEach(() => verify());

describe.each<[string, Constructor]>([
  ['Map', NativeMap],
  ['WeakValueMap', WeakValueMap as unknown as Constructor],
  ['WeakKeyMap', WeakKeyMap as unknown as Constructor],
])('%s', (name, Collection) => {
  const filled = (): AnyMap =>
    new Collection([
      [a, one],
      [b, two],
      [c, three],
    ]);

  it('is made of an iterable of entries, or of nothing', () => {
    expect(names(filled())).toBe('a1 b2 c3');
    for (const nothing of [undefined, null, []]) expect(new Collection(nothing).size).toBe(0);
    expect(names(new Collection(filled()))).toBe('a1 b2 c3');
    expect(names(new Collection(filled().entries()))).toBe('a1 b2 c3');
  });

  it('calls set() of a derived class for each entry', () => {
    const seen: string[] = [];
    class Derived extends Collection {
      override set(key: Thing, value: Thing): this {
        seen.push(key.name);
        return super.set(key, value);
      }
    }
    expect(names(new Derived(filled()))).toBe('a1 b2 c3');
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(new Derived()).toBeInstanceOf(Collection);
  });

  it('closes the iterator of an iterable with a bad entry', () => {
    let closed = false;
    function* entries(): Generator<[Thing, Thing]> {
      try {
        yield [a, one];
        yield 1 as never;
      } finally {
        closed = true;
      }
    }
    expect(() => new Collection(entries())).toThrow(TypeError);
    expect(closed).toBe(true);
  });

  it('set returns the map, and get what was set last', () => {
    const map = new Collection();
    expect(map.set(a, one)).toBe(map);
    expect(map.set(a, two).get(a)).toBe(two);
    expect(map.get(b)).toBeUndefined();
    expect(map.size).toBe(1);
  });

  it('has tells what is in it, delete what was', () => {
    const map = filled();
    expect([map.has(b), map.has(d)]).toEqual([true, false]);
    expect([map.delete(b), map.delete(b), map.delete(d)]).toEqual([true, false, false]);
    expect([map.has(b), map.get(b), map.size]).toEqual([false, undefined, 2]);
    expect(names(map)).toBe('a1 c3');
  });

  it('clear empties it, and it can be used again', () => {
    const map = filled();
    expect(map.clear()).toBeUndefined();
    expect([map.size, map.has(a), names(map)]).toEqual([0, false, '']);
    map.clear();
    map.set(b, one).set(a, two);
    expect([map.size, names(map)]).toEqual([2, 'b1 a2']);
  });

  it('is iterated in the order of insertion, which overwriting keeps and re-inserting ends', () => {
    const map = filled();
    map.set(a, two);
    expect(names(map)).toBe('a2 b2 c3');
    map.delete(a);
    map.set(a, one);
    expect(names(map)).toBe('b2 c3 a1');
  });

  it('keys, values, entries and forEach agree', () => {
    const map = filled();
    expect([...map.keys()]).toEqual([a, b, c]);
    expect([...map.values()]).toEqual([one, two, three]);
    expect([...map.entries()]).toEqual([...map]);
    const seen: unknown[] = [];
    const context = {};
    const returned = map.forEach(function (this: unknown, value, key, same) {
      seen.push([this, value, key, same]);
    }, context);
    expect(returned).toBeUndefined();
    expect(seen).toEqual([
      [context, one, a, map],
      [context, two, b, map],
      [context, three, c, map],
    ]);
  });

  it('iterators see what is added and removed meanwhile, as those of Map do', () => {
    const map = filled();
    const seen: string[] = [];
    for (const [key] of map) {
      seen.push(key.name);
      if (key === a) {
        map.delete(b);
        map.set(d, one);
      }
      if (key === d && map.has(c)) {
        map.delete(c);
        map.set(c, two);
      }
    }
    expect(seen.join('')).toBe('acdc');
  });

  it('iterators go on after clear() with what is added then', () => {
    const map = filled();
    const keys = map.keys();
    expect(keys.next().value).toBe(a);
    map.clear();
    map.set(d, one);
    expect([...keys]).toEqual([d]);
    expect(keys.next()).toEqual({ value: undefined, done: true });
    map.set(a, one);
    expect(keys.next()).toEqual({ value: undefined, done: true });
  });

  it('iterators are iterable themselves, and have the helpers that this V8 has', () => {
    const iterator = filled().values();
    expect(iterator[Symbol.iterator]()).toBe(iterator);
    const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
    const prototype = Object.getPrototypeOf(iterator);
    expect(Object.getPrototypeOf(prototype)).toBe(IteratorPrototype);
    expect(typeof prototype[Symbol.toStringTag]).toBe('string');
    const { filter } = iterator as unknown as { filter?: (keep: (value: Thing) => boolean) => Iterable<Thing> };
    if ('filter' in IteratorPrototype)
      expect([...(filter as NonNullable<typeof filter>).call(iterator, (value) => value !== two)]).toEqual([
        one,
        three,
      ]);
  });

  it('getOrInsert gives what is there, else what it is given', () => {
    const map = filled();
    expect(map.getOrInsert(a, three)).toBe(one);
    expect(map.getOrInsert(d, three)).toBe(three);
    expect(names(map)).toBe('a1 b2 c3 d3');
  });

  it('getOrInsertComputed calls back for what is missing only, and takes its answer in any case', () => {
    const map = filled();
    const seen: Thing[] = [];
    const compute = (key: Thing): Thing => {
      seen.push(key);
      map.set(key, two);
      return three;
    };
    expect(map.getOrInsertComputed(a, compute)).toBe(one);
    expect(map.getOrInsertComputed(d, compute)).toBe(three);
    expect([seen, names(map)]).toEqual([[d], 'a1 b2 c3 d3']);
    const thrown = new Error('thrown on purpose');
    map.delete(d);
    expect(() =>
      map.getOrInsertComputed(d, () => {
        throw thrown;
      }),
    ).toThrow(thrown);
    expect(map.has(d)).toBe(false);
  });

  it('has the shape of a built-in: names, lengths, nothing enumerable, one function under two names', () => {
    const prototype = name === 'Map' ? Map.prototype : (Collection.prototype as AnyMap);
    expect(prototype[Symbol.iterator]).toBe(prototype.entries);
    expect(Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag)).toEqual({
      value: name,
      writable: false,
      enumerable: false,
      configurable: true,
    });
    expect(String(new Collection())).toBe(`[object ${name}]`);
    expect(Object.keys(prototype)).toEqual([]);
    expect(Object.keys(filled())).toEqual([]);
    expect(JSON.stringify(filled())).toBe('{}');
    for (const key of Reflect.ownKeys(Map.prototype)) {
      if (key === 'constructor') continue;
      const native = Object.getOwnPropertyDescriptor(Map.prototype, key) as PropertyDescriptor;
      const ours = Object.getOwnPropertyDescriptor(prototype, key);
      if (ours === undefined) throw new Error(`there is no ${String(key)}`);
      for (const part of ['value', 'get', 'set'] as const) {
        expect([key, part, typeof ours[part]]).toEqual([key, part, typeof native[part]]);
        if (typeof native[part] !== 'function') continue;
        expect([key, ours[part].name, ours[part].length]).toEqual([key, native[part].name, native[part].length]);
      }
      expect([key, ours.enumerable, ours.configurable]).toEqual([key, false, true]);
    }
    expect(Collection.prototype.constructor).toBe(Collection);
  });

  it('cannot be called without new', () => {
    expect(() => Reflect.apply(Collection, undefined, [])).toThrow(TypeError);
  });

  it('holds keys and values of other realms', () => {
    const foreign = runInNewContext('({ key: {}, value: Object.freeze({}) })') as { key: Thing; value: Thing };
    const map = new Collection([[foreign.key, foreign.value]]);
    expect([map.get(foreign.key), map.size]).toEqual([foreign.value, 1]);
  });

  it('holds functions, proxies, frozen objects and symbols', () => {
    const frozen = Object.freeze({});
    const many = [() => 1, new Proxy({}, {}), frozen, Symbol('s'), Symbol.iterator, class {}, globalThis];
    const map = new Collection(many.map((target) => [target, target]) as never);
    expect(map.size).toBe(many.length);
    for (const target of many) expect(map.get(target as never)).toBe(target);
    expect([...map.keys()]).toEqual(many);
    for (const target of many) expect(map.delete(target as never)).toBe(true);
    expect(map.size).toBe(0);
  });

  it('grows over many chunks, and shrinks', () => {
    const many = Array.from({ length: 30_000 }, (_, i) => ({ name: String(i) }));
    const map = new Collection(many.map((target) => [target, target]));
    expect(map.size).toBe(30_000);
    expect(many.every((target) => map.get(target) === target)).toBe(true);
    for (const [i, target] of many.entries()) if (i % 3 !== 0) map.delete(target);
    expect(map.size).toBe(10_000);
    expect(many.every((target, i) => map.has(target) === (i % 3 === 0))).toBe(true);
    for (const target of many) map.delete(target);
    expect(map.size).toBe(0);
    for (const target of many.slice(0, 100)) map.set(target, target);
    expect([...map.values()]).toEqual(many.slice(0, 100));
  });
});
