import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { FinalizationRegistry } from '../../lib/spec/index.js';
import { away, gcUntil, verify } from '../support/gc.js';
import { type KeyOf, keyKind, thingOf } from '../support/kinds.js';
import { carryOut, holds, INTERRUPTIONS, PROPERTY_TIMEOUT_MS } from '../support/property.js';

/*
 * A registry against a model: each registration is called exactly once after its target was dropped, unless unregistered.
 * Targets, tokens and what is held are of every kind; each held value is another, so it tells whose call it is.
 */

interface Entry {
  readonly target: number;
  readonly token: number | undefined;
  readonly held: unknown;
  calls: number;
  unregistered: boolean;
}

const TOKENS = 4;

class Model {
  readonly held = new Map<number, WeakKey>();
  readonly tokens: readonly WeakKey[];
  readonly entries: Entry[] = [];
  readonly #heldOf: KeyOf;
  /** Whose held value it is. */
  readonly #indices = new Map<unknown, number>();
  /** Calls with something that was never registered. */
  strange = 0;
  next = 0;
  /** What the next callback unregisters itself, by token. */
  inside: number | undefined;
  readonly registry: FinalizationRegistry<unknown> = new FinalizationRegistry((held: unknown) => {
    const entry = this.entries[this.#indices.get(held) ?? -1];
    if (entry === undefined || !Object.is(entry.held, held)) this.strange++;
    else entry.calls++;
    if (this.inside !== undefined) this.unregister(this.inside);
    this.inside = undefined;
  });

  /** `firstToken`: which kinds the tokens are of. */
  constructor(heldOf: KeyOf, firstToken: number) {
    this.#heldOf = heldOf;
    this.tokens = Array.from({ length: TOKENS }, (_, i) => thingOf(firstToken + i));
  }

  register(target: WeakKey, id: number, token: number | undefined): void {
    const held = this.#heldOf(this.entries.length);
    this.#indices.set(held, this.entries.length);
    this.registry.register(target, held, token === undefined ? undefined : this.tokens[token]);
    this.entries.push({ target: id, token, held, calls: 0, unregistered: false });
  }

  unregister(token: number): void {
    const pending = this.entries.filter((entry) => entry.token === token && entry.calls === 0 && !entry.unregistered);
    const removed = this.registry.unregister(this.tokens[token] as WeakKey);
    if (removed !== pending.length > 0) throw new Error(`unregister said ${removed} of ${pending.length}`);
    for (const entry of pending) entry.unregistered = true;
  }

  check(): void {
    if (this.strange > 0) throw new Error(`${this.strange} calls with what was not registered`);
    for (const [index, { target, calls, unregistered }] of this.entries.entries()) {
      if (calls > 1) throw new Error(`${index} was called ${calls} times`);
      if (calls > 0 && this.held.has(target)) throw new Error(`${index} was called while its target lives`);
      if (calls > 0 && unregistered) throw new Error(`${index} was called although it was unregistered`);
    }
    verify();
  }
}

type Command = { name: string; run: (model: Model) => void | Promise<void> };

const count = fc.integer({ min: 1, max: 100 });
const pick = fc.nat(10_000);
const token = fc.option(fc.nat(TOKENS - 1), { nil: undefined });

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ n: count, hold: fc.boolean(), by: token }).map(({ n, hold, by }) => ({
    name: `register ${n} ${hold ? 'held' : 'short-lived'}, token ${by}`,
    run: (model: Model) =>
      away(() => {
        for (let i = 0; i < n; i++) {
          const id = model.next++;
          const target = thingOf(id);
          if (hold) model.held.set(id, target);
          model.register(target, id, by);
        }
      }),
  })),
  fc.record({ n: pick, by: token }).map(({ n, by }) => ({
    name: `register a held one again, token ${by}`,
    run: (model: Model) => {
      const held = [...model.held];
      const entry = held[n % Math.max(held.length, 1)];
      if (entry !== undefined) model.register(entry[1], entry[0], by);
    },
  })),
  fc.record({ n: pick, many: count }).map(({ n, many }) => ({
    name: `drop ${many}`,
    run: (model: Model) => {
      const ids = [...model.held.keys()];
      for (let i = 0; i < many; i++) model.held.delete(ids[(n + i) % Math.max(ids.length, 1)] as number);
    },
  })),
  fc.nat(TOKENS - 1).map((by) => ({ name: `unregister ${by}`, run: (model: Model) => model.unregister(by) })),
  fc.nat(TOKENS - 1).map((by) => ({
    name: `unregister ${by} inside the next callback`,
    run: (model: Model) => {
      model.inside = by;
    },
  })),
  ...INTERRUPTIONS,
);

describe('FinalizationRegistry of weakly/spec against a model', () => {
  it(
    'agrees in every order of register, unregister, drop, GC and drain, for every kind of target, token and held value',
    async () => {
      await holds(
        fc.asyncProperty(keyKind, pick, fc.array(command, { maxLength: 40 }), async ({ keyOf }, first, commands) => {
          const model = new Model(keyOf, first);
          await carryOut(commands, model);
          model.inside = undefined;
          model.held.clear();
          await gcUntil(
            () => model.entries.every(({ calls, unregistered }) => unregistered || calls === 1),
            'all called',
          );
          model.check();
          for (let by = 0; by < TOKENS; by++)
            expect(model.registry.unregister(model.tokens[by] as WeakKey)).toBe(false);
        }),
        150,
      );
    },
    PROPERTY_TIMEOUT_MS,
  );
});

afterAll(() => verify());
