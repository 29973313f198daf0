import { afterEach, describe, expect, it } from 'vitest';
import { binding } from '../../lib/binding.js';
import { WeakKeyMap, WeakKeySet, WeakValueMap } from '../../lib/collections/index.js';
import { addCleanup } from '../../lib/index.js';
import { away, gcNowUntil, gcUntil, majorGc, minorGc, turn, verify } from '../support/gc.js';

/*
 * What all collections rest on. The native calls are tested by themselves where no test could bring JavaScript to make them
 * at the moment in question: between its look at an entry and its call a GC may find the entry dead.
 */

afterEach(verify);

class Holder {}

describe('an entry that has been found dead', () => {
  /** An owner, and an entry of its that is dead and waits. */
  function deadEntry(): { owner: Holder; entry: number } {
    const owner = new Holder();
    const number = binding.addOwner(owner);
    const entry = away(() => binding.addEntry({}, number, 7));
    gcNowUntil(() => binding.countEntries(number) === 0, 'dead');
    return { owner, entry };
  }

  it('is not discarded a second time', () => {
    const { owner, entry } = deadEntry();
    expect(binding.discardEntry(entry)).toBe(-1);
    verify();
    expect(owner).toBeInstanceOf(Holder);
  });

  it('gets no other target', () => {
    const { owner, entry } = deadEntry();
    expect(binding.retarget(entry, {})).toBe(false);
    expect(binding.entry(entry)).toBeUndefined();
    verify();
    expect(owner).toBeInstanceOf(Holder);
  });
});

describe('an entry that lives', () => {
  it('is discarded once: its place, and that it was alive', () => {
    const [owner, target] = [new Holder(), {}];
    const number = binding.addOwner(owner);
    const entry = binding.addEntry(target, number, 7);
    expect(binding.retarget(entry, owner)).toBe(true);
    expect(binding.entry(entry)).toBe(owner);
    expect(binding.discardEntry(entry)).toBe(15);
    expect(binding.discardEntry(entry)).toBe(-1);
    expect(target).toEqual({});
  });

  it('with a key is found, and not made twice', () => {
    const [owner, key] = [new Holder(), {}];
    const number = binding.addOwner(owner);
    const entry = binding.addKey(key, number);
    expect([binding.addKey(key, number), binding.findKey(key, number)]).toEqual([entry, entry]);
    expect(binding.countEntries(number)).toBe(1);
    expect([binding.discardEntry(entry), binding.findKey(key, number)]).toEqual([1, -1]);
    expect(owner).toBeInstanceOf(Holder);
  });
});

describe('a chunk whose words JavaScript could not take', () => {
  it.each(['grow', 'growCleanups', 'growEntries'] as const)('%s: is not opened, and is the next one', (grow) => {
    const before = binding.stats();
    expect(binding[grow](Object.freeze([]) as never)).toBe(false);
    const { bytes } = binding.stats();
    expect(bytes).toBeGreaterThan(before.bytes);
    // As often as one likes: it is there already.
    expect(binding[grow](Object.freeze([]) as never)).toBe(false);
    const after = binding.stats();
    expect([after.bytes, after.capacity, after.entryCapacity]).toEqual([bytes, before.capacity, before.entryCapacity]);
    verify();
  });
});

it('a WeakKeyMap whose WeakMap lies deletes nothing that is not there', () => {
  const map = new WeakKeyMap<object, number>([[Holder, 1]]);
  const own = WeakMap.prototype.has;
  WeakMap.prototype.has = () => true;
  try {
    expect(map.delete({})).toBe(false);
  } finally {
    WeakMap.prototype.has = own;
  }
  expect([...map]).toEqual([[Holder, 1]]);
});

it('a registration that has been found dead is not discarded a second time', async () => {
  let called = 0;
  const record = away(() => {
    const target = {};
    const cleanup = addCleanup(target, () => called++);
    expect(cleanup.state).toBe('armed');
    return cleanup;
  });
  gcNowUntil(() => record.state === 'queued', 'dead');
  // It is the only one, whatever its number.
  for (let i = 0; i < 64; i++) expect(binding.discard(i)).toBe(false);
  verify();
  await gcUntil(() => called === 1, 'called');
});

