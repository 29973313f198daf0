import { afterEach, describe, expect, it } from 'vitest';
import { WeakKeyMap, WeakValueMap } from '../../lib/collections/index.js';
import { addCleanup, type Cleanup } from '../../lib/index.js';
import { FinalizationRegistry as Registry } from '../../lib/spec/index.js';
import { away, gcUntil, verify } from '../support/gc.js';
import { stressed } from '../support/stress.js';

/*
 * What belongs to entries and registrations is in arrays of the house, in the users' order: so it is the users who decide of which
 * kind V8 makes these. Each kind, and each change from one to another, which copies what is there.
 */

const MANY = 5_000;
const LAST = MANY - 1;
const object = { n: 1 };
const symbol = Symbol('payload');
const mixed = [object, symbol, 'text', 1n, -0, Number.NaN, null, undefined, 2 ** 31, true, 0.5];
/** NaN as V8 writes a hole, and `undefined`, into an array of doubles. */
const nans = [...new Float64Array(new BigUint64Array([0xfff7fffffff7ffffn, 0xfff6fffffff6ffffn]).buffer)];

const PAYLOADS: readonly (readonly [string, (i: number) => unknown])[] = [
  ['small integers', (i) => i],
  ['small integers, then doubles', (i) => (i < 2_000 ? i : i + 0.5)],
  ['small integers, then objects', (i) => (i < 2_000 ? i : { i })],
  ['all doubles, then a string', (i) => (i === LAST ? 'text' : i + 0.5)],
  ['small integers, then doubles, then anything', (i) => (i < 1_500 ? i : i < 3_000 ? i + 0.5 : mixed[i % mixed.length])],
  ['doubles with holes', (i) => (i % 7 === 3 ? i + 0.5 : undefined)],
  ['doubles, then holes', (i) => (i < 3_000 ? i + 0.5 : undefined)],
  ['doubles, and NaN of every kind', (i) => (i % 3 === 0 ? i + 0.5 : [Number.NaN, ...nans][i % 4])],
  ['0 and -0', (i) => (i % 3 === 0 ? -0 : 0)],
  ['undefined, then one object', (i) => (i === LAST ? object : undefined)],
  ['undefined, then one double', (i) => (i === LAST ? 0.5 : undefined)],
  ['undefined, and far apart something', (i) => (i % 1_300 === 1_299 ? mixed[(i / 1_300) | 0] : undefined)],
  ['objects, then small integers, then doubles', (i) => (i < 1_500 ? { i } : i < 3_000 ? i : i + 0.5)],
  ['integers about 2^31 and 2^53', (i) => (i % 2 === 0 ? 2 ** 31 - 2_000 + i : 2 ** 53 - 2_000 + 2 * i)],
]; // biome-ignore format: a list

/** Fails for the first that is another, and not for each of thousands. */
function same(actual: readonly unknown[], expected: readonly unknown[]): void {
  expect(actual.length).toBe(expected.length);
  const other = expected.findIndex((payload, i) => !Object.is(payload, actual[i]));
  if (other >= 0) expect([other, actual[other]]).toEqual([other, expected[other]]);
  expect(other).toBe(-1);
}

