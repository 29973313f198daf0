import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { binding } from '../../lib/binding.js';
import { type FieldPointer, make, makeField, type Pointer } from '../../lib/index.js';
import { reclaimBatch } from '../../lib/weak/slots.js';
import { away, gcUntil, majorGc, minorGc, turn, verify } from '../support/gc.js';
import { thingOf } from '../support/kinds.js';
import { carryOut, holds, PROPERTY_TIMEOUT_MS } from '../support/property.js';

/*
 * Random make/field/drop/GC/drain/reuse against a plain model. The model holds what must be alive strongly and remembers
 * of everything else only the pointers, so whatever the collector does, each step can be judged:
 *   held    -> alive, value() is the target, make() gives the same pointer
 *   dropped -> alive and value() agree; once dead, dead for ever; never equal to any other
 * and the native table must be in order after every step. Targets are of every kind, and are never asked for anything.
 */

/** What has places, whatever they are called. */
type Owner = Record<string, unknown>;

class Model {
  readonly held = new Map<number, WeakKey>();
  readonly pointers = new Map<number, Pointer<WeakKey>>();
  readonly fields = new Map<string, FieldPointer<Owner, string>>();
  readonly dead = new Set<number>();
  next = 0;

  check(): void {
    verify();
    for (const [id, target] of this.held) {
      const pointer = this.pointers.get(id);
      if (pointer === undefined) continue;
      if (!pointer.alive || pointer.value() !== target || make(target) !== pointer)
        throw new Error(`held target ${id} lost`);
    }
    for (const [id, pointer] of this.pointers) {
      const { alive } = pointer;
      if (alive !== (pointer.value() !== undefined)) throw new Error(`alive and value() of ${id} disagree`);
      if (alive && this.dead.has(id)) throw new Error(`${id} rose from the dead`);
      if (!alive) this.dead.add(id);
    }
    for (const [place, pointer] of this.fields) {
      const id = Number(place.split('.')[0]);
      const whole = this.pointers.get(id);
      if (whole !== undefined && whole.alive !== pointer.alive)
        throw new Error(`field ${place} lives apart from its target`);
      if (this.held.has(id) && pointer.value()?.owner !== this.held.get(id)) throw new Error(`field ${place} lost`);
    }
    const all = [...this.pointers.values(), ...this.fields.values()];
    if (new Set<unknown>(all).size !== all.length) throw new Error('two pointers became one');
  }
}

type Command = { name: string; run: (model: Model) => void | Promise<void> };

const count = fc.integer({ min: 1, max: 300 });
const pick = fc.nat(1_000);

function nth(model: Model, n: number): number | undefined {
  const ids = [...model.held.keys()];
  return ids[n % Math.max(ids.length, 1)];
}

const command: fc.Arbitrary<Command> = fc.oneof(
  count.map((n) => ({
    name: `make ${n} held`,
    run: (model: Model) => {
      for (let i = 0; i < n; i++) {
        const id = model.next++;
        const target = thingOf(id);
        model.held.set(id, target);
        model.pointers.set(id, make(target));
      }
    },
  })),
  count.map((n) => ({
    name: `make ${n} short-lived`,
    run: (model: Model) =>
      away(() => {
        for (let i = 0; i < n; i++) {
          const id = model.next++;
          model.pointers.set(id, make(thingOf(id)));
        }
      }),
  })),
  fc.record({ n: pick, key: fc.constantFrom('a', 'b', '0', 'constructor') }).map(({ n, key }) => ({
    name: `field ${key}`,
    run: (model: Model) => {
      const id = nth(model, n);
      const target = id === undefined ? undefined : model.held.get(id);
      if (target === undefined) return;
      if (typeof target === 'symbol') {
        expect(() => makeField(target as never, key as never)).toThrow(
          expect.objectContaining({ code: 'ERR_WEAKLY_TARGET' }),
        );
        return;
      }
      const pointer = makeField(target as Owner, key);
      const known = model.fields.get(`${id}.${key}`);
      if (known !== undefined && known !== pointer) throw new Error('a second pointer to one place');
      model.fields.set(`${id}.${key}`, pointer);
    },
  })),
  fc.record({ n: pick, many: count }).map(({ n, many }) => ({
    name: `drop ${many}`,
    run: (model: Model) => {
      for (let i = 0; i < many; i++) {
        const id = nth(model, n + i);
        if (id !== undefined) model.held.delete(id);
      }
    },
  })),
  pick.map((n) => ({
    name: 'forget the pointer, keep the target',
    run: (model: Model) => {
      const id = nth(model, n);
      if (id === undefined) return;
      model.pointers.delete(id);
      for (const place of model.fields.keys()) if (place.startsWith(`${id}.`)) model.fields.delete(place);
      const target = model.held.get(id);
      if (target !== undefined) model.pointers.set(id, make(target));
    },
  })),
  fc.constant({ name: 'minor gc', run: () => minorGc() }),
  fc.constant({ name: 'major gc', run: () => majorGc() }),
  fc.constant({ name: 'drain a batch', run: () => void reclaimBatch() }),
  fc.constant({ name: 'turn of the event loop', run: () => turn() }),
);

describe('pointers against a model', () => {
  it(
    'agree in every order of make, drop, GC, drain and reuse, for every kind of target',
    async () => {
      await holds(
        fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
          const model = new Model();
          await carryOut(commands, model);
          const dropped = [...model.pointers].filter(([id]) => !model.held.has(id));
          await gcUntil(() => dropped.every(([, pointer]) => !pointer.alive), 'everything dropped is dead');
          model.check();
          expect([...model.held].every(([id, target]) => model.pointers.get(id)?.value() === target)).toBe(true);
        }),
        300,
      );
    },
    PROPERTY_TIMEOUT_MS,
  );
});

afterAll(async () => {
  // Nothing is left behind: all slots come back.
  await gcUntil(() => binding.stats().dead === 0 && binding.stats().live < 100, 'all slots free');
  verify();
});
