import { afterEach, describe, expect, it, vi } from 'vitest';
import { binding } from '../../lib/binding.js';
import { make } from '../../lib/index.js';
import { away, gcUntil, majorGc, until, verify } from '../support/gc.js';

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
