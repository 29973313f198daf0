import { inspect } from 'node:util';
import vm from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { binding } from '../../lib/binding.js';
import { isPointer, keepAlive, make, makeField, Pointer } from '../../lib/index.js';
import { away, gcNowUntil, gcUntil, majorGc, minorGc, turn, until, verify } from '../support/gc.js';
import { stressed } from '../support/stress.js';

afterEach(() => verify());

class Session {
  readonly id: number;
  constructor(id: number) {
    this.id = id;
  }
}

function dying(count: number): Pointer<Session>[] {
  return away(() => Array.from({ length: count }, (_, id) => make(new Session(id))));
}

describe('identity', () => {
  it('gives the same pointer for the same target', () => {
    const target = new Session(1);
    expect(make(target)).toBe(make(target));
  });

  it('gives different pointers for different targets', () => {
    const pointers = new Set(Array.from({ length: 10_000 }, (_, id) => make(new Session(id))));
    expect(pointers.size).toBe(10_000);
  });

  it('finds the pointer again after minor and major GCs have moved the target', () => {
    const targets = Array.from({ length: 5_000 }, (_, id) => new Session(id));
    const pointers = targets.map((target) => make(target));
    for (const collect of [minorGc, minorGc, minorGc, majorGc, majorGc]) {
      collect();
      expect(targets.every((target, i) => make(target) === pointers[i] && pointers[i]?.value() === target)).toBe(true);
    }
  });

  it('keeps dead pointers distinct from those of later targets in the same slots', async () => {
    const dead = dying(3_000);
    await gcUntil(() => dead.every((pointer) => !pointer.alive), 'all targets dead');
    await until(() => binding.stats().dead === 0, 'queue drained');
    const targets = Array.from({ length: 3_000 }, (_, id) => new Session(id));
    const fresh = targets.map((target) => make(target));
    const all = new Set([...dead, ...fresh]);
    expect(all.size).toBe(6_000);
    expect(dead.some((pointer) => pointer.alive || pointer.value() !== undefined)).toBe(false);
    expect(fresh.every((pointer, i) => pointer.value() === targets[i])).toBe(true);
  });

  it('is not lost when only make() knows the pointer', async () => {
    const target = new Session(1);
    const tags = new WeakSet<object>();
    away(() => tags.add(make(target)));
    majorGc();
    await turn();
    majorGc();
    expect(tags.has(make(target))).toBe(true);
  });
});

describe('value and alive', () => {
  it('give the target while it lives', () => {
    const target = new Session(1);
    const pointer = make(target);
    expect(pointer.value()).toBe(target);
    expect(pointer.alive).toBe(true);
    keepAlive(target);
  });

  it('tell a death within the job it happens in', () => {
    // WeakRef could not: constructing or reading one keeps the target until the job ends.
    const pointers = dying(100);
    gcNowUntil(() => !pointers.some((pointer) => pointer.alive), 'all dead');
    expect(pointers.some((pointer) => pointer.value() !== undefined)).toBe(false);
  });

  it('tell a death found by a minor GC', () => {
    const { majorGcs } = binding.stats();
    const pointers = dying(1_000);
    minorGc();
    minorGc();
    const dead = pointers.filter((pointer) => !pointer.alive && pointer.value() === undefined).length;
    expect(dead).toBeGreaterThan(0);
    // Stress flags add minor GCs while the targets are made, which promotes some; without them nearly all die young.
    if (!stressed) expect(dead).toBeGreaterThan(900);
    if (!stressed) expect(binding.stats().majorGcs).toBe(majorGcs);
  });

  it('never disagree, GC by GC', () => {
    const kept: Session[] = [];
    const pointers = away(() =>
      Array.from({ length: 4_000 }, (_, id) => {
        const target = new Session(id);
        if (id % 3 === 0) kept.push(target);
        return make(target);
      }),
    );
    for (const collect of [minorGc, minorGc, majorGc, minorGc, majorGc]) {
      collect();
      for (const pointer of pointers) {
        const { alive } = pointer;
        expect(pointer.value() !== undefined).toBe(alive);
      }
      expect(binding.testing.unseen()).toBe(0);
    }
    const living = (): number => pointers.filter((pointer) => pointer.alive).length;
    gcNowUntil(() => living() === kept.length, 'all but the kept dead');
    majorGc();
    expect(living()).toBe(kept.length);
  });

  it('pin nothing: reading does not extend a life', () => {
    const pointers = dying(100);
    away(() => pointers.map((pointer) => pointer.value()?.id));
    gcNowUntil(() => !pointers.some((pointer) => pointer.alive), 'all dead');
  });

  it('stay undefined and false for ever', async () => {
    const pointers = dying(10);
    await gcUntil(() => !pointers.some((pointer) => pointer.alive), 'all dead');
    for (let i = 0; i < 3; i++) {
      dying(10_000);
      majorGc();
      await turn();
      expect(pointers.some((pointer) => pointer.alive || pointer.value() !== undefined)).toBe(false);
    }
  });
});

