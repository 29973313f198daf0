import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { binding } from '../../lib/binding.js';
import { addCleanup, type Cleanup, keepAlive, queue } from '../../lib/index.js';
import * as records from '../../lib/reclaim/records.js';
import { away, gcNowUntil, gcUntil, turn, verify } from '../support/gc.js';
import { stressed } from '../support/stress.js';

/*
 * Cells are used again in any order, and found dead in the order of their numbers; what is called comes in the order of
 * registration all the same.
 */

const called: number[] = [];
const note = (i: number): unknown => called.push(i);

beforeEach(async () => {
  await gcUntil(() => queue.stats().armed + queue.stats().pending === 0, 'nothing registered');
  called.length = 0;
});

afterEach(() => {
  binding.testing.refuseMemory(0);
  verify();
  expect(records.verify()).toBe(null);
});

const orders: Record<string, (n: number) => number[]> = {
  ascending: (n) => Array.from({ length: n }, (_, i) => i),
  descending: (n) => Array.from({ length: n }, (_, i) => n - 1 - i),
  scattered: (n) => Array.from({ length: n }, (_, i) => (i * 7919) % n), // n and the prime have no common divisor
};

/** So many cells are free now, and are used again from the last that `order` names to the first. */
function freeCells(order: number[]): void {
  const target = {};
  const cleanups: Cleanup[] = order.map((i) => addCleanup(target, note, i));
  for (const i of order) cleanups[i]?.stop();
  keepAlive(target);
}

/** Three cleanups for each of `count` targets, mixed; all dead when this returns, and none called. */
function due(count: number): void {
  const { pending } = queue.stats();
  away(() => {
    const targets = Array.from({ length: count }, () => ({}));
    for (let i = 0; i < 3 * count; i++) addCleanup(targets[i % count] as object, note, i);
  });
  gcNowUntil(() => queue.stats().pending >= pending + 3 * count - 30, 'dead');
}

function expectOrder(count: number): void {
  expect(called.length).toBeGreaterThanOrEqual(3 * count - 30);
  const last = new Map<number, number>();
  for (const i of called) {
    expect(i).toBeGreaterThan(last.get(i % count) ?? -1);
    last.set(i % count, i);
  }
}

describe.each(Object.entries(orders))('with cells that were freed in %s order', (_name, order) => {
  it.each([1, 100, 4_000])('cleanups of %i targets keep the order of registration', async (count) => {
    freeCells(order(3 * count));
    due(count);
    expect(records.verify()).toBe(null);
    verify();
    await gcUntil(() => called.length === 3 * count, 'called');
    expectOrder(count);
  });

  // Where each were inserted into an ordered list of all that are due, the GCs of this would take longer than a test may.
  it.each([stressed ? 10_000 : 100_000])('so do those of %i targets', async (count) => {
    freeCells(order(3 * count));
    due(count);
    await gcUntil(() => called.length === 3 * count, 'called');
    expectOrder(count);
  });

  it.each([1_000, 7_000])('keeps it when memory is refused, for %i targets', async (count) => {
    freeCells(order(3 * count));
    binding.testing.refuseMemory(1_000_000);
    due(count);
    binding.testing.refuseMemory(0);
    verify();
    await gcUntil(() => called.length === 3 * count, 'called');
    expectOrder(count);
  });
});

describe('when the places in the order have been used up', () => {
  it('new registrations come after those that live', async () => {
    away(() => {
      const targets = Array.from({ length: 100 }, () => ({}));
      for (let i = 0; i < 300; i++) {
        if (i === 150) binding.testing.setNextPlace(0xffffffff - 50);
        addCleanup(targets[i % 100] as object, note, i);
      }
    });
    await gcUntil(() => called.length === 300, 'called');
    expectOrder(100);
  });

  it('does not mix with what is due already', async () => {
    due(100);
    binding.testing.setNextPlace(0xffffffff);
    due(100);
    await turn();
    await gcUntil(() => called.length === 600, 'called');
    const second = called.lastIndexOf(0);
    expect(called.slice(0, second).filter((i) => i === 0)).toEqual([0]);
  });

  it('and memory for new ones is refused, registers nothing', () => {
    const target = {};
    const cleanup = addCleanup(target, note, 1);
    const { armed } = queue.stats();
    binding.testing.setNextPlace(0xffffffff);
    binding.testing.refuseMemory(1_000);
    expect(() => addCleanup(target, note, 2)).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_MEMORY' }));
    expect(queue.stats().armed).toBe(armed);
    binding.testing.refuseMemory(0);
    const other = addCleanup(target, note, 3);
    expect([cleanup.stop(), other.stop()]).toEqual([true, true]);
    keepAlive(target);
  });
});
