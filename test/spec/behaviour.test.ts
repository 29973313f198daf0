import { afterEach, describe, expect, it, vi } from 'vitest';
import { binding } from '../../lib/binding.js';
import { make, queue } from '../../lib/index.js';
import { FinalizationRegistry, WeakRef } from '../../lib/spec/index.js';
import { failingAt } from '../support/failing.js';
import { away, gcNowUntil, gcUntil, majorGc, minorGc, turn, verify } from '../support/gc.js';
import { stressed } from '../support/stress.js';

vi.mock('../../lib/binding.js', async (original) => (await import('../support/failing.js')).failable(await original()));

/* What a GC has to do with it. */

afterEach(() => verify());

describe('WeakRef', () => {
  it('gives undefined when its target has died, for ever', async () => {
    const refs = away(() => [new WeakRef({}), new WeakRef(() => 1), new WeakRef(Symbol('dropped'))]);
    await gcUntil(() => refs.every((ref) => ref.deref() === undefined), 'dead');
    expect(refs.map((ref) => ref.deref())).toEqual([undefined, undefined, undefined]);
  });

  it('gives its target as long as something else holds it', async () => {
    const target = {};
    const ref = new WeakRef(target);
    for (let i = 0; i < 5; i++) {
      majorGc();
      await turn();
    }
    expect(ref.deref()).toBe(target);
  });

  it('keeps the target that it was made for to the end of the job', async () => {
    const refs = away(() => Array.from({ length: 100 }, (_, i) => new WeakRef({ i })));
    for (let i = 0; i < 5; i++) {
      majorGc();
      minorGc();
    }
    expect(refs.map((ref) => ref.deref()?.i)).toEqual([...refs.keys()]);
    await gcUntil(() => refs.every((ref) => ref.deref() === undefined), 'dead in a later job');
  });

  it('keeps a target that it has given to the end of the job', async () => {
    const pointers = away(() => {
      const targets = Array.from({ length: 100 }, (_, i) => ({ i }));
      return targets.map((target) => ({ ref: new WeakRef(target), pointer: make(target) }));
    });
    await turn();
    // A new job: nothing is kept by it yet.
    const alive = pointers.filter(({ ref }) => ref.deref() !== undefined);
    for (let i = 0; i < 5; i++) {
      majorGc();
      minorGc();
    }
    expect(alive.every(({ ref, pointer }) => ref.deref() !== undefined && pointer.alive)).toBe(true);
    expect(alive.length).toBeGreaterThan(0);
    await gcUntil(() => pointers.every(({ pointer }) => !pointer.alive), 'dead in a later job');
  });

  it('microtasks belong to the job that they follow', async () => {
    await turn();
    const { job, ref } = await new Promise<{ job: number; ref: WeakRef<object> }>((resolve) => {
      setImmediate(() => {
        const made = away(() => new WeakRef({}));
        const started = binding.jobs[0] as number;
        let steps = 0;
        const step = (): void => {
          majorGc();
          if (made.deref() === undefined) throw new Error('not kept');
          if (++steps < 5) queueMicrotask(step);
          else resolve({ job: (binding.jobs[0] as number) - started, ref: made });
        };
        queueMicrotask(step);
      });
    });
    expect(job).toBe(0);
    await gcUntil(() => ref.deref() === undefined, 'dead');
  });

  it('is told of the death of a young target by a minor GC', async () => {
    const refs = away(() => Array.from({ length: 1_000 }, (_, i) => new WeakRef({ i })));
    await turn();
    await turn();
    minorGc();
    minorGc();
    minorGc();
    // Not asked with deref(): that would keep what is left.
    expect(binding.testing.unseen()).toBe(0);
    const dead = refs.filter((ref) => ref.deref() === undefined).length;
    // Stress flags make targets old before they die.
    if (!stressed) expect(dead).toBeGreaterThan(900);
  });

  it('does not keep its target by itself: a ring through it is collected', async () => {
    const ref = away(() => {
      const target: { ref?: WeakRef<object> } = {};
      target.ref = new WeakRef(target);
      return make(target);
    });
    await gcUntil(() => !ref.alive, 'dead');
  });

  it('many for one target cost one slot, and none when they are gone', async () => {
    const target = {};
    new WeakRef(target);
    const { live } = binding.stats();
    away(() => {
      for (let i = 0; i < 10_000; i++) new WeakRef(target);
    });
    expect(binding.stats().live).toBeLessThanOrEqual(live + 1);
  });
});

