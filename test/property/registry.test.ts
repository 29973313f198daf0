import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { FinalizationRegistry } from '../../lib/spec/index.js';
import { away, gcUntil, verify } from '../support/gc.js';
import { carryOut, holds, INTERRUPTIONS, PROPERTY_TIMEOUT_MS } from '../support/property.js';

/* A registry against a model: each registration is called exactly once after its target was dropped, unless unregistered. */

interface Entry {
  readonly target: number;
  readonly token: number | undefined;
  calls: number;
  unregistered: boolean;
}

class Model {
  readonly held = new Map<number, object>();
  readonly tokens = Array.from({ length: 4 }, (_, id) => ({ id }));
  readonly entries: Entry[] = [];
  next = 0;
  /** What the next callback unregisters itself, by token. */
  inside: number | undefined;
  readonly registry: FinalizationRegistry<number> = new FinalizationRegistry((index: number) => {
    const entry = this.entries[index] as Entry;
    entry.calls++;
    if (this.inside !== undefined) this.unregister(this.inside);
    this.inside = undefined;
  });

  register(target: object, id: number, token: number | undefined): void {
    this.registry.register(
      target,
      this.entries.length,
      token === undefined ? undefined : (this.tokens[token] as object),
    );
    this.entries.push({ target: id, token, calls: 0, unregistered: false });
  }

  unregister(token: number): void {
    const pending = this.entries.filter((entry) => entry.token === token && entry.calls === 0 && !entry.unregistered);
    const removed = this.registry.unregister(this.tokens[token] as object);
    if (removed !== pending.length > 0) throw new Error(`unregister said ${removed} of ${pending.length}`);
    for (const entry of pending) entry.unregistered = true;
  }

  check(): void {
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
const token = fc.option(fc.nat(3), { nil: undefined });

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ n: count, hold: fc.boolean(), by: token }).map(({ n, hold, by }) => ({
    name: `register ${n} ${hold ? 'held' : 'short-lived'}, token ${by}`,
    run: (model: Model) =>
      away(() => {
        for (let i = 0; i < n; i++) {
          const id = model.next++;
          const target = { id };
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
  fc.nat(3).map((by) => ({ name: `unregister ${by}`, run: (model: Model) => model.unregister(by) })),
  fc.nat(3).map((by) => ({
    name: `unregister ${by} inside the next callback`,
    run: (model: Model) => {
      model.inside = by;
    },
  })),
  ...INTERRUPTIONS,
);

describe('FinalizationRegistry of weakly/spec against a model', () => {
  it(
    'agrees in every order of register, unregister, drop, GC and drain',
    async () => {
      await holds(
        fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
          const model = new Model();
          await carryOut(commands, model);
          model.inside = undefined;
          model.held.clear();
          await gcUntil(
            () => model.entries.every(({ calls, unregistered }) => unregistered || calls === 1),
            'all called',
          );
          model.check();
          for (let by = 0; by < 4; by++) expect(model.registry.unregister(model.tokens[by] as object)).toBe(false);
        }),
        150,
      );
    },
    PROPERTY_TIMEOUT_MS,
  );
});

afterAll(() => verify());
