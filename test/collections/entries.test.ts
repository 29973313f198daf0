import { afterEach, describe, expect, it } from 'vitest';
import { binding } from '../../lib/binding.js';
import { WeakKeyMap, WeakKeySet, WeakValueMap } from '../../lib/collections/index.js';
import { addCleanup } from '../../lib/index.js';
import { reclaimEntries, verifyEntries } from '../../lib/weak/entries.js';
import { away, gcNowUntil, gcUntil, majorGc, minorGc, turn, verify } from '../support/gc.js';

/*
 * What all collections rest on. The native calls are tested by themselves where no test could bring JavaScript to make them
 * at the moment in question: between its look at an entry and its call a GC may find the entry dead.
 */

afterEach(verify);

class Holder {}

/** The generation of an entry, or of an owner. */
function generationOf(cell: number): number {
  const rows = binding.testing.entries();
  for (let i = 0; i < rows.length; i += 6) if (rows[i] === cell) return rows[i + 1] as number;
  throw new Error(`${cell} is free`);
}

/** An owner whose entries nobody is told of. */
function newOwner(): { owner: Holder; cell: number; generation: number } {
  const owner = new Holder();
  const cell = binding.addOwner(owner);
  return { owner, cell, generation: generationOf(cell) };
}

const fault = expect.objectContaining({ code: 'ERR_WEAKLY_INTERNAL' });

describe('the last entry of a collection', () => {
  it('is freed without a call in between, be it for the length of a list', () => {
    const { prototype } = Object.getPrototypeOf(Int32Array) as { prototype: object };
    const own = Object.getOwnPropertyDescriptor(prototype, 'length') as PropertyDescriptor;
    const map = new WeakValueMap<number, object>([[1, {}]]);
    let thrown: unknown;
    Object.defineProperty(prototype, 'length', { ...own, get: () => { throw new Error('a call'); } }); // biome-ignore format: short
    try {
      map.delete(1);
    } catch (error) {
      thrown = error;
    } finally {
      Object.defineProperty(prototype, 'length', own);
    }
    expect(verifyEntries()).toBeNull();
    expect(thrown).toBeUndefined();
    expect(map.size).toBe(0);
  });
});

describe('size', () => {
  it.each([0, 1, 2, 3, 4, 5])(
    'is that of what is there, where %i minor GCs are survived and the next is the last',
    (age) => {
      const map = new WeakValueMap<number, object>();
      let held: object[] | undefined = Array.from({ length: 20 }, () => ({}));
      for (const [i, value] of held.entries()) map.set(i, value);
      for (let i = 0; i < age; i++) {
        minorGc();
        expect(map.size).toBe(20);
      }
      held = undefined;
      minorGc();
      const { size } = map;
      expect(size).toBe([...map].length);
    },
  );
});

describe('an entry that has been found dead', () => {
  /** An owner, and an entry of its that is dead and waits. */
  function deadEntry(): { owner: Holder; entry: number; born: number } {
    const { owner, cell, generation } = newOwner();
    const { entry, born } = away(() => {
      const entry = binding.addEntry({}, cell, generation, 7);
      return { entry, born: generationOf(entry) };
    });
    gcNowUntil(() => binding.countEntries(cell, generation) === 0, 'dead');
    return { owner, entry, born };
  }

  it('is not discarded a second time', () => {
    const { owner, entry, born } = deadEntry();
    expect(binding.discardEntry(entry, born)).toBe(-1);
    verify();
    expect(owner).toBeInstanceOf(Holder);
  });

  it('gets no other target', () => {
    const { owner, entry, born } = deadEntry();
    expect(binding.retarget(entry, born, {})).toBe(false);
    expect(binding.entry(entry, born)).toBeUndefined();
    verify();
    expect(owner).toBeInstanceOf(Holder);
  });
});

describe('entries of a collection that is gone, whose targets live', () => {
  it('go in steps of 2^14, so that none takes long', () => {
    const targets = Array.from({ length: 60_000 }, (_, i) => ({ i }));
    const { entries: before } = binding.stats();
    away(() => void new WeakKeySet(targets));
    gcNowUntil(() => binding.stats().orphans >= targets.length, 'orphans');
    const steps: number[] = [];
    for (let there = binding.stats().entries; reclaimEntries() !== 0; there = binding.stats().entries)
      steps.push(there - binding.stats().entries);
    expect(binding.stats().entries).toBeLessThan(before + 5000);
    expect(Math.max(...steps)).toBeLessThanOrEqual(2 ** 14);
    verify();
    expect(targets.length).toBe(60_000);
  });
});

