import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runInThisContext } from 'node:vm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { binding } from '../../lib/binding.js';
import { addCleanup, type Cleanup, make, type QueueSlice, queue } from '../../lib/index.js';
import { verify as verifyRecordTables } from '../../lib/reclaim/records.js';
import { away, gcNowUntil, gcUntil, majorGc, turn, until, verify } from '../support/gc.js';

afterEach(() => verify());

describe('the reclaim queue', () => {
  it('wakes the loop once per GC that found deaths, and not otherwise', async () => {
    await gcUntil(() => binding.stats().dead === 0, 'quiet');
    majorGc();
    majorGc();
    await until(() => binding.stats().dead === 0, 'quiet');
    const before = binding.stats();
    majorGc();
    expect(binding.stats().wakeups).toBe(before.wakeups);
    away(() => {
      for (let i = 0; i < 1_000; i++) make({ i });
    });
    majorGc();
    majorGc();
    const after = binding.stats();
    expect(after.deaths - before.deaths).toBeGreaterThanOrEqual(1_000);
    expect(after.wakeups - before.wakeups).toBeGreaterThanOrEqual(1);
    expect(after.wakeups - before.wakeups).toBeLessThanOrEqual(2 + after.minorGcs - before.minorGcs);
  });

  it('drains by itself, with no call into the library', async () => {
    away(() => {
      for (let i = 0; i < 50_000; i++) make({ i });
    });
    majorGc();
    majorGc();
    expect(binding.stats().dead).toBeGreaterThan(0);
    await until(() => binding.stats().dead === 0, 'drained');
  });

  it('drains under fake timers, whose clock stands still', async () => {
    vi.useFakeTimers({ toFake: ['performance', 'Date'] });
    try {
      away(() => {
        for (let i = 0; i < 10_000; i++) make({ i });
      });
      majorGc();
      majorGc();
      while (binding.stats().dead > 0) await new Promise((resolve) => setImmediate(resolve));
    } finally {
      vi.useRealTimers();
    }
    verify();
  });

  it('yields to the event loop between slices', async () => {
    let targets: object[] | null = Array.from({ length: 400_000 }, (_, i) => ({ i }));
    for (const target of targets) make(target);
    targets = null;
    majorGc();
    majorGc();
    const pending: number[] = [];
    while (binding.stats().dead > 0) {
      pending.push(binding.stats().dead);
      await new Promise((resolve) => setImmediate(resolve));
    }
    // Other work saw the queue shrink in several steps: it was not emptied in one block.
    expect(new Set(pending).size).toBeGreaterThan(3);
    expect(pending).toEqual([...pending].sort((a, b) => b - a));
  });
});

/** Registers cleanups whose targets are dead when this returns; none has been called. */
function due(count: number, fn: (i: number) => unknown): void {
  const before = queue.stats();
  away(() => {
    const targets = Array.from({ length: count }, () => ({}));
    for (const [i, target] of targets.entries()) addCleanup(target, fn, i);
  });
  gcNowUntil(() => queue.stats().pending >= before.pending + count - Math.min(5, count >> 4), 'dead');
  const { armed, pending } = queue.stats();
  expect(armed + pending).toBe(before.armed + before.pending + count);
}

const nothing = (): void => undefined;

function verifyRecords(): void {
  expect(verifyRecordTables()).toBeNull();
}

