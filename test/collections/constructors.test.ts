import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { WeakKeyMap, WeakKeySet, WeakValueMap } from '../../lib/collections/index.js';
import { thrownBy } from '../support/thrown.js';

/* What the constructors of Map and Set do, step by step: the same tests for those and for ours. */

type AnyConstructor = (new (iterable?: unknown) => { readonly size: number }) & { readonly prototype: object };

const key = { key: 1 };
const value = { value: 1 };

const MAPS = [
  ['Map', Map],
  ['WeakKeyMap', WeakKeyMap],
  ['WeakValueMap', WeakValueMap],
] as unknown as [string, typeof WeakKeyMap<object, object>][];

const ALL = [
  ...MAPS.map(([name, C]) => [name, C, 'set', [key, value]]),
  ['Set', Set, 'add', key],
  ['WeakKeySet', WeakKeySet, 'add', key],
] as unknown as [string, AnyConstructor, 'set' | 'add', unknown][];

const isOurs = (name: string): boolean => name.startsWith('Weak');

/** An iterable that notes what is done with it. `step`: what each next() does. */
function noted(step: () => unknown): { log: string[]; iterable: Iterable<unknown> } {
  const log: string[] = [];
  const iterator = {
    get next() {
      log.push('get next');
      return () => {
        log.push('next');
        return step();
      };
    },
    get return() {
      log.push('get return');
      return () => {
        log.push('return');
        return {};
      };
    },
  };
  const iterable = {
    get [Symbol.iterator]() {
      log.push('get iterator');
      return () => iterator;
    },
  };
  return { log, iterable: iterable as unknown as Iterable<unknown> };
}

function steps(...items: unknown[]): () => unknown {
  let i = 0;
  return () => (i < items.length ? { done: false, value: items[i++] } : { done: true, value: undefined });
}

