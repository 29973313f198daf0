import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { WeakCache } from '../../lib/collections/index.js';
import { ManualClock } from '../support/cache.js';
import { away, gcUntil, verify } from '../support/gc.js';
import { keysOfEveryKind } from '../support/keys.js';
import { idOf, objectOf } from '../support/kinds.js';
import { carryOut, holds, INTERRUPTIONS, PROPERTY_TIMEOUT_MS } from '../support/property.js';

/*
 * A cache against a model: the strong tier is a plain Map in the order of use, and what has left it is to be found exactly as
 * long as it is held, and its time has not come; what is not held may be found until a GC says otherwise, and then never again.
 */

/** Any kind, whatever TypeScript would say. */
type Key = string;

/** What the model knows of a value, of whatever kind that is; it holds it only in the strong tier. */
interface Terms {
  readonly version: number;
  readonly size: number;
  readonly ttl: number;
  expires: number;
}

interface Limits {
  readonly max: number;
  readonly maxSize?: number;
  readonly maxEntrySize?: number;
  readonly ttl?: number;
  readonly updateAgeOnGet?: boolean;
  /** Where the clock starts. */
  readonly start: number;
}

const KEYS = 12;

class Model {
  readonly perf = new ManualClock();
  readonly limits: Limits;
  readonly keys: readonly Key[];
  readonly cache: WeakCache<Key, object>;
  /** The least recently used first. */
  readonly strong = new Map<unknown, { value: object; terms: Terms }>();
  /** What was seen dead, or expired, by a `get` is taken out. */
  readonly weak = new Map<unknown, Terms>();
  readonly held = new Map<unknown, object>();
  /** As the cache should see it: it never goes backwards. */
  time: number;
  version = 0;
  hitsStrong = 0;
  hitsWeak = 0;
  misses = 0;

  constructor({ start, ...limits }: Limits, keys: readonly unknown[]) {
    this.limits = { start, ...limits };
    this.keys = keys as Key[];
    this.perf.time = start;
    this.time = start;
    this.cache = new WeakCache({ ...limits, history: 3, perf: this.perf });
  }

