import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { Handle, Unique, unique } from '../../lib/collections/index.js';
import { make } from '../../lib/index.js';
import { away, gcUntil, verify } from '../support/gc.js';

afterEach(() => verify());

const refused = (part: string): unknown =>
  expect.objectContaining({ code: 'ERR_WEAKLY_VALUE', name: 'TypeError', message: expect.stringContaining(part) });

describe('unique', () => {
  it.each<[string, () => unknown]>([
    ['strings', () => ['te', 'xt'].join('')],
    ['the empty string', () => ''],
    ['numbers', () => 0.1 + 0.2],
    ['NaN', () => Number.NaN],
    ['bigints', () => 10n ** 30n],
    ['booleans', () => true],
    ['null', () => null],
    ['undefined', () => undefined],
    ['registered symbols', () => Symbol.for('weakly.test')],
    ['well-known symbols', () => Symbol.iterator],
    ['arrays', () => [1, 'two', [3]]],
    ['plain objects', () => ({ a: 1, b: { c: ['d', null, undefined] } })],
    ['objects without a prototype', () => Object.assign(Object.create(null), { a: 1 })],
    ['empty ones', () => ({})],
    ['objects with symbols for keys and values', () => ({ [Symbol.for('key')]: 1, s: Symbol.for('s') })],
    ['keys of every kind', () => ({ 1: 'a', __proto_: 2, ['__proto__']: 3, 'a:b,{}': 4, '"': 5 })],
  ])('gives the identical handle for equal %s', (_, value) => {
    const handle = unique(value());
    expect(handle).toBeInstanceOf(Handle);
    expect(unique(value())).toBe(handle);
    expect(handle.value).toEqual(value());
    expect(unique(handle.value)).toBe(handle);
  });

  it('compares as SameValueZero: 0 is -0, also deep inside', () => {
    expect(unique(-0)).toBe(unique(0));
    expect(Object.is(unique(-0).value, 0)).toBe(true);
    expect(unique([-0])).toBe(unique([0]));
    expect(Object.is(unique({ a: [-0] }).value.a[0], 0)).toBe(true);
    expect(unique([Number.NaN])).toBe(unique([Number.NaN]));
  });

  it('the order of keys does not matter, that of elements does', () => {
    expect(unique({ a: 1, b: { c: 2, d: 3 } })).toBe(unique({ b: { d: 3, c: 2 }, a: 1 }));
    const [s, t] = [Symbol('s'), Symbol('t')];
    expect(unique({ [s]: 1, [t]: 2 })).toBe(unique({ [t]: 2, [s]: 1 }));
    expect(unique([1, 2])).not.toBe(unique([2, 1]));
  });

  it('different values have different handles', () => {
    const values = [
      '', '1', '"1"', '[]', '{}', 'null', 'undefined', 'true', '1n', '@1', 1, 1n, true, null, undefined, false, 0,
      Symbol('1'), Symbol('1'), Symbol.for('1'), Symbol.for('2'),
      [], [[]], [[], []], {}, [{}], Object.create(null), ['1'], [1], [1n], [true], [null], [undefined], ['undefined'], [undefined, undefined],
      ['a', 'b'], ['a,b'], ['a"', '"b'], { a: 1 }, { a: '1' }, { a: undefined }, { b: undefined }, { a: 1, b: 2 }, { 'a:1,b': 2 }, { 0: 1 },
      [Symbol.for('a')], ['@"a"'], { [Symbol.for('a')]: 1 }, { '@"a"': 1 }, { ['__proto__']: null }, Object.assign(Object.create(null), { a: 1 }),
    ]; // biome-ignore format: a list
    const handles = values.map((value) => unique(value));
    expect(new Set(handles).size).toBe(values.length);
    expect(values.map((value) => unique(value))).toEqual(handles);
  });

  it('does not take signatures for strings, nor the other way round', () => {
    expect(unique('[1,]')).not.toBe(unique([1]));
    expect(unique(['[1,]'])).not.toBe(unique([[1]]));
  });

  it('copies, deep-frozen; what was passed stays as it is', () => {
    const config = { hosts: ['a', 'b'], options: { retries: 3 } };
    const { value } = unique(config);
    expect(value).toEqual(config);
    expect(value).not.toBe(config);
    expect([value, value.hosts, value.options].every((part) => Object.isFrozen(part))).toBe(true);
    config.hosts.push('c');
    expect(value.hosts).toEqual(['a', 'b']);
    expect(unique(config)).not.toBe(unique(value));
    expect(Object.getPrototypeOf(unique(Object.create(null)).value)).toBe(null);
    expect(Object.hasOwn(unique({ ['__proto__']: 1 }).value, '__proto__')).toBe(true);
  });

  it('knows plain objects and arrays of other realms', () => {
    const foreign = runInNewContext('({ list: [1, { two: 2 }] })');
    expect(unique(foreign)).toBe(unique({ list: [1, { two: 2 }] }));
    expect(Object.getPrototypeOf(unique(foreign).value)).toBe(Object.prototype);
  });

  it('a value that appears twice is no cycle', () => {
    const shared = { n: 1 };
    expect(unique([shared, shared])).toBe(unique([{ n: 1 }, { n: 1 }]));
  });

  it('forgets a handle that nobody holds, and frees its value', async () => {
    const [handle, value] = away(() => {
      const made = unique({ long: 'x'.repeat(100) });
      return [make(made), make(made.value)];
    });
    await gcUntil(() => !handle.alive && !value.alive, 'freed');
    const text = away(() => make(unique('nobody holds this')));
    await gcUntil(() => !text.alive, 'freed');
    expect(unique('nobody holds this').value).toBe('nobody holds this');
  });

  it('remembers one that somebody holds', async () => {
    const handle = unique({ held: true });
    const gone = away(() => make(unique({ held: false })));
    await gcUntil(() => !gone.alive, 'a GC has been');
    expect(unique({ held: true })).toBe(handle);
  });

  class Point {
    x = 1;
  }

  const cyclic: Record<string, unknown> = { list: [] };
  (cyclic.list as unknown[]).push({ back: cyclic });
  const sparse = [1, 2, 3];
  delete sparse[1];
  /** Not in the table below: the test runner could not print it. */
  const deep = (): unknown => {
    let value: unknown = [];
    for (let i = 0; i < 100_000; i++) value = [value];
    return value;
  };

  it.each<[string, unknown, string]>([
    ['a function', () => 1, 'got a function'],
    ['a function in it', { a: [() => 1] }, '"value.a[0]"'],
    ['a class instance', new Point(), 'an instance of Point'],
    ['a Date', { when: new Date() }, 'an instance of Date'],
    ['a Map', [new Map()], 'an instance of Map'],
    ['a typed array', new Uint8Array(2), 'an instance of Uint8Array'],
    ['an object with another prototype', Object.create({}), 'not plain'],
    ['a proxy', new Proxy({}, {}), 'a proxy'],
    ['a cycle', cyclic, '"value.list[0].back"'],
    ['an array with holes', sparse, 'holes'],
    ['an array with other properties', Object.assign([1], { more: 1 }), 'other properties'],
    ['an array with a hole and another property', Object.assign(Array(1), { more: 1 }), 'other properties'],
    ['an accessor', { get a() { return 1; } }, 'an accessor'], // biome-ignore format: one line each
    ['a hidden property', Object.defineProperty({}, 'hidden', { value: 1 }), '"value.hidden"'],
    ['a symbol’s property', { [Symbol('key')]: () => 1 }, '"value[Symbol(key)]"'],
  ])('refuses %s, saying where', (_, value, part) => {
    expect(() => unique(value)).toThrow(refused(part));
  });

  it.each<[string, unknown]>([
    ['a class that extends Array', class Rows extends Array {}.from([1, 2])],
    ['no prototype', Object.setPrototypeOf([1, 2], null)],
    ['an array as its prototype', Object.setPrototypeOf([1, 2], [3])],
    ['the prototype of a Map', Object.setPrototypeOf([1, 2], Map.prototype)],
  ])('refuses arrays of %s', (_, array) => {
    expect(() => unique(array)).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_VALUE' }));
    expect(() => unique({ list: array })).toThrow(/"value.list"/);
  });

  class Named {
    static readonly name = Symbol('name') as unknown as string;
    value = 1;
  }
  const explode = (): never => {
    throw new Error('code of the value has run');
  };
  const traps = new Proxy({}, { get: explode, getPrototypeOf: explode, getOwnPropertyDescriptor: explode });
  const revoked = Proxy.revocable([], {});
  revoked.revoke();

  it.each<[string, () => object]>([
    ['whose class has a symbol for a name', () => new Named()],
    ['whose constructor is an accessor', () => Object.create({ get constructor() { return explode(); } })], // biome-ignore format: one line each
    ['whose constructor is a proxy', () => Object.create({ constructor: new Proxy(Named, { get: explode }) })],
    ['whose prototype is a proxy', () => Object.create(traps)],
    ['whose prototype has one', () => Object.create(Object.create(traps))],
    ['whose prototype is a revoked proxy', () => Object.create(revoked.proxy)],
    ['that is an array, whose prototype is a revoked proxy', () => Object.setPrototypeOf([1], revoked.proxy)],
    ['that is an array, whose prototype is a proxy', () => Object.setPrototypeOf([1], new Proxy([], { getPrototypeOf: explode }))], // biome-ignore format: one line each
    ['that is a revoked proxy', () => revoked.proxy],
  ])('refuses an object %s, and runs none of its code', (_, object) => {
    expect(() => unique(object())).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_VALUE' }));
    expect(() => unique({ in: [object()] })).toThrow(/"value.in\[0\]"/);
  });

  it('copies arrays by index, whatever their own iterators give', () => {
    const evil = runInNewContext('Array.prototype[Symbol.iterator] = function* () { yield "evil"; }; [3, [4]]');
    const handle = unique(evil);
    expect(handle.value).toEqual([3, [4]]);
    expect(unique([3, [4]])).toBe(handle);
  });

  it.each([2 ** 24 - 1, 2 ** 24, 2 ** 24 + 1])('takes strings of %d characters before a pair of them', (length) => {
    const text = `${'x'.repeat(length - 1)}😀y`;
    const handle = unique([text]);
    expect(handle.value[0] === text).toBe(true);
    expect(unique([`${text.slice(0, 7)}${text.slice(7)}`]) === handle).toBe(true);
    expect(unique(text).value === text).toBe(true);
    expect(unique(text) === unique(`${text}z`)).toBe(false);
  });

  it('takes registered symbols of 2^28 characters', () => {
    const symbol = Symbol.for('x'.repeat(2 ** 28));
    expect(unique([symbol]).value[0] === symbol).toBe(true);
    expect(() => make(symbol)).toThrow(/got the registered symbol Symbol.for\("x{24}\.\.\."\)$/);
  });

  // V8 14 ends the process if JSON.stringify is given such a string.
  it('takes strings of 2^28 characters', () => {
    expect(unique('x'.repeat(2 ** 28)).value.length).toBe(2 ** 28);
  });

  it('refuses arrays that are nested too deeply to be copied', () => {
    for (let levels = 2_000; levels < 12_000; levels += 500) {
      let nested: unknown[] = [];
      for (let i = 0; i < levels; i++) nested = [nested];
      try {
        unique(nested);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_WEAKLY_VALUE' });
      }
    }
  });

  it('refuses what is nested too deeply', () => {
    expect(() => unique(deep())).toThrow(refused('nested too deeply'));
  });
});

