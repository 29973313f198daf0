import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { WeakKeyMap, WeakKeySet, WeakValueMap } from '../../lib/collections/index.js';
import { SET_METHODS } from '../support/set-methods.js';

/* As those of Map and Set, methods work on what is inside: a derived class may build any of them on any other. */

const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ name })) as [object, object, object];
const hasSetMethods = 'union' in Set.prototype;

/** A derived class of which every method and accessor, but those of its own, says that it has been called. */
function tripwired<C extends abstract new (...args: never[]) => object>(Base: C, but: readonly string[] = []): C {
  class Derived extends (Base as unknown as new (...args: unknown[]) => object) {}
  for (const key of Reflect.ownKeys(Base.prototype)) {
    if (key === 'constructor' || key === Symbol.toStringTag || key === inspect.custom) continue;
    if (but.includes(String(key))) continue;
    const { get } = Object.getOwnPropertyDescriptor(Base.prototype, key) as PropertyDescriptor;
    const trip = (): never => {
      throw new Error(`${String(key)} was called`);
    };
    Object.defineProperty(Derived.prototype, key, {
      configurable: true,
      ...(get === undefined ? { value: trip } : { get: trip }),
    });
  }
  return Derived as unknown as C;
}

describe.each([
  ['WeakValueMap', WeakValueMap, 'k', a],
  ['WeakKeyMap', WeakKeyMap, a, 'v'],
] as unknown as [string, typeof WeakKeyMap<object, unknown>, object, unknown][])('%s', (_name, Base, key, value) => {
  it('get() can be built on getOrInsertComputed()', () => {
    class Derived extends Base {
      override get(k: object): unknown {
        return this.getOrInsertComputed(k, () => value);
      }
    }
    expect(new Derived().get(key)).toBe(value);
  });

  it('get() can be built on getOrInsert()', () => {
    class Derived extends Base {
      override get(k: object): unknown {
        return this.getOrInsert(k, value);
      }
    }
    expect(new Derived().get(key)).toBe(value);
  });

  it('set() can be built on getOrInsert()', () => {
    class Derived extends Base {
      override set(k: object, v: unknown): this {
        this.getOrInsert(k, v);
        return this;
      }
    }
    expect(new Derived().set(key, value).get(key)).toBe(value);
  });

  it('has() can be built on get(), and get() on has()', () => {
    class Derived extends Base {
      override has(k: object): boolean {
        return super.get(k) !== undefined;
      }
      override get(k: object): unknown {
        return this.has(k) ? super.get(k) : 'none';
      }
    }
    expect(new Derived([[key, value]]).get(key)).toBe(value);
  });

  it.each(['getOrInsert', 'getOrInsertComputed'] as const)('%s calls nothing that is overridden', (method) => {
    const map = new (tripwired(Base, [method]))();
    const given = (method === 'getOrInsert' ? value : () => value) as never;
    expect(map[method](key, given)).toBe(value);
    expect(map[method](key, given)).toBe(value);
  });

  it('forEach calls nothing that is overridden', () => {
    const map = new (tripwired(Base, ['forEach', 'set']))([[key, value]]);
    const seen: unknown[] = [];
    map.forEach((v, k) => {
      seen.push(k, v);
    });
    expect(seen).toEqual([key, value]);
  });

  it('iterators call nothing that is overridden', () => {
    for (const kind of ['keys', 'values', 'entries'] as const)
      expect([...new (tripwired(Base, [kind, 'set']))([[key, value]])[kind]()]).toHaveLength(1);
  });

  it('inspect calls nothing that is overridden', () => {
    expect(inspect(new (tripwired(Base, ['set']))([[key, value]]))).toContain('=>');
  });

  it('groupBy calls nothing that is overridden', () => {
    const own = Object.getOwnPropertyDescriptor(Base.prototype, 'set') as PropertyDescriptor;
    Object.defineProperty(Base.prototype, 'set', {
      configurable: true,
      writable: true,
      value: () => {
        throw new Error('set was called');
      },
    });
    try {
      expect(Base.groupBy([a, b], () => c).size).toBe(1);
    } finally {
      Object.defineProperty(Base.prototype, 'set', own);
    }
  });

  it('groupBy of a derived class makes a map of the base class, as Map.groupBy', () => {
    class Derived extends Base {}
    expect(Object.getPrototypeOf(Derived.groupBy([a], () => b))).toBe(Base.prototype);
  });

  it('calls a callback as a function, whatever its own call() is', () => {
    const map = new Base([[key, value]]);
    const callback = (): void => {};
    callback.call = () => {
      throw new Error('call was called');
    };
    map.forEach(callback);
  });
});

/** What the two tests below are about, of the built-in as well where it has them. */
const SETS = [['WeakKeySet', WeakKeySet], ...(hasSetMethods ? [['Set', Set]] : [])] as unknown as [
  string,
  typeof WeakKeySet<object>,
][];

describe.each(SETS)('%s', (name, Base) => {
  it.each(SET_METHODS)('%s calls nothing of its receiver that is overridden', (method) => {
    const other = (members: object[]): { size: number; has(v: object): boolean; keys(): Iterator<object> } => ({
      size: members.length,
      has: (v) => members.includes(v),
      keys: () => members.values(),
    });
    const Derived = tripwired(Base, [method, 'add']);
    // Both ways: along the members of the receiver, and along those of the other.
    for (const members of [[], [a], [b, c, { name: 'd' }, { name: 'e' }]]) {
      const result: unknown = new Derived([a, b, c])[method](other(members) as never);
      expect(result).toEqual(new Base([a, b, c])[method](other(members) as never));
    }
  });

  it.each(['union', 'intersection', 'difference', 'symmetricDifference'] as const)(
    '%s makes a set of the base class, and does not call add()',
    (method) => {
      class Derived extends Base {}
      const set = new Derived([a, b]);
      const other = new Set([b, c]);
      const own = Object.getOwnPropertyDescriptor(Base.prototype, 'add') as PropertyDescriptor;
      Object.defineProperty(Base.prototype, 'add', {
        configurable: true,
        writable: true,
        value: () => {
          throw new Error('add was called');
        },
      });
      try {
        expect(Object.getPrototypeOf(set[method](other as never))).toBe(Base.prototype);
      } finally {
        Object.defineProperty(Base.prototype, 'add', own);
      }
    },
  );

  it('forEach and inspect call nothing that is overridden', () => {
    const set = new (tripwired(Base, ['forEach', 'add']))([a]);
    const seen: object[] = [];
    set.forEach((value) => {
      seen.push(value);
    });
    expect(seen).toEqual([a]);
    if (name === 'WeakKeySet') expect(inspect(set)).toContain("{ name: 'a' }");
  });

  it('add(), has() and delete() can be built on one another', () => {
    class Derived extends Base {
      override add(value: object): this {
        return this.has(value) ? this : super.add(value);
      }
      override has(value: object): boolean {
        return super.has(value) || this.isSupersetOf(new Set([value]));
      }
      override delete(value: object): boolean {
        return this.has(value) && super.delete(value);
      }
    }
    const set = new Derived([a]);
    expect([set.has(a), set.delete(a), set.has(a)]).toEqual([true, true, false]);
  });
});