describe.each(ALL)('new %s', (name, Collection, method, item) => {
  it('has the length 0', () => {
    expect(Object.getOwnPropertyDescriptor(Collection, 'length')).toEqual({
      value: 0,
      writable: false,
      enumerable: false,
      configurable: true,
    });
  });

  it.each([undefined, null])(`does not read ${method}() for %s`, (nothing) => {
    class Derived extends Collection {}
    Object.defineProperty(Derived.prototype, method, {
      get() {
        throw new Error('read');
      },
    });
    expect(new Derived(nothing).size).toBe(0);
  });

  it(`reads ${method}() once, before the iterable is looked at`, () => {
    const { log, iterable } = noted(steps(item, item));
    class Derived extends Collection {}
    const own: unknown = Reflect.get(Collection.prototype, method);
    Object.defineProperty(Derived.prototype, method, {
      get() {
        log.push(`get ${method}`);
        return own;
      },
    });
    expect(new Derived(iterable).size).toBe(1);
    expect(log).toEqual([`get ${method}`, 'get iterator', 'get next', 'next', 'next', 'next']);
  });

  it(`reads ${method}() for an empty iterable too`, () => {
    class Derived extends Collection {}
    Object.defineProperty(Derived.prototype, method, { value: 1 });
    const error = thrownBy(() => new Derived([]));
    expect(error).toBeInstanceOf(TypeError);
    if (isOurs(name)) expect(error).toMatchObject({ code: 'ERR_WEAKLY_CALLBACK' });
  });

  it(`calls ${method}() of a derived class with the new collection`, () => {
    const seen: unknown[] = [];
    class Derived extends Collection {}
    Object.defineProperty(Derived.prototype, method, {
      value(this: unknown, ...args: unknown[]) {
        seen.push(this, ...args);
      },
    });
    const made = new Derived([item]);
    expect(seen).toEqual([made, ...(method === 'set' ? [key, value] : [key])]);
    expect(made.size).toBe(0);
  });

  it(`closes the iterator when ${method}() throws, and throws that`, () => {
    const { log, iterable } = noted(steps(item));
    const error = new Error('mine');
    class Derived extends Collection {}
    Object.defineProperty(Derived.prototype, method, {
      value() {
        throw error;
      },
    });
    expect(thrownBy(() => new Derived(iterable))).toBe(error);
    expect(log.slice(-2)).toEqual(['get return', 'return']);
  });

  it.each([
    [
      'throws',
      () => ({
        return: () => {
          throw new Error('another');
        },
      }),
    ],
    ['is no function', () => ({ return: 1 })],
    [
      'cannot be read',
      () => ({
        get return(): never {
          throw new Error('another');
        },
      }),
    ],
  ])(`throws what ${method}() has thrown when return() %s`, (_, closing) => {
    const error = new Error('mine');
    class Derived extends Collection {}
    Object.defineProperty(Derived.prototype, method, {
      value() {
        throw error;
      },
    });
    const iterator = Object.defineProperties({ next: steps(item) }, Object.getOwnPropertyDescriptors(closing()));
    expect(thrownBy(() => new Derived({ [Symbol.iterator]: () => iterator }))).toBe(error);
  });

  it('does not close an iterator that has thrown itself', () => {
    const error = new Error('mine');
    const { log, iterable } = noted(() => {
      throw error;
    });
    expect(thrownBy(() => new Collection(iterable))).toBe(error);
    expect(log).toEqual(['get iterator', 'get next', 'next']);
  });

  it.each([
    ['no iterable', 1],
    ['an object that cannot be iterated', {}],
    ['an iterable that gives no iterator', { [Symbol.iterator]: () => 1 }],
    ['an iterator without next()', { [Symbol.iterator]: () => ({}) }],
    ['an iterator whose next() gives no object', { [Symbol.iterator]: () => ({ next: () => 1 }) }],
  ])('refuses %s', (_, iterable) => {
    const error = thrownBy(() => new Collection(iterable));
    expect(error).toBeInstanceOf(TypeError);
    if (isOurs(name))
      expect(error).toMatchObject({ code: 'ERR_WEAKLY_ARGUMENT', message: expect.stringContaining(`new ${name}`) });
  });

  it('takes a string object, an array-like with an iterator, and arrays that have been changed', () => {
    const length = (items: unknown): number => new Collection(items).size;
    const changed = [item];
    changed[Symbol.iterator] = () => [][Symbol.iterator]();
    expect(length(changed)).toBe(0);
    expect(length({ [Symbol.iterator]: Array.prototype.values, length: 1, 0: item })).toBe(1);
    expect(length(new Proxy([item], {}))).toBe(1);
    expect(length(runInNewContext('(item) => [item]')(item))).toBe(1);
  });

  it('sees what is appended to an array meanwhile', () => {
    const items = [item];
    let calls = 0;
    class Derived extends Collection {}
    Object.defineProperty(Derived.prototype, method, {
      value() {
        if (++calls < 3) items.push(item);
      },
    });
    new Derived(items);
    expect(calls).toBe(3);
  });

  it('inherits from its own prototype when that of new.target is no object', () => {
    const bound = function target(): void {}.bind(undefined);
    expect(Object.getPrototypeOf(Reflect.construct(Collection, [], bound))).toBe(Collection.prototype);
    const target = function target(): void {};
    target.prototype = null;
    expect(Object.getPrototypeOf(Reflect.construct(Collection, [], target))).toBe(Collection.prototype);
  });

  it('inherits from the prototype of new.target when that is an object, whatever it is', () => {
    for (const prototype of [Object.prototype, Array.prototype, Object.create(null) as object]) {
      const target = function target(): void {};
      target.prototype = prototype;
      expect(Object.getPrototypeOf(Reflect.construct(Collection, [], target))).toBe(prototype);
    }
  });

  it('cannot be called without new', () => {
    expect(() => (Collection as unknown as () => void)()).toThrow(TypeError);
  });
});

describe.each(MAPS)('entries of new %s', (name, Collection) => {
  it('are read, not iterated', () => {
    const entry = { 0: key, 1: value } as unknown as [object, object];
    expect([...new Collection([entry])]).toEqual([[key, value]]);
    const strange = [key, value] as [object, object];
    strange[Symbol.iterator] = () => {
      throw new Error('iterated');
    };
    expect([...new Collection([strange])]).toEqual([[key, value]]);
  });

  it('can be functions', () => {
    const entry = Object.assign(() => {}, { 0: key, 1: value }) as unknown as [object, object];
    expect(new Collection([entry]).get(key)).toBe(value);
  });

  it('are read first [0], then [1]', () => {
    const log: number[] = [];
    const entry = {
      get 0() {
        log.push(0);
        return key;
      },
      get 1() {
        log.push(1);
        return value;
      },
    } as unknown as [object, object];
    new Collection([entry]);
    expect(log).toEqual([0, 1]);
  });

  it.each([0, 1])('that throw when [%s] is read close the iterator', (index) => {
    const error = new Error('mine');
    const entry = Object.defineProperty([key, value], index, {
      get() {
        throw error;
      },
    });
    const { log, iterable } = noted(steps(entry));
    expect(thrownBy(() => new Collection(iterable as never))).toBe(error);
    expect(log.slice(-1)).toEqual(['return']);
  });

  it.each([1, 'ab', null, undefined, Symbol('s')])(
    'that are no objects, as %o, are refused, and the iterator closed',
    (entry) => {
      const { log, iterable } = noted(steps(entry));
      const error = thrownBy(() => new Collection(iterable as never));
      expect(error).toBeInstanceOf(TypeError);
      if (isOurs(name))
        expect(error).toMatchObject({ code: 'ERR_WEAKLY_ARGUMENT', message: expect.stringContaining(`new ${name}`) });
      expect(log.slice(-1)).toEqual(['return']);
    },
  );
});