describe('a handle in a value', () => {
  it('is equal to itself only, at any depth', () => {
    const [one, two] = [unique({ name: 'one' }), unique({ name: 'two' })];
    const handle = unique({ parts: [one, { deep: two }] });
    expect(unique({ parts: [unique({ name: 'one' }), { deep: unique({ name: 'two' }) }] })).toBe(handle);
    expect(unique({ parts: [two, { deep: one }] })).not.toBe(handle);
    expect(unique([one])).not.toBe(unique([one.value]));
    expect(unique([one])).not.toBe(unique([String(one)]));
    expect(unique([one])).not.toBe(unique([unique([one])]));
  });

  it('is not copied', () => {
    const part = unique([1]);
    const { value } = unique({ part, list: [part] });
    expect(value.part).toBe(part);
    expect(value.list[0]).toBe(part);
    expect(Object.isFrozen(value.list)).toBe(true);
  });

  it.each<[string, () => Handle]>([
    ['unique', () => unique('a')],
    ['a Unique', () => new Unique({ key: (value) => value }).make('a')],
    ['a Unique by equals', () => new Unique({ equals: Object.is, hash: () => 1 }).make(() => 1)],
    ['another realm’s value', () => unique(runInNewContext('[1, { a: 2 }]'))],
  ])('may be one of %s', (_, create) => {
    const part = create();
    expect(unique({ part })).toBe(unique({ part }));
    expect(unique(part)).toBe(unique(part));
    expect(unique(part)).not.toBe(part);
    expect(unique(part).value).toBe(part);
    expect(unique(unique(part)).value.value).toBe(part);
    expect(unique({ part })).not.toBe(unique({ part: unique(part) }));
  });

  it('is found whatever was written into it, or is its prototype', () => {
    const part = unique({ written: 'into' });
    Object.assign(part, { extra: 1 });
    Object.setPrototypeOf(part, null);
    expect(unique([part])).toBe(unique([part]));
    expect(unique([part]).value[0]).toBe(part);
  });

  it.each<[string, () => unknown]>([
    ['a proxy of one', () => new Proxy(unique('a'), {})],
    ['what has one as its prototype', () => Object.create(unique('a'))],
    ['the prototype of handles', () => Handle.prototype],
  ])('is not %s', (_, like) => {
    expect(() => unique([like()])).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_VALUE' }));
    expect(() => unique(like())).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_VALUE' }));
  });

  it('makes large values that share parts small: nothing is written out twice', () => {
    let tree: Handle = unique('leaf');
    // Without handles, 2^200 leaves.
    for (let i = 0; i < 200; i++) tree = unique({ left: tree, right: tree });
    let same: Handle = unique('leaf');
    for (let i = 0; i < 200; i++) same = unique({ right: same, left: same });
    expect(same).toBe(tree);
  });

  it('is held as long as the value is, and forgotten with it', async () => {
    const { outer, inner } = away(() => {
      const part = unique({ inner: Math.random() });
      return { outer: unique({ part }), inner: make(part) };
    });
    const other = away(() => {
      const part = unique({ other: Math.random() });
      return [make(part), make(unique([part])), make(unique(part))];
    });
    await gcUntil(() => !other.some((pointer) => pointer.alive), 'forgotten');
    expect(inner.value()).toBe(outer.value.part);
    expect(unique({ part: inner.value() })).toBe(outer);
  });

  it('is forgotten with what reaches it, also where that is its own value', async () => {
    const nodes = new Unique<{ id: number; key?: Handle }>({ key: ({ id }) => id });
    const made = away(() =>
      Array.from({ length: 50 }, (_, id) => {
        const node: { id: number; key?: Handle } = { id };
        node.key = unique(nodes.make(node));
        return make(node);
      }),
    );
    await gcUntil(() => !made.some((pointer) => pointer.alive) && nodes.size === 0, 'forgotten');
  });

  it('never takes the place of one that is dead', async () => {
    const text = 'a part that comes again';
    const values = away(() => Array.from({ length: 100 }, (_, i) => make(unique([unique(`${text} ${i}`)]))));
    await gcUntil(() => !values.some((pointer) => pointer.alive), 'dead');
    for (let i = 0; i < 100; i++) expect(unique([unique(`${text} ${i}`)]).value[0]?.value).toBe(`${text} ${i}`);
  });
});