describe('queue.stats', () => {
  it('count what is registered, due, called, stopped and failed', async () => {
    const before = queue.stats();
    queue.configure({ onError: nothing });
    const target = {};
    const cleanup = addCleanup(target, nothing, 1);
    expect(queue.stats().armed - before.armed).toBe(1);
    cleanup.stop();
    due(1_000, (i) => {
      if (i % 100 === 0) throw new Error('thrown on purpose');
    });
    expect(queue.stats().oldestMs).toBeGreaterThan(0);
    await queue.settled();
    await gcUntil(() => queue.stats().armed === before.armed, 'all called');
    const after = queue.stats();
    queue.configure({ onError: null });
    expect(after.queued - before.queued).toBe(1_000);
    expect(after.run - before.run).toBe(1_000);
    expect(after.failed - before.failed).toBe(10);
    expect(after.stopped - before.stopped).toBe(1);
    expect(after).toMatchObject({ pending: 0, dead: 0, oldestMs: 0 });
    expect(Object.keys(target)).toEqual([]);
  });

  it('have the latency from death to call as a histogram of nanoseconds', async () => {
    const { count } = queue.stats().latency;
    due(1_000, nothing);
    await new Promise((resolve) => setTimeout(resolve, 0));
    await queue.settled();
    const { latency } = queue.stats();
    expect(latency.count - count).toBeGreaterThanOrEqual(995);
    // From the end of the GC, in this process: more than nothing, less than the time this test may take.
    expect(latency.max).toBeLessThan(120e9);
    expect(latency.percentile(50)).toBeGreaterThan(1_000);
  });

  it('tell the slowest callback', async () => {
    const wait = queue.stats().slowestMs + 5;
    due(10, (i) => {
      const end = performance.now() + (i === 3 ? wait : 0);
      while (performance.now() < end);
    });
    await queue.settled();
    await gcUntil(() => queue.stats().slowestMs >= wait, 'called');
  });
});

describe('calls of one fast function, timed together', () => {
  it('see exact counts, states and stops', () => {
    const cleanups: Cleanup[] = [];
    const called: number[] = [];
    let stopped = 0;
    const before = queue.stats();
    const fn = (i: number): void => {
      called.push(i);
      const { run, pending } = queue.stats();
      expect(run - before.run).toBe(called.length);
      expect(cleanups[i]?.state).toBe('done');
      expect(cleanups[i]?.stop()).toBe(false);
      const next = cleanups[i + 1];
      if (i % 3 !== 0 || next?.state !== 'queued') return;
      expect(next.stop()).toBe(true);
      stopped++;
      expect(queue.stats().pending).toBe(pending - 1);
    };
    away(() => {
      const targets = Array.from({ length: 300 }, () => ({}));
      for (const [i, target] of targets.entries()) cleanups.push(addCleanup(target, fn, i));
    });
    gcNowUntil(() => queue.stats().pending >= 295, 'dead');
    queue.drain();
    expect(stopped).toBeGreaterThan(90);
    expect(called.length + stopped + cleanups.filter(({ state }) => state === 'armed').length).toBe(300);
    for (const i of called) if (i % 3 === 1 && called.includes(i - 1)) expect(cleanups[i - 1]?.state).toBe('done');
  });

  it('each throw, and are each reported', () => {
    const errors: unknown[] = [];
    queue.configure({ onError: (error) => errors.push(error) });
    const before = queue.stats();
    due(100, (i) => {
      if (i % 2 === 0) throw i;
    });
    queue.drain();
    queue.configure({ onError: null });
    expect(errors.length).toBe(queue.stats().failed - before.failed);
    expect(errors.length).toBeGreaterThanOrEqual(47);
    expect(errors).toEqual([...errors].sort((a, b) => (a as number) - (b as number)));
  });

  it('may drain the queue', () => {
    const order: number[] = [];
    let depth = 0;
    due(200, (i) => {
      order.push(i);
      if (i % 50 !== 49) return;
      depth++;
      queue.drain();
      depth--;
      if (depth === 0) order.push(-i);
    });
    queue.drain();
    // The first to drain calls all others, in their order.
    const called = order.filter((i) => i >= 0);
    expect(called).toEqual([...called].sort((a, b) => a - b));
    expect(order.at(-1)).toBe(-49);
  });

  it('may stop any of those behind', () => {
    const cleanups: Cleanup[] = [];
    const called: number[] = [];
    const stopped: number[] = [];
    const fn = (i: number): void => {
      called.push(i);
      for (const other of [i + 2, i + 5, i - 1, i + 17])
        if (cleanups[other]?.state === 'queued' && cleanups[other].stop()) stopped.push(other);
    };
    away(() => {
      const targets = Array.from({ length: 300 }, () => ({}));
      for (const [i, target] of targets.entries()) cleanups.push(addCleanup(target, fn, i));
    });
    gcNowUntil(() => queue.stats().pending >= 295, 'dead');
    queue.drain();
    expect(stopped.length).toBeGreaterThan(90);
    expect(called.filter((i) => stopped.includes(i))).toEqual([]);
    expect(new Set(called).size).toBe(called.length);
    for (const i of called) expect(cleanups[i]?.state).toBe('done');
    for (const i of stopped) expect(cleanups[i]?.state).toBe('stopped');
    verifyRecords();
  });

  it('may be terminated in the middle: that one is over, the others are called', () => {
    const called: number[] = [];
    const cleanups: Cleanup[] = [];
    let ended = -1;
    const fn = (i: number): void => {
      called.push(i);
      if (i < 150 || ended >= 0) return;
      ended = i;
      for (;;);
    };
    away(() => {
      const targets = Array.from({ length: 300 }, () => ({}));
      for (const [i, target] of targets.entries()) cleanups.push(addCleanup(target, fn, i));
    });
    gcNowUntil(() => queue.stats().pending >= 295, 'dead');
    Object.assign(globalThis, { drainInVm: () => queue.drain() });
    // What vm's timeout ends is ended without `finally`.
    expect(() => runInThisContext('drainInVm()', { timeout: 300 })).toThrow('timed out');
    Reflect.deleteProperty(globalThis, 'drainInVm');
    expect(called.at(-1)).toBe(ended);
    expect(cleanups[ended]?.state).toBe('done');
    expect(cleanups[ended]?.stop()).toBe(false);
    queue.drain();
    expect(called).toEqual([...called].sort((a, b) => a - b));
    expect(called.length + cleanups.filter(({ state }) => state === 'armed').length).toBe(300);
    expect(new Set(called).size).toBe(called.length);
    verifyRecords();
  });

  it('are counted in the latency, one by one', () => {
    const before = queue.stats().latency.count;
    const { run } = queue.stats();
    due(20_000, nothing);
    queue.drain();
    const after = queue.stats();
    expect(after.latency.count - before).toBe(after.run - run);
    expect(after.run - run).toBeGreaterThan(19_990);
  });

  it('leave no function behind', async () => {
    const fn = away(() => {
      const callback = (): void => undefined;
      due(50, callback);
      return make(callback);
    });
    queue.drain();
    await gcUntil(() => fn.value() === undefined, 'let go');
  });
});

