import { afterEach, describe, expect, it } from 'vitest';
import { type Binding, binding } from '../lib/binding.js';
import { WeakKeyMap, WeakValueMap } from '../lib/collections/index.js';
import { addCleanup, make } from '../lib/index.js';
import { FinalizationRegistry as Registry } from '../lib/spec/index.js';
import { verify } from './support/gc.js';

/*
 * The border between the two halves: whatever comes instead of a small integer, of a generation, or of a target, nothing is
 * read or changed, and the error has a code. (Once, boxed numbers were taken for small integers.)
 */

afterEach(verify);

/** What is no small integer, or none of anything. */
const noNumber: readonly unknown[] = [
  undefined,
  null,
  0.5,
  1002.5,
  3_000_000_001,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 53,
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '1',
  1n,
  true,
  {},
  [],
  Object(1),
  Symbol('number'),
  () => 1,
  new Proxy({}, {}),
];
const noCell = [...noNumber, -1, 2 ** 30, 2 ** 28, -(2 ** 31)];
const noTarget: readonly unknown[] = [undefined, null, 1, 1.5, 'target', 1n, true];

const fault = expect.objectContaining({ code: 'ERR_WEAKLY_INTERNAL', message: expect.stringContaining('expected') });

type Call = (...args: unknown[]) => unknown;
const calls = binding as unknown as Record<keyof Binding, Call>;

/** Everything that could be harmed. */
const targets = Array.from({ length: 100 }, (_, id) => ({ id }));
const pointers = targets.map((target) => make(target));
const byId = new WeakValueMap(targets.map((target) => [target.id + 0.5, target]));
const byTarget = new WeakKeyMap(targets.map((target) => [target, target.id]));
const registry = new Registry(() => undefined);
for (const target of targets) {
  addCleanup(target, () => undefined);
  registry.register(target, target.id);
}

function unharmed(): void {
  expect(pointers.map((pointer) => pointer.value())).toEqual(targets);
  expect([...byId].map(([key, { id }]) => key - id)).toEqual(targets.map(() => 0.5));
  expect([...byTarget.values()]).toEqual(targets.map(({ id }) => id));
}

describe.each<[keyof Binding, number]>([
  ['get', 0],
  ['entry', 0],
  ['discardEntry', 0],
  ['discard', 0],
  ['countEntries', 0],
  ['describe', 0],
])('%s', (name, at) => {
  it('refuses what is no cell', () => {
    for (const wrong of noCell) expect(() => calls[name](wrong, 1), String(wrong)).toThrow(fault);
    unharmed();
  });

  it('refuses what is no generation', () => {
    for (const wrong of noNumber) expect(() => calls[name](at, wrong), String(wrong)).toThrow(fault);
    unharmed();
  });

  it('gives nothing for a generation that the cell does not have', () => {
    for (const generation of [-1, 0, 2, 4, 2 ** 30 - 1, -(2 ** 31)]) {
      for (let cell = 0; cell < 300; cell++) {
        let given: unknown;
        try {
          given = calls[name](cell, generation);
        } catch (error) {
          expect(error).toEqual(fault);
        }
        expect([undefined, null, -1, false]).toContain(given);
      }
    }
    unharmed();
  });

  it('refuses to be called without arguments', () => {
    expect(() => calls[name]()).toThrow(fault);
  });
});

/** What owns entries, and is right wherever an owner is expected: what is refused below is refused for nothing else. */
const owner = {};
const ownerCell = binding.addOwner(owner);
const ownerGeneration = generationAt(ownerCell);

const adding: [keyof Binding, readonly unknown[]][] = [
  ['addEntry', [ownerCell, ownerGeneration, 0]],
  ['addKey', [ownerCell, ownerGeneration, 0]],
  ['findKey', [ownerCell, ownerGeneration]],
];

it.each<[keyof Binding, readonly unknown[]]>([['acquire', []], ['register', []], ['addOwner', []], ...adding])(
  '%s refuses what is no target',
  (name, rest) => {
    for (const wrong of noTarget) expect(() => calls[name](wrong, ...rest), String(wrong)).toThrow(fault);
    unharmed();
  },
);

describe.each(adding)('%s', (name, rest) => {
  it('takes what is right', () => {
    expect(calls[name]({}, ...rest)).toBeGreaterThanOrEqual(-1);
    expect(binding.entry(ownerCell, ownerGeneration)).toBe(owner);
  });

  it.each(rest.map((_, at) => at))('refuses an owner or a place that is none, as argument %i', (at) => {
    for (const wrong of at === 1 ? noNumber : noCell)
      expect(() => calls[name]({}, ...rest.with(at, wrong)), String(wrong)).toThrow(fault);
    unharmed();
  });
});

it('retarget refuses what is no cell, no generation, or no target', () => {
  for (const wrong of noCell) expect(() => calls.retarget(wrong, 1, {})).toThrow(fault);
  for (const wrong of noNumber) expect(() => calls.retarget(0, wrong, {})).toThrow(fault);
  for (const wrong of noTarget) expect(() => calls.retarget(0, 1, wrong)).toThrow(fault);
  unharmed();
});

it('retarget refuses an entry that is found by its key', () => {
  const owner = {};
  const cell = binding.addOwner(owner);
  const generation = generationAt(cell);
  const key = {};
  const entry = binding.addKey(key, cell, generation, 7);
  expect(() => calls.retarget(entry, generationAt(entry), {})).toThrow(fault);
  expect([binding.findKey(key, cell, generation), binding.entry(entry, generationAt(entry)) === key]).toEqual([
    7,
    true,
  ]);
  binding.discardEntry(entry, generationAt(entry));
  expect(owner).toEqual({});
});

it('discardEntry and discard refuse a generation that no cell has had', () => {
  const { entryCapacity } = binding.stats();
  expect(() => calls.discardEntry(entryCapacity - 1, -1)).toThrow(fault);
  expect(() => calls.discard(4095, -1)).toThrow(fault);
  unharmed();
});

/** The generation of a cell of entries, odd while it is live. */
function generationAt(cell: number): number {
  const rows = binding.testing.entries();
  for (let i = 0; i < rows.length; i += 6) if (rows[i] === cell) return rows[i + 1] as number;
  throw new Error(`no cell ${cell}`);
}

it.each<[keyof Binding, unknown]>([
  ['grow', {}],
  ['growCleanups', undefined],
  ['growEntries', 'list'],
  ['hold', 1],
  ['outside', {}],
  ['trackJobs', {}],
  ['watchHeap', '1'],
  ['onDeaths', {}],
])('%s refuses what is not of its kind', (name, wrong) => {
  expect(() => calls[name](wrong)).toThrow(fault);
  unharmed();
});

it('what JavaScript writes into a batch is not what is freed', () => {
  binding.batch.fill(0x7fffffff);
  binding.due.fill(-1);
  binding.deadEntries.fill(0x12345678);
  binding.release();
  binding.releaseDue();
  binding.releaseEntries();
  unharmed();
});
