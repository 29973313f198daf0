import { getHeapStatistics } from 'node:v8';
import { afterEach, describe, expect, it } from 'vitest';
import { binding } from '../../lib/binding.js';
import { WeakKeySet, WeakValueMap } from '../../lib/collections/index.js';
import { addCleanup, keepAlive, make, type Pointer, queue } from '../../lib/index.js';
import { giveBackRecords } from '../../lib/reclaim/records.js';
import { FinalizationRegistry as Registry } from '../../lib/spec/index.js';
import { giveBackEntries } from '../../lib/weak/entries.js';
import { giveBackSlots, reclaimBatch } from '../../lib/weak/slots.js';
import { away, gcNowUntil, majorGc, turn, verify } from '../support/gc.js';
import { stressed } from '../support/stress.js';

/* What a peak has taken is given back: memory, and what each GC has to look at. */

afterEach(verify);

/** Bytes that are kept whatever the peak was: three chunks, and lists of 16 384 elements (cells that are young, runs of deaths). */
const KEPT = 640_000;
/**
 * Cleanups take the fewest bytes, 16.4 each: of so many, a tenth is more than what is always kept, also where that is kept already from
 * the peak before. Under V8's stress flags each GC is one of very many.
 */
const PEAK = stressed ? 60_000 : 450_000;

/** What was dropped is dead, and has left the queue. */
async function settled(): Promise<void> {
  for (;;) {
    majorGc();
    await queue.settled();
    const { live, dead, armed, due, entries, deadEntries } = binding.stats();
    if (live + armed + entries < 4_000 && dead + due + deadEntries === 0) return;
    await turn();
  }
}

function heapUsed(): number {
  return getHeapStatistics().used_heap_size;
}

/** Few GCs, and a turn after each. */
async function fewGcs(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    majorGc();
    for (let j = 0; j < 20; j++) await turn();
    await queue.settled();
    verify();
  }
}

/** `targets` and `held` live until the peak has been measured, whatever GCs there are in between. */
describe.each<[string, (targets: { id: number }[]) => unknown]>([
  ['pointers', (targets) => targets.map((target) => make(target))],
  ['cleanups', (targets) => targets.map((target) => addCleanup(target, () => undefined))],
  ['values of a map', (targets) => new WeakValueMap(targets.map((target) => [target.id, target]))],
  ['members of a set', (targets) => new WeakKeySet(targets)],
])('a peak of %s', (_, fill) => {
  it('leaves a tenth of its memory at most, after few GCs, and is taken again', async () => {
    for (let i = 0; i < 3; i++) {
      await settled();
      await fewGcs();
      const { bytes } = binding.stats();
      const heap = heapUsed();
      const peak = away(() => {
        const targets = Array.from({ length: PEAK }, (_, id) => ({ id }));
        const held = fill(targets);
        majorGc();
        const taken = { bytes: binding.stats().bytes - bytes, heap: heapUsed() - heap };
        keepAlive(targets);
        keepAlive(held);
        return taken;
      });
      expect(peak.bytes).toBeGreaterThan(stressed ? PEAK * 8 : 10 * KEPT);
      expect(peak.heap).toBeGreaterThan(PEAK * 24);
      await settled();
      await fewGcs();
      expect(binding.stats().bytes - bytes).toBeLessThan(stressed ? KEPT : peak.bytes / 10);
      if (!stressed) expect(heapUsed() - heap).toBeLessThan(peak.heap / 10);
    }
  });
});

describe('a peak of registrations', () => {
  it('leaves nothing of them in a registry that lives', async () => {
    let called = 0;
    const peakOf = async (registry: Registry<number>): Promise<void> => {
      called = 0;
      away(() => {
        for (let i = 0; i < PEAK; i++) registry.register({}, i);
      });
      while (called < PEAK) {
        majorGc();
        await turn();
      }
    };
    const heap = async (): Promise<number> => {
      await fewGcs();
      return heapUsed();
    };
    const registries = Array.from({ length: 5 }, () => new Registry<number>(() => called++));
    await peakOf(registries[0] as Registry<number>); // and what is made once
    const before = await heap();
    for (const registry of registries.slice(1)) await peakOf(registry);
    // Four bytes of each would be more.
    expect((await heap()) - before).toBeLessThan(4 * 4 * PEAK);
    expect(registries).toHaveLength(5);
  });
});