describe('entries whose telling was cut short', () => {
  it('have let go of their places, which others have taken, and are not told again', () => {
    const map = new WeakValueMap<number, object>();
    away(() => {
      for (let i = 0; i < 8; i++) map.set(i, {});
    });
    gcNowUntil(() => map.size === 0, 'dead');
    const calls = binding as { releaseEntries(): void };
    const { releaseEntries } = calls;
    // As vm's timeout does, which may come between any two calls.
    calls.releaseEntries = () => {
      throw new Error('cut short');
    };
    try {
      expect(reclaimEntries).toThrow('cut short');
    } finally {
      calls.releaseEntries = releaseEntries;
    }
    const values = Array.from({ length: 8 }, (_, i) => ({ i }));
    for (const [i, value] of values.entries()) map.set(100 + i, value);
    expect(verifyEntries()).toBeNull();
    while (reclaimEntries() !== 0);
    expect(verifyEntries()).toBeNull();
    expect([...map]).toEqual(values.map((value, i) => [100 + i, value]));
  });
});

describe('an entry that lives', () => {
  it('is discarded once, and was alive', () => {
    const [{ owner, cell, generation }, target] = [newOwner(), {}];
    const entry = binding.addEntry(target, cell, generation, 7);
    const born = generationOf(entry);
    expect(binding.retarget(entry, born, owner)).toBe(true);
    expect(binding.entry(entry, born)).toBe(owner);
    expect(binding.discardEntry(entry, born)).toBe(1);
    expect(binding.discardEntry(entry, born)).toBe(-1);
    expect(target).toEqual({});
  });

  it('with a key is found by it', () => {
    const [{ owner, cell, generation }, key] = [newOwner(), {}];
    const entry = binding.addKey(key, cell, generation, 9);
    expect(binding.findKey(key, cell, generation)).toBe(9);
    expect(binding.countEntries(cell, generation)).toBe(1);
    expect(binding.discardEntry(entry, generationOf(entry))).toBe(1);
    expect(binding.findKey(key, cell, generation)).toBe(-1);
    expect(owner).toBeInstanceOf(Holder);
  });

  it('is never read, changed or discarded by the name of the one before it in its cell', () => {
    const [{ owner, cell, generation }, first, second] = [newOwner(), { id: 1 }, { id: 2 }];
    const entry = binding.addEntry(first, cell, generation, 0);
    const old = generationOf(entry);
    binding.discardEntry(entry, old);
    expect(binding.addEntry(second, cell, generation, 1)).toBe(entry);
    const born = generationOf(entry);
    expect(born).toBeGreaterThan(old);
    expect([binding.entry(entry, old), binding.retarget(entry, old, first)]).toEqual([undefined, false]);
    expect(() => binding.discardEntry(entry, old)).toThrow(fault);
    expect(binding.entry(entry, born)).toBe(second);
    binding.discardEntry(entry, born);
    expect([owner, first, second]).toHaveLength(3);
  });
});

describe('an owner that is not one', () => {
  it('gets no entries, has none, and finds none', () => {
    const [{ owner, cell, generation }, target] = [newOwner(), {}];
    const entry = binding.addEntry(target, cell, generation, 0);
    const born = generationOf(entry);
    for (const [number, of] of [
      [entry, born],
      [cell, generation + 2],
      [cell, -generation],
      [cell + 1, generation],
      [2 ** 28, generation],
      [-1, generation],
    ] as const) {
      expect(() => binding.addEntry(target, number, of, 0)).toThrow(fault);
      expect(() => binding.addKey(target, number, of, 0)).toThrow(fault);
      expect(() => binding.findKey(target, number, of)).toThrow(fault);
      expect(() => binding.countEntries(number, of)).toThrow(fault);
    }
    // Nor is an owner an entry.
    expect(binding.retarget(cell, generation, target)).toBe(false);
    expect(() => binding.discardEntry(cell, generation)).toThrow(fault);
    expect(binding.countEntries(cell, generation)).toBe(1);
    binding.discardEntry(entry, born);
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

it('room for more entries that is made while a built-in adds to the same map loses none', () => {
  const map = new WeakValueMap<string, object>();
  const held: object[] = [];
  const put = (key: string): void => {
    const value = {};
    held.push(value);
    map.set(key, value);
  };
  const own = Int32Array.prototype.set;
  let inner = 0;
  Int32Array.prototype.set = function (this: Int32Array, ...args: Parameters<typeof own>): void {
    if (inner < 100) put(`inner ${inner++}`);
    own.apply(this, args);
  };
  try {
    for (let i = 0; i < 200; i++) put(`outer ${i}`);
  } finally {
    Int32Array.prototype.set = own;
  }
  for (let i = 0; i < 200; i++) put(`later ${i}`);
  expect([map.size, new Set(map.values()).size]).toEqual([held.length, held.length]);
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
  // It is the only one, whatever its number, and the first in its cell.
  const answers = Array.from({ length: 64 }, (_, i) => {
    try {
      return binding.discard(i, 1);
    } catch {
      return undefined;
    }
  });
  expect(answers.filter((answer) => answer !== undefined)).toEqual([false]);
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
