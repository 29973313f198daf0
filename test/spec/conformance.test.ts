import { inspect } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { installInto, WeakRef as OurRef, FinalizationRegistry as OurRegistry } from '../../lib/spec/index.js';

/*
 * ECMAScript's clauses 26.1 and 26.2, assertion by assertion, without a GC: the same tests for V8's own constructors, for
 * ours, and for those of another realm.
 */

interface Pair {
  readonly WeakRef: WeakRefConstructor;
  readonly FinalizationRegistry: FinalizationRegistryConstructor;
  /** What else there is in their realm. */
  readonly realm: typeof globalThis;
}

function otherRealm(): typeof globalThis {
  return runInContext('globalThis', createContext({})) as typeof globalThis;
}

const foreign = otherRealm();
const pairs: [string, Pair][] = [
  ["V8's", { WeakRef, FinalizationRegistry, realm: globalThis }],
  ['ours', { WeakRef: OurRef, FinalizationRegistry: OurRegistry, realm: globalThis }],
  ['ours in another realm', { ...installInto(foreign), realm: foreign }],
];

const noop = (): void => undefined;
const SYMBOL = Symbol('not registered');
const HELD_WEAKLY: [string, () => WeakKey][] = [
  ['an object', () => ({})],
  ['an array', () => []],
  ['a function', () => noop],
  ['a class', () => class {}],
  ['a proxy', () => new Proxy({}, {})],
  ['a frozen object', () => Object.freeze({})],
  ['a symbol', () => SYMBOL],
  ['a well-known symbol', () => Symbol.hasInstance],
  ['an object of another realm', () => runInContext('({})', createContext({})) as object],
];
const NOT_HELD_WEAKLY: [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['true', true],
  ['a number', 1],
  ['a string', 'text'],
  ['a bigint', 1n],
  ['a registered symbol', Symbol.for('weakly.test')],
];

function expectDescriptor(object: object, key: PropertyKey, expected: PropertyDescriptor): void {
  expect(Object.getOwnPropertyDescriptor(object, key)).toEqual(expected);
}

function expectMethod(prototype: object, name: string, length: number): void {
  const method = Reflect.get(prototype, name) as (...args: unknown[]) => unknown;
  expectDescriptor(prototype, name, { value: method, writable: true, enumerable: false, configurable: true });
  expectDescriptor(method, 'length', { value: length, writable: false, enumerable: false, configurable: true });
  expectDescriptor(method, 'name', { value: name, writable: false, enumerable: false, configurable: true });
  expect(Object.hasOwn(method, 'prototype')).toBe(false);
  expect(() => Reflect.construct(Object, [], method)).toThrow(TypeError); // no constructor
}