describe('memory is given back in steps of a chunk: no turn of the event loop is longer for a higher peak', () => {
  const CHUNK = 4_096;

  /** `step` gives back; everything in one job, or the queue would do it. */
  function expectSteps(step: () => boolean): void {
    majorGc();
    majorGc();
    let steps = 0;
    for (let { resident } = binding.stats(); step(); steps++) {
      const left = binding.stats().resident;
      expect(resident - left).toBe(CHUNK);
      resident = left;
    }
    expect(steps).toBeGreaterThanOrEqual(PEAK / CHUNK / 2);
  }

  it('of pointers', () => {
    away(() => Array.from({ length: PEAK }, (_, id) => ({ id })).map((target) => make(target).alive));
    gcNowUntil(() => binding.stats().live < PEAK / 10, 'nearly all dead');
    while (reclaimBatch() !== 0);
    expectSteps(giveBackSlots);
  });

  it('of cleanups', () => {
    const targets = Array.from({ length: PEAK }, (_, id) => ({ id }));
    for (const cleanup of targets.map((target) => addCleanup(target, () => undefined))) cleanup.stop();
    expectSteps(giveBackRecords);
    keepAlive(targets);
  });

  it('of entries', () => {
    const targets = Array.from({ length: PEAK }, (_, id) => ({ id }));
    const map = new WeakValueMap(targets.map((target) => [target.id, target]));
    for (const { id } of targets) map.delete(id);
    expectSteps(giveBackEntries);
    keepAlive(targets);
  });
});

/** From 2^18 cells on there are fewer guesses for each (native/guesses.h), from 2^21 on none. Not under stress: each GC looks at all. */
describe.each(stressed ? [60_000] : [300_000, 2 ** 21 + 10_000])('with %i pointers', (count) => {
  it('a known target has its pointer, whatever is guessed, on the way up and down', async () => {
    const targets = Array.from({ length: count }, (_, id) => ({ id }));
    const pointers = targets.map((target) => make(target));
    for (let left = count; ; left = Math.floor(left / 4)) {
      targets.length = left;
      pointers.length = left;
      await fewGcs();
      expect(targets.findIndex((target, i) => make(target) !== pointers[i])).toBe(-1);
      if (left < 1_000) break;
    }
    await settled();
  });
});

describe('what has been given back', () => {
  it('leaves the pointers to it dead, for ever, and no others equal to them', async () => {
    const old = away(() => Array.from({ length: PEAK }, (_, id) => make({ id })));
    await settled();
    await fewGcs();
    expect(binding.stats().resident).toBeLessThan(PEAK / 2);
    expect(old.some((pointer) => pointer.alive || pointer.value() !== undefined)).toBe(false);
    const known = new Set<Pointer>(old);
    const targets = Array.from({ length: PEAK }, (_, id) => ({ id }));
    const fresh = targets.map((target) => make(target));
    expect(fresh.filter((pointer) => known.has(pointer))).toEqual([]);
    expect(fresh.map((pointer) => pointer.value())).toEqual(targets);
    expect(old.some((pointer) => pointer.alive || pointer.value() !== undefined)).toBe(false);
  });

  it('leaves the cleanups of it done, whoever has their cells', async () => {
    const old = away(() => Array.from({ length: PEAK }, (_, id) => addCleanup({ id }, () => undefined)));
    await settled();
    await fewGcs();
    expect(old.some(({ state }) => state !== 'done')).toBe(false);
    const targets = Array.from({ length: PEAK }, (_, id) => ({ id }));
    const fresh = targets.map((target) => addCleanup(target, () => undefined));
    expect(old.some((cleanup) => cleanup.state !== 'done' || cleanup.stop())).toBe(false);
    expect(fresh.every(({ state }) => state === 'armed')).toBe(true);
    expect(targets).toHaveLength(PEAK);
  });

  it('is not what is still in use: survivors keep their places', async () => {
    const kept: { id: number }[] = [];
    const pointers = away(() =>
      Array.from({ length: PEAK }, (_, id) => {
        const target = { id };
        if (id % 20_000 === 0) kept.push(target);
        return make(target);
      }),
    );
    await settled();
    await fewGcs();
    const alive = pointers.filter((pointer) => pointer.alive);
    expect(alive.map((pointer) => pointer.value())).toEqual(kept);
    expect(kept.map((target) => make(target))).toEqual(alive);
  });

  it('can be had again when memory for more is refused', async () => {
    away(() => Array.from({ length: PEAK }, (_, id) => addCleanup({ id }, () => undefined)));
    await settled();
    await fewGcs();
    binding.testing.refuseMemory(1_000_000);
    const targets = Array.from({ length: PEAK / 2 }, (_, id) => ({ id }));
    try {
      for (const target of targets) addCleanup(target, () => undefined);
    } finally {
      binding.testing.refuseMemory(0);
    }
    expect(targets).toHaveLength(PEAK / 2);
  });
});