describe('FinalizationRegistry', () => {
  /** A registry whose calls are written down, and targets for it that are dead when this returns. */
  function registry(): { calls: unknown[]; made: FinalizationRegistry<unknown> } {
    const calls: unknown[] = [];
    return { calls, made: new FinalizationRegistry((held: unknown) => calls.push(held)) };
  }

  function die(made: FinalizationRegistry<unknown>, held: readonly unknown[], token?: object): void {
    majorGc();
    const before = binding.pending().entryDeaths;
    away(() => {
      for (const value of held) made.register({}, value, token);
    });
    gcNowUntil(() => binding.pending().entryDeaths >= before + held.length - 2, 'dead');
  }

  it('calls once for each registration, with what is held, and undefined as this', async () => {
    const calls: unknown[] = [];
    const made = new FinalizationRegistry(function (this: unknown, ...args: unknown[]) {
      calls.push([this, ...args]);
    });
    const held = [1, 'text', { an: 'object' }, undefined, Symbol.iterator];
    away(() => {
      for (const value of held) made.register({}, value);
      const twice = {};
      made.register(twice, 'first');
      made.register(twice, 'second');
    });
    await gcUntil(() => calls.length === 7, 'called');
    for (let i = 0; i < 3; i++) {
      majorGc();
      await turn();
    }
    expect(calls.length).toBe(7);
    for (const value of [...held, 'first', 'second']) expect(calls).toContainEqual([undefined, value]);
  });

  it('does not call while the target lives, nor for the registry’s own sake', async () => {
    const { calls, made } = registry();
    const target = {};
    made.register(target, 1);
    made.register(made, 2);
    for (let i = 0; i < 5; i++) {
      majorGc();
      await turn();
    }
    expect(calls).toEqual([]);
    expect(made.unregister(target)).toBe(false);
  });

  it('calls in a task of its own: not in the job of the GC, in microtasks, or in drain()', async () => {
    const { calls, made } = registry();
    die(
      made,
      Array.from({ length: 100 }, (_, i) => i),
    );
    queue.drain();
    expect(calls).toEqual([]);
    await Promise.resolve();
    await Promise.resolve();
    expect(calls).toEqual([]);
    await gcUntil(() => calls.length === 100, 'called');
  });

  it('calls after minor GCs, too', async () => {
    const { calls, made } = registry();
    away(() => {
      for (let i = 0; i < 1_000; i++) made.register({ i }, i);
    });
    minorGc();
    minorGc();
    const end = performance.now() + 30_000;
    while (calls.length < 900 && performance.now() < end) await turn();
    expect(calls.length).toBeGreaterThanOrEqual(900);
    expect(made.unregister({})).toBe(false);
  });

  it('unregister before the GC prevents the call', async () => {
    const { calls, made } = registry();
    const token = {};
    away(() => {
      for (let i = 0; i < 10; i++) made.register({}, i, i % 2 === 0 ? token : undefined);
    });
    expect(made.unregister(token)).toBe(true);
    await gcUntil(() => calls.length === 5, 'the others are called');
    expect([...calls].sort()).toEqual([1, 3, 5, 7, 9]);
  });

  it('unregister between GC and call prevents it', async () => {
    const { calls, made } = registry();
    const [token, other] = [{}, {}];
    die(made, [0, 1, 2], token);
    die(made, [3, 4, 5], other);
    expect(made.unregister(token)).toBe(true);
    expect(made.unregister(token)).toBe(false);
    await gcUntil(() => calls.length === 3, 'the others are called');
    for (let i = 0; i < 3; i++) {
      majorGc();
      await turn();
    }
    expect([...calls].sort()).toEqual([3, 4, 5]);
  });

  it('unregister from inside a callback prevents those behind it', async () => {
    const tokens = Array.from({ length: 20 }, () => ({}));
    const calls: number[] = [];
    const prevented: number[] = [];
    const made: FinalizationRegistry<number> = new FinalizationRegistry((i: number) => {
      calls.push(i);
      for (let j = 0; j < 20; j++) if (j !== i && made.unregister(tokens[j] as object)) prevented.push(j);
    });
    away(() => {
      for (let i = 0; i < 20; i++) made.register({}, i, tokens[i]);
    });
    await gcUntil(() => calls.length > 0, 'called');
    for (let i = 0; i < 3; i++) {
      majorGc();
      await turn();
    }
    expect(calls.length).toBe(1);
    expect([...calls, ...prevented].sort((x, y) => x - y)).toEqual([...tokens.keys()]);
  });

  it('a registration that fails at any call, for want of the stack, calls nobody; one that is taken back neither', async () => {
    const { calls, made } = registry();
    away(() => {
      const held: object[] = [];
      const register = (value: string, token: object): void => {
        const target = {};
        held.push(target);
        made.register(target, value, token);
      };
      const failures = { register: 0, unregister: 0 };
      for (let at = 0; failingAt(at, () => register(`register, call ${at}`, {})); at++) failures.register++;
      for (let at = 0, failed = true; failed; at++) {
        const token = {};
        for (let i = 0; i < 3; i++) register(`unregister, call ${at}`, token);
        failed = failingAt(at, () => made.unregister(token));
        if (failed) failures.unregister++;
        made.unregister(token);
        expect(made.unregister(token)).toBe(false);
      }
      expect(Math.min(failures.register, failures.unregister)).toBeGreaterThanOrEqual(3);
      verify();
      register('works', {});
    });
    await gcUntil(() => calls.length > 1, 'called');
    for (let i = 0; i < 3; i++) {
      majorGc();
      await turn();
    }
    // The register() at which nothing failed any more, and the last.
    expect(calls.map((held) => String(held).replace(/\d+/, 'n')).sort()).toEqual(['register, call n', 'works']);
  });

  it('a place that is used again does not answer to an old token', async () => {
    const { calls, made } = registry();
    const token = {};
    for (let round = 0; round < 50; round++) {
      die(made, [round], token);
      await gcUntil(() => calls.length === round + 1, 'called');
    }
    away(() => made.register({}, 'without a token'));
    expect(made.unregister(token)).toBe(false);
    await gcUntil(() => calls.length === 51, 'called');
  });

  it('a registry that is garbage calls nobody, also for what had died before it', async () => {
    const calls: unknown[] = [];
    const pointer = away(() => {
      const made = new FinalizationRegistry((held: unknown) => calls.push(held));
      die(made, [1, 2, 3]);
      return make(made);
    });
    gcNowUntil(() => !pointer.alive, 'the registry is dead');
    for (let i = 0; i < 5; i++) {
      await turn();
      majorGc();
    }
    expect(calls).toEqual([]);
  });

  it('is collected although what it holds, and its callback, refer to it', async () => {
    const target = {};
    const pointer = away(() => {
      const made: FinalizationRegistry<unknown> = new FinalizationRegistry(() => made);
      made.register(target, made, { token: true });
      return make(made);
    });
    await gcUntil(() => !pointer.alive, 'dead');
    expect(target).toEqual({});
  });

  it('lets go of what it holds when it was called or unregistered, and never holds tokens', async () => {
    const { calls, made } = registry();
    const [token, target] = [{}, {}];
    const pointers = away(() => {
      const [called, unregistered, dropped] = [{ n: 1 }, { n: 2 }, { n: 3 }];
      made.register({}, called);
      made.register(target, unregistered, token);
      made.register(target, 1, dropped);
      return [called, unregistered, dropped].map((object) => make(object));
    });
    expect(made.unregister(token)).toBe(true);
    await gcUntil(() => calls.length === 1, 'called');
    calls.length = 0;
    await gcUntil(() => !pointers.some(({ alive }) => alive), 'let go');
    expect(target).toEqual({});
  });

  it('a token may be the target: it dies with it', async () => {
    const { calls, made } = registry();
    away(() => {
      for (let i = 0; i < 10; i++) {
        const target = {};
        made.register(target, i, target);
      }
    });
    await gcUntil(() => calls.length === 10, 'called');
  });

  it('may register from inside a callback, and register the same target again', async () => {
    const calls: number[] = [];
    const made: FinalizationRegistry<number> = new FinalizationRegistry((n: number) => {
      calls.push(n);
      if (n < 5) away(() => made.register({}, n + 1));
    });
    away(() => made.register({}, 0));
    await gcUntil(() => calls.length === 6, 'all called');
    expect(calls).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('what a callback throws is an uncaught exception, and the others are called', async () => {
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const caught: unknown[] = [];
    process.on('uncaughtException', (error) => caught.push(error));
    let calls = 0;
    const made = new FinalizationRegistry((i: number) => {
      calls++;
      throw i;
    });
    try {
      away(() => {
        for (let i = 0; i < 10; i++) made.register({}, i);
      });
      await gcUntil(() => calls === 10 && caught.length === 10, 'all called');
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const other of others) process.on('uncaughtException', other);
    }
    expect([...caught].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(made.unregister({})).toBe(false);
  });

  it('calls in slices: the event loop turns in between', async () => {
    let calls = 0;
    const made = new FinalizationRegistry(() => {
      calls++;
      const end = performance.now() + 0.5;
      while (performance.now() < end);
    });
    die(made, new Array(200).fill(0));
    let turns = 0;
    const end = performance.now() + 30_000;
    while (calls < 195 && performance.now() < end) {
      await turn();
      turns++;
    }
    expect(calls).toBeGreaterThanOrEqual(195);
    // 100 ms of work, in slices of 2.
    expect(turns).toBeGreaterThan(20);
    expect(made.unregister({})).toBe(false);
  });

  it('a token unregisters its own, among those that were registered before any had one', async () => {
    const { calls, made } = registry();
    const targets: (object | undefined)[] = Array.from({ length: 300 }, () => ({}));
    for (let i = 0; i < 200; i++) made.register(targets[i] as object, i);
    // Places that are free again, before and among those of the tokens.
    for (let i = 0; i < 200; i += 3) targets[i] = undefined;
    await gcUntil(() => calls.length >= 60, 'called');
    const tokens = Array.from({ length: 100 }, () => ({}));
    for (const [i, token] of tokens.entries()) {
      made.register(targets[200 + i] as object, 200 + i, token);
      made.register(targets[1] as object, `beside ${i}`);
    }
    for (const [i, token] of tokens.entries()) if (i % 2 === 0) expect(made.unregister(token)).toBe(true);
    // What has their places now is not theirs.
    for (let i = 0; i < 50; i++) made.register(targets[1] as object, `after ${i}`);
    for (const [i, token] of tokens.entries()) expect(made.unregister(token)).toBe(i % 2 === 1);
    targets.length = 0;
    const rest = Array.from({ length: 200 }, (_, i) => i).filter((i) => i % 3 !== 0);
    const all = [
      ...rest,
      ...tokens.map((_, i) => `beside ${i}`),
      ...Array.from({ length: 50 }, (_, i) => `after ${i}`),
    ];
    await gcUntil(() => all.every((held) => calls.includes(held)), 'called');
    expect(calls.filter((held) => typeof held === 'number' && held >= 200)).toEqual([]);
    expect(new Set(calls).size).toBe(calls.length);
  });

  it('a token that outlives what it was given for does not remember it', async () => {
    const { calls, made } = registry();
    const token = {};
    majorGc();
    const before = process.memoryUsage().heapUsed;
    for (let round = 1; round <= 10; round++) {
      away(() => {
        for (let i = 0; i < 50_000; i++) made.register({}, 1, token);
      });
      await gcUntil(() => calls.length >= 50_000 - 5, 'called');
      calls.length = 0;
    }
    majorGc();
    // Place and serial of half a million would be 8 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(5e6);
    await gcUntil(() => !made.unregister(token), 'all called');
  });
});
