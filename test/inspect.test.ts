import { inspect, stripVTControlCharacters } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { Unique, unique, WeakCache, WeakKeyMap, WeakKeySet, WeakValueMap } from '../lib/collections/index.js';
import { addCleanup, type Field, finalizable, make, makeField, queue } from '../lib/index.js';
import { installInto, WeakRef as OurRef, FinalizationRegistry as OurRegistry } from '../lib/spec/index.js';
import { away, gcNowUntil } from './support/gc.js';

/*
 * util.inspect is the judge: whatever it makes of a built-in is what it is to make of ours, but for the name.
 */

const idle = (): void => undefined;

interface Twin {
  readonly name: string;
  /** Ours with these contents, and the built-in that looks like it. */
  make(items: readonly object[]): { ours: object; builtIn: Map<unknown, unknown> | Set<unknown> };
}

const TWINS: readonly Twin[] = [
  {
    name: 'WeakValueMap',
    make: (items) => {
      const pairs = items.map((item, i) => [`key ${i}`, item] as const);
      return { ours: new WeakValueMap(pairs), builtIn: new Map(pairs) };
    },
  },
  {
    name: 'WeakKeyMap',
    make: (items) => {
      const pairs = items.map((item, i) => [item, i] as const);
      return { ours: new WeakKeyMap(pairs), builtIn: new Map(pairs) };
    },
  },
  {
    name: 'WeakKeySet',
    make: (items) => ({ ours: new WeakKeySet(items), builtIn: new Set(items) }),
  },
];

const OPTIONS = [
  {},
  { depth: 0 },
  { depth: 1 },
  { depth: null },
  { depth: Number.POSITIVE_INFINITY },
  { colors: true },
  { compact: true },
  { compact: false },
  { compact: 1 },
  { sorted: true },
  { maxArrayLength: 1 },
  { maxArrayLength: null },
  { maxStringLength: 2 },
  { breakLength: 20 },
  { breakLength: Number.POSITIVE_INFINITY },
  { numericSeparator: true },
  { getters: true },
] as const;

