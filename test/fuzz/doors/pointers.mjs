import { inspect } from 'node:util';
import { isPointer, keepAlive, make, makeField, Pointer } from '../../../dist/index.js';
import { atTheEndOfTheStack, cutByTimeout } from '../cut.mjs';
import { churn } from '../shared.mjs';
import { idOf, show } from '../things.mjs';

const PLACES = ['a', 'b', '3', 0, 1, 2 ** 31, 1.5, Symbol.iterator, Symbol.for('place'), ''];

/** One pointer for each thing, for ever: of the dead as well. */
class Pointers {
  name = 'pointers';
  /** Pointers by id, ids by pointer; field pointers by id and place. */
  pointers = new Map();
  ids = new Map();
  fields = new Map();
  dead = new Set();

  constructor(world) {
    this.world = world;
    this.actions = [
      [6, (rng) => this.make(rng)],
      [3, (rng) => this.makeMany(rng)],
      [3, (rng) => this.makeField(rng)],
      [2, (rng) => this.revive(rng)],
      [1, (rng) => this.forget(rng)],
      [1, (rng) => this.refused(rng)],
      [1, (rng) => this.shown(rng)],
      [1, (rng) => this.timeout(rng)],
      [1, (rng) => this.stack(rng)],
    ];
  }

  act(rng) {
    return rng.weighted(this.actions)(rng);
  }

  note(id, pointer) {
    const { world } = this;
    const [known, whose] = [this.pointers.get(id), this.ids.get(pointer)];
    world.expect(known === undefined || known === pointer, () => `another pointer to ${id}`);
    world.expect(whose === undefined || whose === id, () => `the pointer to ${whose} is that to ${id}`);
    this.pointers.set(id, pointer);
    this.ids.set(pointer, id);
  }

  make(rng) {
    const { id, thing } = this.world.some(rng);
    this.note(id, make(thing));
    return `make ${id}`;
  }

  makeMany(rng) {
    const count = rng.size(300);
    for (let i = 0; i < count; i++) {
      const { id, thing } = this.world.fresh(rng, { holding: 20 });
      this.note(id, make(thing));
    }
    return `make ${count}`;
  }

  makeField(rng) {
    const { id, thing } = this.world.some(rng, { object: true });
    for (let i = 0; i < 3; i++) {
      const place = rng.pick(PLACES);
      const pointer = makeField(thing, place);
      const name = typeof place === 'symbol' ? place : String(place);
      const fields = this.fields.get(id) ?? new Map();
      this.world.expect((fields.get(name) ?? pointer) === pointer, () => `another pointer to ${id}, ${String(name)}`);
      this.world.expect(
        (this.ids.get(pointer) ?? id) === id,
        () => `a field of ${this.ids.get(pointer)} is one of ${id}`,
      );
      const field = pointer.value();
      this.world.expect(
        field.owner === thing && field.key === name,
        () => `a field of ${id} is one of ${show(field.owner)}`,
      );
      fields.set(name, pointer);
      this.fields.set(id, fields);
      this.ids.set(pointer, id);
    }
    keepAlive(thing);
    return `makeField ${id}`;
  }

  check() {
    const { world } = this;
    for (const [id, pointer] of this.pointers) this.compare(id, pointer, (value) => value);
    for (const [id, fields] of this.fields)
      for (const pointer of fields.values()) this.compare(id, pointer, (field) => field.owner);
    world.expect(Pointer.nil.value() === undefined && !Pointer.nil.alive, 'nil is not');
  }

  compare(id, pointer, targetOf) {
    const { world } = this;
    const { alive } = pointer;
    const value = pointer.value();
    const target = value === undefined ? undefined : targetOf(value);
    const held = world.held.get(id);
    world.expect(target === undefined || idOf(target) === id, () => `the pointer to ${id} gives ${show(target)}`);
    world.expect(
      held === undefined || target === held,
      () => `the pointer to ${id}, which is held, gives ${show(target)}`,
    );
    world.expect(alive || target === undefined, () => `the pointer to ${id} is dead and gives it`);
    world.expect(target === undefined || pointer.alive, () => `the pointer to ${id} gives it and is dead`);
    world.expect(target === undefined || !this.dead.has(id), () => `${id} was dead`);
    if (target === undefined) this.dead.add(id);
  }

  revive(rng) {
    const [id, pointer] = rng.pick([...this.pointers]) ?? [];
    const thing = pointer?.value();
    if (thing !== undefined) this.world.revive(id, thing);
    return `hold ${id}: ${thing !== undefined}`;
  }

  /** Not all of them are held for ever. */
  forget(rng) {
    const percent = rng.pick([10, 50]);
    for (const [id, pointer] of [...this.pointers]) {
      if (!rng.chance(percent)) continue;
      this.pointers.delete(id);
      this.ids.delete(pointer);
    }
    for (const [id, fields] of [...this.fields]) {
      if (!rng.chance(percent)) continue;
      this.fields.delete(id);
      for (const pointer of fields.values()) this.ids.delete(pointer);
    }
    return `${percent} % forgotten`;
  }

  refused(rng) {
    for (const value of [5, 3e9, -0, 'text', 1n, true, Symbol.for('registered')])
      this.world.refuse([
        [() => make(value), 'ERR_WEAKLY_TARGET'],
        [() => makeField(value, 'a'), 'ERR_WEAKLY_TARGET'],
      ]);
    this.world.expect(make(rng.pick([null, undefined])) === Pointer.nil && !isPointer(rng.below(9)), 'nil');
    return 'no targets';
  }

  shown(rng) {
    const text = inspect(rng.pick([...this.ids.keys()]) ?? Pointer.nil);
    this.world.expect(/^(Field)?Pointer/.test(text), () => `inspect: ${text}`);
    return text;
  }

  timeout(rng) {
    if (!this.world.does('timeout')) return 'no timeout';
    const things = Array.from({ length: 20 }, () => this.world.some(rng));
    const given = new Map();
    let i = 0;
    cutByTimeout(
      () => {
        for (;;) {
          const { id, thing } = things[i++ % things.length];
          const pointer = make(thing);
          if (!given.has(id)) given.set(id, pointer);
          else if (given.get(id) !== pointer) this.world.fault(`another pointer to ${id}, by a timeout`);
          churn();
        }
      },
      rng.between(1, 3),
    );
    for (const [id, pointer] of given) this.note(id, pointer);
    keepAlive(things);
    return `cut by a timeout after ${i}`;
  }

  stack(rng) {
    if (!this.world.does('stack')) return 'no end of the stack';
    const { id, thing } = this.world.some(rng);
    let given;
    const { odd } = atTheEndOfTheStack(
      () => {
        given = make(thing);
      },
      rng.below(40),
      rng.between(10, 150),
    );
    if (odd !== undefined) throw odd;
    if (given !== undefined) this.note(id, given);
    this.note(id, make(thing));
    return `at the end of the stack: ${id}`;
  }

  letGo() {
    this.check();
  }

  left() {
    for (const [id, pointer] of this.pointers) if (pointer.alive) return `the target of pointer ${id}`;
    return undefined;
  }
}

export const pointers = (world) => {
  if (world.subjects.some((subject) => subject instanceof Pointers)) return 'they are there';
  return `new ${world.add(new Pointers(world)).name}`;
};