describe.each<[string, (targets: readonly object[]) => { values(): IterableIterator<object> }]>([
  ['WeakValueMap', (targets) => new WeakValueMap(targets.map((target, i) => [i, target]))],
  ['WeakKeySet', (targets) => new WeakKeySet(targets)],
  ['WeakKeyMap', (targets) => new WeakKeyMap(targets.map((target) => [target, target]))],
])('an iterator of a %s', (_, create) => {
  it('holds its collection: it goes on when nobody else does', async () => {
    const targets = Array.from({ length: 20_000 }, (_, id) => ({ id }));
    const iterator = away(() => create(targets).values());
    expect(iterator.next().value).toBe(targets[0]);
    // Others take what numbers there are.
    for (let round = 0; round < 5; round++) {
      await turn();
      majorGc();
      new WeakValueMap(Array.from({ length: 5_000 }, (_, i) => [i, { foreign: i }]));
    }
    expect([...iterator]).toEqual(targets.slice(1));
  });

  it('in a loop over what nobody has named', () => {
    const targets = Array.from({ length: 20_000 }, (_, id) => ({ id }));
    const seen: object[] = [];
    for (const target of create(targets).values()) {
      seen.push(target);
      if (seen.length % 5_000 === 0) majorGc();
    }
    expect(seen).toEqual(targets);
  });

  it('is shown by what it goes through, and gives nothing for that', async () => {
    const { inspect } = await import('node:util');
    const target = {};
    const iterator = create([target]).values();
    expect(inspect(iterator)).toBe(`[${_} Iterator]`);
    expect([...iterator]).toEqual([target]);
  });
});

it('setting one key over and over takes no memory between two GCs', () => {
  const map = new WeakValueMap<number, object>();
  const [a, b] = [{}, {}];
  const { bytes } = binding.stats();
  const most = bytes + 4 * 1024 * 1024;
  for (let i = 0; i < 3_000_000; i++) map.set(1, i % 2 === 0 ? a : b);
  expect(binding.stats().bytes).toBeLessThan(most);
  expect([map.get(1), map.size, a]).toEqual([b, 1, {}]);
  // Nor is the death of a young target missed that there was no room to note.
  away(() => map.set(1, {}));
  for (let i = 0; i < 3; i++) minorGc();
  expect(binding.testing.unseen()).toBe(0);
  gcNowUntil(() => map.size === 0, 'dead');
});

describe('when V8 has no place for one more', () => {
  const full = (): never => {
    throw new RangeError('Map maximum size exceeded');
  };

  function fails(prototype: object, method: string, add: () => void): void {
    const own = Reflect.getOwnPropertyDescriptor(prototype, method) as PropertyDescriptor;
    Object.defineProperty(prototype, method, { ...own, value: full });
    try {
      expect(add).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_MEMORY', cause: expect.any(RangeError) }));
    } finally {
      Object.defineProperty(prototype, method, own);
    }
  }

  it('WeakValueMap says so, and is unchanged', () => {
    const map = new WeakValueMap<string, object>();
    const value = {};
    fails(Map.prototype, 'set', () => map.set('a', value));
    expect([map.size, map.has('a'), [...map]]).toEqual([0, false, []]);
    expect([map.set('a', value).size, map.get('a')]).toEqual([1, value]);
  });

  it('what is no lack of room is passed on', () => {
    const own = Map.prototype.set;
    const map = new WeakValueMap<string, object>();
    const overflow = new RangeError('Maximum call stack size exceeded');
    Map.prototype.set = () => {
      throw overflow;
    };
    try {
      expect(() => map.set('a', {})).toThrow(overflow);
    } finally {
      Map.prototype.set = own;
    }
    expect([map.size, map.has('a')]).toEqual([0, false]);
  });

  it('WeakKeyMap and WeakKeySet say so, and are unchanged', () => {
    const [map, set, key] = [new WeakKeyMap<object, number>(), new WeakKeySet(), {}];
    fails(Set.prototype, 'add', () => map.set(key, 1));
    fails(Set.prototype, 'add', () => set.add(key));
    expect([map.size, map.has(key), [...map], set.size, set.has(key), [...set]]).toEqual([0, false, [], 0, false, []]);
    map.set(key, 2);
    set.add(key);
    expect([map.size, map.get(key), [...map.keys()], set.size, [...set]]).toEqual([1, 2, [key], 1, [key]]);
  });
});
