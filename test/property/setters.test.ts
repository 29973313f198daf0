import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type Handle, Unique, unique, WeakKeyMap, WeakKeySet, WeakValueMap } from '../../lib/collections/index.js';
import { addCleanup, queue } from '../../lib/index.js';
import { away, gcUntil, majorGc, minorGc, verify } from '../support/gc.js';
import { idOf, type KeyOf, keyKind, sameValueZero, thingOf } from '../support/kinds.js';
import { holds, PROPERTY_TIMEOUT_MS } from '../support/property.js';
import { type Way, withSetters } from '../support/setters.js';

/*
 * Collections, handles and cleanups beside Maps, while prototypes have setters for indices, and others. Nothing of the house
 * assigns to a place that is not there: they are never asked, and what they would lose is not lost. The model, which works among
 * them, has Maps and Sets only, in which nothing is assigned.
 */

interface Entry {
  readonly key: unknown;
}

interface Cleaned {
  readonly arg: unknown;
  calls: number;
  /** Was called with another argument. */
  strange: boolean;
}

class Model {
  readonly #keyOf: KeyOf;
  readonly values = new WeakValueMap<unknown, WeakKey>();
  readonly keys = new WeakKeyMap<WeakKey, unknown>();
  readonly members = new WeakKeySet<WeakKey>();
  readonly byKey = new Unique<Entry>({ key: ({ key }) => key });
  readonly byHash: Unique<Entry>;
  readonly held = new Map<number, WeakKey>();
  /** What was put into the collections, and not taken out. */
  readonly listed = new Set<number>();
  readonly handles = new Map<number, ReadonlySet<Handle>>();
  readonly cleaned = new Map<number, Cleaned>();
  next = 0;

  constructor(keyOf: KeyOf) {
    this.#keyOf = keyOf;
    const hashes = new Map<unknown, number>();
    this.byHash = new Unique({
      hash: ({ key }) => {
        const hash = hashes.get(key) ?? hashes.size % 5;
        hashes.set(key, hash);
        return hash;
      },
      equals: (a, b) => sameValueZero(a.key, b.key),
    });
  }

  /** Of each way to make one. */
  #handlesOf(id: number): ReadonlySet<Handle> {
    const key = this.#keyOf(id);
    const atom = typeof key === 'symbol' || typeof key === 'number' ? key : id;
    const parts = { id, list: [id, [atom, id + 0.5]] };
    const handles: Set<Handle> = new Set();
    return handles.add(this.byKey.make({ key })).add(this.byHash.make({ key })).add(unique(atom)).add(unique(parts));
  }

  put(many: number, hold: boolean): void {
    for (let i = 0; i < many; i++) {
      const id = this.next++;
      const thing = thingOf(id);
      const key = this.#keyOf(id);
      if (hold) this.held.set(id, thing);
      if (hold && many < 50) this.handles.set(id, this.#handlesOf(id));
      this.values.set(key, thing);
      this.keys.set(thing, key);
      this.members.add(thing);
      this.listed.add(id);
      const cleaned: Cleaned = { arg: key, calls: 0, strange: false };
      addCleanup(thing, (arg) => Model.#clean(cleaned, arg), key);
      this.cleaned.set(id, cleaned);
    }
  }

  static #clean(cleaned: Cleaned, arg: unknown): void {
    cleaned.calls++;
    if (!Object.is(arg, cleaned.arg)) cleaned.strange = true;
  }

  delete(many: number): void {
    let left = many;
    for (const [id, thing] of this.held) {
      if (left-- === 0) return;
      const known = this.listed.delete(id);
      if (this.values.delete(this.#keyOf(id)) !== known) throw new Error(`delete of the key ${id}`);
      if (this.keys.delete(thing) !== known || this.members.delete(thing) !== known) throw new Error(`delete of ${id}`);
    }
  }

  drop(many: number): void {
    let left = many;
    for (const id of this.held.keys()) {
      if (left-- === 0) return;
      this.held.delete(id);
      this.handles.delete(id);
    }
  }

  clear(): void {
    this.values.clear();
    this.keys.clear();
    this.members.clear();
    this.listed.clear();
  }

  check(): void {
    const { held, listed, values, keys, members } = this;
    for (const [id, thing] of held) {
      const key = this.#keyOf(id);
      const expected = listed.has(id);
      if (values.get(key) !== (expected ? thing : undefined)) throw new Error(`${id} has another value`);
      if (!Object.is(keys.get(thing), expected ? key : undefined)) throw new Error(`${id} has another key`);
      if (values.has(key) !== expected || keys.has(thing) !== expected || members.has(thing) !== expected)
        throw new Error(`${id} should ${expected ? '' : 'not '}be there`);
    }
    this.#checkOrder(values.values());
    this.#checkOrder(keys.keys());
    this.#checkOrder(members.values());
    for (const [key, thing] of values)
      if (!sameValueZero(key, this.#keyOf(idOf(thing)))) throw new Error(`${idOf(thing)} is listed with another's key`);
    for (const [id, handles] of this.handles)
      for (const handle of this.#handlesOf(id)) if (!handles.has(handle)) throw new Error(`${id} has another handle`);
    for (const [id, { calls, strange }] of this.cleaned) {
      if (calls > (held.has(id) ? 0 : 1)) throw new Error(`the cleanup of ${id} was called ${calls} times`);
      if (strange) throw new Error(`the cleanup of ${id} was called with another argument`);
    }
  }

  /** As they were put in, and whatever is held. */
  #checkOrder(things: Iterable<WeakKey>): void {
    let last = -1;
    const seen = new Set<number>();
    for (const thing of things) {
      const id = idOf(thing);
      if (id <= last || !this.listed.has(id)) throw new Error(`${id} after ${last}, or not at all`);
      seen.add(id);
      last = id;
    }
    for (const id of this.held.keys())
      if (this.listed.has(id) && !seen.has(id)) throw new Error(`${id} is not iterated`);
  }
}

type Step = { name: string; run: (model: Model) => void };

// More than one chunk of the tables has room for, now and then.
const count = fc.oneof({ weight: 12, arbitrary: fc.integer({ min: 1, max: 120 }) }, fc.constant(1_500));

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ n: count, hold: fc.boolean() }).map(({ n, hold }) => ({
      name: `put ${n} ${hold ? 'held' : 'short-lived'}`,
      run: (model: Model) => away(() => model.put(n, hold)),
    })),
  },
  count.map((n) => ({ name: `delete ${n}`, run: (model: Model) => model.delete(n) })),
  count.map((n) => ({ name: `drop ${n}`, run: (model: Model) => model.drop(n) })),
  fc.constant({ name: 'clear', run: (model: Model) => model.clear() }),
  fc.constant({ name: 'minor gc', run: () => minorGc() }),
  fc.constant({ name: 'major gc', run: () => majorGc() }),
  fc.constant({ name: 'drain', run: () => void queue.drain() }),
);