describe('Handle', () => {
  it('cannot be constructed, and refuses foreign receivers', () => {
    expect(() => new (Handle as never as new () => unknown)()).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_CONSTRUCTOR' }),
    );
    const { get } = Object.getOwnPropertyDescriptor(Handle.prototype, 'value') as { get: () => unknown };
    for (const foreign of [undefined, {}, Handle.prototype])
      expect(() => Reflect.apply(get, foreign, [])).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_RECEIVER' }));
  });

  it('shows its value', () => {
    expect(inspect(unique('text'))).toBe("Handle { value: 'text' }");
    expect(inspect(unique({ a: 1 }))).toBe('Handle { value: { a: 1 } }');
    expect(inspect([[[unique(1)]]], { depth: 1 })).not.toContain('value');
    expect(String(unique(1))).toMatch(/^\[object Handle #\d+\]$/);
  });
});

interface User {
  readonly id: number;
  readonly name: string;
}

describe.each<[string, () => Unique<User>]>([
  ['key', () => new Unique<User>({ key: ({ id }) => id })],
  [
    'equals and hash',
    () => new Unique<User>({ equals: (a, b) => a.id === b.id, hash: ({ id }) => id % 3 }), // they collide
  ],
])('Unique by %s', (_, create) => {
  it('gives the identical handle for equal values, and the first of them', () => {
    const users = create();
    const first = { id: 1, name: 'first' };
    const handle = users.make(first);
    expect(users.make({ id: 1, name: 'second' })).toBe(handle);
    expect(handle.value).toBe(first);
    expect(Object.isFrozen(first)).toBe(false);
    const others = [2, 3, 4, 5, 6, 7].map((id) => users.make({ id, name: String(id) }));
    expect(new Set([handle, ...others]).size).toBe(7);
    expect(users.size).toBe(7);
    for (const other of others) expect(users.make({ ...other.value })).toBe(other);
    expect(create().make(first)).not.toBe(handle);
  });

  it('forgets handles that nobody holds, and no others', async () => {
    const users = create();
    const held = users.make({ id: 3, name: 'held' });
    const values = away(() => {
      const all = Array.from({ length: 300 }, (_unused, id) => ({ id: id + 100, name: 'dropped' }));
      for (const value of all) users.make(value);
      return all.map((value) => make(value));
    });
    await gcUntil(() => users.size === 1 && !values.some(({ alive }) => alive), 'forgotten');
    expect(users.make({ id: 3, name: 'again' })).toBe(held);
    expect(users.make({ id: 100, name: 'again' }).value.name).toBe('again');
  });

  it('is itself collected, whoever holds handles', async () => {
    const { users, handle } = away(() => {
      const made = create();
      return { users: make(made), handle: made.make({ id: 1, name: 'kept' }) };
    });
    await gcUntil(() => !users.alive, 'gone');
    expect(handle.value.name).toBe('kept');
  });

  it('make refuses foreign receivers', () => {
    const { make: method } = Unique.prototype;
    expect(() => Reflect.apply(method, {}, [1])).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_RECEIVER' }));
    expect(() => Reflect.get(Unique.prototype, 'size')).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_RECEIVER' }),
    );
  });
});