describe('targets', async () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const detached = new ArrayBuffer(8);
  structuredClone(detached, { transfer: [detached] });
  const context = vm.createContext({});

  const targets: [string, WeakKey][] = [
    ['a plain object', {}],
    ['an object without a prototype', Object.create(null)],
    ['a frozen object', Object.freeze({ a: 1 })],
    ['an array', [1, 2]],
    ['a function', () => 1],
    ['a class', class {}],
    ['a bound function', Session.bind(null, 1)],
    ['an async generator function', async function* () {}],
    ['a proxy', new Proxy({}, {})],
    ['a callable proxy', new Proxy(() => 1, {})],
    ['a revoked proxy', proxy],
    [
      'a proxy whose every trap throws',
      new Proxy(
        {},
        new Proxy(
          {},
          {
            get: () => {
              throw new Error('trapped');
            },
          },
        ),
      ),
    ],
    ['a date', new Date()],
    ['a map', new Map()],
    ['a weak map', new WeakMap()],
    ['a promise', Promise.resolve()],
    ['an error', new Error('x')],
    ['a buffer', Buffer.from('abc')],
    ['a detached ArrayBuffer', detached],
    ['a shared ArrayBuffer', new SharedArrayBuffer(8)],
    ['a boxed number', Object(1)],
    [
      'an arguments object',
      (function (..._: unknown[]) {
        // biome-ignore lint/complexity/noArguments: it is the exotic object under test
        return arguments;
      })(1, 2),
    ],
    [
      'an object with a million-element hash',
      Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`k${i}`, i])),
    ],
    ['globalThis', globalThis],
    ['a global of another context', vm.runInContext('globalThis', context) as object],
    ['an object of another context', vm.runInContext('({})', context) as object],
    ['a function of another context', vm.runInContext('() => 1', context) as object],
    ['a module namespace', await import('node:path')],
    ['a symbol', Symbol('x')],
    ['a well-known symbol', Symbol.iterator],
    ['a pointer', make({})],
  ];

  it.each(targets)('work: %s', (_, target) => {
    const pointer = make(target);
    expect(pointer === make(target)).toBe(true);
    majorGc();
    expect(pointer.value() === target).toBe(true);
    expect(pointer.alive).toBe(true);
    expect(make(target) === pointer).toBe(true);
  });

  it('are not changed by being pointed to', () => {
    const target = Object.freeze({ a: 1 });
    make(target);
    expect(Reflect.ownKeys(target)).toEqual(['a']);
  });

  it('that are symbols die too', async () => {
    const pointers = away(() => Array.from({ length: 100 }, (_, i) => make(Symbol(String(i)))));
    await gcUntil(() => !pointers.some((pointer) => pointer.alive), 'symbols dead');
    expect(pointers.every((pointer) => pointer.value() === undefined)).toBe(true);
  });

  it('run none of their own code', () => {
    const calls: string[] = [];
    const target = new Proxy(
      {},
      new Proxy(
        {},
        {
          get: (_, trap) => {
            calls.push(String(trap));
            return undefined;
          },
        },
      ),
    );
    const pointer = make(target);
    pointer.value();
    inspect(pointer);
    expect(calls).toEqual([]);
  });

  it('may be thousands with the same identity hash bits, and are still told apart', () => {
    const targets = Array.from({ length: 50_000 }, (_, i) => ({ i }));
    const pointers = targets.map((target) => make(target));
    expect(new Set(pointers).size).toBe(50_000);
    expect(targets.every((target, i) => make(target) === pointers[i])).toBe(true);
  });
});

describe('nil', () => {
  it('is what null and undefined give', () => {
    expect(make(null)).toBe(Pointer.nil);
    expect(make(undefined)).toBe(Pointer.nil);
  });

  it('is never alive and has no value', () => {
    expect(Pointer.nil.alive).toBe(false);
    expect(Pointer.nil.value()).toBe(undefined);
    expect(isPointer(Pointer.nil)).toBe(true);
  });

  it('equals no other pointer, not even the one in the first slot', async () => {
    expect(make({})).not.toBe(Pointer.nil);
    expect(new Set([Pointer.nil, make({}), makeField({ a: 1 }, 'a')]).size).toBe(3);
  });
});

