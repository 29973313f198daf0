import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { binding } from '../../lib/binding.js';
import { WeakKeyMap, WeakKeySet, WeakValueMap } from '../../lib/collections/index.js';
import { queue } from '../../lib/index.js';
import { away, gcUntil, majorGc, minorGc, verify } from '../support/gc.js';
import { idOf, type KeyOf, keyKind, numberKind, sameValueZero, thingOf } from '../support/kinds.js';
import { carryOut, holds, INTERRUPTIONS, PROPERTY_TIMEOUT_MS } from '../support/property.js';

/*
 * Random use, dropping, collecting and draining, against a plain Map in which nothing dies. What is held has to be there, in
 * its place; what was dropped may be, until a GC says otherwise, and then never again. Keys and values are of every kind.
 */

/** The entries of a collection: the number of the thing that is held weakly, and something else that belongs to it. */
interface Subject {
  /** As a Map would have it: the same key again keeps its place. */
  put(thing: WeakKey, extra: number): void;
  get(thing: WeakKey): number | undefined;
  delete(thing: WeakKey): boolean;
  clear(): void;
  readonly size: number;
  entries(): Iterable<readonly [id: number, extra: number]>;
  forEach(callback: (id: number, extra: number) => void): void;
  keys(): Iterable<number>;
}

