import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type LoadContext, WeakCache } from '../../lib/collections/index.js';
import { deferred, ManualClock, type Value } from '../support/cache.js';
import { turn, verify } from '../support/gc.js';
import { type Command, carryOut, holds, PROPERTY_TIMEOUT_MS } from '../support/property.js';

/*
 * staleWhileRevalidate, staleIfError and refreshAhead against a model, with loads that end in any order and at any time. All values
 * are held, so that it makes no difference in which tier they are.
 */

interface Options {
  readonly max: number;
  readonly ttl: number;
  readonly refreshAhead?: number;
  readonly staleWhileRevalidate?: number;
  readonly staleIfError?: number;
  readonly updateAgeOnGet?: boolean;
}

interface Entry {
  readonly value: Value;
  readonly ttl: number;
  expires: number;
}

interface Load {
  readonly key: number;
  readonly context: LoadContext<Value>;
  readonly settle: { resolve(value: Value): void; reject(error: unknown): void };
  /** What it is to replace. */
  readonly old: Entry | undefined;
  /** Whether its value is going to be stored. */
  wanted: boolean;
  ended: boolean;
  /** What those who wait are going to get: known when it has ended. */
  outcome: unknown;
}

const KEYS = 3;

class Run {
  readonly perf = new ManualClock();
  readonly options: Options;
  readonly cache: WeakCache<number, Value>;
  readonly entries = new Map<number, Entry>();
  readonly loads: Load[] = [];
  readonly pending = new Map<number, Load>();
  readonly waiters: { got: Promise<unknown>; expected: () => unknown }[] = [];
  readonly counts = { hitsStale: 0, coalesced: 0, misses: 0, loads: 0, loadErrors: 0 };
  readonly held: Value[] = [];
  hits = 0;
  /** The last loader that was called. */
  called: Pick<Load, 'context' | 'settle'> | undefined;

  constructor(options: Options) {
    this.options = options;
    this.cache = new WeakCache<number, Value>({
      ...options,
      perf: this.perf,
      loader: (_key, context) => {
        const { promise, resolve, reject } = deferred<Value>();
        this.called = { context, settle: { resolve, reject } };
        return promise;
      },
    });
  }

  pass(ms: number): void {
    this.perf.time += ms;
  }

  fresh(): Value {
    const value = { id: this.held.length };
    this.held.push(value);
    return value;
  }

  put(key: number, value: Value, ttl: number): void {
    this.entries.delete(key);
    if (ttl > 0) this.entries.set(key, { value, ttl, expires: this.perf.time + ttl });
  }

  /** Not to be stored any more. */
  forget(key: number | undefined): void {
    for (const load of this.loads) if (key === undefined || load.key === key) load.wanted = false;
    if (key === undefined) this.pending.clear();
    else this.pending.delete(key);
  }

  begin(key: number, old: Entry | undefined): void {
    if (this.called === undefined) throw new Error(`nothing is loaded for ${key}`);
    const { context, settle } = this.called;
    this.called = undefined;
    if (context.stale !== old?.value) throw new Error(`${context.stale?.id} instead of ${old?.value.id} is to be replaced`);
    this.counts.loads++;
    const load = { key, context, settle, old, wanted: true, ended: false, outcome: undefined };
    this.loads.push(load);
    this.pending.set(key, load);
  } // biome-ignore format: one line each

  fetch(key: number): void {
    const { refreshAhead = 0, staleWhileRevalidate = 0, staleIfError = 0 } = this.options;
    const { time } = this.perf;
    const got = this.cache.fetch(key).catch((error: unknown) => error);
    const entry = this.entries.get(key);
    const pending = this.pending.get(key);
    const age = entry === undefined ? Number.POSITIVE_INFINITY : time - entry.expires;
    if (entry !== undefined && age <= Math.max(0, staleWhileRevalidate)) {
      if (age <= 0) {
        this.hits++;
        if (this.options.updateAgeOnGet) entry.expires = time + entry.ttl;
        const ahead = entry.ttl > refreshAhead ? refreshAhead : entry.ttl / 2;
        if (refreshAhead > 0 && entry.expires - time < ahead && pending === undefined) this.begin(key, entry);
      } else {
        this.counts.hitsStale++;
        if (pending === undefined) this.begin(key, entry);
      }
      this.waiters.push({ got, expected: () => entry.value });
    } else {
      if (pending === undefined) {
        this.counts.misses++;
        this.begin(key, age <= Math.max(staleWhileRevalidate, staleIfError) ? entry : undefined);
      } else this.counts.coalesced++;
      const load = this.pending.get(key) as Load;
      this.waiters.push({ got, expected: () => load.outcome });
    }
    if (this.called !== undefined) throw new Error(`${key} should not be loaded`);
  }

