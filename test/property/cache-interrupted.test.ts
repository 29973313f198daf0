import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { WeakCache } from '../../lib/collections/index.js';
import { ManualClock } from '../support/cache.js';
import { failingAt } from '../support/failing.js';
import { verify } from '../support/gc.js';
import { PROPERTY_TIMEOUT_MS, runs } from '../support/property.js';

/*
 * The stack may end, or `vm`'s timeout come, at any call, in lru-cache as well. What a cache finds afterwards is what was set
 * last for that very key, and nothing that was deleted; its limits hold, and nothing is left over.
 */

interface Value {
  readonly key: number;
  readonly version: number;
}

interface Step {
  readonly what: 'set' | 'get' | 'delete' | 'clear';
  readonly key: number;
  readonly size: number;
  /** Which of its calls fails; none, if there are not so many. */
  readonly at: number;
}

const KEYS = 6;
const MAX = 3;

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom('set', 'set', 'set', 'get', 'get', 'delete', 'clear'),
  key: fc.nat(KEYS - 1),
  size: fc.integer({ min: 1, max: 12 }),
  at: fc.nat(40),
});

const limits = fc.constantFrom({ max: MAX }, { max: MAX, maxSize: 10 }, { max: MAX, ttl: 5 });

describe('a WeakCache whose calls are cut short', () => {
  it(
    "gives nothing that is another key's, or was replaced, keeps to its limits, and leaves nothing over",
    () => {
      fc.assert(
        fc.property(limits, fc.array(step, { maxLength: 40 }), (given, steps) => {
          const perf = new ManualClock();
          const cache = new WeakCache<number, Value>({ ...given, history: 2, perf });
          const sized = 'maxSize' in given;
          const held: Value[] = [];
          /** What may be found; undefined: nothing. Where a change was cut short: what was there before, too. */
          const allowed = Array.from({ length: KEYS }, () => new Set<number | undefined>([undefined]));
          for (const [version, { what, key, size, at }] of steps.entries()) {
            perf.time++;
            const value = { key, version };
            held.push(value);
            const op = (): unknown => {
              if (what === 'set') return cache.set(key, value, sized ? { size } : {});
              return what === 'clear' ? cache.clear() : cache[what](key);
            };
            const failed = failingAt(at, op);
            for (const [k, versions] of allowed.entries()) {
              if (what === 'get' || (what !== 'clear' && k !== key)) continue;
              if (!failed) versions.clear();
              versions.add(what === 'set' ? version : undefined);
            }
            for (let k = 0; k < KEYS; k++) {
              const has = cache.has(k);
              const found = cache.get(k);
              expect([k, found !== undefined]).toEqual([k, has]);
              if (found === undefined) continue;
              expect([k, found.key, allowed[k]?.has(found.version)]).toEqual([k, k, true]);
            }
            const { strong, weak } = cache.stats();
            expect([strong <= MAX, strong >= 0, weak >= 0]).toEqual([true, true, true]);
          }
          for (let k = 0; k < KEYS; k++) cache.delete(k);
          expect(cache.stats()).toMatchObject({ strong: 0, weak: 0 });
          verify();
          expect(held).toHaveLength(steps.length);
        }),
        runs(500),
      );
    },
    PROPERTY_TIMEOUT_MS,
  );
});

afterAll(() => verify());
