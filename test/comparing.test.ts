import assert from 'node:assert';
import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Unique, unique, WeakCache, WeakKeyMap, WeakKeySet, WeakValueMap } from '../lib/collections/index.js';
import { addCleanup, type FieldPointer, make, makeField, Pointer } from '../lib/index.js';

/*
 * The deep comparisons of real test frameworks. Where two things differ, an assertion that they are equal has to fail.
 */

type Assertion = (a: unknown, b: unknown) => void;

interface Chai {
  expect(value: unknown): { to: { deep: { equal(other: unknown): void }; eql(other: unknown): void } };
}

type Jest = (value: unknown) => { toEqual(other: unknown): void; toStrictEqual(other: unknown): void };

const require = createRequire(import.meta.url);
const { expect: jest } = require('expect') as { expect: Jest };
const chai = (await import('chai' as string)) as Chai;

const FRAMEWORKS: Record<string, Assertion> = {
  'assert.deepStrictEqual': (a, b) => assert.deepStrictEqual(a, b),
  'assert.deepEqual': (a, b) => assert.deepEqual(a, b),
  'util.isDeepStrictEqual': (a, b) => assert(isDeepStrictEqual(a, b)),
  "vitest's toEqual": (a, b) => expect(a).toEqual(b),
  "vitest's toStrictEqual": (a, b) => expect(a).toStrictEqual(b),
  "jest's toEqual": (a, b) => jest(a).toEqual(b),
  "jest's toStrictEqual": (a, b) => jest(a).toStrictEqual(b),
  "chai's deep.equal": (a, b) => chai.expect(a).to.deep.equal(b),
  "chai's eql": (a, b) => chai.expect(a).to.eql(b),
};

const idle = (): void => undefined;
const fieldOf = (pointer: FieldPointer<object, never>): unknown => pointer.value();
const held = { a: 1, b: 1, [Symbol.iterator]: idle };
const other = { a: 1, b: 1 };
const [first, second] = [Symbol('s'), Symbol('s')];
const users = new Unique<{ id: number }>({ key: (user) => user.id });
const field = (target: object, key: PropertyKey): FieldPointer<object, never> => makeField(target, key as never);

const DIFFERENT: Record<string, [unknown, unknown]> = {
  pointers: [make(held), make(other)],
  'a pointer and the pointer to nothing': [make(held), Pointer.nil],
  'pointers to equal objects': [make([1]), make([1])],
  'pointers to symbols of one name': [make(first), make(second)],
  'field pointers to two keys': [field(held, 'a'), field(held, 'b')],
  'field pointers to two objects': [field(held, 'a'), field(other, 'a')],
  'a field pointer and a pointer': [field(held, 'a'), make(held)],
  'fields of two keys': [fieldOf(field(held, 'a')), fieldOf(field(held, 'b'))],
  'fields of two objects': [fieldOf(field(held, 'a')), fieldOf(field(other, 'a'))],
  'fields of two symbols of one name': [fieldOf(field(held, first)), fieldOf(field(held, second))],
  'handles of two values': [unique('x'), unique('y')],
  'handles of a Unique': [users.make({ id: 1 }), users.make({ id: 2 })],
  'two Uniques': [users, new Unique({ key: () => 1 })],
  cleanups: [addCleanup(held, idle), addCleanup(held, idle)],
  caches: [new WeakCache({ max: 1 }).set('a', held), new WeakCache({ max: 1 }).set('a', other)],
};

const EQUAL: Record<string, () => [unknown, unknown]> = {
  'pointers to one object': () => [make(held), make(held)],
  'field pointers to one place': () => [field(held, 'a'), field(held, 'a')],
  'fields of one place': () => [fieldOf(field(held, 'a')), fieldOf(field(held, 'a'))],
  'fields of one symbol': () => [fieldOf(field(held, first)), fieldOf(field(held, first))],
  'fields of one registered symbol': () => [
    fieldOf(field(held, Symbol.for('weakly.test'))),
    fieldOf(field(held, Symbol.for('weakly.test'))),
  ],
  'handles of one value': () => [unique({ x: [1] }), unique({ x: [1] })],
};

