import { createSocket } from 'node:dgram';
import { inspect, types } from 'node:util';
import { describe, expect, it } from 'vitest';
import { finalizable, setFinalizer } from '../../lib/index.js';
import { away, gcUntil } from '../support/gc.js';
import { Chain, selfArray } from '../support/self-holding.js';

/* What goes into a stand-in, what its functions are, and the table of what it cannot do (docs/cleanups.md). */

const idle = (): void => undefined;

describe('what is defined on a stand-in', () => {
  it('as a function that is fixed is refused with a code, and changes nothing', () => {
    const raw: { run?: unknown } = {};
    const standIn = finalizable(raw, idle);
    const define = (more: PropertyDescriptor): unknown =>
      Object.defineProperty(standIn, 'run', { value: () => 7, ...more });
    expect(() => define({})).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_STAND_IN' }));
    expect(Object.hasOwn(raw, 'run')).toBe(false);
    for (const more of [{ configurable: true }, { writable: true, configurable: true }, { enumerable: true }]) {
      define(more);
      expect((standIn.run as () => number)()).toBe(7);
    }
  });

  it('and has gone from a target that is closed is not in it any more', () => {
    const standIn = finalizable([1, 2, 3], idle);
    Object.preventExtensions(standIn);
    expect(standIn.pop()).toBe(3);
    expect(2 in standIn).toBe(false);
    expect(1 in standIn).toBe(true);
  });
});

describe('what goes into a stand-in', () => {
  it('does not make a target hold its stand-in, by assignment', () => {
    const raw: { self?: unknown } = {};
    const standIn = finalizable(raw, idle);
    standIn.self = standIn;
    expect(raw.self === raw).toBe(true);
  });

  it('does not keep it from being finalized, where it is the stand-in itself', async () => {
    let finalized = 0;
    away(() => {
      const standIn = finalizable({ self: undefined as unknown, list: [] as unknown[], all: new Set() }, () => {
        finalized++;
      });
      standIn.self = standIn;
      const list = finalizable([] as unknown[], () => {
        finalized++;
      });
      list.push(list);
    });
    await gcUntil(() => finalized === 2, 'both are finalized');
  });

  it('does not make a target hold its stand-in, by definition', () => {
    const raw: { self?: unknown } = {};
    Object.defineProperty(finalizable(raw, idle), 'self', { value: 0, configurable: true });
    const other: { self?: unknown } = {};
    const standIn = finalizable(other, idle);
    Object.defineProperty(standIn, 'self', { value: standIn });
    expect(other.self === other).toBe(true);
  });

  it('does not make a target hold its stand-in, by a method', () => {
    const raw = new Set<unknown>();
    const standIn = finalizable(raw, idle);
    standIn.add(standIn);
    expect(raw.has(raw)).toBe(true);
    expect(standIn.has(standIn)).toBe(true);
  });

  it('is equal to this in a method', () => {
    const standIn = finalizable(new Chain(), idle);
    expect(standIn.is(standIn)).toBe(true);
    expect(standIn.has(standIn)).toBe(true);
  });

  it('is found by includes and indexOf of an array that holds itself', () => {
    const standIn = finalizable(selfArray(), idle);
    expect(standIn.includes(standIn)).toBe(true);
    expect(standIn.indexOf(standIn)).toBe(0);
  });
});

