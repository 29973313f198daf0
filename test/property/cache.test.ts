import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { WeakCache } from '../../lib/collections/index.js';
import { away, gcUntil, verify } from '../support/gc.js';
import { carryOut, INTERRUPTIONS, PROPERTY_TIMEOUT_MS, runs } from '../support/property.js';

/*
 * A cache against a model: the strong tier is a plain Map in the order of use, and what has left it is to be found exactly as
 * long as it is held; what is not held may be found until a GC says otherwise, and then never again.
 */

interface Value {
  readonly key: number;
  readonly version: number;
}

const MAX = 5;
const KEYS = 12;

class Model {
  readonly cache = new WeakCache<number, Value>({ max: MAX, history: 3 });
  /** The least recently used first. */
  readonly strong = new Map<number, Value>();
  /** Version by key; a value that was seen dead is taken out. */
  readonly weak = new Map<number, number>();
  readonly held = new Map<number, Value>();
  version = 0;
  hitsStrong = 0;
  hitsWeak = 0;
  misses = 0;

  #use(key: number, value: Value): void {
    this.strong.delete(key);
    this.strong.set(key, value);
    this.weak.delete(key);
    if (this.strong.size <= MAX) return;
    const [[oldest, evicted]] = [...this.strong] as [[number, Value]];
    this.strong.delete(oldest);
    this.weak.set(oldest, evicted.version);
  }

  set(key: number, hold: boolean): void {
    const value = { key, version: ++this.version };
    this.cache.set(key, value);
    if (hold) this.held.set(key, value);
    else this.held.delete(key);
    this.#use(key, value);
  }

  get(key: number): void {
    const found = this.cache.get(key);
    const strong = this.strong.get(key);
    if (strong !== undefined) {
      this.hitsStrong++;
      if (found !== strong) throw new Error(`${key} is in the strong tier, and not found`);
      this.#use(key, strong);
      return;
    }
    const version = this.weak.get(key);
    const kept = this.held.get(key);
    if (found === undefined) {
      this.misses++;
      if (version !== undefined && kept?.version === version) throw new Error(`${key} is in use, and not found`);
      this.weak.delete(key);
      return;
    }
    this.hitsWeak++;
    if (found.version !== version) throw new Error(`${key}: version ${found.version} instead of ${version}`);
    this.#use(key, found);
  }

  delete(key: number): void {
    const known = this.strong.delete(key) || this.weak.has(key);
    const deleted = this.cache.delete(key);
    if (deleted && !known) throw new Error(`${key} was deleted, and is not there`);
    if (!deleted && this.weak.get(key) === this.held.get(key)?.version && this.weak.has(key))
      throw new Error(`${key} is in use, and was not deleted`);
    this.weak.delete(key);
  }

  check(): void {
    const { cache, strong, weak, held } = this;
    for (let key = 0; key < KEYS; key++) {
      const has = cache.has(key);
      if (strong.has(key) && !has) throw new Error(`${key} is in the strong tier, and not there`);
      if (has && !strong.has(key) && !weak.has(key)) throw new Error(`${key} should not be there`);
      if (!has && weak.has(key) && weak.get(key) === held.get(key)?.version)
        throw new Error(`${key} is in use, and not there`);
      if (!has) weak.delete(key);
    }
    const stats = cache.stats();
    const { hitsStrong, hitsWeak, misses } = this;
    expect(stats).toMatchObject({ strong: strong.size, hitsStrong, hitsWeak, misses });
    if (stats.weak > weak.size) throw new Error(`${stats.weak} in the weak tier, instead of ${weak.size}`);
    for (let key = 0; key < KEYS; key++) {
      const counts = cache.statsOf(key);
      if ((strong.has(key) || cache.has(key)) && counts === undefined) throw new Error(`nothing is counted for ${key}`);
    }
    verify();
  }
}

type Command = { name: string; run: (model: Model) => void | Promise<void> };

const key = fc.nat(KEYS - 1);

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ n: key, hold: fc.boolean() }).map(({ n, hold }) => ({ name: `set ${n}${hold ? ', held' : ''}`, run: (model: Model) => away(() => model.set(n, hold)) })) },
  { weight: 3, arbitrary: key.map((n) => ({ name: `get ${n}`, run: (model: Model) => away(() => model.get(n)) })) },
  key.map((n) => ({ name: `drop ${n}`, run: (model: Model) => void model.held.delete(n) })),
  key.map((n) => ({ name: `delete ${n}`, run: (model: Model) => model.delete(n) })),
  fc.constant({
    name: 'clear',
    run: (model: Model) => {
      model.cache.clear();
      model.strong.clear();
      model.weak.clear();
    },
  }),
  ...INTERRUPTIONS,
); // biome-ignore format: a list

describe('WeakCache against a model', () => {
  it(
    'agrees in every order of set, get, delete, drop, clear, GC and drain',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(command, { maxLength: 80 }), async (commands) => {
          const model = new Model();
          await carryOut(commands, model);
          const { cache, weak, held, strong } = model;
          const inUse = (): number => [...weak].filter(([n, version]) => held.get(n)?.version === version).length;
          await gcUntil(() => cache.stats().weak === inUse(), 'only what is held is left');
          model.check();
          expect(cache.size).toBe(strong.size + inUse());
        }),
        runs(150),
      );
    },
    PROPERTY_TIMEOUT_MS,
  );
});

afterAll(() => verify());