describe.each(pairs)('%s', (_, pair) => {
  const { realm } = pair;

  describe.each(['WeakRef', 'FinalizationRegistry'] as const)('%s', (name) => {
    const Constructor = pair[name] as unknown as new (argument: unknown) => object;
    const argument = name === 'WeakRef' ? {} : noop;
    const bad: [string, unknown][] =
      name === 'WeakRef' ? NOT_HELD_WEAKLY : [...NOT_HELD_WEAKLY, ['an object that cannot be called', {}]];

    it('is a constructor of its realm, with name, length and prototype as specified', () => {
      expect(typeof Constructor).toBe('function');
      expect(Object.getPrototypeOf(Constructor)).toBe(realm.Function.prototype);
      expectDescriptor(Constructor, 'length', { value: 1, writable: false, enumerable: false, configurable: true });
      expectDescriptor(Constructor, 'name', { value: name, writable: false, enumerable: false, configurable: true });
      const { prototype } = Constructor;
      expectDescriptor(Constructor, 'prototype', {
        value: prototype,
        writable: false,
        enumerable: false,
        configurable: false,
      });
      expect(Reflect.ownKeys(Constructor).sort()).toEqual(['length', 'name', 'prototype']);
      expect(() => Reflect.construct(Object, [], Constructor)).not.toThrow();
    });

    it('has a prototype that is an ordinary object, with constructor and tag', () => {
      const { prototype } = Constructor;
      expect(Object.getPrototypeOf(prototype)).toBe(realm.Object.prototype);
      expectDescriptor(prototype, 'constructor', {
        value: Constructor,
        writable: true,
        enumerable: false,
        configurable: true,
      });
      expectDescriptor(prototype, Symbol.toStringTag, {
        value: name,
        writable: false,
        enumerable: false,
        configurable: true,
      });
      expect(Object.prototype.toString.call(prototype)).toBe(`[object ${name}]`);
      const methods = name === 'WeakRef' ? ['deref'] : ['register', 'unregister'];
      expect(Reflect.ownKeys(prototype)).toEqual(
        expect.arrayContaining(['constructor', Symbol.toStringTag, ...methods]),
      );
      // Ours have one thing more, for console.log.
      expect(Object.keys(Object.getOwnPropertyDescriptors(prototype)).length).toBe(methods.length + 1);
      expect(Object.getOwnPropertySymbols(prototype).filter((symbol) => symbol !== inspect.custom)).toEqual([
        Symbol.toStringTag,
      ]);
      expect(Object.getOwnPropertyDescriptor(prototype, inspect.custom)?.enumerable ?? false).toBe(false);
    });

    it('throws a TypeError of its realm when called without new', () => {
      for (const receiver of [undefined, {}, Constructor.prototype])
        expect(() => Reflect.apply(Constructor, receiver, [argument])).toThrow(realm.TypeError);
    });

    it.each(bad)('throws a TypeError of its realm for %s', (_unused, value) => {
      expect(() => new Constructor(value)).toThrow(realm.TypeError);
    });

    it('checks its argument before it asks for the prototype', () => {
      let asked = 0;
      const newTarget = new Proxy(function target() {}, {
        get: (target, key, receiver) => {
          if (key === 'prototype') asked++;
          return Reflect.get(target, key, receiver);
        },
      });
      expect(() => Reflect.construct(Constructor, [1], newTarget)).toThrow(realm.TypeError);
      expect(asked).toBe(0);
      Reflect.construct(Constructor, [argument], newTarget);
      expect(asked).toBe(1);
    });

    it('makes extensible objects, a new one each time, without properties', () => {
      const made = new Constructor(argument);
      expect(made).not.toBe(new Constructor(argument));
      expect(Object.getPrototypeOf(made)).toBe(Constructor.prototype);
      expect(made).toBeInstanceOf(Constructor);
      expect(Object.isExtensible(made)).toBe(true);
      expect(Reflect.ownKeys(made)).toEqual([]);
    });

    it('takes its prototype from newTarget', () => {
      const prototype = {};
      const newTarget = Object.assign(function target() {}, { prototype });
      expect(Object.getPrototypeOf(Reflect.construct(Constructor, [argument], newTarget))).toBe(prototype);
      expect(Object.getPrototypeOf(Reflect.construct(Constructor, [argument], Array))).toBe(Array.prototype);
    });

    it('passes on what a getter of newTarget.prototype throws', () => {
      const thrown = new Error('thrown on purpose');
      const newTarget = Object.defineProperty((() => {}).bind(undefined), 'prototype', {
        get() {
          throw thrown;
        },
      });
      const constructible = new Proxy(class {}, { get: (_target, key) => Reflect.get(newTarget, key) });
      expect(() => Reflect.construct(Constructor, [argument], constructible)).toThrow(thrown);
    });

    it.each([undefined, null, 'text', 1, 1n, true, Symbol('s')])(
      'falls back on its own for a newTarget.prototype of %s',
      (value) => {
        const newTarget = new realm.Function() as unknown as { prototype: unknown };
        newTarget.prototype = value;
        expect(Object.getPrototypeOf(Reflect.construct(Constructor, [argument], newTarget as never))).toBe(
          Constructor.prototype,
        );
      },
    );

    it('can be derived from', () => {
      class Derived extends Constructor {
        more = 1;
      }
      const made = new Derived(argument);
      expect(made).toBeInstanceOf(Constructor);
      expect(made.more).toBe(1);
      expect(Object.getPrototypeOf(made)).toBe(Derived.prototype);
    });
  });

  describe('WeakRef.prototype.deref', () => {
    const { WeakRef: Ref } = pair;

    it('is a method without parameters', () => expectMethod(Ref.prototype, 'deref', 0));

    it.each(HELD_WEAKLY)('gives %s', (_unused, make) => {
      const target = make();
      const ref = new Ref(target);
      expect(ref.deref()).toBe(target);
      expect(ref.deref()).toBe(target);
    });

    it('throws a TypeError of its realm for anything but a WeakRef', () => {
      for (const value of [
        undefined,
        null,
        1,
        'text',
        Symbol('s'),
        {},
        [],
        Ref,
        Ref.prototype,
        Object.create(new Ref({})),
        new Proxy(new Ref({}), {}),
        new pair.FinalizationRegistry(noop),
        new WeakMap(),
      ])
        expect(() => Reflect.apply(Ref.prototype.deref, value, [])).toThrow(realm.TypeError);
    });
  });

  describe('FinalizationRegistry.prototype', () => {
    const { FinalizationRegistry: Registry } = pair;
    const { prototype } = Registry;

    it('register has two parameters, unregister one', () => {
      expectMethod(prototype, 'register', 2);
      expectMethod(prototype, 'unregister', 1);
    });

    it.each(HELD_WEAKLY)('registers %s as target and as token, and returns undefined', (_unused, make) => {
      const registry = new Registry(noop);
      const target = make();
      expect(registry.register(target, 1)).toBeUndefined();
      expect(registry.register(target, 1, undefined)).toBeUndefined();
      expect(registry.register(target, 1, target)).toBeUndefined();
      expect(registry.unregister(target)).toBe(true);
      expect(registry.unregister(target)).toBe(false);
    });

    it.each<[string, unknown]>([
      ...NOT_HELD_WEAKLY,
      ...HELD_WEAKLY.map(([name, make]): [string, unknown] => [name, make()]),
    ])('holds %s', (_unused, held) => {
      expect(new Registry(noop).register({}, held)).toBeUndefined();
    });

    it('the registry itself, its token and what is held may be one', () => {
      const registry = new Registry(noop);
      expect(registry.register(registry, 1, registry)).toBeUndefined();
      const token = {};
      expect(registry.register({}, token, token)).toBeUndefined();
      expect(registry.unregister(token)).toBe(true);
    });

    it.each(NOT_HELD_WEAKLY)('refuses %s as a target and as a token', (_unused, value) => {
      const registry = new Registry(noop);
      expect(() => registry.register(value as never, 1)).toThrow(realm.TypeError);
      expect(() => registry.unregister(value as never)).toThrow(realm.TypeError);
      if (value !== undefined) expect(() => registry.register({}, 1, value as never)).toThrow(realm.TypeError);
    });

    it('refuses to hold the target', () => {
      const registry = new Registry(noop);
      for (const target of [{}, noop, SYMBOL])
        expect(() => registry.register(target, target as never)).toThrow(realm.TypeError);
    });

    it('unregister removes all registrations of a token, and no others', () => {
      const registry = new Registry(noop);
      const [token, other] = [{}, Symbol('other')];
      const target = {};
      for (let i = 0; i < 3; i++) registry.register(target, i, token);
      registry.register(target, 3, other);
      registry.register(target, 4);
      expect(new Registry(noop).unregister(token)).toBe(false);
      expect([registry.unregister(token), registry.unregister(token)]).toEqual([true, false]);
      expect([registry.unregister(other), registry.unregister(other)]).toEqual([true, false]);
    });

    it.each(['register', 'unregister'] as const)('%s throws a TypeError of its realm for anything else', (name) => {
      for (const value of [
        undefined,
        null,
        1,
        {},
        [],
        Registry,
        prototype,
        new Proxy(new Registry(noop), {}),
        new pair.WeakRef({}),
      ])
        expect(() => Reflect.apply(prototype[name], value, [{}, 1, {}])).toThrow(realm.TypeError);
    });

    it('checks the receiver before the arguments', () => {
      expect(() => Reflect.apply(prototype.register, {}, [1])).toThrow(
        /this|receiver|incompatible|FinalizationRegistry/i,
      );
    });

    it('does not touch a callback that is a proxy with traps', () => {
      const touched: unknown[] = [];
      const handler = new Proxy({}, { get: (_target, trap) => void touched.push(trap) });
      expect(() => new Registry(new Proxy(noop, handler))).not.toThrow();
      expect(touched).toEqual([]);
    });
  });
});

