import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { addCleanup, type Cleanup, type CleanupOptions, finalizable, queue } from '../../lib/index.js';
import * as records from '../../lib/reclaim/records.js';
import { away, gcUntil, majorGc, verify } from '../support/gc.js';
import { type KeyOf, thingOf, valueKind } from '../support/kinds.js';
import { carryOut, holds, INTERRUPTIONS, PROPERTY_TIMEOUT_MS } from '../support/property.js';

/*
 * Random registering, stopping, dropping, collecting and draining, from outside and from inside of callbacks, against a
 * plain model: every callback is called exactly once after its target was dropped, unless it was stopped; never before, and
 * in order for each target. It gets the very argument that was registered. What it throws is reported
 * exactly once, and the statistics add up. Targets, arguments and what is thrown are of every kind.
 */

/** What a callback does when it is called. */
type Act = 'nothing' | 'throw' | 'drain' | 'stop' | 'register' | 'drain and throw' | 'collect and drain';
const ACTS: readonly Act[] = ['nothing', 'throw', 'drain', 'stop', 'register', 'drain and throw', 'collect and drain'];

interface Entry {
  readonly target: number;
  readonly act: Act;
  readonly arg: unknown;
  readonly cleanup: Cleanup;
  calls: number;
  stopped: boolean;
}

class Model {
  nextTarget = 0;
  readonly held = new Map<number, WeakKey>();
  readonly entries: Entry[] = [];
  readonly calls: number[] = [];
  finalized = 0;
  finalizers = 0;
  /** Callbacks that are on the stack now. */
  depth = 0;
  /** By number: calls with another argument than was registered. */
  readonly strange: number[] = [];
  readonly thrown: unknown[] = [];
  readonly reported: unknown[] = [];
  readonly before = queue.stats();
  readonly #argOf: KeyOf;

  constructor(argOf: KeyOf) {
    this.#argOf = argOf;
  }

  register(target: WeakKey, id: number, act: Act = 'nothing', options?: CleanupOptions): void {
    const index = this.entries.length;
    const arg = this.#argOf(index);
    const cleanup = addCleanup(target, (given) => this.#call(index, given), arg, options);
    this.entries.push({ target: id, act, arg, cleanup, calls: 0, stopped: false });
  }

  /** For a target of its own, which nobody holds. */
  registerNext(act: Act | undefined, options?: CleanupOptions): void {
    const id = this.nextTarget++;
    this.register(thingOf(id), id, act, options);
  }

  #call(i: number, arg: unknown): void {
    const entry = this.entries[i] as Entry;
    if (!Object.is(arg, entry.arg)) this.strange.push(i);
    entry.calls++;
    this.calls.push(i);
    this.depth++;
    if (this.depth > 2) throw new Error('more than two deep');
    try {
      this.#act(i, entry.act);
    } finally {
      this.depth--;
    }
  }

  #act(i: number, act: Act): void {
    if (act === 'collect and drain') majorGc();
    if (act.includes('drain')) queue.drain();
    if (act === 'stop') this.stop(i * 7, 5);
    if (act === 'register') away(() => this.registerNext(ACTS[i % 4]));
    if (!act.includes('throw')) return;
    const { arg } = this.entries[i] as Entry;
    this.thrown.push(arg);
    throw arg;
  }

  stop(n: number, many: number): void {
    for (let i = 0; i < many; i++) {
      const entry = this.entries[(n + i * 7) % Math.max(this.entries.length, 1)];
      if (entry === undefined) return;
      const may = entry.calls === 0 && !entry.stopped;
      if (entry.cleanup.stop() !== may) throw new Error(`stop() of one that ${may ? 'may' : 'may not'} be stopped`);
      if (may) entry.stopped = true;
    }
  }

  #checkStats(): void {
    const { armed, pending, queued, run, stopped, failed } = queue.stats();
    const { before } = this;
    const calls = this.calls.length + this.finalized;
    const all = this.entries.length + this.finalizers;
    if (pending < 0) throw new Error(`${pending} are pending`);
    if (run - before.run !== calls) throw new Error(`${run - before.run} run, ${calls} called`);
    if (stopped - before.stopped !== this.entries.filter((entry) => entry.stopped).length)
      throw new Error(`${stopped - before.stopped} stopped`);
    if (armed + pending + calls + stopped - before.stopped !== all)
      throw new Error(`${armed} armed, ${pending} pending, ${calls} called, of ${all}`);
    if (queued - before.queued < calls + pending) throw new Error(`${queued - before.queued} queued`);
    if (failed - before.failed !== this.thrown.length) throw new Error(`${failed - before.failed} failed`);
    const { thrown, reported } = this;
    const other = thrown.findIndex((error, i) => !Object.is(error, reported[i]));
    if (reported.length !== thrown.length || other >= 0)
      throw new Error(`${thrown.length} thrown, ${reported.length} reported; number ${other} is another`);
  }

  check(): void {
    if (this.strange.length > 0) throw new Error(`called with another argument: ${this.strange}`);
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
    this.#checkStats();
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
          const target = thingOf(id);
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
    run: (model: Model) => model.stop(n, many),
  })),
  fc
    .record({
      n: count,
      acts: fc.array(fc.constantFrom(...ACTS), { minLength: 1, maxLength: 5 }),
      inContext: fc.boolean(),
    })
    .map(({ n, acts, inContext }) => ({
      name: `register ${n} short-lived that ${acts}${inContext ? ', in context' : ''}`,
      run: (model: Model) =>
        away(() => {
          for (let i = 0; i < n; i++)
            model.registerNext(acts[i % acts.length], inContext ? { asyncContext: true } : undefined);
        }),
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
    'agree in every order of register, stop, drop, GC and drain, for every kind of target and argument',
    async () => {
      await holds(
        fc.asyncProperty(valueKind, fc.array(command, { maxLength: 40 }), async ({ keyOf }, commands) => {
          const model = new Model(keyOf);
          queue.configure({ onError: (error) => void model.reported.push(error) });
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
        150,
      );
    },
    PROPERTY_TIMEOUT_MS,
  );
});

afterAll(() => {
  queue.configure({ onError: null });
  verify();
});
