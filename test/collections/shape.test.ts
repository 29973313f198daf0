import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { WeakKeyMap, WeakKeySet, WeakValueMap } from '../../lib/collections/index.js';

/* Names, lengths, attributes, prototypes: those of Map and Set, but for the name. */

type AnyFunction = (...args: unknown[]) => unknown;

const a = { name: 'a' };
const b = { name: 'b' };

const COLLECTIONS = [
  ['WeakKeyMap', WeakKeyMap, Map, [a, b]],
  ['WeakValueMap', WeakValueMap, Map, [a, b]],
  ['WeakKeySet', WeakKeySet, Set, a],
] as unknown as [string, typeof WeakKeySet<object>, typeof Set<object>, never][];

/** What newer versions of ECMAScript have, and a Node.js may not. */
const LENGTHS: Record<string, number> = {
  getOrInsert: 2,
  getOrInsertComputed: 2,
  union: 1,
  intersection: 1,
  difference: 1,
  symmetricDifference: 1,
  isSubsetOf: 1,
  isSupersetOf: 1,
  isDisjointFrom: 1,
};

/** A property without what it holds; of functions, what they look like. */
function shapeOf(holder: object, key: string | symbol): unknown {
  const property = Object.getOwnPropertyDescriptor(holder, key) as PropertyDescriptor;
  const of = (fn: unknown): unknown => {
    if (typeof fn !== 'function') return fn;
    const { length, name } = fn;
    return {
      length,
      name,
      own: Reflect.ownKeys(fn).sort(),
      prototype: Object.getPrototypeOf(fn) === Function.prototype,
    };
  };
  return { ...property, value: of(property.value), get: of(property.get), set: of(property.set) };
}