describe('queue.drain', () => {
  it('calls everything that is due, in this job, and says how many', () => {
    let called = 0;
    due(5_000, () => called++);
    const drained = queue.drain();
    expect(drained).toBe(called);
    expect(called).toBeGreaterThanOrEqual(4_995);
    expect(queue.stats().pending).toBe(0);
    expect(queue.drain()).toBe(0);
  });

  it('from inside a cleanup calls the others', () => {
    const order: number[] = [];
    due(10, (i) => {
      order.push(i);
      if (order.length === 1) expect(queue.drain()).toBeGreaterThan(5);
      order.push(-i);
    });
    queue.drain();
    expect(order.indexOf(-(order[0] as number), 1)).toBe(order.length - 1);
  });
});

describe('queue.settled', () => {
  it('waits for what is due, and not for more', async () => {
    let called = 0;
    due(50_000, () => called++);
    await queue.settled();
    expect(called).toBeGreaterThanOrEqual(49_995);
    const ticks = queue.stats().run;
    await queue.settled();
    expect(queue.stats().run).toBe(ticks);
  });

  it('resolves although every call makes another one due', async () => {
    let rounds = 0;
    const again = (): void => {
      rounds++;
      if (rounds > 50) return;
      away(() => addCleanup({}, again));
      majorGc();
    };
    due(1, again);
    await queue.settled();
    expect(rounds).toBeLessThan(50);
    await gcUntil(() => rounds > 50, 'all rounds');
  });
});