describe('errors name what has been called', () => {
  const cases: [string, () => unknown, string][] = [
    ['new WeakKeySet', () => new WeakKeySet([1] as never), 'each value'],
    ['new WeakKeyMap', () => new WeakKeyMap([[1, 1]] as never), 'the key of each entry'],
    ['new WeakValueMap', () => new WeakValueMap([[1, 1]] as never), 'the value of each entry'],
    ['WeakKeyMap.prototype.getOrInsert', () => new WeakKeyMap().getOrInsert(1 as never, 1), '"key"'],
    [
      'WeakKeyMap.prototype.getOrInsertComputed',
      () => new WeakKeyMap().getOrInsertComputed(1 as never, () => 1),
      '"key"',
    ],
    ['WeakValueMap.prototype.getOrInsert', () => new WeakValueMap().getOrInsert(1, 1 as never), '"value"'],
    [
      'WeakValueMap.prototype.getOrInsertComputed',
      () => new WeakValueMap().getOrInsertComputed(1, () => 1 as never),
      '"callback"',
    ],
    ['WeakKeyMap.groupBy', () => WeakKeyMap.groupBy([1], () => 1 as never), '"callback"'],
    ['WeakValueMap.groupBy', () => WeakValueMap.groupBy([1] as never, () => 1), 'each item'],
    ['WeakKeySet.prototype.union', () => new WeakKeySet().union(new Set([1]) as never), '"other"'],
    [
      'WeakKeySet.prototype.symmetricDifference',
      () => new WeakKeySet().symmetricDifference(new Set([1]) as never),
      '"other"',
    ],
  ];

  it.each(cases)('%s', (where, call, what) => {
    const error = thrownBy(call) as Error;
    expect(error).toMatchObject({ code: 'ERR_WEAKLY_TARGET' });
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message.startsWith(`${where}: `)).toBe(true);
    expect(error.message).toContain(what);
  });

  it('or the add() that a derived class has called', () => {
    class Derived extends WeakKeySet<object> {
      override add(member: object): this {
        return super.add(member);
      }
    }
    expect(() => new Derived([1 as never])).toThrow('WeakKeySet.prototype.add');
  });
});

describe.each(MAPS.filter(([, { groupBy }]) => groupBy !== undefined))('%s.groupBy', (name, Collection) => {
  it('closes the iterator when the callback throws', () => {
    const { log, iterable } = noted(steps(key));
    const error = new Error('mine');
    expect(
      thrownBy(() =>
        Collection.groupBy(iterable as Iterable<object>, () => {
          throw error;
        }),
      ),
    ).toBe(error);
    expect(log).toEqual(['get iterator', 'get next', 'next', 'get return', 'return']);
  });

  it('refuses a callback that is none before it looks at the items', () => {
    const { log, iterable } = noted(steps(key));
    const error = thrownBy(() => Collection.groupBy(iterable as Iterable<object>, 1 as never));
    expect(error).toBeInstanceOf(TypeError);
    if (isOurs(name)) expect(error).toMatchObject({ code: 'ERR_WEAKLY_CALLBACK' });
    expect(log).toEqual([]);
  });

  it('calls the callback without a receiver, with the item and its number', () => {
    const seen: unknown[] = [];
    Collection.groupBy([key, value], function (this: unknown, ...args: unknown[]) {
      seen.push(this, ...args);
      return key;
    });
    expect(seen).toEqual([undefined, key, 0, undefined, value, 1]);
  });
});
