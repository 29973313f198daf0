import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { runInThisContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { addCleanup, type Cleanup, finalizable, queue } from '../../lib/index.js';
import { addLane } from '../../lib/reclaim/queue.js';
import { verify as verifyRecords } from '../../lib/reclaim/records.js';
import { away, gcNowUntil, until, verify } from '../support/gc.js';
import { stressed } from '../support/stress.js';

/*
 * Every way from user code back into the queue: what is due is called once, or reported once, and draining takes no more
 * stack however deep it is asked for.
 */

const errors: unknown[] = [];

afterEach(() => {
  queue.configure({ onError: null, sliceMs: 2 });
  errors.length = 0;
  verify();
  expect(verifyRecords()).toBeNull();
  const { queued, run, pending, stopped } = queue.stats();
  expect(pending).toBeGreaterThanOrEqual(0);
  expect(run + pending).toBeLessThanOrEqual(queued);
  expect(queued).toBeLessThanOrEqual(run + pending + stopped);
});

/** Registers cleanups whose targets are dead when this returns; none has been called. */
function due(count: number, fn: (i: number) => unknown, options?: { asyncContext: boolean }): Cleanup[] {
  const before = queue.stats();
  const cleanups = away(() => {
    const targets = Array.from({ length: count }, () => ({}));
    return targets.map((target, i) => addCleanup(target, fn, i, options));
  });
  gcNowUntil(() => queue.stats().pending === before.pending + count, 'dead');
  return cleanups;
}

/** Counts frames, and looks for none of their places in source maps, which takes many GCs. */
function stackDepth(): number {
  const { stackTraceLimit, prepareStackTrace } = Error;
  Error.stackTraceLimit = Number.POSITIVE_INFINITY;
  Error.prepareStackTrace = (_error, frames) => frames.length;
  const depth = new Error().stack as unknown as number;
  Error.stackTraceLimit = stackTraceLimit;
  Error.prepareStackTrace = prepareStackTrace;
  return depth;
}

/** Far more than the stack has room for, where each drain is inside of the one before. Under stress flags, each is one of many GCs. */
const MANY = stressed ? 2_500 : 5_000;
const SCOPES = stressed ? 100 : 1_500;

const nothing = (): void => undefined;

describe.each([
  ['plain', undefined],
  ['in context', { asyncContext: true }],
])('cleanups that are %s', (_how, options) => {
  it('and each drain the queue are each called once, in constant stack', () => {
    queue.configure({ onError: (error) => errors.push(error) });
    const called: number[] = [];
    let deepest = 0;
    due(
      MANY,
      (i) => {
        called.push(i);
        deepest = Math.max(deepest, stackDepth());
        queue.drain();
      },
      options,
    );
    const before = stackDepth();
    expect(queue.drain()).toBe(MANY);
    expect(called).toEqual(Array.from({ length: MANY }, (_, i) => i));
    expect(errors).toEqual([]);
    expect(deepest - before).toBeLessThan(40);
  });

  it('and throw, with a handler that drains the queue, are each called and reported once, in constant stack', () => {
    let deepest = 0;
    queue.configure({
      onError: (error) => {
        errors.push(error);
        deepest = Math.max(deepest, stackDepth());
        queue.drain();
      },
    });
    due(
      MANY,
      (i) => {
        throw i;
      },
      options,
    );
    const before = stackDepth();
    expect(queue.drain()).toBe(MANY);
    expect([...errors].sort((a, b) => (a as number) - (b as number))).toEqual(
      Array.from({ length: MANY }, (_, i) => i),
    );
    expect(deepest - before).toBeLessThan(50);
  });

  it('and drain the queue from a scope of their own are each called once', () => {
    queue.configure({ onError: (error) => errors.push(error) });
    const resource = new AsyncResource('Test');
    let called = 0;
    due(
      SCOPES,
      () => {
        called++;
        resource.runInAsyncScope(queue.drain);
      },
      options,
    );
    expect(queue.drain()).toBe(SCOPES);
    expect(called).toBe(SCOPES);
    expect(errors).toEqual([]);
  });

  it('and stop those behind and drain the queue are each called or stopped', () => {
    const called = new Set<number>();
    const stopped = new Set<number>();
    const cleanups: Cleanup[] = [];
    cleanups.push(
      ...due(
        1_000,
        (i) => {
          expect(called.has(i)).toBe(false);
          called.add(i);
          for (const other of [i + 1, i + 3, i + 600]) if (cleanups[other]?.stop()) stopped.add(other);
          if (i % 5 === 0) queue.drain();
        },
        options,
      ),
    );
    queue.drain();
    expect(called.size + stopped.size).toBe(1_000);
    for (const i of stopped) expect(called.has(i)).toBe(false);
  });

  it('and overflow the stack are each called and reported once', () => {
    queue.configure({ onError: (error) => errors.push(error) });
    let called = 0;
    const overflow = (): number => 1 + overflow();
    due(
      50,
      () => {
        called++;
        overflow();
      },
      options,
    );
    expect(queue.drain()).toBe(50);
    expect(called).toBe(50);
    expect(errors.length).toBe(50);
    for (const error of errors) expect(error).toBeInstanceOf(RangeError);
  });

  it('see the same contexts in a drain inside a drain', () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    storage.run('mine', () =>
      due(
        40,
        (i) => {
          seen.push(storage.getStore());
          storage.enterWith(`left by ${i}`);
          if (i % 10 === 0) queue.drain();
          seen.push(storage.getStore());
        },
        options,
      ),
    );
    storage.run('theirs', () => {
      queue.drain();
      expect(storage.getStore()).toBe('theirs');
    });
    const expected = options === undefined ? undefined : 'mine';
    expect(seen.length).toBe(80);
    expect(seen.filter((store) => store === expected).length).toBe(40);
    for (let i = 0; i < 40; i++) expect(seen.filter((store) => store === `left by ${i}`).length).toBe(1);
  });
});

