import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { binding } from '../../lib/binding.js';
import { Field, FieldPointer, make, makeField } from '../../lib/index.js';
import { away, gcUntil, until, verify } from '../support/gc.js';

afterEach(() => verify());

const KEY = Symbol('key');

describe('identity', () => {
  it('is one pointer for one place', () => {
    const target = { a: 1, b: 2, [KEY]: 3, 3: 'three' };
    expect(makeField(target, 'a')).toBe(makeField(target, 'a'));
    expect(makeField(target, KEY)).toBe(makeField(target, KEY));
    expect(makeField(target, 'a')).not.toBe(makeField(target, 'b'));
    expect(makeField({ a: 1 }, 'a')).not.toBe(makeField({ a: 1 }, 'a'));
  });

  it('takes 3 and "3" for the same place, and -0 for 0', () => {
    const target: Record<string | number, string> = { 3: 'three', 0: 'zero' };
    expect(makeField(target, 3)).toBe(makeField(target, '3'));
    expect(makeField(target, -0)).toBe(makeField(target, 0));
    expect(makeField(target, Number.NaN)).toBe(makeField(target, 'NaN'));
  });

  it('differs from the pointer to the whole', () => {
    const target = { a: 1 };
    expect(makeField(target, 'a')).not.toBe(make(target));
    expect(makeField(target, 'a')).not.toBeInstanceOf(make(target).constructor);
  });

  it('holds after death, against new places in reused slots', async () => {
    const dead = away(() => Array.from({ length: 500 }, () => makeField({ a: 1 }, 'a')));
    await gcUntil(() => !dead.some((pointer) => pointer.alive), 'all dead');
    await until(() => binding.stats().dead === 0, 'queue drained');
    const targets = Array.from({ length: 500 }, (_, a) => ({ a }));
    const fresh = targets.map((target) => makeField(target, 'a'));
    expect(new Set([...dead, ...fresh]).size).toBe(1_000);
    expect(dead.some((pointer) => pointer.alive || pointer.value() !== undefined)).toBe(false);
    expect(fresh.map((pointer) => pointer.value()?.get())).toEqual(targets.map(({ a }) => a));
  });
});

describe('value', () => {
  it('is a strong pointer to the place: owner, key, get, set', () => {
    const target = { count: 1 };
    const field = makeField(target, 'count').value();
    expect(field).toBeInstanceOf(Field);
    expect(field?.owner).toBe(target);
    expect(field?.key).toBe('count');
    field?.set(5);
    expect(target.count).toBe(5);
    target.count = 6;
    expect(field?.get()).toBe(6);
  });

  it('reaches elements and bytes', () => {
    const bytes = Buffer.from([1, 2, 3]);
    const field = makeField(bytes, 1).value();
    field?.set(300);
    expect(bytes[1]).toBe(44);
    expect(field?.get()).toBe(44);
  });

  it('goes through accessors and proxies, as written code would', () => {
    const log: string[] = [];
    const target = new Proxy(
      { a: 1 },
      {
        get: (o, k) => {
          log.push(`get ${String(k)}`);
          return Reflect.get(o, k);
        },
      },
    );
    makeField(target, 'a').value()?.get();
    expect(log).toEqual(['get a']);
    const frozen = Object.freeze({ a: 1 });
    expect(() => (makeField(frozen, 'a').value() as Field<{ a: number }, 'a'> | undefined)?.set(2)).toThrow(TypeError);
  });

  it('keeps the owner alive for as long as the Field is held', async () => {
    const { pointer, field } = away(() => {
      const target = { a: 1 };
      return { pointer: make(target), field: makeField(target, 'a').value() };
    });
    let probe = away(() => make({}));
    await gcUntil(() => !probe.alive, 'a GC');
    expect(pointer.alive).toBe(true);
    expect(field?.get()).toBe(1);
    probe = pointer;
  });

  it('of all pointers into one target end together', async () => {
    const pointers = away(() => {
      const target = { a: 1, b: 2 };
      return [make(target), makeField(target, 'a'), makeField(target, 'b')];
    });
    await gcUntil(() => !pointers[0]?.alive, 'dead');
    expect(pointers.map((pointer) => pointer.alive)).toEqual([false, false, false]);
    expect(pointers.map((pointer) => pointer.value())).toEqual([undefined, undefined, undefined]);
  });
});

describe('misuse', () => {
  it.each([[null], [undefined], [1], ['s'], [Symbol('x')], [true], [1n]])(
    'makeField(%s) throws ERR_WEAKLY_TARGET',
    (target) => {
      expect(() => makeField(target as unknown as { a: 1 }, 'a')).toThrow(
        expect.objectContaining({ name: 'TypeError', code: 'ERR_WEAKLY_TARGET' }),
      );
    },
  );

  it.each([[{}], [null], [undefined], [true], [1n], [() => 1]])(
    'key %s throws ERR_WEAKLY_KEY and makes nothing',
    (key) => {
      const before = binding.stats().live;
      expect(() => makeField({}, key as never)).toThrow(
        expect.objectContaining({ name: 'TypeError', code: 'ERR_WEAKLY_KEY' }),
      );
      expect(binding.stats().live).toBeLessThanOrEqual(before); // a GC may have come in between
    },
  );

  it('constructing by hand throws ERR_WEAKLY_CONSTRUCTOR', () => {
    for (const Class of [Field, FieldPointer]) {
      expect(() => new (Class as unknown as new () => unknown)()).toThrow(
        expect.objectContaining({ name: 'TypeError', code: 'ERR_WEAKLY_CONSTRUCTOR' }),
      );
    }
  });

  it('foreign receivers throw ERR_WEAKLY_RECEIVER', () => {
    for (const receiver of [{}, null, make({}), Object.create(FieldPointer.prototype)]) {
      for (const prototype of [Field.prototype, FieldPointer.prototype]) {
        for (const [name, { value, get }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
          if (name === 'constructor') continue;
          expect(() => (value ?? get).call(receiver)).toThrow(
            expect.objectContaining({ name: 'TypeError', code: 'ERR_WEAKLY_RECEIVER' }),
          );
        }
      }
    }
  });
});

describe('inspection', () => {
  it('shows class, place and life', async () => {
    class Session {
      token = 't';
    }
    const target = new Session();
    expect(inspect(makeField(target, 'token'))).toBe('FieldPointer<Session.token> { alive }');
    expect(inspect(makeField({ [KEY]: 1 }, KEY))).toMatch(/^FieldPointer<Object\[Symbol\(key\)\]> /);
    const dead = away(() => makeField(new Session(), 'token'));
    await gcUntil(() => !dead.alive, 'dead');
    expect(inspect(dead)).toBe('FieldPointer<.token> { dead }');
    expect(target.token).toBe('t');
  });
});