/** How often there is each. */
function counted(payloads: Iterable<unknown>): Map<unknown, number> {
  const counts = new Map<unknown, number>();
  for (const payload of payloads) {
    const key = Object.is(payload, -0) ? 'minus zero' : payload;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function sameCounts(actual: Iterable<unknown>, expected: Iterable<unknown>): void {
  const [all, wanted] = [counted(actual), counted(expected)];
  expect(all.size).toBe(wanted.size);
  for (const [payload, count] of wanted)
    if (all.get(payload) !== count) expect([payload, all.get(payload)]).toBe(count);
}

const targetsFor = (payloads: readonly unknown[]): object[] => payloads.map((_, i) => ({ i }));

afterEach(() => verify());

// Under stress flags each takes its time, and is one of few.
describe.each(PAYLOADS.filter((_, i) => !stressed || i % 4 === 1))('%s', (_, of) => {
  const payloads = Array.from({ length: MANY }, (_, i) => of(i));
  /** The other way round, for the places that those have had. */
  const turned = payloads.toReversed();

  it('are keys of a WeakValueMap', () => {
    const targets = targetsFor(payloads);
    const [map, model] = [new WeakValueMap<unknown, object>(), new Map<unknown, object>()];
    const check = (): void => {
      same([...map.keys()], [...model.keys()]);
      same([...map.values()], [...model.values()]);
      for (const key of payloads) if (map.get(key) !== model.get(key)) expect(key).toBe('a key of the other target');
    };
    const put = (key: unknown, i: number): void => {
      map.set(key, targets[i] as object);
      model.set(key, targets[i] as object);
    };
    for (const [i, key] of payloads.entries()) put(key, i);
    check();
    const deleted = payloads.map((key, i) => i % 100 === 0 || map.delete(key) === model.delete(key));
    expect(deleted).not.toContain(false);
    check();
    for (const [i, key] of turned.entries()) put(key, i);
    check();
  });

  it('are values of a WeakKeyMap', () => {
    const targets = targetsFor(payloads);
    const map = new WeakKeyMap<object, unknown>();
    for (const [i, target] of targets.entries()) map.set(target, payloads[i]);
    same([...map.values()], payloads);
    for (const [i, target] of targets.entries()) map.set(target, turned[i]);
    same(targets.map((target) => map.get(target)), turned); // biome-ignore format: short
    for (const [i, target] of targets.entries()) if (i % 100 !== 0) map.delete(target);
    same([...map.values()], turned.filter((_, i) => i % 100 === 0)); // biome-ignore format: short
    for (const [i, target] of targets.entries()) map.set(target, payloads[i]);
    same(targets.map((target) => map.get(target)), payloads); // biome-ignore format: short
  });

  it('are held by a FinalizationRegistry', async () => {
    const called: unknown[] = [];
    const registry = new Registry((held) => called.push(held));
    const token = {};
    const register = (from: readonly unknown[], withToken: boolean): object[] => {
      const targets = targetsFor(from);
      for (const [i, target] of targets.entries())
        registry.register(target, from[i], withToken && i % 3 === 0 ? token : undefined);
      return targets;
    };
    const kept = away(() => register(payloads, false).slice(1_000));
    await gcUntil(() => called.length === 1_000, 'the first are called');
    sameCounts(called, payloads.slice(0, 1_000));
    // With tokens from here on, and in the places of the first.
    away(() => {
      const targets = register(turned, true);
      expect(registry.unregister(token)).toBe(true);
      targets.length = 0;
    });
    kept.length = 0;
    const expected = [...payloads, ...turned.filter((_, i) => i % 3 !== 0)];
    await gcUntil(() => called.length === expected.length, 'the rest is called');
    sameCounts(called, expected);
    // Held until here: one that is garbage calls nobody.
    expect(registry.unregister(token)).toBe(false);
  });

  it('are arguments of cleanups', async () => {
    const given: unknown[] = Array(2 * MANY).fill('not called');
    let left = 0;
    const register = (from: readonly unknown[], offset: number): [object[], Cleanup[]] => {
      const targets = targetsFor(from);
      const cleanups = targets.map((target, i) => {
        left++;
        const called = (arg: unknown): void => {
          left--;
          given[offset + i] = arg;
        };
        return addCleanup(target, called, from[i]);
      });
      return [targets, cleanups];
    };
    const [targets, cleanups] = register(payloads, 0);
    for (const [i, cleanup] of cleanups.entries()) if (i % 5 !== 0 && cleanup.stop()) left--;
    const [others] = register(turned, MANY);
    targets.length = 0;
    others.length = 0;
    await gcUntil(() => left === 0, 'all called');
    same(given, [...payloads.map((payload, i) => (i % 5 === 0 ? payload : 'not called')), ...turned]);
  });
});

describe('20 000 of which few are left', () => {
  const all = Array.from({ length: 20_000 }, (_, i) => i);
  const payloads = all.map((i) => (i % 2 === 0 ? i + 0.5 : `text ${i}`));
  const isLeft = (_: unknown, i: number): boolean => i % 997 === 0;

  it('are keys of a WeakValueMap, or values of a WeakKeyMap', () => {
    const targets = targetsFor(payloads);
    const values = new WeakValueMap<unknown, object>();
    const keys = new WeakKeyMap<object, unknown>();
    const put = (i: number): void => {
      values.set(payloads[i], targets[i] as object);
      keys.set(targets[i] as object, payloads[i]);
    };
    for (const i of all) put(i);
    for (const i of all) {
      if (isLeft(i, i)) continue;
      values.delete(payloads[i]);
      keys.delete(targets[i] as object);
    }
    same([...values.keys()], payloads.filter(isLeft));
    same([...values.values()], targets.filter(isLeft));
    same([...keys.keys()], targets.filter(isLeft));
    same([...keys.values()], payloads.filter(isLeft));
    verify();
    for (const i of all) put(i);
    same(payloads.map((key) => values.get(key)), targets); // biome-ignore format: short
    same(targets.map((key) => keys.get(key)), payloads); // biome-ignore format: short
  });

  it('are held by a FinalizationRegistry, or arguments of cleanups', async () => {
    const targets = targetsFor(payloads);
    const [held, given]: [unknown[], unknown[]] = [[], []];
    const registry = new Registry((value) => held.push(value));
    const token = {};
    const cleanups = targets.map((target, i) => {
      registry.register(target, payloads[i], isLeft(i, i) ? undefined : token);
      return addCleanup(target, (arg: unknown) => given.push(arg), payloads[i]);
    });
    expect(registry.unregister(token)).toBe(true);
    expect(cleanups.every((cleanup, i) => isLeft(i, i) || cleanup.stop())).toBe(true);
    verify();
    targets.length = 0;
    const expected = payloads.filter(isLeft);
    await gcUntil(() => held.length + given.length === 2 * expected.length, 'all called');
    sameCounts(held, expected);
    sameCounts(given, expected);
    expect(registry.unregister(token)).toBe(false);
  });
});