/** All in one go. */
function runAll(model: Model, steps: readonly Step[]): void {
  for (const { name, run } of steps) {
    run(model);
    try {
      model.check();
    } catch (cause) {
      throw new Error(`after "${name}": ${cause}`, { cause });
    }
  }
  majorGc();
  queue.drain();
  model.check();
}

describe.each<[string, object, Way]>([
  ['Array.prototype', Array.prototype, 'kept'],
  ['Array.prototype', Array.prototype, 'lost'],
  ['Object.prototype', Object.prototype, 'kept'],
  ['Object.prototype', Object.prototype, 'lost'],
])('with setters for indices on %s', (_, indexed, way) => {
  it(
    `all is as without, and what is assigned to them is ${way}: nothing`,
    async () => {
      await holds(
        fc.asyncProperty(keyKind, fc.array(step, { maxLength: 25 }), async ({ keyOf }, steps) => {
          const made: Model[] = [];
          const asked = withSetters(way, indexed, () => {
            const model = new Model(keyOf);
            defineFirst(made, model);
            runAll(model, steps);
          });
          expect([...asked]).toEqual([]);
          verify();
          // What is left of it goes on without.
          const [model] = made as [Model];
          model.held.clear();
          model.handles.clear();
          await gcUntil(() => [...model.cleaned.values()].every(({ calls }) => calls === 1), 'all called');
          await gcUntil(() => model.values.size + model.keys.size + model.members.size === 0, 'all gone');
          await gcUntil(() => model.byKey.size + model.byHash.size === 0, 'all handles, too');
          model.check();
          verify();
        }),
        40,
      );
    },
    PROPERTY_TIMEOUT_MS,
  );
});

/** Not `push`, which asks. */
function defineFirst<T>(list: T[], item: T): void {
  Object.defineProperty(list, 0, { value: item });
}

it('the setters are asked by what assigns, and are gone afterwards', () => {
  const assign = (): void => {
    const list: number[] = [];
    list[3] = 1;
    list.push(2);
    Object.assign({}, { arg: 1 });
  };
  expect([...withSetters('lost', Array.prototype, assign)]).toEqual(['3', '0', 'arg']);
  expect(() => withSetters('kept', Object.prototype, () => JSON.parse('}'))).toThrow(SyntaxError);
  expect([Object.hasOwn(Array.prototype, 3), Object.hasOwn(Object.prototype, 3), 'arg' in {}]).toEqual([
    false,
    false,
    false,
  ]);
});

afterAll(() => verify());