describe('slices', () => {
  it('end after sliceMs: timers and I/O have their turn', async () => {
    const wait = (): void => {
      const end = performance.now() + 1;
      while (performance.now() < end);
    };
    due(50, wait);
    let turns = 0;
    const { run } = queue.stats();
    while (queue.stats().run < run + 45) {
      await turn();
      turns++;
    }
    expect(turns).toBeGreaterThan(10);
  });

  it('let HTTP requests be answered meanwhile', async () => {
    const server = createServer((_request, response) => response.end(String(queue.stats().run)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const before = Number(await (await fetch(url)).text());
      due(1_000, () => {
        const end = performance.now() + 0.5;
        while (performance.now() < end);
      });
      const run: number[] = [];
      while (queue.stats().pending > 0) run.push(Number(await (await fetch(url)).text()) - before);
      // Several were answered before the last was called, and saw how many had been.
      expect(new Set(run).size).toBeGreaterThan(3);
      expect(run[0]).toBeLessThan(995);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('are as long as configured', async () => {
    queue.configure({ sliceMs: 1e9 });
    due(50, () => {
      const end = performance.now() + 1;
      while (performance.now() < end);
    });
    const seen: number[] = [];
    while (queue.stats().pending > 0) {
      seen.push(queue.stats().pending);
      await turn();
    }
    queue.configure({ sliceMs: 2 });
    expect(new Set(seen).size).toBeLessThanOrEqual(2);
  });

  it('are published on weakly:queue while somebody listens', async () => {
    const slices: QueueSlice[] = [];
    const listen = (slice: unknown): unknown => slices.push(slice as QueueSlice);
    subscribe('weakly:queue', listen);
    due(20_000, nothing);
    await queue.settled();
    unsubscribe('weakly:queue', listen);
    const told = slices.length;
    expect(slices.reduce((sum, slice) => sum + slice.run, 0)).toBeGreaterThanOrEqual(19_995);
    expect(slices.at(-1)).toEqual({ run: expect.any(Number), failed: 0, pending: 0, durationMs: expect.any(Number) });
    due(10, nothing);
    await queue.settled();
    expect(slices.length).toBe(told);
  });
});

describe('queue.configure', () => {
  it.each([
    ['ERR_WEAKLY_OPTION', 'TypeError', undefined],
    ['ERR_WEAKLY_OPTION', 'TypeError', 1],
    ['ERR_WEAKLY_OPTION', 'TypeError', { slice: 1 }],
    ['ERR_WEAKLY_OPTION', 'TypeError', { sliceMs: '1' }],
    ['ERR_WEAKLY_OPTION', 'TypeError', { sliceMs: 5, onError: 1 }],
    ['ERR_WEAKLY_RANGE', 'RangeError', { sliceMs: 0 }],
    ['ERR_WEAKLY_RANGE', 'RangeError', { sliceMs: -1 }],
    ['ERR_WEAKLY_RANGE', 'RangeError', { sliceMs: Number.NaN }],
    ['ERR_WEAKLY_RANGE', 'RangeError', { sliceMs: Number.POSITIVE_INFINITY }],
  ])('throws %s (%s) for %j', (code, name, options) => {
    expect(() => queue.configure(options as never)).toThrow(expect.objectContaining({ code, name }));
  });

  it('an error in onError is an uncaught exception', async () => {
    const uncaught = new Promise((resolve) => {
      const others = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      process.once('uncaughtException', (error) => {
        for (const other of others) process.on('uncaughtException', other);
        resolve(error);
      });
    });
    queue.configure({
      onError: () => {
        throw new Error('from onError');
      },
    });
    due(1, () => {
      throw new Error('from the cleanup');
    });
    queue.drain();
    queue.configure({ onError: null });
    expect(await uncaught).toMatchObject({ message: 'from onError' });
  });
});