interface Collections {
  same(): object;
  different(): object;
}

const one = { n: 1 };
const two = { n: 2 };

const COLLECTIONS: Record<string, Collections> = {
  'a WeakValueMap, by its values': {
    same: () => new WeakValueMap([['k', one]]),
    different: () => new WeakValueMap([['k', two]]),
  },
  'a WeakValueMap, by its keys': {
    same: () => new WeakValueMap([['k', one]]),
    different: () => new WeakValueMap([['l', one]]),
  },
  'a WeakKeyMap, by its values': {
    same: () => new WeakKeyMap([[one, 1]]),
    different: () => new WeakKeyMap([[one, 2]]),
  },
  'a WeakKeyMap, by its keys': {
    same: () => new WeakKeyMap([[one, 1]]),
    different: () => new WeakKeyMap([[two, 1]]),
  },
  'a WeakKeySet': { same: () => new WeakKeySet([one]), different: () => new WeakKeySet([two]) },
  'a WeakKeySet, by its size': { same: () => new WeakKeySet([one]), different: () => new WeakKeySet([one, two]) },
};

describe.each(Object.entries(FRAMEWORKS))('%s', (name, equal) => {
  it.each(Object.entries(DIFFERENT))('tells apart %s', (_what, [a, b]) => {
    expect(() => equal(a, b)).toThrow();
    expect(() => equal(b, a)).toThrow();
  });

  it.each(Object.entries(DIFFERENT))('tells apart %s inside of others', (_what, [a, b]) => {
    expect(() => equal({ list: [a] }, { list: [b] })).toThrow();
    expect(() => equal(new Map([['k', a]]), new Map([['k', b]]))).toThrow();
  });

  it.each(Object.entries(EQUAL))('finds equal %s', (_what, pair) => {
    const [a, b] = pair();
    expect(() => equal(a, b)).not.toThrow();
    expect(() => equal({ list: [a] }, { list: [b] })).not.toThrow();
  });

  it.each(Object.entries(COLLECTIONS))('finds equal %s', (_what, { same }) => {
    expect(() => equal(same(), same())).not.toThrow();
  });

  // node:assert looks into its own kinds of collections only: the docs have the line to write instead.
  if (name.startsWith('assert') || name.startsWith('util'))
    it.each(Object.entries(COLLECTIONS))('tells apart %s, if that is copied', (_what, { same, different }) => {
      const copy = (collection: object): unknown =>
        collection instanceof WeakKeySet ? new Set(collection) : new Map(collection as Map<unknown, unknown>);
      expect(() => equal(copy(same()), copy(different()))).toThrow();
      expect(() => equal(copy(same()), copy(same()))).not.toThrow();
    });
  else
    it.each(Object.entries(COLLECTIONS))('tells apart %s', (_what, { same, different }) => {
      expect(() => equal(same(), different())).toThrow();
    });
});

describe('what is compared by identity', () => {
  it('has its name without a number on the prototype, and for heirs', () => {
    for (const Class of [Pointer, Unique, WeakCache]) {
      expect(Object.prototype.toString.call(Class.prototype)).toBe(`[object ${Class.name}]`);
      expect(String(Object.create(Class.prototype))).toBe(`[object ${Class.name}]`);
    }
  });

  it('cannot be iterated, and has no properties', () => {
    const pointer = make(held);
    expect(Symbol.iterator in pointer).toBe(false);
    expect({ ...pointer }).toEqual({});
    expect(Reflect.ownKeys(pointer)).toEqual([]);
  });

  it('has one tag for ever', () => {
    const pointer = make(held);
    expect(String(pointer)).toBe(String(pointer));
  });
});
