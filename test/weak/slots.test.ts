import { afterEach, describe, expect, it, vi } from 'vitest';
import { binding } from '../../lib/binding.js';
import { make, makeField, type Pointer } from '../../lib/index.js';
import { acquire, isAlive, liveGenerationOf, read, reclaimBatch } from '../../lib/weak/slots.js';
import { away, gcNowUntil, gcUntil, majorGc, minorGc, until, verify } from '../support/gc.js';

const MAX_SLOTS = 2 ** 28;
const MAX_GENERATION = 2 ** 30 - 1;

afterEach(() => {
  binding.testing.setLimits(MAX_SLOTS, MAX_GENERATION);
  binding.testing.refuseMemory(0);
  verify();
});

function drop(count: number): void {
  away(() => {
    for (let i = 0; i < count; i++) make({ i });
  });
}

/** All of them at once: while they are made, no GC can find any dead, and nothing is reclaimed. */
function dropTogether(count: number): Pointer<{ i: number }>[] {
  return away(() => Array.from({ length: count }, (_, i) => ({ i })).map((target) => make(target)));
}

describe('slots', () => {
  it('need no Pointer object', () => {
    const target = {};
    const slot = acquire(target);
    const generation = liveGenerationOf(slot);
    expect(generation % 2).toBe(1);
    expect(isAlive(slot, generation)).toBe(true);
    expect(read(slot, generation)).toBe(target);
    expect(acquire(target)).toBe(slot);
  });

  it('count every death exactly once', async () => {
    const { deaths, live } = binding.stats();
    drop(20_000);
    await gcUntil(() => binding.stats().live <= live, 'all dead');
    expect(binding.stats().deaths - deaths).toBeGreaterThanOrEqual(20_000);
    await until(() => binding.stats().dead === 0, 'drained');
    const after = binding.stats();
    expect(after.deaths - deaths - 20_000).toBe(live - after.live);
  });

  it('are reused: churn needs no more of them', async () => {
    for (let round = 0; round < 5; round++) {
      drop(5_000);
      await gcUntil(() => binding.stats().dead === 0 && binding.stats().live < 5_000, 'drained');
    }
    const { capacity } = binding.stats();
    for (let round = 0; round < 20; round++) {
      drop(5_000);
      majorGc();
      await until(() => binding.stats().dead === 0, 'drained');
    }
    // 100,000 pointers later: some may wait for their GC at any moment, but the table does not grow with their number.
    expect(binding.stats().capacity).toBeLessThanOrEqual(2 * capacity);
  });

  it('are reused by a loop that never yields to the event loop', () => {
    drop(100_000);
    minorGc();
    const { capacity } = binding.stats();
    for (let round = 0; round < 10; round++) {
      drop(50_000);
      minorGc();
      minorGc();
    }
    // 600,000 pointers later; under stress flags, which collect more often, the first 100,000 need few slots.
    expect(binding.stats().capacity).toBeLessThanOrEqual(Math.max(capacity * 2, 65_536));
  });

  it('are not added while there are free ones, however often GCs end a job that makes some', async () => {
    drop(20_000);
    await gcUntil(() => binding.stats().dead === 0 && binding.stats().live < 10_000, 'room');
    const { capacity } = binding.stats();
    for (let round = 0; round < 100; round++) {
      drop(200);
      round % 3 === 0 ? minorGc() : majorGc();
    }
    expect(binding.stats().capacity).toBe(capacity);
  });

  it('are freed by a job that makes more and does not yield, before it uses up the free ones', async () => {
    await gcUntil(() => binding.stats().dead === 0, 'quiet');
    dropTogether(20_000);
    gcNowUntil(() => binding.stats().dead >= 19_000, 'dead');
    const targets = Array.from({ length: 6_000 }, (_, i) => ({ i }));
    for (const target of targets) make(target);
    // A batch of 512 for every 128 new ones.
    expect(binding.stats().dead).toBeLessThan(512);
    verify();
  });

  it('that died in an earlier GC are handed out before those of a later one', async () => {
    await gcUntil(() => binding.stats().dead === 0, 'quiet');
    const old = away(() => {
      const targets = Array.from({ length: 3_000 }, (_, i) => ({ i }));
      const slots = targets.map((target) => acquire(target));
      minorGc();
      minorGc();
      return slots;
    });
    const first = new Set(old);
    majorGc(); // found dead here, but not searched for yet
    // Few, so that their making does not reclaim all of the others.
    const young = new Set(away(() => Array.from({ length: 100 }, (_, i) => acquire({ i }))));
    minorGc();
    minorGc();
    const order: number[] = [];
    for (let count = binding.takeDead(); count !== 0; count = binding.takeDead()) {
      for (let i = 0; i < count; i++) order.push(binding.batch[i] as number);
      binding.release();
    }
    const lastOld = order.findLastIndex((slot) => first.has(slot) && !young.has(slot));
    const firstYoung = order.findIndex((slot) => young.has(slot) && !first.has(slot));
    expect(order.length).toBeGreaterThan(2_500);
    expect(lastOld).toBeGreaterThanOrEqual(0);
    expect(lastOld).toBeLessThan(firstYoung);
    verify();
  });

  it('that died but were not drained are skipped by lookups', () => {
    const pointers = dropTogether(2_000);
    gcNowUntil(() => !pointers.some((pointer) => pointer.alive), 'all dead');
    expect(binding.stats().dead).toBeGreaterThanOrEqual(2_000);
    const targets = Array.from({ length: 2_000 }, (_, i) => ({ i }));
    const fresh = new Set(targets.map((target) => make(target)));
    expect(pointers.some((pointer) => fresh.has(pointer))).toBe(false);
    verify();
  });

  it('age out of the young list: an old target is found dead by a major GC', () => {
    let targets: object[] | null = Array.from({ length: 3_000 }, (_, i) => ({ i }));
    const pointers = targets.map((target) => make(target));
    minorGc();
    minorGc();
    minorGc();
    expect(binding.stats().young).toBeLessThan(3_000);
    expect(pointers.every((pointer) => pointer.alive)).toBe(true);
    targets = null;
    majorGc();
    majorGc();
    expect(pointers.filter((pointer) => pointer.alive).length).toBeLessThan(10);
    expect(binding.testing.unseen()).toBe(0);
  });

  it('survive growth over many chunks and every split of the index', () => {
    const targets = Array.from({ length: 120_000 }, (_, i) => ({ i }));
    const pointers = targets.map((target) => make(target));
    expect(binding.stats().buckets).toBeGreaterThan(15_000);
    verify();
    expect(targets.every((target, i) => make(target) === pointers[i] && pointers[i]?.value() === target)).toBe(true);
  });
});

