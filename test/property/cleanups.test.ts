import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { addCleanup, type Cleanup, finalizable, queue } from '../../lib/index.js';
import * as records from '../../lib/reclaim/records.js';
import { away, gcUntil, verify } from '../support/gc.js';
import { carryOut, INTERRUPTIONS, PROPERTY_TIMEOUT_MS, runs } from '../support/property.js';

/*
 * Random registering, stopping, dropping, collecting and draining against a plain model: every callback is called exactly
 * once after its target was dropped, unless it was stopped; never before, and in order for each target.
 */

interface Entry {
  readonly target: number;
  readonly cleanup: Cleanup;
  calls: number;
  stopped: boolean;
}

class Model {
  nextTarget = 0;
  readonly held = new Map<number, object>();
  readonly entries: Entry[] = [];
  readonly calls: number[] = [];
  finalized = 0;
  finalizers = 0;

  register(target: object, id: number): void {
    const index = this.entries.length;
    const { entries, calls } = this;
    const cleanup = addCleanup(
      target,
      (i: number) => {
        (entries[i] as Entry).calls++;
        calls.push(i);
      },
      index,
    );
    this.entries.push({ target: id, cleanup, calls: 0, stopped: false });
  }

  check(): void {
    for (const [index, entry] of this.entries.entries()) {
      const { state } = entry.cleanup;
      if (entry.calls > 1) throw new Error(`${index} was called twice`);
      if (entry.stopped && (entry.calls > 0 || state !== 'stopped')) throw new Error(`${index} was stopped: ${state}`);
      if (this.held.has(entry.target) && (entry.calls > 0 || (!entry.stopped && state !== 'armed')))
        throw new Error(`${index} of a live target: ${state}, called ${entry.calls} times`);
      if (!entry.stopped && (state === 'done') !== (entry.calls === 1))
        throw new Error(`${index}: ${state}, not called`);
    }
    const last = new Map<number, number>();
    for (const index of this.calls) {
      const { target } = this.entries[index] as Entry;
      if ((last.get(target) ?? -1) > index) throw new Error(`${index} was called after a later one of its target`);
      last.set(target, index);
    }
    const broken = records.verify();
    if (broken !== null) throw new Error(broken);
  }
}

type Command = { name: string; run: (model: Model) => void | Promise<void> };

const count = fc.integer({ min: 1, max: 100 });
const pick = fc.nat(10_000);

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ n: count, each: fc.integer({ min: 1, max: 4 }), hold: fc.boolean() }).map(({ n, each, hold }) => ({
    name: `register ${each} for each of ${n} ${hold ? 'held' : 'short-lived'}`,
    run: (model: Model) =>
      away(() => {
        for (let i = 0; i < n; i++) {
          const id = model.nextTarget++;
          const target = { id };
          if (hold) model.held.set(id, target);
          for (let j = 0; j < each; j++) model.register(target, id);
        }
      }),
  })),
  pick.map((n) => ({
    name: 'register one more for a held one',
    run: (model: Model) => {
      const held = [...model.held];
      const entry = held[n % Math.max(held.length, 1)];
      if (entry !== undefined) model.register(entry[1], entry[0]);
    },
  })),
  fc.record({ n: pick, many: count }).map(({ n, many }) => ({
    name: `stop ${many}`,
    run: (model: Model) => {
      for (let i = 0; i < many; i++) {
        const entry = model.entries[(n + i * 7) % Math.max(model.entries.length, 1)];
        if (entry === undefined) return;
        const may = entry.calls === 0 && !entry.stopped;
        if (entry.cleanup.stop() !== may) throw new Error(`stop() of one that ${may ? 'may' : 'may not'} be stopped`);
        if (may) entry.stopped = true;
      }
    },
  })),
  fc.record({ n: pick, many: count }).map(({ n, many }) => ({
    name: `drop ${many}`,
    run: (model: Model) => {
      const ids = [...model.held.keys()];
      for (let i = 0; i < many; i++) model.held.delete(ids[(n + i) % Math.max(ids.length, 1)] as number);
    },
  })),
  count.map((n) => ({
    name: `${n} finalizable, short-lived`,
    run: (model: Model) =>
      away(() => {
        model.finalizers += n;
        for (let i = 0; i < n; i++) finalizable({ i }, () => model.finalized++);
      }),
  })),
  ...INTERRUPTIONS,
);

describe('cleanups against a model', () => {
  it(
    'agree in every order of register, stop, drop, GC and drain',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
          const model = new Model();
          await carryOut(commands, model);
          const { entries } = model;
          const due = (): boolean =>
            entries.every(({ target, stopped, calls }) => stopped || calls === 1 || model.held.has(target)) &&
            model.finalized === model.finalizers;
          await gcUntil(due, 'everything due is called');
          model.check();
          model.held.clear();
          await gcUntil(due, 'the rest is called');
          model.check();
          expect(queue.stats().armed).toBe(0);
        }),
        runs(150),
      );
    },
    PROPERTY_TIMEOUT_MS,
  );
});

afterAll(() => verify());
