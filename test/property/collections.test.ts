import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { binding } from '../../lib/binding.js';
import { WeakKeyMap, WeakKeySet, WeakValueMap } from '../../lib/collections/index.js';
import { queue } from '../../lib/index.js';
import { away, gcUntil, majorGc, minorGc, verify } from '../support/gc.js';
import { carryOut, INTERRUPTIONS, PROPERTY_TIMEOUT_MS, runs } from '../support/property.js';

/*
 * Random use, dropping, collecting and draining, against a plain Map in which nothing dies. What is held has to be there, in
 * its place; what was dropped may be, until a GC says otherwise, and then never again.
 */

interface Thing {
  readonly id: number;
}

/** The entries of a collection: the number of the thing that is held weakly, and something else that belongs to it. */
interface Subject {
  /** As a Map would have it: the same key again keeps its place. */
  put(thing: Thing, extra: number): void;
  get(thing: Thing): number | undefined;
  delete(thing: Thing): boolean;
  clear(): void;
  readonly size: number;
  entries(): Iterable<readonly [id: number, extra: number]>;
  forEach(callback: (id: number, extra: number) => void): void;
  keys(): Iterable<number>;
}

/** Keyed by the number, so that the value is what dies. */
class Values implements Subject {
  readonly #map: WeakValueMap<number, Thing> = new WeakValueMap();
  put(thing: Thing): void {
    this.#map.set(thing.id, thing);
  }
  get(thing: Thing): number | undefined {
    return this.#map.get(thing.id)?.id;
  }
  delete(thing: Thing): boolean {
    return this.#map.delete(thing.id);
  }
  clear(): void {
    this.#map.clear();
  }
  get size(): number {
    return this.#map.size;
  }
  *entries(): Iterable<readonly [number, number]> {
    for (const [key, value] of this.#map) yield [key, value.id];
  }
  forEach(callback: (id: number, extra: number) => void): void {
    this.#map.forEach((value, key) => {
      callback(key, value.id);
    });
  }
  keys(): Iterable<number> {
    return this.#map.keys();
  }
}

class Keys implements Subject {
  readonly #map: WeakKeyMap<Thing, { readonly extra: number; readonly key: Thing }> = new WeakKeyMap();
  put(thing: Thing, extra: number): void {
    this.#map.set(thing, { extra, key: thing });
  }
  get(thing: Thing): number | undefined {
    return this.#map.get(thing)?.extra;
  }
  delete(thing: Thing): boolean {
    return this.#map.delete(thing);
  }
  clear(): void {
    this.#map.clear();
  }
  get size(): number {
    return this.#map.size;
  }
  *entries(): Iterable<readonly [number, number]> {
    for (const [{ id }, { extra }] of this.#map) yield [id, extra];
  }
  forEach(callback: (id: number, extra: number) => void): void {
    this.#map.forEach(({ extra }, { id }) => {
      callback(id, extra);
    });
  }
  *keys(): Iterable<number> {
    for (const { id } of this.#map.keys()) yield id;
  }
}

class Members implements Subject {
  readonly #set: WeakKeySet<Thing> = new WeakKeySet();
  put(thing: Thing): void {
    this.#set.add(thing);
  }
  get(thing: Thing): number | undefined {
    return this.#set.has(thing) ? thing.id : undefined;
  }
  delete(thing: Thing): boolean {
    return this.#set.delete(thing);
  }
  clear(): void {
    this.#set.clear();
  }
  get size(): number {
    return this.#set.size;
  }
  *entries(): Iterable<readonly [number, number]> {
    for (const [{ id }, same] of this.#set.entries()) yield [id, same.id];
  }
  forEach(callback: (id: number, extra: number) => void): void {
    this.#set.forEach(({ id }) => {
      callback(id, id);
    });
  }
  *keys(): Iterable<number> {
    for (const { id } of this.#set) yield id;
  }
}

const equal = (what: string, actual: unknown, expected: unknown): void => {
  if (JSON.stringify(actual) !== JSON.stringify(expected))
    throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
};

class Model {
  readonly subject: Subject;
  /** Whether something besides the number belongs to an entry. */
  readonly extras: boolean;
  readonly held = new Map<number, Thing>();
  /** Everything that was put in and not taken out, in order; dropped things that were seen dead are taken out. */
  readonly entries = new Map<number, number>();
  next = 0;

  constructor(subject: Subject, extras: boolean) {
    this.subject = subject;
    this.extras = extras;
  }

  put(thing: Thing, extra: number): void {
    this.subject.put(thing, extra);
    this.entries.set(thing.id, this.extras ? extra : thing.id);
  }

  pick(n: number): Thing | undefined {
    const things = [...this.held.values()];
    return things[n % Math.max(things.length, 1)];
  }

