import { describe, expect, it, vi } from 'vitest';
import { addCleanup, make, makeField } from '../../lib/index.js';
import { collected, gcUntil, matchers, type RunnerMatchers } from '../../lib/testing/index.js';

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: the parameter's name and default are vitest's
  interface Assertion<T = any> extends RunnerMatchers {}
}

expect.extend(matchers);

const cache = new Set<object>();

describe('collected', () => {
  it('resolves when what a pointer points to is gone', async () => {
    await collected(make({}));
    await collected(makeField({ a: 1 }, 'a'));
    await collected(make(null));
  });

  it('takes a function that makes the object, or a promise of it', async () => {
    await collected(() => ({}));
    await collected(async () => {
      await Promise.resolve();
      return { a: 1 };
    });
    await collected(() => Symbol('s'));
  });

  it('works for what a WeakRef has read in this job', async () => {
    await collected(() => new WeakRef({}).deref() as object);
  });

  it('calls the cleanups of what died', async () => {
    let called = 0;
    await collected(() => {
      const target = {};
      addCleanup(target, () => called++);
      return target;
    });
    expect(called).toBe(1);
  });

  it('rejects with ERR_WEAKLY_NOT_COLLECTED when something holds it', async () => {
    const held = new Map();
    cache.add(held);
    await expect(collected(make(held), { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'ERR_WEAKLY_NOT_COLLECTED',
      message: expect.stringMatching(
        /^collected: Pointer<Map> \{ alive \} after 50 ms: something holds it\. In a test .* local variable .* spy/,
      ),
    });
  });

  it('works under fake timers', async () => {
    vi.useFakeTimers();
    try {
      await collected(() => ({}));
      const held = {};
      cache.add(held);
      await expect(collected(make(held), { timeoutMs: 20 })).rejects.toMatchObject({
        code: 'ERR_WEAKLY_NOT_COLLECTED',
      });
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([
    ['ERR_WEAKLY_TARGET', [{}]],
    ['ERR_WEAKLY_TARGET', [undefined]],
    ['ERR_WEAKLY_TARGET', [() => 1]],
    ['ERR_WEAKLY_TARGET', [async () => 1]],
    ['ERR_WEAKLY_OPTION', [() => ({}), { timeout: 1 }]],
    ['ERR_WEAKLY_OPTION', [() => ({}), 5]],
    ['ERR_WEAKLY_RANGE', [() => ({}), { timeoutMs: -1 }]],
  ])('rejects with %s for bad arguments (%#)', async (code, args) => {
    await expect((collected as (...all: unknown[]) => Promise<void>)(...args)).rejects.toMatchObject({ code });
  });
});

describe('gcUntil', () => {
  it('collects until the predicate is true', async () => {
    let rounds = 0;
    await gcUntil(() => ++rounds === 3);
    expect(rounds).toBe(3);
    await gcUntil(async () => true);
  });

  it('rejects after its time, and for bad arguments', async () => {
    await expect(gcUntil(() => false, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'ERR_WEAKLY_NOT_COLLECTED' });
    await expect(gcUntil(1 as never)).rejects.toMatchObject({ code: 'ERR_WEAKLY_CALLBACK' });
    await expect(gcUntil(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
  });
});

describe('toBeCollected', () => {
  it('passes for garbage, fails for what is held', async () => {
    await expect(make({})).toBeCollected();
    await expect(() => ({})).toBeCollected({ timeoutMs: 10_000 });
    const held = new Date(0);
    cache.add(held);
    await expect(make(held)).not.toBeCollected({ timeoutMs: 20 });
    await expect(expect(make(held)).toBeCollected({ timeoutMs: 20 })).rejects.toThrow(
      'expected the target to be collected, but Pointer<Date> { alive } after 20 ms: something holds it',
    );
    await expect(expect(make({})).not.toBeCollected()).rejects.toThrow('expected the target not to be collected');
  });
});
