import { afterEach, describe, expect, it, vi } from 'vitest';
import { binding } from '../../lib/binding.js';
import { WeakKeyMap, WeakKeySet, WeakValueMap } from '../../lib/collections/index.js';
import { make } from '../../lib/index.js';
import { reclaimEntries } from '../../lib/weak/entries.js';
import { failingAt } from '../support/failing.js';
import { away, gcNowUntil, verify } from '../support/gc.js';

vi.mock('../../lib/binding.js', async (original) => (await import('../support/failing.js')).failable(await original()));

/*
 * The stack may end, or `vm`'s timeout come, at any call of a change. Here each one fails in turn: the collection is as it
 * was, or as it was to become, for all of its methods alike; the next change works; and nothing is left over. What happens
 * at the real end of a stack is tested in test/lifecycle.
 */

afterEach(verify);

interface Collection {
  readonly size: number;
  has(key: unknown): boolean;
  get(key: unknown): unknown;
  keys(): Iterable<unknown>;
  clear(): void;
}

interface Kind {
  readonly name: string;
  readonly create: () => Collection;
  readonly keys: readonly unknown[];
  /** Puts in what dies with `target`. */
  readonly fill: (collection: Collection, target: object) => unknown;
  readonly put: (collection: Collection, key: unknown, again: boolean) => unknown;
  readonly remove: (collection: Collection, key: unknown) => unknown;
}

const keys: readonly WeakKey[] = [{ id: 0 }, { id: 1 }, Symbol('two')];
const values: readonly WeakKey[] = [{ value: 0 }, { value: 1 }, { value: 2 }];

const kinds: readonly Kind[] = [
  {
    name: 'WeakValueMap',
    create: () => new WeakValueMap() as unknown as Collection,
    keys: ['a', 'b', 'c'],
    fill: (map, target) => (map as unknown as Map<unknown, unknown>).set({}, target),
    put: (map, key, again) =>
      (map as unknown as Map<unknown, unknown>).set(
        key,
        values[(['a', 'b', 'c'].indexOf(key as string) + Number(again)) % 3],
      ),
    remove: (map, key) => (map as unknown as Map<unknown, unknown>).delete(key),
  },
  {
    name: 'WeakKeyMap',
    create: () => new WeakKeyMap() as unknown as Collection,
    keys,
    fill: (map, target) => (map as unknown as Map<unknown, unknown>).set(target, 0),
    put: (map, key, again) => (map as unknown as Map<unknown, unknown>).set(key, again ? 2 : 1),
    remove: (map, key) => (map as unknown as Map<unknown, unknown>).delete(key),
  },
  {
    name: 'WeakKeySet',
    create: () => Object.assign(new WeakKeySet(), { get: () => undefined }) as unknown as Collection,
    keys,
    fill: (set, target) => (set as unknown as Set<unknown>).add(target),
    put: (set, key) => (set as unknown as Set<unknown>).add(key),
    remove: (set, key) => (set as unknown as Set<unknown>).delete(key),
  },
];

describe.each(kinds)('a change of a $name that fails at any call', ({ create, keys: all, fill, put, remove }) => {
  const [first, second, third] = all;

  /** What it has, by every method; each of them says the same. */
  function contents(collection: Collection): unknown[] {
    const listed = [...collection.keys()];
    expect(collection.size).toBe(listed.length);
    expect(new Set(listed).size).toBe(listed.length);
    for (const key of all) expect(collection.has(key)).toBe(listed.includes(key));
    return listed.map((key) => [key, collection.get(key)]);
  }

  const changes: [string, readonly unknown[], (collection: Collection) => unknown][] = [
    ['a new one', [first, second], (collection) => put(collection, third, false)],
    ['one that is there', [first, second], (collection) => put(collection, second, true)],
    ['removed', [first, second, third], (collection) => remove(collection, second)],
    ['the last one removed', [first], (collection) => remove(collection, first)],
    ['cleared', all, (collection) => collection.clear()],
  ];

  it.each(changes)('%s: it is as before or as afterwards, and works', (_what, there, change) => {
    const made = (): Collection => {
      const collection = create();
      for (const key of there) put(collection, key, false);
      return collection;
    };
    const before = contents(made());
    const whole = made();
    change(whole);
    const after = contents(whole);
    let failed = 0;
    for (let at = 0; ; at++) {
      const collection = made();
      if (!failingAt(at, () => change(collection))) break;
      failed++;
      expect([before, after]).toContainEqual(contents(collection));
      verify();
      change(collection);
      expect(contents(collection)).toEqual(after);

      // The same without a look in between, which could have put it right.
      const unseen = made();
      failingAt(at, () => change(unseen));
      change(unseen);
      expect(contents(unseen)).toEqual(after);

      // And where the next change fails as well, at every call of its own.
      for (let next = 0; ; next++) {
        const twice = made();
        failingAt(at, () => change(twice));
        const again = failingAt(next, () => change(twice));
        expect([before, after]).toContainEqual(contents(twice));
        if (!again) break;
      }
    }
    expect(failed).toBeGreaterThan(0);
  });

  it('nothing is left over', () => {
    const collection = create();
    const { entries } = binding.stats();
    for (const [, there, change] of changes.slice(0, -1)) {
      for (let at = 0; at < 20; at++) {
        for (const key of there) put(collection, key, false);
        failingAt(at, () => change(collection));
        for (const key of all) remove(collection, key);
        expect(collection.size).toBe(0);
      }
    }
    // A GC may find garbage of earlier tests meanwhile, and make it less.
    expect(binding.stats().entries).toBeLessThanOrEqual(entries);
  });

  it('telling it of deaths: it is told of the rest', () => {
    let failed = 0;
    for (let at = 0, more = true; more; at++) {
      const { collection, targets } = away(() => {
        const made = create();
        const gone = Array.from({ length: 5 }, (_, id) => ({ id }));
        for (const target of gone) fill(made, target);
        return { collection: made, targets: gone.map((target) => make(target)) };
      });
      put(collection, second, false);
      gcNowUntil(() => !targets.some(({ alive }) => alive), 'dead');
      more = failingAt(at, () => {
        while (reclaimEntries() !== 0);
      });
      if (more) failed++;
      expect(contents(collection).length).toBe(1);
      while (reclaimEntries() !== 0);
      put(collection, first, false);
      expect([...collection.keys()]).toEqual([second, first]);
      verify();
    }
    expect(failed).toBeGreaterThan(7);
  });
});