describe('generations', () => {
  it('name one target each; an exhausted slot retires and is never used again', async () => {
    await gcUntil(() => binding.stats().dead === 0, 'quiet');
    binding.testing.setLimits(MAX_SLOTS, 1);
    const { retired } = binding.stats();
    const pointers = away(() => Array.from({ length: 1_000 }, (_, i) => make({ i })));
    await gcUntil(() => !pointers.some((pointer) => pointer.alive), 'all dead');
    await until(() => binding.stats().dead === 0, 'drained');
    expect(binding.stats().retired).toBeGreaterThanOrEqual(retired + 1_000);
    verify();
    const seen = new Set(pointers);
    const targets = Array.from({ length: 1_000 }, (_, i) => ({ i }));
    expect(targets.some((target) => seen.has(make(target)))).toBe(false);
    expect(pointers.some((pointer) => pointer.alive)).toBe(false);
  });
});

describe('when memory is refused', () => {
  function fill(): object[] {
    const { capacity, live, retired, dead } = binding.stats();
    const targets: object[] = [];
    for (let i = live + retired + dead; i < capacity; i++) {
      const target = { i };
      make(target);
      targets.push(target);
    }
    return targets;
  }

  it('make throws ERR_WEAKLY_MEMORY, changes nothing, and works again afterwards', async () => {
    await gcUntil(() => binding.stats().dead === 0, 'quiet');
    const kept: WeakKey[] = fill();
    binding.testing.setLimits(binding.stats().capacity, MAX_GENERATION);
    const attempts: ((target: object) => unknown)[] = [
      (target) => make(target),
      (target) => makeField(target as { a: 1 }, 'a'),
      () => make(Symbol('x')).value(),
    ];
    for (const attempt of attempts) {
      // While a GC frees slots that the garbage of earlier tests had, there is room; then there is none.
      let target: object;
      let error: unknown;
      do {
        target = { a: 1 };
        kept.push(target);
        try {
          kept.push(attempt(target) as WeakKey);
        } catch (thrown) {
          error = thrown;
        }
      } while (error === undefined && kept.length < 1_000_000);
      expect(error).toMatchObject({ name: 'Error', code: 'ERR_WEAKLY_MEMORY' });
      verify();
    }
    binding.testing.setLimits(MAX_SLOTS, MAX_GENERATION);
    expect(kept.every((target) => make(target).value() === target)).toBe(true);
    verify();
  });

  it.each([1, 2, 3])('growing again after %i refusals loses nothing', async (times) => {
    await gcUntil(() => binding.stats().dead === 0, 'quiet');
    const kept = fill();
    const { bytes } = binding.stats();
    let refused = 0;
    // Slots that a GC frees in between are used up first; only then is memory asked for.
    for (let i = 0; refused < 2 && i < 200_000; i++) {
      const target = { i };
      binding.testing.refuseMemory(times);
      try {
        make(target);
        kept.push(target);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_WEAKLY_MEMORY' });
        refused++;
        verify();
      }
      binding.testing.refuseMemory(0);
    }
    expect(refused).toBe(2);
    expect(binding.stats().bytes).toBeGreaterThanOrEqual(bytes);
    const target = {};
    expect(make(target).value()).toBe(target);
    expect(kept.every((object) => make(object).value() === object)).toBe(true);
  });

  it('a slot that could not be listed as young is still found two minor GCs later', () => {
    // Every Push() that needs memory is refused, so the list cannot grow; the targets die in the second minor GC.
    let targets: object[] | null = [];
    for (let i = 0; i < 3_000; i++) {
      const target = { i };
      binding.testing.refuseMemory(1);
      try {
        make(target);
      } catch {
        // growing the table was refused instead
      }
      targets.push(target);
    }
    binding.testing.refuseMemory(0);
    minorGc();
    targets = null;
    minorGc();
    minorGc();
    expect(binding.testing.unseen()).toBe(0);
  });

  it('a refused young list falls back to a full scan: no death is missed', () => {
    for (let round = 0; round < 8; round++) {
      const pointers = away(() =>
        Array.from({ length: 3_000 }, (_, i) => {
          binding.testing.refuseMemory(i % 2 === 0 ? 1 : 0);
          try {
            return make({ i });
          } catch {
            return make(null);
          }
        }),
      );
      binding.testing.refuseMemory(0);
      minorGc();
      minorGc();
      expect(binding.testing.unseen()).toBe(0);
      gcNowUntil(() => !pointers.some((pointer) => pointer.alive), 'all dead');
      verify();
    }
  });
});