describe.each(TWINS)('inspect of a $name', ({ name, make: twin }) => {
  const items = [
    { id: 12345, text: 'some text', deep: { deeper: { deepest: { end: true } } } },
    { list: [3, 1, 2], at: new Date(0) },
    { long: 'x'.repeat(40), another: 'y'.repeat(40) },
  ];
  const { ours, builtIn } = twin(items);
  const asOurs = (text: string): string => text.replace(/\b(Map|Set)(?=[(\]])/, name);
  // A built-in's type takes part in where lines end; so both have a name of the same length.
  const Renamed = {
    Map: class extends Map {},
    Set: class extends Set {},
  }[builtIn instanceof Map ? 'Map' : 'Set'];
  Object.defineProperty(Renamed, 'name', { value: name });
  Object.defineProperty(Renamed.prototype, Symbol.toStringTag, { value: name });
  const like = (contents: Iterable<never>): object => new (Renamed as new (i: Iterable<never>) => object)(contents);
  const renamed = like(builtIn as Iterable<never>);

  it.each(OPTIONS)('is that of a built-in, with %o', (options) => {
    expect(inspect(ours, options)).toBe(inspect(renamed, options));
  });

  it.each(OPTIONS)('is that of a built-in two objects deep, with %o', (options) => {
    expect(inspect({ a: [ours] }, options)).toBe(inspect({ a: [renamed] }, options));
  });

  it('lists nothing of the house with showHidden', () => {
    expect(inspect(ours, { showHidden: true })).toBe(
      asOurs(inspect(builtIn, { showHidden: true })).replace(/^\S+/, `${name}(3)`),
    );
  });

  it('is its name alone where the depth has been used up', () => {
    expect(inspect({ a: { b: { ours } } }, { depth: 2 })).toContain(`[${name}]`);
  });

  it('says that it is empty where the depth has been used up', () => {
    expect(inspect([twin([]).ours], { depth: 0 })).toBe(`[ ${name}(0) {} ]`);
  });

  it('shows a cycle through a member as one', () => {
    const member: { ours?: object } = {};
    member.ours = twin([member]).ours;
    const like: { ours?: object } = {};
    const { builtIn: other } = twin([like]);
    like.ours = other;
    for (const depth of [2, 5, null])
      expect(inspect(member, { depth })).toBe(inspect(like, { depth }).replace(/\b(Map|Set)(?=\()/, name));
  });

  it('shows a cycle that begins with it as one', () => {
    const member: { ours?: object } = {};
    const circle = twin([member]).ours;
    member.ours = circle;
    expect(inspect(circle, { depth: null })).toMatch(new RegExp(`^<ref \\*1> ${name}\\(1\\)`));
    expect(inspect(circle, { depth: null })).toContain('ours: [Circular *1]');
  });

  it('finishes with depth: null where many ways lead back to it', () => {
    const members = Array.from({ length: 12 }, (): { all?: object } => ({}));
    const all = twin(members).ours;
    for (const member of members) member.all = all;
    expect(inspect(all, { depth: null }).match(/\[Circular \*1\]/g)?.length).toBe(12);
  });

  it('shows what has changed since it was last shown', () => {
    const first = { n: 1 };
    const collection = twin([first]).ours as WeakKeySet<object> & { delete(key: unknown): boolean };
    inspect(collection);
    collection.delete(name === 'WeakValueMap' ? 'key 0' : first);
    expect(inspect(collection)).toBe(`${name}(0) {}`);
  });

  it('pins nothing beyond the call', () => {
    const pointer = away(() => {
      const member = { secret: 1 };
      const { ours: collection } = twin([member]);
      kept.push(collection);
      inspect(collection);
      inspect(collection, { depth: null });
      return make(member);
    });
    gcNowUntil(() => !pointer.alive, 'what was shown dies in the same job');
    kept.pop();
  });
});

const kept: unknown[] = [];

describe('inspect of a subclass', () => {
  const SUBCLASSES = {
    WeakValueMap: class Sessions extends WeakValueMap<string, object> {
      extra = 1;
    },
    WeakKeyMap: class Sessions extends WeakKeyMap<object, number> {
      extra = 1;
    },
    WeakKeySet: class Sessions extends WeakKeySet<object> {
      extra = 1;
    },
  };

  it.each(Object.entries(SUBCLASSES))('of %s has its name and its fields', (name, Sub) => {
    expect(inspect(new Sub())).toBe(`Sessions(0) [${name}] { extra: 1 }`);
  });

  it('of WeakCache has its name', () => {
    class Images extends WeakCache<string, object> {}
    expect(inspect(new Images({ max: 1 }))).toBe('Images [WeakCache] { size: 0, strong: 0, weak: 0, loading: 0 }');
  });

  it('of Unique has its name', () => {
    class Users extends Unique<object> {}
    expect(inspect(new Users({ key: (user) => user }))).toBe('Users [Unique] { size: 0 }');
  });

  it('calls none of its overridden methods', () => {
    class Loud extends WeakValueMap<string, object> {
      override entries(): never {
        throw new Error('called');
      }
      override get size(): never {
        throw new Error('called');
      }
      override [Symbol.iterator](): never {
        throw new Error('called');
      }
    }
    const held = {};
    const loud = new Loud();
    loud.set('a', held);
    expect(inspect(loud)).toBe("Loud(1) [WeakValueMap] { 'a' => {} }");
  });

  it('that has an inspect of its own is shown by that', () => {
    class Own extends WeakValueMap<string, object> {
      override [inspect.custom](): string {
        return `Own of ${this.size}`;
      }
    }
    expect(inspect([new Own()])).toBe('[ Own of 0 ]');
  });
});

describe('inspect of a WeakCache', () => {
  it('tells how many values there are and where, and none of them', () => {
    const cache = new WeakCache<string, object>({ max: 1 });
    const a = { secret: 'a' };
    cache.set('a', a).set('b', { secret: 'b' });
    expect(inspect(cache)).toBe('WeakCache { size: 2, strong: 1, weak: 1, loading: 0 }');
    expect(a.secret).toBe('a');
  });

  it('is its name where the depth has been used up', () => {
    expect(inspect([new WeakCache({ max: 1 })], { depth: 0 })).toBe('[ [WeakCache] ]');
  });
});

describe('inspect of handles', () => {
  it('shows the value, in its depth', () => {
    expect(inspect(unique({ a: { b: { c: 1 } } }), { depth: 1 })).toBe('Handle { value: { a: [Object] } }');
  });

  it('shows a cycle as one', () => {
    const users = new Unique<{ handle?: unknown; id: number }>({ key: (user) => user.id });
    const user: { handle?: unknown; id: number } = { id: 1 };
    user.handle = users.make(user);
    expect(inspect(user.handle, { depth: null })).toBe('<ref *1> Handle { value: { id: 1, handle: [Circular *1] } }');
  });

  it('of a Unique tells how many there are', () => {
    const users = new Unique<{ id: number }>({ key: (user) => user.id });
    const handle = users.make({ id: 1 });
    expect(inspect(users)).toBe('Unique { size: 1 }');
    expect(handle.value.id).toBe(1);
  });
});

describe('inspect of a Field', () => {
  const fieldOf = <T extends object>(owner: T, key: keyof T): Field<T, keyof T> => {
    const field = makeField(owner, key).value();
    if (field === undefined) throw new Error('dead');
    return field;
  };

  it('shows owner and key', () => {
    expect(inspect(fieldOf({ a: 1 }, 'a'))).toBe("Field { owner: { a: 1 }, key: 'a' }");
  });

  it('does not read the place', () => {
    const owner = {
      get place(): never {
        throw new Error('read');
      },
    };
    expect(inspect(fieldOf(owner, 'place'))).toBe("Field { owner: { place: [Getter] }, key: 'place' }");
  });

  it('shows a cycle as one', () => {
    const owner: { field?: unknown } = {};
    owner.field = fieldOf(owner, 'field');
    expect(inspect(owner, { depth: null })).toBe("<ref *1> { field: Field { owner: [Circular *1], key: 'field' } }");
  });
});

describe('inspect of a pointer', () => {
  const named = {
    Function: function save() {},
    arrow: () => 1,
    async: async function load() {},
    generator: function* each() {},
    asyncGenerator: async function* pages() {},
    bound: function save() {}.bind(null),
  };
  class Base {}
  class Account extends Base {}

  it.each<[string, object]>([
    ['Function: save', named.Function],
    ['Function: arrow', named.arrow],
    [
      'Function (anonymous)',
      (
        () => () =>
          1
      )(),
    ],
    ['AsyncFunction: load', named.async],
    ['GeneratorFunction: each', named.generator],
    ['AsyncGeneratorFunction: pages', named.asyncGenerator],
    ['Function: bound save', named.bound],
    ['Function: push', [].push],
    ['Function: Map', Map],
    ['class Base', Base],
    ['class Account extends Base', Account],
    ['class (anonymous)', (() => class {})()],
    ['class (anonymous) extends Base', (() => class extends Base {})()],
    ['class Null', class Null extends (null as unknown as new () => object) {}],
    ['Function: class', { class() {} }.class],
  ])('names its target as inspect does: %s', (name, target) => {
    expect(inspect(make(target))).toBe(`Pointer<${name}> { alive }`);
    expect(inspect(target)).toMatch(new RegExp(`^\\[${name.replace(/[()]/g, '\\$&')}\\b`.replace(/\\b$/, '')));
  });

  it('names a field of a function', () => {
    expect(inspect(makeField(Account as { count?: number }, 'count'))).toBe(
      'FieldPointer<class Account extends Base.count> { alive }',
    );
  });

  it('runs no static member that is called name', () => {
    class Loud {
      readonly made = true;
      static get name(): string {
        throw new Error('called');
      }
    }
    expect(inspect(make(Loud))).toBe('Pointer<class Loud> { alive }');
  });

  it('runs no getter, tag, trap or inspector of its target', () => {
    const fail = (): never => {
      throw new Error('called');
    };
    const target = {
      get constructor(): never {
        return fail();
      },
      get [Symbol.toStringTag](): never {
        return fail();
      },
      [inspect.custom]: fail,
    };
    const traps = new Proxy({}, { get: () => fail, has: fail }) as ProxyHandler<object>;
    for (const loud of [target, new Proxy({}, traps), new Proxy(() => 1, traps), new Proxy(class {}, traps)])
      expect(inspect(make(loud as object))).toMatch(/^Pointer<\w+> \{ alive \}$/);
  });

  it('names a class without a name', () => {
    expect(inspect(make(new (class {})()))).toMatch(/^Pointer<.+> \{ alive \}$/);
  });

  it('is coloured where colours are asked for', () => {
    const pointer = make({});
    const text = inspect(pointer, { colors: true });
    expect(text).not.toBe(inspect(pointer));
    expect(stripVTControlCharacters(text)).toBe(inspect(pointer));
  });

  it('pins no function', () => {
    const pointer = away(() => {
      const made = make(() => kept.length);
      inspect(made);
      return made;
    });
    gcNowUntil(() => !pointer.alive, 'a function that was shown dies in the same job');
  });
});

/** All that have an inspect of their own and are no collections of members: what they look like, and where the depth is used up. */
function shownInOneLine(): [name: string, value: object, shown: string, deep: string][] {
  const target = { a: 1 };
  const users = new Unique<{ id: number }>({ key: (user) => user.id });
  const registry = new OurRegistry(idle);
  const subclass = new (class Ref extends OurRef<object> {
    extra = 1;
  })(target);
  return [
    ['a pointer', make(target), 'Pointer<Object> { alive }', 'Pointer<Object> { alive }'],
    ['a field pointer', makeField(target, 'a'), 'FieldPointer<Object.a> { alive }', 'FieldPointer<Object.a> { alive }'],
    ['a field', makeField(target, 'a').value() as object, "Field { owner: { a: 1 }, key: 'a' }", '[Field]'],
    ['a cleanup', addCleanup(target, idle), 'Cleanup { armed }', 'Cleanup { armed }'],
    ['a handle', users.make({ id: 1 }), 'Handle { value: { id: 1 } }', '[Handle]'],
    ['a Unique', new Unique({ key: idle }), 'Unique { size: 0 }', '[Unique]'],
    ['a cache', new WeakCache({ max: 1 }), 'WeakCache { size: 0, strong: 0, weak: 0, loading: 0 }', '[WeakCache]'],
    ['a reference', new OurRef(target), 'WeakRef<Object> { alive }', 'WeakRef<Object> { alive }'],
    ['one of a subclass', subclass, 'Ref [WeakRef] { target: <Object>, extra: 1 }', '[Ref [WeakRef]]'],
    ['a registry', registry, 'FinalizationRegistry { registered: 0, due: 0 }', '[FinalizationRegistry]'],
    ['the queue', queue, inspect(queue), '[Queue]'],
  ];
}

describe('inspect of what has no members', () => {
  /** Without colours and line ends, and the numbers of the queue, which a GC may change. */
  const plain = (text: string): string => stripVTControlCharacters(text).replace(/\s+/g, ' ').replace(/\d+/g, 'n');

  it.each(shownInOneLine())('%s, by itself, in colours, compact and not', (_name, value, shown) => {
    if (value === queue) expect(plain(inspect(value))).toBe(plain(shown));
    else expect(inspect(value)).toBe(shown);
    const coloured = inspect(value, { colors: true });
    expect(coloured).not.toBe(shown);
    expect(plain(coloured)).toBe(plain(shown));
    for (const compact of [true, false, 1, 3]) expect(plain(inspect(value, { compact }))).toBe(plain(shown));
  });

  it.each(shownInOneLine())('%s, where the depth has been used up', (_name, value, _shown, deep) => {
    expect(inspect([value], { depth: 0 })).toBe(`[ ${deep} ]`);
    expect(inspect({ value }, { depth: 0, breakLength: 999 })).toBe(`{ value: ${deep} }`);
  });

  it('fields of a subclass that lead back to it are a cycle', () => {
    class Cache extends WeakCache<string, object> {
      self = this;
    }
    class Users extends Unique<object> {
      self = this;
    }
    for (const each of [new Cache({ max: 1 }), new Users({ key: idle })])
      expect(inspect(each, { depth: null })).toMatch(/^<ref \*1> .*self: \[Circular \*1\]\s\}$/s);
  });
});

