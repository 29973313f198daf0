import { describe, expect, it } from 'vitest';
import { WeakKeySet } from '../../lib/collections/index.js';
import { SET_METHODS } from '../support/set-methods.js';
import { thrownBy } from '../support/thrown.js';

/* ECMAScript's set methods, in what can be observed of them: on the built-in as well, where it has them as they are now. */

interface Thing {
  readonly name: string;
}

const things = Object.fromEntries([...'abcdxyz'].map((name) => [name, { name }])) as Record<string, Thing>;
const { a, b, c, d, x, y } = things as Record<'a' | 'b' | 'c' | 'd' | 'x' | 'y', Thing>;
const names = (set: Iterable<Thing>): string => [...set].map(({ name }) => name).join('');

type Collection = typeof WeakKeySet<Thing>;

/** V8 12.4 (Node.js 22) has the methods, but not their order: it copies too early, or not at all. */
const builtIn = Number.parseInt(process.versions.node, 10) >= 24 ? [['Set', Set]] : [];

/** A set that notes what is done with it. */
class Noted {
  readonly log: string[] = [];
  readonly #size: unknown;
  readonly #members: readonly unknown[];

  constructor(members: readonly unknown[], size: unknown = members.length) {
    this.#members = members;
    this.#size = size;
  }

  get size(): number {
    this.log.push('size');
    return this.#size as number;
  }

  get has(): (value: unknown) => boolean {
    this.log.push('get has');
    return (value) => {
      this.log.push(`has ${(value as Thing).name}`);
      return this.#members.includes(value);
    };
  }

  get keys(): () => Iterator<never> {
    this.log.push('get keys');
    return () => {
      this.log.push('keys');
      return this.#iterator() as unknown as Iterator<never>;
    };
  }