  get #sized(): boolean {
    return this.limits.maxSize !== undefined || this.limits.maxEntrySize !== undefined;
  }

  key(n: number): Key {
    return this.keys[n % this.keys.length] as Key;
  }

  pass(ms: number): void {
    this.perf.time += ms;
    this.time += ms;
  }

  /** It is read before and after, so that it is known how far it went. */
  setBack(ms: number): void {
    this.cache.has('');
    this.perf.time -= ms;
    this.cache.has('');
  }

  #isLate({ expires }: Terms): boolean {
    return expires < this.time;
  }

  #isHeld(key: unknown, { version }: Terms): boolean {
    const value = this.held.get(key);
    return value !== undefined && idOf(value) === version;
  }

  #use(key: unknown, value: object, terms: Terms): void {
    const { max, maxSize = Number.POSITIVE_INFINITY, maxEntrySize = maxSize } = this.limits;
    this.strong.delete(key);
    this.weak.delete(key);
    if (terms.size > Math.min(maxEntrySize, maxSize)) {
      this.weak.set(key, terms);
      return;
    }
    this.strong.set(key, { value, terms });
    const sum = (): number => [...this.strong.values()].reduce((all, { terms: { size } }) => all + size, 0);
    while (this.strong.size > max || sum() > maxSize) {
      const [[oldest, evicted]] = [...this.strong] as unknown as [[unknown, { terms: Terms }]];
      this.strong.delete(oldest);
      // What has expired is not kept, where the cache has looked at the clock; else it is no harm.
      this.weak.set(oldest, evicted.terms);
    }
  }

  set(n: number, hold: boolean, size: number, ttl: number | undefined): void {
    const key = this.key(n);
    const version = ++this.version;
    const value = objectOf(version);
    this.cache.set(key, value, { ...(this.#sized ? { size } : {}), ttl });
    if (hold) this.held.set(key, value);
    else this.held.delete(key);
    const time = ttl ?? this.limits.ttl ?? Number.POSITIVE_INFINITY;
    this.#use(key, value, { version, size: this.#sized ? size : 0, ttl: time, expires: this.time + time });
  }

  get(n: number): void {
    const key = this.key(n);
    const found = this.cache.get(key);
    const strong = this.strong.get(key);
    const terms = strong?.terms ?? this.weak.get(key);
    if (terms !== undefined && this.#isLate(terms)) {
      this.misses++;
      this.strong.delete(key);
      this.weak.delete(key);
      if (found !== undefined) throw new Error(`${n} has expired, and is found`);
      return;
    }
    if (found === undefined) {
      this.misses++;
      if (strong !== undefined) throw new Error(`${n} is in the strong tier, and not found`);
      if (terms !== undefined && this.#isHeld(key, terms)) throw new Error(`${n} is in use, and not found`);
      this.weak.delete(key);
      return;
    }
    if (strong === undefined) this.hitsWeak++;
    else this.hitsStrong++;
    if (terms?.version !== idOf(found)) throw new Error(`${n}: ${idOf(found)} instead of ${terms?.version}`);
    if (found !== (strong?.value ?? (this.#isHeld(key, terms) ? this.held.get(key) : found)))
      throw new Error(`${n}: not the value that was set`);
    if (this.limits.updateAgeOnGet) terms.expires = this.time + terms.ttl;
    this.#use(key, found, terms);
  }

  delete(n: number): void {
    const key = this.key(n);
    const terms = this.strong.get(key)?.terms ?? this.weak.get(key);
    const deleted = this.cache.delete(key);
    const known = terms !== undefined && !this.#isLate(terms);
    if (deleted && !known) throw new Error(`${n} was deleted, and is not there`);
    if (!deleted && known && (this.strong.has(key) || this.#isHeld(key, terms)))
      throw new Error(`${n} is there, and was not deleted`);
    this.strong.delete(key);
    this.weak.delete(key);
  }

  clear(): void {
    this.cache.clear();
    this.strong.clear();
    this.weak.clear();
  }

  /** How many are in the weak tier because others hold them; the cache may have found out that some have expired. */
  inUse(late: boolean): number {
    return [...this.weak].filter(([key, terms]) => this.#isHeld(key, terms) && (late || !this.#isLate(terms))).length;
  }

  check(): void {
    const { cache, strong, weak } = this;
    for (const key of this.keys) {
      const has = cache.has(key);
      const terms = strong.get(key)?.terms ?? weak.get(key);
      if (terms === undefined || this.#isLate(terms)) {
        if (has) throw new Error(`${String(key)} should not be there`);
        continue;
      }
      if (has) continue;
      if (strong.has(key)) throw new Error(`${String(key)} is in the strong tier, and not there`);
      if (this.#isHeld(key, terms)) throw new Error(`${String(key)} is in use, and not there`);
      weak.delete(key);
    }
    const stats = cache.stats();
    const { hitsStrong, hitsWeak, misses } = this;
    expect(stats).toMatchObject({ strong: strong.size, hitsStrong, hitsWeak, misses });
    if (stats.weak > weak.size) throw new Error(`${stats.weak} in the weak tier, instead of ${weak.size}`);
    if (stats.weak < this.inUse(false)) throw new Error(`${stats.weak} in the weak tier, ${this.inUse(false)} in use`);
    for (const key of this.keys)
      if ((strong.has(key) || cache.has(key)) && cache.statsOf(key) === undefined)
        throw new Error(`nothing is counted for ${String(key)}`);
    verify();
  }
}

type Command = { name: string; run: (model: Model) => void | Promise<void> };

const key = fc.nat(KEYS - 1);
const size = fc.integer({ min: 1, max: 12 });
const ttl = fc.option(fc.constantFrom(0.5, 3, 10, 1e300, Number.POSITIVE_INFINITY), { nil: undefined, freq: 2 });

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ n: key, hold: fc.boolean(), size, ttl }).map((set) => ({
      name: `set ${JSON.stringify(set)}`,
      run: (model: Model) => away(() => model.set(set.n, set.hold, set.size, set.ttl)),
    })),
  },
  { weight: 4, arbitrary: key.map((n) => ({ name: `get ${n}`, run: (model: Model) => away(() => model.get(n)) })) },
  { weight: 2, arbitrary: fc.constantFrom(0.5, 1, 4, 40).map((ms) => ({ name: `pass ${ms}`, run: (model: Model) => model.pass(ms) })) },
  fc.constantFrom(1, 1e6).map((ms) => ({ name: `set back ${ms}`, run: (model: Model) => model.setBack(ms) })),
  key.map((n) => ({ name: `drop ${n}`, run: (model: Model) => void model.held.delete(model.key(n)) })),
  key.map((n) => ({ name: `delete ${n}`, run: (model: Model) => model.delete(n) })),
  fc.constant({ name: 'clear', run: (model: Model) => model.clear() }),
  ...INTERRUPTIONS,
); // biome-ignore format: a list

const limits: fc.Arbitrary<Limits> = fc.record(
  {
    max: fc.constantFrom(1, 2, 5),
    maxSize: fc.constantFrom(8, 20),
    maxEntrySize: fc.constantFrom(5, 10, 100),
    ttl: fc.constantFrom(1, 10, Number.POSITIVE_INFINITY),
    updateAgeOnGet: fc.constantFrom(true, true, false),
    start: fc.constantFrom(0, -5, 1e6),
  },
  { requiredKeys: ['max', 'start'] },
);

/** Indices of keys: objects could not be shown. */
const chosen = fc.shuffledSubarray([...keysOfEveryKind().keys()], { minLength: 4, maxLength: KEYS });

describe('WeakCache against a model', () => {
  it(
    'agrees in every order of set, get, delete, drop, clear, time, GC and drain, for every kind of key, value and limit',
    async () => {
      const kinds = keysOfEveryKind();
      await holds(
        fc.asyncProperty(limits, chosen, fc.array(command, { maxLength: 80 }), async (given, indices, commands) => {
          const model = new Model(given, indices.map((i) => kinds[i])); // biome-ignore format: short
          await carryOut(commands, model);
          const { cache } = model;
          const settled = (): boolean => {
            const { weak } = cache.stats();
            return weak >= model.inUse(false) && weak <= model.inUse(true);
          };
          await gcUntil(settled, 'only what is held is left');
          model.check();
          // Asked for once more, what has expired is in neither tier.
          model.pass(1e6);
          for (let n = 0; n < KEYS; n++) away(() => model.get(n));
          await gcUntil(() => cache.stats().weak === model.inUse(false), 'only what is held is left');
          model.check();
        }),
        250,
      );
    },
    PROPERTY_TIMEOUT_MS,
  );
});

afterAll(() => verify());
