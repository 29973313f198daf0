import assert from 'node:assert';
import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Unique, unique, WeakCache, WeakKeyMap, WeakKeySet, WeakValueMap } from '../lib/collections/index.js';
import { addCleanup, type FieldPointer, finalizable, make, makeField, Pointer } from '../lib/index.js';
import { WeakRef as Ref, FinalizationRegistry as Registry } from '../lib/spec/index.js';

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

const standIn = <T extends object>(target: T): T => finalizable(target, idle);
const named = (name: string): Error => Object.assign(new Error(name), { stack: '' });

/** What no framework, or not each, tells apart, and what docs/comparing.md says to compare instead. */
const UNTOLD: Record<string, [a: unknown, b: unknown, instead: (value: never) => unknown]> = {
  'weak references of weakly/spec': [new Ref(held), new Ref(other), (ref: Ref<object>) => make(ref.deref() as object)],
  'stand-ins of Dates': [standIn(new Date(1)), standIn(new Date(2)), (date: Date) => date.getTime()],
  'stand-ins of regular expressions': [standIn(/a/), standIn(/b/), (pattern: RegExp) => String(pattern)],
  'stand-ins of Maps': [standIn(new Map([['a', 1]])), standIn(new Map()), (map: Map<string, number>) => new Map(map)],
  'stand-ins of Sets': [standIn(new Set([1])), standIn(new Set([2])), (set: Set<number>) => new Set(set)],
  'stand-ins of errors': [standIn(named('a')), standIn(named('b')), (error: Error) => String(error)],
  'stand-ins of boxed primitives': [standIn(Object(1)), standIn(Object(2)), (boxed: object) => boxed.valueOf()],
};

describe.each(Object.entries(FRAMEWORKS))('%s, of what the docs have a line for', (_name, equal) => {
  it.each(Object.entries(UNTOLD))('tells apart %s by what stands there', (_what, [a, b, instead]) => {
    expect(() => equal(instead(a as never), instead(b as never))).toThrow();
    expect(() => equal(instead(a as never), instead(a as never))).not.toThrow();
  });

  it.each<[string, object, object]>([
    ['plain objects', { a: [1] }, { a: [2] }],
    ['arrays', [1, 2], [1, 3]],
    ['bytes', new Uint8Array([1]), new Uint8Array([2])],
    ['instances', new (class { a = 1; })(), new (class { a = 2; })()],
  ])('tells apart stand-ins of %s, and finds them equal to themselves', (_what, a, b) => {
    const [left, right] = [standIn(a), standIn(b)];
    expect(() => equal(left, right)).toThrow();
    expect(() => equal(left, left)).not.toThrow();
  }); // biome-ignore format: a table
});

describe('what the docs say is told by nobody', () => {
  it('two references of weakly/spec, two registries: any two are equal', () => {
    for (const equal of Object.values(FRAMEWORKS)) {
      expect(() => equal(new Ref(held), new Ref(other))).not.toThrow();
      expect(() => equal(new Registry(idle), new Registry(idle))).not.toThrow();
    }
  });

  it('pointers in toMatchObject, which looks at properties only', () => {
    expect({ pointer: make(held) }).toMatchObject({ pointer: make(other) });
    expect(make(held)).not.toBe(make(other));
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