describe('misuse', () => {
  const primitives: [unknown, string][] = [
    [1, 'the number 1'],
    [Number.NaN, 'the number NaN'],
    ['s', 'the string "s"'],
    ['x'.repeat(100), `the string "${'x'.repeat(24)}..."`],
    [true, 'the boolean true'],
    [10n, 'the bigint 10n'],
    [Symbol.for('x'), 'the registered symbol Symbol.for("x")'],
  ];

  it.each(primitives)('make(%s) throws ERR_WEAKLY_TARGET', (value, words) => {
    const before = binding.stats().live;
    expect(() => make(value as object)).toThrow(
      expect.objectContaining({
        name: 'TypeError',
        code: 'ERR_WEAKLY_TARGET',
        message: expect.stringContaining(words),
      }),
    );
    expect(binding.stats().live).toBeLessThanOrEqual(before); // a GC may have come in between
  });

  it('constructing by hand throws ERR_WEAKLY_CONSTRUCTOR', () => {
    const Constructor = Pointer as unknown as new (...args: unknown[]) => unknown;
    for (const args of [[], [{}], [Symbol('weakly.Pointer'), 0, 1]]) {
      expect(() => new Constructor(...args)).toThrow(
        expect.objectContaining({ name: 'TypeError', code: 'ERR_WEAKLY_CONSTRUCTOR' }),
      );
    }
    expect(() => Reflect.construct(Object, [], Constructor)).not.toThrow();
  });

  it.each([
    [{}],
    [null],
    [undefined],
    [1],
    ['s'],
    [Object.create(Pointer.prototype)],
    [new Proxy(make({}), {})],
    [makeField({ a: 1 }, 'a')],
  ])('foreign receivers throw ERR_WEAKLY_RECEIVER (%#)', (receiver: unknown) => {
    const alive = Object.getOwnPropertyDescriptor(Pointer.prototype, 'alive')?.get as () => boolean;
    for (const method of [Pointer.prototype.value, alive]) {
      expect(() => method.call(receiver)).toThrow(
        expect.objectContaining({ name: 'TypeError', code: 'ERR_WEAKLY_RECEIVER' }),
      );
    }
  });
});

describe('inspection', () => {
  it('shows the class and whether it is alive', async () => {
    const target = new Session(1);
    expect(inspect(make(target))).toBe('Pointer<Session> { alive }');
    expect(inspect(make(() => 1))).toBe('Pointer<Function (anonymous)> { alive }');
    expect(inspect(make(Symbol.iterator))).toBe('Pointer<Symbol> { alive }');
    expect(inspect(Pointer.nil)).toBe('Pointer.nil');
    expect(Object.prototype.toString.call(make(target))).toMatch(/^\[object Pointer #\d+\]$/);
    const [dead] = dying(1);
    await gcUntil(() => dead?.alive === false, 'dead');
    expect(inspect(dead)).toBe('Pointer { dead }');
  });

  it('does not throw for what merely inherits from a pointer', () => {
    expect(inspect(Object.create(make({})))).toBe('[object Pointer]');
    expect(inspect(Object.create(makeField({ a: 1 }, 'a')))).toBe('[object FieldPointer]');
  });

  it('pins nothing', () => {
    const pointers = dying(100);
    inspect(pointers);
    gcNowUntil(() => !pointers.some((pointer) => pointer.alive), 'all dead');
  });
});

describe('isPointer', () => {
  it('tells pointers of both kinds from everything else', () => {
    expect([make({}), makeField({ a: 1 }, 'a'), Pointer.nil].every(isPointer)).toBe(true);
    const others = [
      {},
      null,
      undefined,
      1,
      's',
      Pointer,
      Pointer.prototype,
      Object.create(Pointer.prototype),
      new Proxy(make({}), {}),
    ];
    expect(others.some(isPointer)).toBe(false);
  });
});

describe('keepAlive', () => {
  it('keeps its argument to the call', () => {
    for (let round = 0; round < 200; round++) {
      const target = { round };
      const pointer = make(target);
      if (round % 20 === 0) majorGc();
      expect(pointer.alive).toBe(true);
      keepAlive(target);
    }
  });

  it('takes anything and returns nothing', () => {
    for (const value of [undefined, null, 1, 's', Symbol.for('x'), 1n, {}, Pointer.nil])
      expect(keepAlive(value)).toBe(undefined);
  });
});