describe('native get', () => {
  it('gives nothing for another generation, so a death between check and call cannot be followed', async () => {
    const target = {};
    const slot = acquire(target);
    const generation = liveGenerationOf(slot);
    expect(binding.get(slot, generation)).toBe(target);
    expect(binding.get(slot, generation + 1)).toBe(undefined);
    expect(binding.get(slot, generation + 2)).toBe(undefined);
    const dead = away(() => {
      const gone = acquire({});
      return { slot: gone, generation: liveGenerationOf(gone) };
    });
    gcNowUntil(() => !isAlive(dead.slot, dead.generation), 'dead');
    expect(binding.get(dead.slot, dead.generation)).toBe(undefined);
  });
});

describe('two evaluations of the JavaScript over one binary', () => {
  it('work side by side and know nothing of each other', async () => {
    vi.resetModules();
    const other = await import('../../lib/index.js');
    expect(other.make).not.toBe(make);
    const targets = Array.from({ length: 10_000 }, (_, i) => ({ i }));
    const mine = targets.map((target) => make(target));
    const theirs = targets.map((target) => other.make(target));
    expect(mine.some((pointer, i) => (pointer as unknown) === theirs[i])).toBe(false);
    expect(other.isPointer(mine[0])).toBe(false);
    const dying = away(() => Array.from({ length: 5_000 }, () => ({}))).map(
      (target) => [make(target), other.make(target)] as const,
    );
    await gcUntil(() => !dying.some(([a, b]) => a.alive || b.alive), 'dead for both');
    await until(() => binding.stats().dead === 0, 'drained');
    expect(targets.every((target, i) => make(target) === mine[i] && other.make(target) === theirs[i])).toBe(true);
    verify();
  });
});

describe('reclaimBatch', () => {
  it('hands a batch out again that was taken and not given back', async () => {
    await gcUntil(() => binding.stats().dead === 0, 'quiet');
    dropTogether(200);
    gcNowUntil(() => binding.stats().dead >= 100, 'all dead');
    const first = binding.takeDead();
    const again = binding.takeDead();
    expect(again).toBeGreaterThanOrEqual(first);
    verify();
    while (reclaimBatch() !== 0);
    expect(binding.stats().dead).toBe(0);
    verify();
  });

  it('survives a stack that is nearly used up', async () => {
    const targets: object[] = [];
    let overflows = 0;
    const descend = (): void => {
      try {
        descend();
      } catch {
        overflows++;
      }
      if (targets.length < 2_000) {
        const target = {};
        try {
          make(target);
        } catch {
          overflows++;
        }
        targets.push(target);
      }
    };
    descend();
    expect(overflows).toBeGreaterThan(0);
    verify();
    expect(targets.every((target) => make(target).value() === target)).toBe(true);
    expect(targets.map((target) => make(target))).toEqual(targets.map((target) => make(target)));
    targets.length = 0;
    await gcUntil(() => binding.stats().dead === 0, 'drained');
  });
});