describe('finalizers', () => {
  it('that drain the queue are each called once', () => {
    let called = 0;
    const { pending } = queue.stats();
    away(() => {
      for (let i = 0; i < 2_000; i++)
        finalizable({ i }, () => {
          called++;
          queue.drain();
        });
    });
    gcNowUntil(() => queue.stats().pending === pending + 2_000, 'dead');
    expect(queue.drain()).toBe(2_000);
    expect(called).toBe(2_000);
  });
});

describe('a drain after one that was terminated', () => {
  it('calls all others for the cleanup that asks for it', async () => {
    queue.configure({ onError: nothing });
    Object.assign(globalThis, { drainInVm: () => queue.drain() });
    for (let round = 0; round < 20; round++) {
      let limited = true;
      const drained: number[] = [];
      due(10, (i) => {
        if (limited) for (;;);
        if (i === 1) drained.push(queue.drain());
      });
      expect(() => runInThisContext('drainInVm()', { timeout: 5 })).toThrow('timed out');
      limited = false;
      const { pending } = queue.stats(); // all ten, if the timeout came before the first
      expect(pending).toBeGreaterThanOrEqual(9);
      expect(queue.drain()).toBe(pending);
      expect(drained).toEqual([8]);
    }
    Reflect.deleteProperty(globalThis, 'drainInVm');
    due(1, nothing);
    await queue.settled(); // what was terminated has been reported
  });
});

describe('lanes', () => {
  let laps = -1;
  let left = 0;
  let mine = 0;
  let busyMs = 0;
  const turns: string[] = [];

  const spin = (ms: number): void => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  };

  addLane(() => {
    if (left === 0) return false;
    left--;
    turns.push('greedy');
    spin(busyMs);
    return true;
  });
  addLane(() => {
    if (mine === 0) return false;
    mine--;
    laps = left;
    turns.push('mine');
    return true;
  });

  it('each have a turn within a slice, however much another one has to do', async () => {
    [left, mine, busyMs] = [100_000, 1, 0.05];
    due(1, nothing);
    await until(() => mine === 0, 'a turn');
    expect(laps).toBeGreaterThan(99_000);
    left = 0;
  });

  it('have a turn in each slice although a single cleanup takes longer than that', async () => {
    turns.length = 0;
    [left, mine, busyMs] = [20, 20, 5];
    let called = 0;
    due(20, () => {
      called++;
      turns.push('cleanup');
      spin(5);
    });
    await until(() => called === 20 && left === 0 && mine === 0, 'done');
    for (let i = 0; i + 3 <= 30; i += 3) expect(turns.slice(i, i + 3)).toEqual(['cleanup', 'greedy', 'mine']);
  });

  it('do not starve what is due', async () => {
    [left, mine, busyMs] = [100_000, 0, 0.05];
    let called = 0;
    due(100, () => called++);
    await until(() => called === 100, 'called');
    expect(left).toBeGreaterThan(99_000);
    left = 0;
  });
});