describe('inspect of the queue', () => {
  it('tells its numbers', () => {
    expect(inspect(queue)).toMatch(/^Queue \{\n {2}sliceMs: 2,\n {2}armed: \d+,\n {2}pending: \d+,/);
  });

  it('adds nothing to its keys', () => {
    expect(Object.keys(queue)).toEqual(['stats', 'drain', 'settled', 'configure']);
  });

  it('shows a Cleanup by its state', () => {
    const cleanup = addCleanup({}, idle);
    cleanup.stop();
    expect(inspect([[[cleanup]]], { depth: 3 })).toBe('[ [ [ Cleanup { stopped } ] ] ]');
  });
});

describe('inspect of weakly/spec', () => {
  class Session {}

  it('of a WeakRef shows the class of its target', () => {
    const session = new Session();
    expect(inspect(new OurRef(session))).toBe('WeakRef<Session> { alive }');
  });

  it('of a WeakRef does not keep its target to the end of the job', async () => {
    const ref = away(() => new OurRef(new Session()));
    await new Promise((resolve) => setImmediate(resolve)); // the constructor has kept it
    gcNowUntil(() => inspect(ref) === 'WeakRef { dead }', 'it dies although it was shown');
  });

  it('of a WeakRef of a subclass has its name', () => {
    class Ref extends OurRef<object> {}
    expect(inspect(new Ref(globalThis))).toMatch(/^Ref<\w+> \{ alive \}$/);
  });

  it('of a WeakRef of a subclass has its fields, in their depth, and cycles as such', () => {
    class Ref extends OurRef<object> {
      extra: unknown = { a: { b: { c: 1 } } };
    }
    const session = new Session();
    const ref = new Ref(session);
    expect(inspect(ref)).toBe('Ref [WeakRef] { target: <Session>, extra: { a: { b: [Object] } } }');
    expect(inspect([[[ref]]])).toBe('[ [ [ [Ref [WeakRef]] ] ] ]');
    ref.extra = ref;
    expect(inspect(ref, { depth: null })).toBe('<ref *1> Ref [WeakRef] { target: <Session>, extra: [Circular *1] }');
    Object.assign(ref, { target: 1 });
    expect(inspect(ref)).toBe('<ref *1> Ref [WeakRef] { extra: [Circular *1], target: 1 }');
    const dead = away(() => Object.assign(new OurRef(new Session()), { extra: 1 }));
    expect(inspect(dead)).toBe('WeakRef { target: <Session>, extra: 1 }');
    expect(session).toBeInstanceOf(Session);
  });

  it('of a FinalizationRegistry of a subclass has its name and its fields', () => {
    class Registry extends OurRegistry<number> {
      extra = 1;
      self = this;
    }
    const registry = new Registry(idle);
    expect(inspect(registry)).toBe(
      '<ref *1> Registry [FinalizationRegistry] {\n  registered: 0,\n  due: 0,\n  extra: 1,\n  self: [Circular *1]\n}',
    );
    expect(inspect([registry], { depth: 0 })).toBe('[ [Registry [FinalizationRegistry]] ]');
  });

  it('of a FinalizationRegistry tells how much is registered', () => {
    const registry = new OurRegistry(idle);
    const session = new Session();
    registry.register(session, 1);
    expect(inspect(registry)).toBe('FinalizationRegistry { registered: 1, due: 0 }');
    expect(session).toBeInstanceOf(Session);
  });

  it('works in another realm', () => {
    const context = createContext({});
    installInto(runInContext('globalThis', context));
    expect(inspect(runInContext('new WeakRef([])', context))).toBe('WeakRef<Array> { alive }');
  });

  it('leaves prototypes alone', () => {
    for (const { prototype } of [OurRef, OurRegistry]) expect(() => inspect(prototype)).not.toThrow();
  });
});

describe('inspect of stand-ins', () => {
  class Person {
    readonly children: Person[] = [];
    readonly parent: Person | undefined;
    constructor(parent: Person | undefined) {
      this.parent = parent;
      parent?.children.push(this);
    }
  }

  it('counts depth down', () => {
    const deep = finalizable({ a: { b: { c: { d: 1 } } } }, idle);
    expect(inspect({ deep }, { depth: 1 })).toBe('{ deep: { a: [Object] } }');
  });

  it('finishes where two children point to their parent', () => {
    const parent = finalizable(new Person(undefined), idle);
    for (let i = 0; i < 2; i++) parent.children.push(finalizable(new Person(parent), idle));
    for (const depth of [2, 50, null])
      expect(inspect(parent, { depth })).toBe(
        inspect(
          (() => {
            const plain = new Person(undefined);
            for (let i = 0; i < 2; i++) new Person(plain);
            // As above: each child is listed twice, by its constructor and by hand.
            plain.children.push(...plain.children.splice(0).flatMap((child) => [child, child]));
            return plain;
          })(),
          { depth },
        ),
      );
  });

  it.each<[string, object]>([
    ['a function', function save() {}],
    ['a class', class Account {}],
    ['an array', [1, 2]],
    ['a Map', new Map([[1, { a: 1 }]])],
    ['a Set', new Set([1])],
    ['a typed array', new Uint8Array(2)],
    ['a Date', new Date(0)],
    ['a RegExp', /x/g],
    ['a promise', Promise.resolve(1)],
    ['a boxed string', Object('text')],
    ['null-prototype objects', Object.assign(Object.create(null), { a: 1 })],
  ])('shows %s as what it is', (_what, target) => {
    const standIn = finalizable(target, idle);
    for (const options of [{}, { colors: true }, { compact: false }, { depth: 0 }])
      expect(inspect(standIn, options)).toBe(inspect(target, options));
  });
});