describe('realms', () => {
  it('objects of one realm work with the methods of another', () => {
    const { WeakRef: Foreign, FinalizationRegistry: ForeignRegistry } = installInto(otherRealm());
    const target = {};
    expect(Reflect.apply(OurRef.prototype.deref, new Foreign(target), [])).toBe(target);
    expect(Reflect.apply(Foreign.prototype.deref, new OurRef(target), [])).toBe(target);
    const registry = new ForeignRegistry(noop);
    Reflect.apply(OurRegistry.prototype.register, registry, [target, 1, target]);
    expect(registry.unregister(target)).toBe(true);
  });

  it('a newTarget of another realm without a prototype gets that realm’s', () => {
    const realm = otherRealm();
    const theirs = installInto(realm);
    const newTarget = new realm.Function() as unknown as { prototype: unknown };
    newTarget.prototype = null;
    for (const name of ['WeakRef', 'FinalizationRegistry'] as const) {
      const Ours = name === 'WeakRef' ? OurRef : OurRegistry;
      const made = Reflect.construct(Ours as never, [noop], newTarget as never) as object;
      expect(Object.getPrototypeOf(made)).toBe(theirs[name].prototype);
      const bound = (newTarget as never as () => void).bind(undefined);
      expect(Object.getPrototypeOf(Reflect.construct(Ours as never, [noop], bound))).toBe(theirs[name].prototype);
    }
  });

  it('a revoked proxy has no realm', () => {
    const { proxy, revoke } = Proxy.revocable(class {}, {});
    revoke();
    expect(() => Reflect.construct(OurRef, [{}], proxy)).toThrow(TypeError);
  });

  it('installInto refuses what only has the constructors of a global object', () => {
    const nearly = { Object, Function };
    expect(() => installInto(nearly)).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_ARGUMENT' }));
    expect(Object.keys(nearly)).toEqual(['Object', 'Function']);
  });

  it.each(['WeakRef', 'FinalizationRegistry'])('installInto changes nothing where %s is fixed', (name) => {
    const realm = otherRealm() as unknown as Record<string, unknown>;
    Object.defineProperty(realm, name, { writable: false, configurable: false });
    const before = [realm.WeakRef, realm.FinalizationRegistry];
    expect(() => installInto(realm)).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_REALM' }));
    expect([realm.WeakRef, realm.FinalizationRegistry]).toEqual(before);
  });

  it('installInto makes writable, hidden globals, the same ones each time', () => {
    const realm = otherRealm();
    const before = realm.WeakRef;
    const installed = installInto(realm);
    for (const name of ['WeakRef', 'FinalizationRegistry'] as const)
      expectDescriptor(realm, name, { value: installed[name], writable: true, enumerable: false, configurable: true });
    expect(realm.WeakRef).not.toBe(before);
    expect(installInto(realm)).toEqual(installed);
    expect(installInto(realm).WeakRef).toBe(installed.WeakRef);
    expect(runInContext('new WeakRef(globalThis).deref() === globalThis', createContext({}))).toBe(true);
  });

  it.each([undefined, null, 1, 'global', {}, () => 1, { Object: 1 }])(
    'installInto(%s) throws ERR_WEAKLY_ARGUMENT',
    (bad) => {
      expect(() => installInto(bad as never)).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_ARGUMENT' }));
    },
  );

  it('where one of the two cannot be replaced, it throws ERR_WEAKLY_REALM and replaces neither', () => {
    const realm = otherRealm() as { WeakRef: unknown };
    const before = realm.WeakRef;
    // Writable still: what installInto() defines is configurable.
    Object.defineProperty(realm, 'FinalizationRegistry', { configurable: false });
    expect(() => installInto(realm)).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_REALM' }));
    expect(realm.WeakRef).toBe(before);
  });

  it('where no code can be made from text, and where globals are frozen, it throws ERR_WEAKLY_REALM', () => {
    const refused = expect.objectContaining({ code: 'ERR_WEAKLY_REALM' });
    const strict = createContext({}, { codeGeneration: { strings: false, wasm: true } });
    expect(() => installInto(runInContext('globalThis', strict) as object)).toThrow(refused);
    const frozen = otherRealm();
    Object.defineProperty(frozen, 'WeakRef', { configurable: false, writable: false });
    expect(() => installInto(frozen)).toThrow(refused);
  });

  it('errors have codes as well', () => {
    expect(() => new OurRef(1 as never)).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_TARGET' }));
    expect(() => new OurRegistry(1 as never)).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_CALLBACK' }));
    const target = {};
    expect(() => new OurRegistry(noop).register(target, target)).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_CLEANUP_HOLDS_TARGET' }),
    );
    expect(() => Reflect.apply(OurRef.prototype.deref, {}, [])).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_RECEIVER' }),
    );
  });
});