/** As Node.js itself loads it: vitest replaces import.meta. */
const modular = (await import(
  `data:text/javascript,${encodeURIComponent(`
    export function string() { return [import.meta.url + '#id', this][1]; }
    export function written() { Object(import . meta).id = '#id'; return this; }
    export class Located {
      #value = 7;
      read = function () { return [this.#value, typeof import.meta.url]; };
    }
  `)}`
)) as {
  string(this: unknown): unknown;
  written(this: unknown): unknown;
  Located: new () => { read(): unknown };
};

describe('functions read from a stand-in', () => {
  class Port {
    #onmessage: unknown;
    set onmessage(value: unknown) {
      this.#onmessage = value;
    }
    get onmessage(): unknown {
      return this.#onmessage;
    }
  }

  it('are those that an accessor was given', () => {
    const port = finalizable(new Port(), idle);
    const listener = (): void => undefined;
    port.onmessage = listener;
    expect(port.onmessage).toBe(listener);
  });

  it('are those that an accessor was given before', () => {
    const raw = new Port();
    function listener(): void {}
    raw.onmessage = listener;
    expect(finalizable(raw, idle).onmessage).toBe(listener);
  });

  it('are those that were assigned', () => {
    const listener = (): void => undefined;
    const target = finalizable({} as { onmessage?: unknown }, idle);
    target.onmessage = listener;
    expect(target.onmessage).toBe(listener);
    expect(Object.getOwnPropertyDescriptor(target, 'onmessage')?.value).toBe(listener);
  });

  it('are arrow functions of other classes, whatever those read', () => {
    class Owner {
      #name = 'x';
      readonly listener = (): string => this.#name;
    }
    const { listener } = new Owner();
    const target = finalizable({ onmessage: listener }, idle);
    expect(target.onmessage).toBe(listener);
    expect(target.onmessage()).toBe('x');
  });

  it.each<[string, (this: unknown) => unknown]>([
    ['a comment', function (this: unknown) { return this; /* see #issue */ }],
    ['a string', function (this: unknown) { return ['#fff', this][1]; }],
    ['a method', { run(this: unknown) { return ['#fff', this][1]; } }.run],
    ['a string that says eval', function (this: unknown) { return ['#evaluate, #medieval', this][1]; }],
    ['a module', modular.string],
    ['a module that is written to', modular.written],
  ])('are those that were assigned, whatever looks like a private name in %s', (_what, fn) => {
    const standIn = finalizable({} as { run?: typeof fn }, idle);
    standIn.run = fn;
    expect(standIn.run === fn).toBe(true);
    expect(standIn.run() === standIn).toBe(true);
    Object.defineProperty(standIn, 'fixed', { value: fn, enumerable: true });
    expect(Reflect.get(standIn, 'fixed') === fn).toBe(true);
  }); // biome-ignore format: a table

  it('that are called async, and are no arrow functions, are as methods', async () => {
    class Later {
      #value = 7;
      constructor() {
        Object.assign(this, { async(this: Later) { return this.#value; }, arrow: async () => this.#value }); // biome-ignore format: one line
      }
    }
    const standIn = finalizable(new Later(), idle) as unknown as { async(): number; arrow(): Promise<number> };
    expect([standIn.async(), await standIn.arrow()]).toEqual([7, 7]);
  });

  it('that read private fields and import.meta are as methods', () => {
    expect(finalizable(new modular.Located(), idle).read()).toEqual([7, 'string']);
  });

  it('that write the first letter of a private name as an escape are as methods', () => {
    // TypeScript writes it out.
    const Escaped = Function(
      'return class { #d = 7; constructor() { this.read = function () { return this.#\\u0064; }; } }',
    )() as new () => { read(): number };
    expect(finalizable(new Escaped(), idle).read()).toBe(7);
  });

  it('read at the end of the stack throw what V8 throws there, and are the same afterwards', () => {
    const fn = function (this: unknown): unknown {
      return ['#fff', this][1];
    };
    const errors = new Set<string>();
    const standIns = Array.from({ length: 300 }, () => finalizable({ run: fn.bind(null), fn }, idle));
    let at = 0;
    const descend = (): void => {
      try {
        descend();
      } catch {
        // From here on every frame has a little more room.
      }
      if (at >= standIns.length) return;
      try {
        Reflect.get(standIns[at++] as object, 'fn');
      } catch (error) {
        errors.add((error as Error).name);
      }
    };
    descend();
    expect([...errors].filter((name) => name !== 'RangeError')).toEqual([]);
    for (const standIn of standIns) expect(standIn.fn === fn).toBe(true);
  });

  it('that name private fields in an eval() only are as methods', () => {
    class Hidden {
      #value = 7;
      readonly read: () => number;
      constructor() {
        this.read = function (this: Hidden): number {
          // biome-ignore lint/security/noGlobalEval: what is tested
          return eval('this.#value');
        };
      }
      get value(): number {
        return this.#value;
      }
    }
    const standIn = finalizable(new Hidden(), idle);
    expect([standIn.read(), standIn.value]).toEqual([7, 7]);
  });

  it('that were frozen work: methods and generators', () => {
    class Vault {
      #value = 1;
      read(): number {
        return this.#value;
      }
      *each(): Generator<number> {
        yield this.#value;
      }
    }
    Object.freeze(Vault.prototype.read);
    Object.freeze(Vault.prototype.each);
    const standIn = finalizable(new Vault(), idle);
    expect([standIn.read(), ...standIn.each()]).toEqual([1, 1]);
  });

  it('isPrototypeOf() knows the heirs of the stand-in, and of its target', () => {
    class Base {}
    const standIn = finalizable(Base, idle);
    class Heir extends standIn {}
    class Other extends Base {}
    const { isPrototypeOf: is } = standIn;
    expect([Heir, Other, {}].map((value) => Reflect.apply(is, standIn, [value]))).toEqual([true, true, false]);
  });

  it('are classes as they are, on a prototype too', () => {
    class Model {}
    class Base {}
    Object.assign(Base.prototype, { Model });
    expect((finalizable(new Base(), idle) as { Model?: unknown }).Model).toBe(Model);
  });

  it.each([false, true])('that are own and read private fields work (fixed: %s)', (fixed) => {
    class Counter {
      #count = 0;
      readonly next: () => number;
      constructor() {
        this.next = function (this: Counter): number {
          return ++this.#count;
        };
        if (fixed) Object.freeze(this);
      }
    }
    const counter = finalizable(new Counter(), idle);
    expect(Object.isFrozen(counter)).toBe(fixed);
    expect(Object.getOwnPropertyDescriptor(counter, 'next')?.value).toBe(counter.next);
    expect(counter.next()).toBe(1);
    expect(counter.next).toBe(counter.next);
  });

  it('that are static and read private fields work', () => {
    class Registry {
      readonly made = true;
      static #count = 0;
      static add(): number {
        return ++Registry.#count;
      }
      static addHere(): number {
        // biome-ignore lint/complexity/noThisInStatic: what is tested
        return ++this.#count;
      }
      static #hidden(): string {
        return 'hidden';
      }
      static call(): string {
        // biome-ignore lint/complexity/noThisInStatic: what is tested
        return this.#hidden();
      }
    }
    const standIn = finalizable(Registry, idle);
    expect(standIn.add()).toBe(1);
    expect(standIn.addHere()).toBe(2);
    expect(standIn.call()).toBe('hidden');
  });
});

describe('a stand-in whose target is sealed or frozen', () => {
  it('forgets a property that was deleted through it', () => {
    const standIn = finalizable({ a: 1, b: 2 } as { a?: number; b?: number }, idle);
    Object.preventExtensions(standIn);
    expect(delete standIn.a).toBe(true);
    expect(Object.keys(standIn)).toEqual(['b']);
    expect('a' in standIn).toBe(false);
  });

  it('forgets a property that its target has deleted', () => {
    const raw: { a?: number; b?: number } = { a: 1, b: 2 };
    const standIn = finalizable(raw, idle);
    Object.preventExtensions(standIn);
    delete raw.a;
    expect(Object.getOwnPropertyDescriptor(standIn, 'a')).toBeUndefined();
    expect('a' in standIn).toBe(false);
    delete raw.b;
    expect(Reflect.ownKeys(standIn)).toEqual([]);
  });

  it('tells what its target has been frozen to since', () => {
    const raw = { a: 1 };
    const standIn = finalizable(raw, idle);
    Object.preventExtensions(standIn);
    Object.freeze(raw);
    expect(Object.isFrozen(standIn)).toBe(true);
    expect(standIn.a).toBe(1);
  });
});

describe('a stand-in of a class', () => {
  class Loud {
    static readonly kind = 'loud';
    static get name(): string {
      throw new Error('name was read');
    }
    static get length(): number {
      throw new Error('length was read');
    }
    value = 1;
  }

  it('is made, and works, whatever its static accessors throw', () => {
    const standIn = finalizable(Loud, idle);
    expect([standIn.kind, new standIn().value, typeof standIn]).toEqual(['loud', 1, 'function']);
    expect(() => standIn.length).toThrow('length was read');
    expect(standIn.prototype).toBe(Loud.prototype);
  });

  it('whose construction is a trap does not run it', () => {
    let runs = 0;
    const construct = (): object => ({ runs: ++runs });
    const standIn = finalizable(new Proxy(Loud, { construct }), idle);
    expect(runs).toBe(0);
    expect(new standIn()).toEqual({ runs: 1 });
  });

  it.each<[string, () => unknown, boolean]>([
    ['an arrow function', () => 1, false],
    ['an async function', async () => 1, false],
    ['a method', { run: () => 1 }.run, false],
    ['a built-in function', Math.max as () => unknown, false],
    ['a function', function f() {}, true],
    ['a class', class {} as unknown as () => unknown, true],
    ['a built-in class', Map as unknown as () => unknown, true],
    ['a bound class', Map.bind(undefined) as unknown as () => unknown, true],
  ])('or of a function is a constructor if that is one: %s', (_what, fn, constructs) => {
    const construct = (): unknown => Reflect.construct(Object, [], finalizable(fn, idle));
    if (constructs) expect(typeof construct()).toBe('object');
    else expect(construct).toThrow(TypeError);
  });
});

describe('a stand-in of a function', () => {
  it.each<[string, (standIn: () => unknown) => unknown]>([
    ['by itself', (standIn) => standIn()],
    ['by map()', (standIn) => [1].map(standIn)[0]],
    ['by call()', (standIn) => standIn.call(undefined)],
    ['by bind()', (standIn) => standIn.bind(undefined)()],
    ['by Reflect.apply()', (standIn) => Reflect.apply(standIn, undefined, [])],
  ])('called %s with no `this` has none', (_how, call) => {
    const target = function (this: unknown): unknown {
      return this;
    };
    expect(call(finalizable(target, idle))).toBeUndefined();
    expect(call(finalizable(new Function('return this') as () => unknown, idle)) === globalThis).toBe(true);
  });

  it('whose name is an accessor throws what it throws', () => {
    const target = Object.defineProperty(
      () => {
        throw new Error('mine');
      },
      'name',
      { get: () => expect.unreachable() },
    );
    expect(finalizable(target, idle)).toThrow('mine');
  });
});

describe('a stand-in of what is native', () => {
  it('has its methods called on the target, whatever built-in of another kind has their name', () => {
    const [sockets, symbols] = [createSocket('udp4'), Object.getOwnPropertySymbols];
    const state = symbols(sockets).find(({ description }) => description === 'state symbol') as symbol;
    const { handle } = Reflect.get(sockets, state) as { handle: { bind(...args: unknown[]): number } };
    expect(finalizable(handle, idle).bind('127.0.0.1', 0, 0)).toBe(0);
    sockets.close();
  });

  it("gives iterators of typed arrays and of an array's places as they are", () => {
    const [bytes, list] = [finalizable(new Uint8Array([1, 2]), idle), finalizable(['a', 'b'], idle)];
    for (const iterator of [bytes.values(), bytes.entries(), bytes.keys(), list.keys()])
      expect(Object.hasOwn(iterator, 'next')).toBe(false);
    expect([...bytes, ...list.keys()]).toEqual([1, 2, 0, 1]);
  });
});

describe('a stand-in that is in its own collection', () => {
  it('is what set methods give, ask another set for, and find in it', () => {
    const set = finalizable(new Set<unknown>(), idle);
    set.add(set).add(1);
    expect(set.has(set)).toBe(true);
    // Node.js 22 and later have them.
    const { union, intersection, isSubsetOf } = Set.prototype as unknown as Record<string, typeof Set.prototype.has>;
    const call = (method: typeof Set.prototype.has | undefined, other: unknown): unknown =>
      method === undefined ? undefined : Reflect.get(set, method.name).call(set, other);
    const asked: unknown[] = [];
    const other = { size: 9, has: (value: unknown) => asked.push(value) > 0, keys: () => [][Symbol.iterator]() };
    const subset = call(isSubsetOf, other);
    if (subset === undefined) return expect(union).toBeUndefined();
    expect(asked.map((value) => value === set)).toEqual([true, false]);
    expect([...(call(union, new Set([2])) as Set<unknown>)].map((value) => value === set)).toEqual([
      true,
      false,
      false,
    ]);
    expect((call(intersection, new Set([set])) as Set<unknown>).has(set)).toBe(true);
  });

  it('is what getOrInsertComputed() passes, keeps and gives', () => {
    const map = finalizable(new Map<unknown, unknown>(), idle);
    type Compute = (key: unknown, make: (key: unknown) => unknown) => unknown;
    // Node.js 26 has it; before, this does what is checked of it.
    const computed =
      (map as unknown as { getOrInsertComputed?: Compute }).getOrInsertComputed ??
      ((key, make) => map.set(key, make(key)).get(key));
    const keys: unknown[] = [];
    const made = Reflect.apply(computed, map, [map, (key: unknown) => keys.push(key) && map]);
    expect([keys[0] === map, made === map, map.get(map) === map]).toEqual([true, true, true]);
  });
});

describe('what a stand-in cannot do', () => {
  class Secret {
    #value: number;
    constructor(value: number) {
      this.#value = value;
    }
    get value(): number {
      return this.#value;
    }
    equals(other: Secret): boolean {
      return this.#value === other.#value;
    }
    isLike(other: Secret): boolean {
      return #value in other && this.#value === other.#value;
    }
    sameAs(other: Secret): boolean {
      return this.#value === other.value;
    }
  }

  it('refuses with a code to have its private fields read by another', () => {
    const [a, b] = [finalizable(new Secret(1), idle), finalizable(new Secret(1), idle)];
    expect(() => a.equals(b)).toThrow(
      expect.objectContaining({
        code: 'ERR_WEAKLY_STAND_IN',
        message: expect.stringContaining('equals(): argument 0 is a stand-in'),
        cause: expect.any(TypeError),
      }),
    );
  });

  it('is not seen by #field in', () => {
    const [a, b] = [finalizable(new Secret(1), idle), finalizable(new Secret(1), idle)];
    expect(a.isLike(b)).toBe(false);
    expect(a.sameAs(b)).toBe(true); // the line to write instead
  });

  it("leaves a method's own TypeErrors alone", () => {
    class Own {
      fail(_other: unknown): never {
        throw new TypeError('mine');
      }
    }
    const standIn = finalizable(new Own(), idle);
    expect(() => standIn.fail(finalizable({}, idle))).toThrow(expect.not.objectContaining({ code: expect.anything() }));
  });

  it('shows a frozen Map as an empty one, as the docs say', () => {
    const standIn = Object.freeze(finalizable(new Map([[1, 2]]), idle));
    expect(inspect(standIn)).toContain('Map');
    expect(standIn.get(1)).toBe(2);
  });

  it('refuses a revoked proxy with a code', () => {
    for (const target of [{}, [], () => 1, class {}]) {
      const { proxy, revoke } = Proxy.revocable(target as object, {});
      revoke();
      expect(() => finalizable(proxy, idle)).toThrow(
        expect.objectContaining({ code: 'ERR_WEAKLY_TARGET', message: expect.stringContaining('revoked proxy') }),
      );
    }
  });

  it('a revoked proxy that was refused has no finalizer waiting', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    const standIn = finalizable(proxy, idle);
    revoke();
    expect(() => (standIn as { a?: number }).a).toThrow(TypeError);
    expect(() => setFinalizer(standIn, null)).not.toThrow();
  });

  it('an arrow function in its target has the target, as the docs say', () => {
    class Closure {
      readonly self = (): this => this;
    }
    const raw = new Closure();
    expect(finalizable(raw, idle).self() === raw).toBe(true);
  });

  it('a listener is called on the target, as the docs say', () => {
    class Target extends EventTarget {}
    const raw = new Target();
    const standIn = finalizable(raw, idle);
    let seen: unknown;
    standIn.addEventListener('x', (event) => {
      seen = event.target;
    });
    standIn.dispatchEvent(new Event('x'));
    expect(seen === raw).toBe(true);
  });

  it('promises that a property holds are handed out as they are', () => {
    const promise = Promise.resolve(1);
    const standIn = finalizable({ promise, get: () => promise }, idle);
    expect(standIn.promise).toBe(promise);
    expect(standIn.get()).toBe(promise);
  });

  it('async methods give promises, and generators their iterators', () => {
    const standIn = finalizable(new Chain(), idle);
    expect(types.isPromise(standIn.later())).toBe(true);
    expect(standIn.each()[Symbol.iterator]()).toBeInstanceOf(Object);
    expect(Object.prototype.toString.call(standIn.each())).toBe('[object Generator]');
  });
});