describe('Unique', () => {
  it('with equals that makes handles itself gives one handle to equal values', () => {
    let inside = false;
    const numbers: Unique<number> = new Unique<number>({
      hash: () => 1,
      equals: (a, b) => {
        if (!inside) {
          inside = true;
          numbers.make(2);
        }
        return a === b;
      },
    });
    const one = numbers.make(1);
    const two = numbers.make(2);
    expect(numbers.make(2)).toBe(two);
    expect([numbers.size, one.value, two.value]).toEqual([2, 1, 2]);
  });

  it('passes on what its functions throw, and changes nothing', () => {
    const thrown = new Error('thrown on purpose');
    const fail = (): never => {
      throw thrown;
    };
    const byKey = new Unique<number>({ key: fail });
    expect(() => byKey.make(1)).toThrow(thrown);
    expect(byKey.size).toBe(0);
    const byEquals = new Unique<number>({ hash: () => 1, equals: fail });
    const first = byEquals.make(1);
    expect(() => byEquals.make(2)).toThrow(thrown);
    expect([byEquals.size, first.value]).toEqual([1, 1]);
  });

  it.each<[string, unknown]>([
    ['ERR_WEAKLY_OPTION', undefined],
    ['ERR_WEAKLY_OPTION', {}],
    ['ERR_WEAKLY_OPTION', { keys: () => 1 }],
    ['ERR_WEAKLY_OPTION', { hash: () => 1 }],
    ['ERR_WEAKLY_OPTION', { equals: () => true }],
    ['ERR_WEAKLY_OPTION', { key: () => 1, hash: () => 1 }],
    ['ERR_WEAKLY_OPTION', { key: () => 1, equals: () => true, hash: () => 1 }],
    ['ERR_WEAKLY_CALLBACK', { key: 'id' }],
    ['ERR_WEAKLY_CALLBACK', { equals: true, hash: () => 1 }],
    ['ERR_WEAKLY_CALLBACK', { equals: () => true, hash: 1 }],
  ])('throws %s for %j', (code, options) => {
    expect(() => new Unique(options as never)).toThrow(expect.objectContaining({ code, name: 'TypeError' }));
  });
});
