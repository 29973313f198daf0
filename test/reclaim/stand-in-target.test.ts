import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { finalizable } from '../../lib/index.js';
import { Chain, own, selfArray, selfMap, selfSet } from '../support/self-holding.js';
import { thrownBy } from '../support/thrown.js';

/*
 * The target behind a stand-in. Whoever gets hold of it has an object that is finalized under his hands: so, whatever is done
 * with a stand-in, what comes out is the stand-in.
 */

const idle = (): void => undefined;

type Reached = unknown[] | Promise<unknown[]>;

/** A target that hands itself out, and how it is asked to. Everything that is reached must be the stand-in. */
interface Way {
  target(): object;
  // biome-ignore lint/suspicious/noExplicitAny: each way knows its target
  reach(standIn: any, raw: any): Reached;
}

const WAYS: Record<string, Way> = {
  'an array of another realm': {
    target: () => runInNewContext('const array = [1]; array.push(array); array'),
    reach: (s) => {
      const seen: unknown[] = [];
      s.forEach((_value: unknown, _i: number, all: unknown) => void seen.push(all));
      return [...seen, [...s][1], s.slice()[1], s.map((x: unknown) => x)[1], s.concat()[1], [...s.entries()][1][1]];
    },
  },
  'a Map of another realm': {
    target: () => runInNewContext('const map = new Map(); map.set(map, map)'),
    reach: (s) => {
      const seen: unknown[] = [];
      s.forEach((...all: unknown[]) => void seen.push(...all));
      return [...seen, ...[...s].flat(), ...s.keys(), ...s.values()];
    },
  },
  'a Set of another realm': {
    target: () => runInNewContext('const set = new Set(); set.add(set)'),
    reach: (s) => [...s, ...s.values(), ...[...s.entries()].flat(), ...(s.union?.(new Set()) ?? [])],
  },
  'what an accessor throws': {
    target: () => ({
      get self() {
        throw this;
      },
      set self(_value: unknown) {
        throw this;
      },
    }),
    reach: (s) => [
      thrownBy(() => s.self),
      thrownBy(() => {
        s.self = 1;
      }),
    ],
  },
  'what a function is given and throws': {
    target: () => (self: unknown) => {
      throw self;
    },
    reach: (s) => [thrownBy(() => s(s))],
  },
  'what a constructor is given and throws': {
    target: () =>
      class {
        constructor(self: unknown) {
          throw self;
        }
      },
    reach: (s) => [thrownBy(() => new s(s))],
  },
  'what an async function is given': {
    target: () => async (self: unknown, fails: boolean) => {
      if (fails) throw self;
      return self;
    },
    reach: async (s) => [await s(s), await s(s, true).catch((error: unknown) => error)],
  },
  'what a generator function is given': {
    target: () =>
      function* (self: unknown) {
        yield self;
      },
    reach: (s) => [...s(s)],
  },
  'what an async generator function is given': {
    target: () =>
      async function* (self: unknown) {
        yield self;
      },
    reach: async (s) => [(await s(s).next()).value],
  },
  'a property': { target: own, reach: (s) => [s.self] },
  'Reflect.get': { target: own, reach: (s) => [Reflect.get(s, 'self'), Reflect.get(s, 'self', {})] },
  'a property of an heir': { target: own, reach: (s) => [Object.create(s).self] },
  'a descriptor': { target: own, reach: (s) => [Object.getOwnPropertyDescriptor(s, 'self')?.value] },
  'all descriptors': { target: own, reach: (s) => [Object.getOwnPropertyDescriptors(s).self?.value] },
  'Reflect.ownKeys': {
    target: own,
    reach: (s) => Reflect.ownKeys(s).map((key) => Reflect.getOwnPropertyDescriptor(s, key)?.value),
  },
  'Object.values': { target: own, reach: (s) => Object.values(s) },
  'Object.entries': { target: own, reach: (s) => Object.entries(s).map(([, value]) => value) },
  'object spread': { target: own, reach: (s) => [{ ...s }.self] },
  'object rest': {
    target: own,
    reach: (s) => {
      const { ...rest } = s;
      return [rest.self];
    },
  },
  'Object.assign': { target: own, reach: (s) => [Object.assign({}, s).self] },
  'a fixed property': {
    target: () => Object.defineProperty({}, 'self', { value: undefined, writable: true }),
    reach: (s, raw) => {
      Object.defineProperty(raw, 'self', { value: raw, writable: false });
      return [s.self, Object.getOwnPropertyDescriptor(s, 'self')?.value, s.self];
    },
  },
  'a frozen object': {
    target: () => Object.freeze(own()),
    reach: (s) => [
      s.self,
      Object.isFrozen(s) ? s.self : undefined,
      Object.getOwnPropertyDescriptor(s, 'self')?.value,
      ...Object.values(s),
    ],
  },
  'an object that is frozen through its stand-in': {
    target: own,
    reach: (s) => [Object.freeze(s).self, ...Object.values(s), Object.getOwnPropertyDescriptor(s, 'self')?.value],
  },
  'a fixed property defined through the stand-in': {
    target: () => ({}),
    reach: (s) => [
      Object.defineProperty(s, 'self', { value: s }).self,
      Object.getOwnPropertyDescriptor(s, 'self')?.value,
    ],
  },
  'an accessor': { target: () => new Chain(), reach: (s) => [s.me, Reflect.get(s, 'me')] },
  'a method': { target: () => new Chain(), reach: (s) => [s.chain(), s.chain().chain().me] },
  'what a method throws': {
    target: () => new Chain(),
    reach: (s) => {
      try {
        return [s.fail()];
      } catch (error) {
        return [error];
      }
    },
  },
  'an async method': { target: () => new Chain(), reach: async (s) => [await s.later()] },
  'what an async method rejects with': {
    target: () => new Chain(),
    reach: async (s) => [await s.failLater().catch((error: unknown) => error)],
  },
  'a generator': { target: () => new Chain(), reach: (s) => [s.each().next().value, s.each.call(s).next().value] },
  'what a generator returns': {
    target: () => new Chain(),
    reach: (s) => {
      const steps = s.each();
      return [steps.next().value, steps.next(s).value];
    },
  },
  'return() of a generator': { target: () => new Chain(), reach: (s) => [s.each().return(s).value] },
  'an async generator': {
    target: () => new Chain(),
    reach: async (s) => {
      const steps = s.pages();
      return [(await steps.next()).value, (await steps.next()).value];
    },
  },
  'for await': {
    target: () => new Chain(),
    reach: async (s) => {
      const reached: unknown[] = [];
      for await (const value of s.pages()) reached.push(value);
      return reached;
    },
  },
  'Object.prototype.valueOf': { target: () => ({}), reach: (s) => [s.valueOf()] },
  'Function.prototype.call': { target: () => new Chain(), reach: (s) => [s.chain.call(s), s.chain.apply(s, [])] },
  'a bound method of the stand-in': { target: () => new Chain(), reach: (s) => [s.chain.bind(s)()] },
  'Reflect.apply': { target: () => new Chain(), reach: (s) => [Reflect.apply(s.chain, s, [])] },

  'an element': { target: selfArray, reach: (s) => [s[0], s.at(0)] },
  'array spread': { target: selfArray, reach: (s) => [[...s][0]] },
  'array destructuring': {
    target: selfArray,
    reach: (s) => {
      const [first] = s;
      return [first];
    },
  },
  'values() of an array': { target: selfArray, reach: (s) => [s.values().next().value] },
  'entries() of an array': { target: selfArray, reach: (s) => [s.entries().next().value[1]] },
  'Array.from': { target: selfArray, reach: (s) => [Array.from(s)[0]] },
  'slices and concatenations': {
    target: selfArray,
    reach: (s) => [s.slice()[0], s.concat([1])[0], [0].concat(s)[1], s.filter(() => true)[0], s.splice(0, 1)[0]],
  },
  'callbacks of an array': {
    target: selfArray,
    reach: (s) => {
      const reached: unknown[] = [];
      const note = (value: unknown, _index: number, array: unknown): boolean => {
        reached.push(array, ...(typeof value === 'object' ? [value] : []));
        return false;
      };
      for (const name of ['forEach', 'map', 'filter', 'some', 'find', 'findIndex', 'findLast', 'flatMap'])
        s[name](note);
      s.reduce((_all: unknown, value: unknown, i: number, array: unknown) => note(value, i, array), 0);
      s.reduceRight((_all: unknown, value: unknown, i: number, array: unknown) => note(value, i, array), 0);
      s.every((value: unknown, i: number, array: unknown) => !note(value, i, array));
      return reached;
    },
  },
  'the this of a callback': {
    target: () => [1],
    reach: (s) => {
      const reached: unknown[] = [];
      s.forEach(function (this: unknown) {
        reached.push(this);
      }, s);
      return reached;
    },
  },
  'sort, reverse, fill and copyWithin': {
    target: () => [2, 1],
    reach: (s) => [s.sort(), s.reverse(), s.fill(0), s.copyWithin(0, 1)],
  },
  'callbacks of a typed array': {
    target: () => new Uint8Array([1, 2]),
    reach: (s) => {
      const reached: unknown[] = [];
      for (const name of [
        'forEach',
        'map',
        'filter',
        'some',
        'every',
        'find',
        'findIndex',
        'findLast',
        'findLastIndex',
      ])
        s[name]((_value: unknown, _index: unknown, array: unknown) => void reached.push(array));
      for (const name of ['reduce', 'reduceRight'])
        s[name]((_all: unknown, _value: unknown, _index: unknown, array: unknown) => void reached.push(array));
      return reached;
    },
  },
  'callbacks of a Map': {
    target: selfMap,
    reach: (s) => {
      const reached: unknown[] = [];
      s.forEach((...given: unknown[]) => void reached.push(...given));
      return reached;
    },
  },
  'iterators of a Map': {
    target: selfMap,
    reach: (s) => [
      ...[...s].flat(),
      ...s.keys(),
      ...s.values(),
      ...[...s.entries()].flat(),
      ...new Map(s).keys(),
      s.values().next().value,
    ],
  },
  'get, set and delete of a Map': { target: selfMap, reach: (s) => [s.get(s), s.set(1, 1)] },
  'callbacks of a Set': {
    target: selfSet,
    reach: (s) => {
      const reached: unknown[] = [];
      s.forEach((...given: unknown[]) => void reached.push(...given));
      return reached;
    },
  },
  'iterators of a Set': {
    target: selfSet,
    reach: (s) => [...s, ...s.keys(), ...s.values(), ...[...s.entries()].flat(), ...new Set(s)],
  },

  'a function that returns itself': {
    target: () => {
      const f = (): unknown => f;
      return f;
    },
    reach: (s) => [s(), s.call(null), s.apply(null, []), s.bind(null)()],
  },
  'a constructor that returns itself': {
    target: () => {
      function F(): unknown {
        return F;
      }
      return F;
    },
    reach: (s) => [new s(), Reflect.construct(s, [])],
  },
  'a static method that returns its class': {
    target: () =>
      class Self {
        readonly made = true;
        static #count = 0;
        static self(): unknown {
          Self.#count++;
          // biome-ignore lint/complexity/noThisInStatic: what is tested
          return this;
        }
      },
    reach: (s) => [s.self()],
  },
  'a property of a function': {
    target: () => Object.assign(() => 1, {}),
    reach: (s) => {
      s.self = s;
      return [s.self, Object.getOwnPropertyDescriptor(s, 'self')?.value];
    },
  },
};

describe('what comes out of a stand-in is not its target, by', () => {
  it.each(Object.entries(WAYS))('%s', async (_name, { target, reach }) => {
    const raw = target();
    const standIn = finalizable(raw, idle);
    const reached = await reach(standIn, raw);
    expect(reached.length).toBeGreaterThan(0);
    for (const value of reached) {
      expect(value === raw).toBe(false);
      expect(value === standIn).toBe(true);
    }
  });
});