describe.each(COLLECTIONS)('%s', (name, Collection, BuiltIn, item) => {
  it('its prototype has the properties of the built-in, and one for inspect', () => {
    const ours = Reflect.ownKeys(Collection.prototype).filter((key) => key !== inspect.custom);
    const theirs = Reflect.ownKeys(BuiltIn.prototype);
    for (const key of theirs) expect(ours).toContain(key);
    for (const key of ours) if (!theirs.includes(key)) expect(Object.keys(LENGTHS)).toContain(key);
    for (const key of ours) {
      const own = Object.getOwnPropertyDescriptor(Collection.prototype, key) as PropertyDescriptor;
      if (key === Symbol.toStringTag) {
        expect(own).toEqual({ value: name, writable: false, enumerable: false, configurable: true });
      } else if (key === 'constructor') {
        expect(own).toEqual({ value: Collection, writable: true, enumerable: false, configurable: true });
      } else if (theirs.includes(key)) {
        expect(shapeOf(Collection.prototype, key)).toEqual(shapeOf(BuiltIn.prototype, key));
      } else {
        expect(own).toMatchObject({ writable: true, enumerable: false, configurable: true });
        expect([own.value.name, own.value.length]).toEqual([key, LENGTHS[String(key)]]);
      }
    }
  });

  it('methods are no constructors', () => {
    for (const key of Reflect.ownKeys(Collection.prototype)) {
      const { value } = Object.getOwnPropertyDescriptor(Collection.prototype, key) as PropertyDescriptor;
      if (key === 'constructor' || typeof value !== 'function') continue;
      expect(() => Reflect.construct(Object, [], value as never)).toThrow(TypeError);
    }
  });

  it('the constructor has the properties of the built-in', () => {
    const expected = [...Reflect.ownKeys(BuiltIn), ...(BuiltIn === (Map as unknown) ? ['groupBy'] : [])];
    expect(new Set(Reflect.ownKeys(Collection))).toEqual(new Set(expected));
    for (const key of ['length', 'prototype', Symbol.species]) {
      const { value: _, ...ours } = Object.getOwnPropertyDescriptor(Collection, key) as PropertyDescriptor;
      const { value: __, ...theirs } = Object.getOwnPropertyDescriptor(BuiltIn, key) as PropertyDescriptor;
      if (key !== Symbol.species) expect(ours).toEqual(theirs);
    }
    expect(shapeOf(Collection, Symbol.species)).toEqual(shapeOf(BuiltIn, Symbol.species));
    expect([Collection.length, Collection.name]).toEqual([0, name]);
  });

  it('Symbol.species is whatever it is asked of', () => {
    class Derived extends Collection {}
    const species = (C: unknown): unknown => (C as { [Symbol.species]: unknown })[Symbol.species];
    expect([species(Collection), species(Derived)]).toEqual([Collection, Derived]);
    const { get } = Object.getOwnPropertyDescriptor(Collection, Symbol.species) as { get: AnyFunction };
    expect(Reflect.apply(get, 1, [])).toBe(1);
  });

  it('Symbol.iterator, and keys() of a set, are the same function as in the built-in', () => {
    const { prototype } = Collection;
    if (BuiltIn === Set)
      expect([prototype.keys, prototype[Symbol.iterator]]).toEqual([prototype.values, prototype.values]);
    else expect(prototype[Symbol.iterator]).toBe(prototype.entries);
    if (BuiltIn !== Set) expect(prototype.keys).not.toBe(prototype.values);
  });

  const iterators = (): Iterator<unknown>[] => {
    const collection = new Collection([item]);
    return [collection.keys(), collection.values(), collection.entries(), collection[Symbol.iterator]()];
  };

  it('its iterators have one prototype, with next and a tag, below %IteratorPrototype%', () => {
    const [first, ...others] = iterators().map((iterator) => Object.getPrototypeOf(iterator) as object);
    for (const other of others) expect(other).toBe(first);
    const builtIn = Object.getPrototypeOf(new BuiltIn()[Symbol.iterator]()) as object;
    expect(Object.getPrototypeOf(first)).toBe(Object.getPrototypeOf(builtIn));
    expect(Reflect.ownKeys(first as object)).toEqual(['next', Symbol.toStringTag, inspect.custom]);
    expect(shapeOf(first as object, 'next')).toEqual(shapeOf(builtIn, 'next'));
    expect(Object.getOwnPropertyDescriptor(first, Symbol.toStringTag)).toEqual({
      value: `${name} Iterator`,
      writable: false,
      enumerable: false,
      configurable: true,
    });
    expect(Object.prototype.toString.call(iterators()[0])).toBe(`[object ${name} Iterator]`);
  });

  it('an iterator has no properties of its own, no return(), and iterates itself', () => {
    for (const iterator of iterators()) {
      expect(Reflect.ownKeys(iterator)).toEqual([]);
      expect(iterator.return).toBe(undefined);
      expect((iterator as IterableIterator<unknown>)[Symbol.iterator]()).toBe(iterator);
    }
  });

  it('next() gives a fresh object for each step, of the shape that the language has', () => {
    for (const iterator of iterators()) {
      const steps = [iterator.next(), iterator.next(), iterator.next()];
      expect(new Set(steps).size).toBe(3);
      for (const step of steps) {
        expect(Object.getPrototypeOf(step)).toBe(Object.prototype);
        expect(Object.keys(step)).toEqual(['value', 'done']);
      }
      expect(steps.map(({ done }) => done)).toEqual([false, true, true]);
      expect(steps[2]).toEqual({ value: undefined, done: true });
    }
  });

  it('an iterator that has come to its end stays there', () => {
    const collection = new Collection([item]);
    const iterator = collection.values();
    expect([...iterator]).toHaveLength(1);
    new Collection([[b, a] as never]);
    Reflect.apply(BuiltIn === Set ? collection.add : (collection as never as { set: AnyFunction }).set, collection, [
      b,
      a,
    ]);
    expect(iterator.next()).toEqual({ value: undefined, done: true });
  });

  it.each([undefined, null, 1, 's', {}, [], new Map().values()])('next() refuses the receiver %o', (foreign) => {
    const [{ next }] = iterators() as [Iterator<unknown>];
    expect(() => Reflect.apply(next, foreign, [])).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_RECEIVER', name: 'TypeError' }),
    );
  });

  it('next() refuses the iterators of other collections, and their prototype', () => {
    const [iterator] = iterators() as [Iterator<unknown>];
    const foreign: unknown[] = [new Map().values(), new Set().values(), Object.getPrototypeOf(iterator)];
    for (const [other, Other] of COLLECTIONS) if (other !== name) foreign.push(new Other().values());
    for (const one of foreign)
      expect(() => Reflect.apply(iterator.next, one, [])).toThrow(
        expect.objectContaining({ code: 'ERR_WEAKLY_RECEIVER', message: expect.stringContaining(`${name} Iterator`) }),
      );
  });

  it('next() of any of its iterators goes on with any other', () => {
    const collection = new Collection([item]);
    const { next } = collection.keys();
    expect(Reflect.apply(next, collection.entries(), [])).toEqual(new BuiltIn([item]).entries().next());
  });
});