/** Keyed by something that belongs to the number, so that the value is what dies. */
class Values implements Subject {
  readonly #map: WeakValueMap<unknown, WeakKey> = new WeakValueMap();
  readonly #keyOf: KeyOf;
  readonly #numbers = new Map<unknown, number>();
  constructor(keyOf: KeyOf) {
    this.#keyOf = keyOf;
  }
  #number(key: unknown): number {
    const number = this.#numbers.get(key);
    if (number === undefined) throw new Error('a key that was never put in');
    return number;
  }
  put(thing: WeakKey): void {
    this.#numbers.set(this.#keyOf(idOf(thing)), idOf(thing));
    this.#map.set(this.#keyOf(idOf(thing)), thing);
  }
  get(thing: WeakKey): number | undefined {
    const found = this.#map.get(this.#keyOf(idOf(thing)));
    if (this.#map.has(this.#keyOf(idOf(thing))) !== (found !== undefined)) throw new Error('get and has differ');
    return found === undefined ? undefined : idOf(found);
  }
  delete(thing: WeakKey): boolean {
    return this.#map.delete(this.#keyOf(idOf(thing)));
  }
  clear(): void {
    this.#map.clear();
  }
  get size(): number {
    return this.#map.size;
  }
  *entries(): Iterable<readonly [number, number]> {
    for (const [key, value] of this.#map) yield [this.#number(key), idOf(value)];
  }
  forEach(callback: (id: number, extra: number) => void): void {
    this.#map.forEach((value, key) => {
      callback(this.#number(key), idOf(value));
    });
  }
  *keys(): Iterable<number> {
    for (const key of this.#map.keys()) yield this.#number(key);
  }
}

/** A value that reaches its key, and something of any kind. */
interface Extra {
  readonly extra: number;
  readonly key: WeakKey;
  readonly any: unknown;
}

class Keys implements Subject {
  readonly #map: WeakKeyMap<WeakKey, Extra> = new WeakKeyMap();
  /** The same with values of any kind, as they are. */
  readonly #plain = new WeakKeyMap<WeakKey, unknown>();
  readonly #keyOf: KeyOf;
  constructor(keyOf: KeyOf) {
    this.#keyOf = keyOf;
  }
  put(thing: WeakKey, extra: number): void {
    this.#map.set(thing, { extra, key: thing, any: this.#keyOf(extra) });
    this.#plain.set(thing, this.#keyOf(extra));
  }
  get(thing: WeakKey): number | undefined {
    const value = this.#map.get(thing);
    const any = value === undefined ? undefined : this.#keyOf(value.extra);
    if (!sameValueZero(value?.any, any) || !sameValueZero(this.#plain.get(thing), any))
      throw new Error(`the value of ${idOf(thing)}`);
    return value?.extra;
  }
  delete(thing: WeakKey): boolean {
    this.#plain.delete(thing);
    return this.#map.delete(thing);
  }
  clear(): void {
    this.#plain.clear();
    this.#map.clear();
  }
  get size(): number {
    return this.#map.size;
  }
  *entries(): Iterable<readonly [number, number]> {
    for (const [key, { extra }] of this.#map) yield [idOf(key), extra];
  }
  forEach(callback: (id: number, extra: number) => void): void {
    this.#map.forEach(({ extra }, key) => {
      callback(idOf(key), extra);
    });
  }
  *keys(): Iterable<number> {
    for (const key of this.#map.keys()) yield idOf(key);
  }
}

class Members implements Subject {
  readonly #set: WeakKeySet<WeakKey> = new WeakKeySet();
  put(thing: WeakKey): void {
    this.#set.add(thing);
  }
  get(thing: WeakKey): number | undefined {
    return this.#set.has(thing) ? idOf(thing) : undefined;
  }
  delete(thing: WeakKey): boolean {
    return this.#set.delete(thing);
  }
  clear(): void {
    this.#set.clear();
  }
  get size(): number {
    return this.#set.size;
  }
  *entries(): Iterable<readonly [number, number]> {
    for (const [member, same] of this.#set.entries()) yield [idOf(member), idOf(same)];
  }
  forEach(callback: (id: number, extra: number) => void): void {
    this.#set.forEach((member, same) => {
      callback(idOf(member), idOf(same));
    });
  }
  *keys(): Iterable<number> {
    for (const member of this.#set) yield idOf(member);
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
  readonly held = new Map<number, WeakKey>();
  /** Everything that was put in and not taken out, in order; dropped things that were seen dead are taken out. */
  readonly entries = new Map<number, number>();
  next = 0;

  constructor(subject: Subject, extras: boolean) {
    this.subject = subject;
    this.extras = extras;
  }

  put(thing: WeakKey, extra: number): void {
    this.subject.put(thing, extra);
    this.entries.set(idOf(thing), this.extras ? extra : idOf(thing));
  }

  pick(n: number): WeakKey | undefined {
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
          const thing = thingOf(model.next++);
          if (hold) model.held.set(idOf(thing), thing);
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
      const other = thingOf(idOf(thing));
      // Keyed by identity, they are two.
      if (model.subject instanceof Members) return;
      model.held.set(idOf(thing), other);
      model.put(other, idOf(thing));
    },
  })),
  fc.record({ n: pick, many: count }).map(({ n, many }) => ({
    name: `delete ${many}`,
    run: (model: Model) => {
      for (let i = 0; i < many; i++) {
        const thing = model.pick(n + i * 7);
        if (thing === undefined) return;
        equal(`delete ${idOf(thing)}`, model.subject.delete(thing), model.entries.delete(idOf(thing)));
      }
    },
  })),
  fc.record({ n: pick, many: count }).map(({ n, many }) => ({
    name: `delete ${many} and put them back`,
    run: (model: Model) => {
      const things = Array.from({ length: many }, (_, i) => model.pick(n + i * 3)).filter(
        (thing) => thing !== undefined,
      );
      for (const thing of things)
        equal(`delete ${idOf(thing)}`, model.subject.delete(thing), model.entries.delete(idOf(thing)));
      for (const thing of things.reverse()) model.put(thing, idOf(thing));
    },
  })),
  fc.record({ many: count, percent: fc.integer({ min: 1, max: 99 }) }).map(({ many, percent }) => ({
    name: `put ${many} held, delete ${percent} % and put as many`,
    run: (model: Model) => {
      const put = (): WeakKey => {
        const thing = thingOf(model.next++);
        model.held.set(idOf(thing), thing);
        model.put(thing, many);
        return thing;
      };
      const things = Array.from({ length: many }, put);
      const gone = things.filter((_, i) => (i * 37) % 100 < percent);
      for (const thing of gone)
        equal(`delete ${idOf(thing)}`, model.subject.delete(thing), model.entries.delete(idOf(thing)));
      for (let i = 0; i < gone.length; i++) put();
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
          if (i % 2 === 0) equal('delete', model.subject.delete(thing), model.entries.delete(idOf(thing)));
          else model.held.delete(idOf(thing));
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

describe.each<[string, (keyOf: KeyOf) => Subject, boolean, typeof keyKind]>([
  ['WeakValueMap with numbers for keys', (keyOf) => new Values(keyOf), false, numberKind],
  ['WeakValueMap', (keyOf) => new Values(keyOf), false, keyKind],
  ['WeakKeyMap', (keyOf) => new Keys(keyOf), true, keyKind],
  ['WeakKeySet', () => new Members(), false, keyKind],
])('%s against a model', (_, create, extras, keys) => {
  it(
    'agrees in every order of put, delete, drop, clear, GC, iteration and drain',
    async () => {
      await holds(
        fc.asyncProperty(keys, fc.array(command, { maxLength: 40 }), async ({ keyOf }, commands) => {
          const model = new Model(create(keyOf), extras);
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
          // What others put in afterwards, in the room that was left, is theirs.
          const others = new Model(create(keyOf), extras);
          for (let i = 0; i < 200; i++) {
            const thing = thingOf(others.next++);
            others.held.set(idOf(thing), thing);
            others.put(thing, i);
          }
          others.check();
          equal('what was empty', [...subject.entries()], []);
        }),
        100,
      );
    },
    PROPERTY_TIMEOUT_MS,
  );
});

afterAll(() => verify());
