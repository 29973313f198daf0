import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { WeakCache } from '../../lib/collections/index.js';
import { deferred } from '../support/cache.js';
import { turn, verify } from '../support/gc.js';
import { holds, PROPERTY_TIMEOUT_MS } from '../support/property.js';

/*
 * Loads that end, are given up and are replaced in any order, with microtasks in between. Of each there is one truth: who
 * waited, the cache and the loader's signal say the same of it.
 */

interface Value {
  readonly load: number;
}

interface Load {
  readonly key: number;
  readonly settle: { resolve(value: Value): void; reject(error: unknown): void };
  readonly signal: AbortSignal;
  end: 'none' | 'value' | 'error';
  /** Its key was set, deleted or cleared, or the cache disposed of, since it began. */
  replaced: boolean;
}

interface Waiter {
  readonly load: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly outcome: Promise<PromiseSettledResult<Value>>;
}

const KEYS = 3;

class Run {
  readonly cache = new WeakCache<number, Value>({ max: 100 });
  readonly loads: Load[] = [];
  readonly waiters: Waiter[] = [];
  readonly controllers = Array.from({ length: 3 }, () => new AbortController());
  disposed: Promise<void> | undefined;
  /** Loads that everybody who asks for their key joins. */
  readonly current = new Map<number, number>();

  fetch(key: number, by: number): void {
    const signal = this.controllers[by]?.signal;
    const before = this.loads.length;
    const waiting = this.cache.fetch(
      key,
      (_key, context) => {
        const { promise, resolve, reject } = deferred<Value>();
        const { signal: loaders } = context;
        this.loads.push({ key, settle: { resolve, reject }, signal: loaders, end: 'none', replaced: false });
        return promise;
      },
      { signal },
    );
    if (this.loads.length > before) this.current.set(key, before);
    const found = this.cache.has(key) || signal?.aborted || this.disposed !== undefined;
    const outcome = Promise.allSettled([waiting]).then(([result]) => result as PromiseSettledResult<Value>);
    this.waiters.push({ load: found ? undefined : this.current.get(key), signal, outcome });
  }

  end(n: number, end: 'value' | 'error'): void {
    const id = n % Math.max(this.loads.length, 1);
    const load = this.loads[id];
    if (load === undefined || load.end !== 'none') return;
    load.end = end;
    if (end === 'value') load.settle.resolve({ load: id });
    else load.settle.reject(new Error(`load ${id}`));
  }

  replace(key: number | undefined): void {
    for (const load of this.loads) if (key === undefined || load.key === key) load.replaced = true;
  }

  async check(): Promise<void> {
    await turn();
    for (const controller of this.controllers) controller.abort('at the end');
    for (const id of this.loads.keys()) this.end(id, 'error');
    await this.disposed;
    await turn();
    const results = await Promise.all(this.waiters.map(({ outcome }) => outcome));
    for (const [id, load] of this.loads.entries()) {
      const mine = this.waiters
        .map(({ load: of, signal }, i) => ({ of, signal, result: results[i] as PromiseSettledResult<Value> }))
        .filter(({ of }) => of === id);
      const got = mine.filter(({ result }) => result.status === 'fulfilled');
      for (const { result } of got) expect(result).toEqual({ status: 'fulfilled', value: { load: id } });
      const stored = this.cache.get(load.key)?.load === id;
      if (load.signal.aborted) {
        // Nobody has got anything, nor has the cache.
        expect([id, got.length, stored]).toEqual([id, 0, false]);
        continue;
      }
      // The loader has decided: for all who have not given up before.
      for (const { signal, result } of mine) {
        if (result.status === 'fulfilled') continue;
        if (load.end === 'error' && result.reason?.message === `load ${id}`) continue;
        expect([id, signal?.aborted, result.reason]).toEqual([id, true, signal?.reason]);
      }
      if (load.end === 'value') expect([id, stored]).toEqual([id, !load.replaced]);
      else expect([id, stored, got.length]).toEqual([id, false, 0]);
    }
    expect(this.cache.stats()).toMatchObject({ loading: 0, loads: this.loads.length });
  }
}

type Step = { name: string; run: (run: Run) => unknown };

const key = fc.nat(KEYS - 1);
const n = fc.nat(20);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(key, fc.nat(3)).map(([k, by]) => ({ name: `fetch ${k} by ${by}`, run: (run: Run) => run.fetch(k, by) })) },
  { weight: 3, arbitrary: n.map((id) => ({ name: `value of ${id}`, run: (run: Run) => run.end(id, 'value') })) },
  n.map((id) => ({ name: `error of ${id}`, run: (run: Run) => run.end(id, 'error') })),
  fc.nat(2).map((by) => ({ name: `abort ${by}`, run: (run: Run) => run.controllers[by]?.abort(`by ${by}`) })),
  key.map((k) => ({
    name: `delete ${k}`,
    run: (run: Run) => {
      run.cache.delete(k);
      run.replace(k);
      run.current.delete(k);
    },
  })),
  key.map((k) => ({
    name: `set ${k}`,
    run: (run: Run) => {
      run.cache.set(k, { load: -1 });
      run.replace(k);
      run.current.delete(k);
    },
  })),
  fc.constant({
    name: 'clear',
    run: (run: Run) => {
      run.cache.clear();
      run.replace(undefined);
      run.current.clear();
    },
  }),
  { weight: 6, arbitrary: fc.constant({ name: 'microtask', run: () => Promise.resolve() }) },
  fc.constant({ name: 'turn', run: () => turn() }),
); // biome-ignore format: a list

describe('the loads of a WeakCache', () => {
  it(
    'are one truth for the cache, the loaders and all who wait, in whichever order they end, are given up and replaced',
    async () => {
      await holds(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, dispose) => {
          const run = new Run();
          for (const { run: each } of steps) await each(run);
          if (dispose) {
            run.disposed = run.cache[Symbol.asyncDispose]();
            run.replace(undefined);
          }
          await run.check();
        }),
        400,
      );
    },
    PROPERTY_TIMEOUT_MS,
  );
});

afterAll(() => verify());