  /** Compares, and takes note of deaths: what is not there now must never be there again. */
  check(): void {
    const { subject, entries, held } = this;
    const seen = [...subject.entries()];
    const ids = new Set(seen.map(([id]) => id));
    for (const id of entries.keys()) {
      if (ids.has(id)) continue;
      if (held.has(id)) throw new Error(`${id} is held, and not there`);
      entries.delete(id);
    }
    equal('entries', seen, [...entries]);
    // No GC can have been in between, unless a stress flag has made one: then there are fewer.
    const later = [...subject.keys()];
    if (later.length === seen.length) equal('keys', later, [...entries.keys()]);
    const { size } = subject;
    const last = [...subject.keys()].length;
    if (size > seen.length || size < last) throw new Error(`size ${size} of ${seen.length} to ${last}`);
    for (const [id, thing] of held) equal(`get ${id}`, subject.get(thing), entries.get(id));
    verify();
  }
}

type Command = { name: string; run: (model: Model) => void | Promise<void> };

const count = fc.integer({ min: 1, max: 300 });
const pick = fc.nat(10_000);

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ n: count, hold: fc.boolean() }).map(({ n, hold }) => ({
    name: `put ${n} ${hold ? 'held' : 'short-lived'}`,
    run: (model: Model) =>
      away(() => {
        for (let i = 0; i < n; i++) {
          const thing = { id: model.next++ };
          if (hold) model.held.set(thing.id, thing);
          model.put(thing, i);
        }
      }),
  })),
  fc.record({ n: pick, extra: count }).map(({ n, extra }) => ({
    name: 'put one that is held',
    run: (model: Model) => {
      const thing = model.pick(n);
      if (thing !== undefined) model.put(thing, extra);
    },
  })),
  pick.map((n) => ({
    name: 'put another thing in the place of a held one',
    run: (model: Model) => {
      const thing = model.pick(n);
      if (thing === undefined || model.extras) return;
      const other = { id: thing.id };
      // Keyed by identity, they are two.
      if (model.subject instanceof Members) return;
      model.held.set(thing.id, other);
      model.put(other, thing.id);
    },
  })),
  fc.record({ n: pick, many: count }).map(({ n, many }) => ({
    name: `delete ${many}`,
    run: (model: Model) => {
      for (let i = 0; i < many; i++) {
        const thing = model.pick(n + i * 7);
        if (thing === undefined) return;
        equal(`delete ${thing.id}`, model.subject.delete(thing), model.entries.delete(thing.id));
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
  fc.record({ n: pick, many: fc.integer({ min: 1, max: 20 }), minor: fc.boolean() }).map(({ n, many, minor }) => ({
    name: `change and collect during an iteration (${minor ? 'minor' : 'major'} GC, ${many} changes)`,
    run: (model: Model) => {
      let step = 0;
      const seen: number[] = [];
      for (const id of model.subject.keys()) {
        seen.push(id);
        if (step++ % 50 !== n % 50) continue;
        for (let i = 0; i < many; i++) {
          const thing = model.pick(n + step + i);
          if (thing === undefined) break;
          // What is removed and put back comes last, and would be met again for ever.
          if (i % 2 === 0) equal('delete', model.subject.delete(thing), model.entries.delete(thing.id));
          else model.held.delete(thing.id);
        }
        if (minor) minorGc();
        else majorGc();
        if (step % 3 === 0) queue.drain();
      }
      if (new Set(seen).size !== seen.length) throw new Error('met twice');
    },
  })),
  fc.constant({
    name: 'clear',
    run: (model: Model) => {
      model.subject.clear();
      model.entries.clear();
    },
  }),
  fc.constant({
    name: 'forEach',
    run: (model: Model) => {
      const seen: (readonly [number, number])[] = [];
      model.subject.forEach((id, extra) => {
        seen.push([id, extra]);
      });
      equal(
        'forEach',
        seen,
        [...model.entries].filter(([id]) => seen.some(([other]) => other === id)),
      );
    },
  }),
  ...INTERRUPTIONS,
);

describe.each<[string, () => Subject, boolean]>([
  ['WeakValueMap', () => new Values(), false],
  ['WeakKeyMap', () => new Keys(), true],
  ['WeakKeySet', () => new Members(), false],
])('%s against a model', (_, create, extras) => {
  it(
    'agrees in every order of put, delete, drop, clear, GC, iteration and drain',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
          const model = new Model(create(), extras);
          await carryOut(commands, model);
          const { held, entries, subject } = model;
          const left = [...entries.keys()].filter((id) => held.has(id));
          await gcUntil(() => subject.size === left.length, 'only what is held is left');
          model.check();
          expect([...subject.keys()]).toEqual(left);
          held.clear();
          await gcUntil(() => subject.size === 0, 'all gone');
          model.check();
          await gcUntil(() => binding.stats().deadEntries === 0, 'drained');
        }),
        runs(100),
      );
    },
    PROPERTY_TIMEOUT_MS,
  );
});

afterAll(() => verify());
