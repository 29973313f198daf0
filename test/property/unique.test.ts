import fc from 'fast-check';
import { afterAll, describe, it } from 'vitest';
import { type Handle, Unique, unique } from '../../lib/collections/index.js';
import { away, gcUntil, verify } from '../support/gc.js';
import { type KeyOf, keyKind, numberKind, sameValueZero } from '../support/kinds.js';
import { carryOut, holds, INTERRUPTIONS, PROPERTY_TIMEOUT_MS } from '../support/property.js';

/*
 * Canonical handles against a Map of those that are held. As long as one is, an equal value gives it; each has its own value,
 * whatever came and went before; no two values have one handle. Values, keys and hashes are of every kind.
 */

interface Subject {
  readonly handle: (n: number) => Handle;
  /** Whether `handle` is of the value of that number. */
  readonly isOf: (handle: Handle, n: number) => boolean;
  /** How many handles are alive; undefined where that cannot be asked. */
  readonly size: () => number | undefined;
}

interface Entry {
  readonly key: unknown;
}

const keyOfEntry = ({ key }: Entry): unknown => key;
const isPrimitive = (value: unknown): boolean =>
  value === null || (typeof value !== 'object' && typeof value !== 'function');

function ofUniques(uniques: Unique<Entry>, keyOf: KeyOf): Subject {
  return {
    handle: (n) => uniques.make({ key: keyOf(n) }),
    isOf: (handle, n) => sameValueZero((handle.value as Entry).key, keyOf(n)),
    size: () => uniques.size,
  };
}

const subjects: readonly [string, (keyOf: KeyOf) => Subject][] = [
  [
    'unique of primitives',
    (keyOf) => {
      const atomOf: KeyOf = (n) => (isPrimitive(keyOf(n)) ? keyOf(n) : `in place of ${n}`);
      return {
        handle: (n) => unique(atomOf(n)),
        isOf: (handle, n) => sameValueZero(handle.value, atomOf(n)) && !Object.is(handle.value, -0),
        size: () => undefined,
      };
    },
  ],
  [
    'unique of structures',
    (keyOf) => {
      const partOf: KeyOf = (n) => (isPrimitive(keyOf(n)) ? keyOf(n) : `in place of ${n}`);
      return {
        handle: (n) => unique({ a: [partOf(n)], n }),
        isOf: ({ value }, n) => {
          const { a } = value as { a: readonly unknown[] };
          return sameValueZero(a[0], partOf(n)) && Object.isFrozen(a);
        },
        size: () => undefined,
      };
    },
  ],
  ['Unique by key', (keyOf) => ofUniques(new Unique({ key: keyOfEntry }), keyOf)],
  [
    'Unique by hash',
    (keyOf) => ofUniques(new Unique({ hash: keyOfEntry, equals: (a, b) => sameValueZero(a.key, b.key) }), keyOf),
  ],
  [
    'Unique by a hash that many share',
    (keyOf) => {
      const numbers = new Map<unknown, number>();
      const hash = ({ key }: Entry): unknown => {
        const number = numbers.get(key) ?? numbers.size;
        numbers.set(key, number);
        return keyOf(number % 3);
      };
      return ofUniques(new Unique({ hash, equals: (a, b) => sameValueZero(a.key, b.key) }), keyOf);
    },
  ],
];

class Model {
  readonly subject: Subject;
  readonly held = new Map<number, Handle>();
  next = 0;

  constructor(subject: Subject) {
    this.subject = subject;
  }

  make(n: number, hold: boolean): void {
    const handle = this.subject.handle(n);
    if (!this.subject.isOf(handle, n)) throw new Error(`the handle of ${n} has another value`);
    const known = this.held.get(n);
    if (known !== undefined && known !== handle) throw new Error(`${n} has another handle`);
    if (hold) this.held.set(n, handle);
  }

  check(): void {
    for (const n of [...this.held.keys()]) this.make(n, true);
    if (new Set(this.held.values()).size !== this.held.size) throw new Error('two values have one handle');
    const size = this.subject.size();
    if (size !== undefined && size < this.held.size) throw new Error(`size ${size} of ${this.held.size}`);
    verify();
  }
}

type Command = { name: string; run: (model: Model) => unknown };

const count = fc.integer({ min: 1, max: 120 });
const pick = fc.nat(1000);

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ n: count, hold: fc.boolean() }).map(({ n, hold }) => ({
    name: `make ${n} ${hold ? 'held' : 'short-lived'}`,
    run: (model: Model) =>
      away(() => {
        for (let i = 0; i < n; i++) model.make(model.next++, hold);
      }),
  })),
  fc.record({ n: pick, many: count, hold: fc.boolean() }).map(({ n, many, hold }) => ({
    name: `make ${many} again, ${hold ? 'held' : 'short-lived'}`,
    run: (model: Model) =>
      away(() => {
        for (let i = 0; i < many; i++) model.make((n + i) % Math.max(1, model.next), hold);
      }),
  })),
  fc.record({ n: pick, many: count }).map(({ n, many }) => ({
    name: `drop ${many}`,
    run: ({ held }: Model) => {
      const numbers = [...held.keys()];
      for (let i = 0; i < many; i++) held.delete(numbers[(n + i) % Math.max(1, numbers.length)] as number);
    },
  })),
  ...INTERRUPTIONS,
);

const kinds = [
  ['numbers', numberKind],
  ['anything', keyKind],
] as const;

// Numbers first, for all of them: see numberKind.
const all = kinds.flatMap(([what, keys]) => subjects.map(([name, create]) => [name, what, keys, create] as const));

describe.each(all)('%s, of %s, against a model', (_name, _what, keys, create) => {
  it(
    'gives each value its own handle, and the same as long as it is held',
    async () => {
      await holds(
        fc.asyncProperty(keys, fc.array(command, { maxLength: 40 }), async ({ keyOf }, commands) => {
          const subject = create(keyOf);
          const model = new Model(subject);
          await carryOut(commands, model);
          await gcUntil(() => (subject.size() ?? model.held.size) === model.held.size, 'only what is held is left');
          model.check();
          model.held.clear();
          await gcUntil(() => (subject.size() ?? 0) === 0, 'all gone');
          verify();
        }),
        40,
      );
    },
    PROPERTY_TIMEOUT_MS,
  );
});

afterAll(() => verify());