  #iterator(): object {
    const { log } = this;
    const members = this.#members.values();
    return {
      get next() {
        log.push('get next');
        return () => {
          log.push('next');
          return members.next();
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
  }
}

describe.each([['WeakKeySet', WeakKeySet], ...builtIn] as unknown as [string, Collection][])('%s', (name, Base) => {
  const isOurs = name === 'WeakKeySet';

  it.each(SET_METHODS)('%s reads size, has and keys of the other, in this order and once', (method) => {
    const other = new Noted([a]);
    new Base([a, b])[method](other as never);
    expect(other.log.slice(0, 3)).toEqual(['size', 'get has', 'get keys']);
  });

  it.each(SET_METHODS)('%s refuses has() before it reads keys()', (method) => {
    const log: string[] = [];
    const other = {
      size: 0,
      has: 1,
      get keys() {
        log.push('keys');
        return 1;
      },
    };
    expect(() => new Base()[method](other as never)).toThrow(TypeError);
    expect(log).toEqual([]);
  });

  it.each(SET_METHODS)('%s takes the size as a number is taken', (method) => {
    const log: string[] = [];
    const size = {
      valueOf() {
        log.push('valueOf');
        return '2.9';
      },
    };
    new Base([a])[method](new Noted([a, b], size) as never);
    expect(log).toEqual(['valueOf']);
    for (const none of [undefined, Number.NaN, 'x', 1n, Symbol('s')])
      expect(() => new Base()[method]({ size: none, has: () => true, keys: () => [].values() } as never)).toThrow(
        TypeError,
      );
    expect(() => new Base()[method](new Noted([], { valueOf: () => 1n }) as never)).toThrow(TypeError);
    expect(() => new Base()[method](new Noted([], -1) as never)).toThrow(RangeError);
    expect(() => new Base()[method](new Noted([], -0.5) as never)).not.toThrow();
  });

  it.each(['union', 'symmetricDifference'] as const)(
    '%s copies its receiver after keys() has been called',
    (method) => {
      const set = new Base([a, b]);
      const other = {
        size: 1,
        has: () => false,
        keys: () => {
          set.delete(b);
          set.add(c);
          return [x].values();
        },
      };
      expect(names(set[method](other as never))).toBe('acx');
    },
  );

  it('difference copies its receiver before keys() is called', () => {
    const set = new Base([a, b, c]);
    const other = {
      size: 1,
      has: () => false,
      keys: () => {
        set.delete(b);
        set.add(d);
        return [a].values();
      },
    };
    expect(names(set.difference(other as never))).toBe('bc');
    expect(names(set)).toBe('acd');
  });

  it('difference asks has() of a copy: of what is removed meanwhile, and not of what is added', () => {
    const set = new Base([a, b, c]);
    const asked: Thing[] = [];
    const other = {
      size: 9,
      has: (value: Thing) => {
        asked.push(value);
        set.delete(b);
        set.add(d);
        return value === c;
      },
      keys: () => [].values(),
    };
    expect(names(set.difference(other as never))).toBe('ab');
    expect(names(asked)).toBe('abc');
  });

  it.each(['intersection', 'isSubsetOf', 'isDisjointFrom'] as const)(
    '%s asks has() along the receiver: not of what is removed meanwhile, but of what is added',
    (method) => {
      const set = new Base([a, b, c]);
      const asked: Thing[] = [];
      const other = {
        size: 9,
        has: (value: Thing) => {
          asked.push(value);
          set.delete(b);
          set.add(d);
          return method !== 'isDisjointFrom';
        },
        keys: () => [].values(),
      };
      const result: unknown = set[method](other as never);
      expect(names(asked)).toBe('acd');
      if (method === 'intersection') expect(names(result as Set<Thing>)).toBe('acd');
    },
  );

  it('intersection takes in once what is removed and added again while has() is asked', () => {
    const set = new Base([a, b]);
    let times = 0;
    const other = {
      size: 9,
      has: (value: Thing) => {
        if (times++ < 3) {
          set.delete(value);
          set.add(value);
        }
        return true;
      },
      keys: () => [].values(),
    };
    expect(names(set.intersection(other as never))).toBe('ab');
    expect(times).toBe(5);
  });

  it('goes on with what is added after the receiver has been cleared while has() is asked', () => {
    const set = new Base([a, b]);
    const asked: Thing[] = [];
    const other = {
      size: 9,
      has: (value: Thing) => {
        asked.push(value);
        if (value === a) {
          set.clear();
          set.add(c);
        }
        return true;
      },
      keys: () => [].values(),
    };
    expect(names(set.intersection(other as never))).toBe('ac');
    expect(names(asked)).toBe('ac');
  });

  it('symmetricDifference asks the receiver as it is when a key comes', () => {
    const set = new Base([a, b]);
    const other = {
      size: 2,
      has: () => false,
      *keys() {
        set.delete(a);
        yield a; // not there any more: stays in the copy
        set.add(x);
        yield x; // there, but not in the copy: stays out
      },
    };
    expect(names(set.symmetricDifference(other as never))).toBe('ab');
  });

  it.each(['isSupersetOf', 'isDisjointFrom'] as const)(
    '%s closes the iterator of keys() when the answer is known',
    (method) => {
      const other = new Noted(method === 'isSupersetOf' ? [x, a] : [a, x]);
      expect(new Base([a, b, c])[method](other as never)).toBe(false);
      expect(other.log.slice(3)).toEqual(['keys', 'get next', 'next', 'get return', 'return']);
    },
  );

  it.each(['isSupersetOf', 'isDisjointFrom'] as const)('%s throws what closing throws', (method) => {
    const error = new Error('mine');
    const iterator = {
      next: () => ({ done: false, value: method === 'isSupersetOf' ? x : a }),
      return() {
        throw error;
      },
    };
    const other = { size: 1, has: () => false, keys: () => iterator };
    expect(thrownBy(() => new Base([a, b])[method](other as never))).toBe(error);
    expect(() =>
      new Base([a, b])[method]({ ...other, keys: () => ({ ...iterator, return: () => 1 }) } as never),
    ).toThrow(TypeError);
  });

  it.each(SET_METHODS)('%s does not close an iterator that throws, or has come to its end', (method) => {
    const other = new Noted([a, b].slice(0, 1));
    new Base([a, b, c])[method](other as never);
    if (method === 'isDisjointFrom') return;
    expect(other.log).not.toContain('return');
  });

  it.each(SET_METHODS)('%s refuses what keys() or next() give when that is no object', (method) => {
    // More members than the other: so all but isSubsetOf go along the keys of the other.
    const call = (keys: unknown): unknown =>
      new Base([a, b])[method]({ size: 1, has: () => true, keys: () => keys } as never);
    if (method === 'isSubsetOf') return expect(call(1)).toBe(false);
    for (const keys of [1, undefined, {}, { next: () => 1 }]) {
      const error = thrownBy(() => call(keys));
      expect(error).toBeInstanceOf(TypeError);
      if (isOurs) expect(error).toMatchObject({ code: 'ERR_WEAKLY_ARGUMENT' });
    }
  });

  it('takes keys() whose iterator has no Symbol.iterator', () => {
    const other = { size: 1, has: () => false, keys: () => ({ next: [y].values().next.bind([y].values()) }) };
    expect(names(new Base([a]).union(other as never))).toBe('ay');
  });
});

describe('WeakKeySet', () => {
  it.each(['union', 'symmetricDifference'] as const)(
    '%s closes the iterator when a key cannot be a member',
    (method) => {
      const other = new Noted([x, 1, y]);
      expect(() => new WeakKeySet([a])[method](other as never)).toThrow(
        expect.objectContaining({ code: 'ERR_WEAKLY_TARGET' }),
      );
      expect(other.log.slice(-2)).toEqual(['get return', 'return']);
    },
  );
});