  end(n: number, ttl: number | 'error' | undefined): void | Promise<void> {
    const load = this.loads[n % Math.max(this.loads.length, 1)];
    if (load === undefined || load.ended) return;
    load.ended = true;
    if (ttl === 'error') {
      const error = new Error(`load ${n}`);
      this.counts.loadErrors++;
      const { old, wanted } = load;
      const rescued = wanted && old !== undefined && this.perf.time <= old.expires + (this.options.staleIfError ?? 0);
      load.outcome = rescued ? old.value : error;
      load.settle.reject(error);
    } else {
      const value = this.fresh();
      load.outcome = value;
      if (ttl !== undefined) load.context.ttl = ttl;
      if (load.wanted) this.put(load.key, value, ttl ?? this.options.ttl);
      load.settle.resolve(value);
    }
    if (load.wanted) this.pending.delete(load.key);
    return turn();
  }

  set(key: number, ttl: number | undefined): void {
    const value = this.fresh();
    this.cache.set(key, value, { ttl });
    this.put(key, value, ttl ?? this.options.ttl);
    this.forget(key);
  }

  get(key: number): void {
    const entry = this.entries.get(key);
    const right = entry !== undefined && this.perf.time <= entry.expires;
    const found = this.cache.get(key);
    if (found !== (right ? entry.value : undefined)) throw new Error(`get ${key} gave ${found?.id}`);
    if (!right) this.counts.misses++;
    else this.hits++;
    if (right && this.options.updateAgeOnGet) entry.expires = this.perf.time + entry.ttl;
  }

  check(): void {
    for (let key = 0; key < KEYS; key++) {
      const entry = this.entries.get(key);
      const right = entry !== undefined && this.perf.time <= entry.expires ? entry.value : undefined;
      if (this.cache.peek(key) !== right) throw new Error(`peek ${key} gave ${this.cache.peek(key)?.id}`);
    }
    const { hitsStrong, hitsWeak } = this.cache.stats();
    expect(this.cache.stats()).toMatchObject({ ...this.counts, loading: this.loads.filter(({ ended }) => !ended).length });
    expect(hitsStrong + hitsWeak).toBe(this.hits);
  } // biome-ignore format: one line each
}

const key = fc.nat(KEYS - 1);
const n = fc.nat(20);
const ttl = fc.option(fc.constantFrom(0.5, 3, 10, 40, Number.POSITIVE_INFINITY), { nil: undefined });

const step: fc.Arbitrary<Command<Run>> = fc.oneof(
  { weight: 5, arbitrary: key.map((k) => ({ name: `fetch ${k}`, run: (run: Run) => run.fetch(k) })) },
  { weight: 3, arbitrary: fc.constantFrom(0.5, 1, 4, 11).map((ms) => ({ name: `pass ${ms}`, run: (run: Run) => run.pass(ms) })) },
  { weight: 3, arbitrary: fc.tuple(n, fc.oneof(ttl, fc.constant(0))).map(([id, ms]) => ({ name: `value of ${id} for ${ms}`, run: (run: Run) => run.end(id, ms) })) },
  { weight: 2, arbitrary: n.map((id) => ({ name: `error of ${id}`, run: (run: Run) => run.end(id, 'error') })) },
  fc.tuple(key, ttl).map(([k, ms]) => ({ name: `set ${k} for ${ms}`, run: (run: Run) => run.set(k, ms) })),
  key.map((k) => ({ name: `get ${k}`, run: (run: Run) => run.get(k) })),
  key.map((k) => ({
    name: `delete ${k}`,
    run: (run: Run) => {
      run.cache.delete(k);
      run.entries.delete(k);
      run.forget(k);
    },
  })),
  fc.constant({
    name: 'clear',
    run: (run: Run) => {
      run.cache.clear();
      run.entries.clear();
      run.forget(undefined);
    },
  }),
); // biome-ignore format: a list

const window = fc.constantFrom(0.5, 4, 20, Number.POSITIVE_INFINITY);

const options: fc.Arbitrary<Options> = fc.record(
  {
    max: fc.constantFrom(1, 2, 100),
    ttl: fc.constantFrom(5, 10, 30),
    refreshAhead: fc.constantFrom(0.5, 4),
    staleWhileRevalidate: window,
    staleIfError: window,
    updateAgeOnGet: fc.boolean(),
  },
  { requiredKeys: ['max', 'ttl'] },
);

describe('values that expire in a WeakCache', () => {
  it(
    'are given, loaded anew and replaced as a model says, whichever loads end when',
    async () => {
      await holds(
        fc.asyncProperty(options, fc.array(step, { maxLength: 40 }), async (given, steps) => {
          const run = new Run(given);
          await carryOut(steps, run);
          for (const id of run.loads.keys()) await run.end(id, 'error');
          run.check();
          for (const { got, expected } of run.waiters) expect(await got).toBe(expected());
        }),
        400,
      );
    },
    PROPERTY_TIMEOUT_MS,
  );
});

afterAll(() => verify());
