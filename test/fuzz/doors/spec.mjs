import { FinalizationRegistry, WeakRef } from '../../../dist/spec/index.js';
import { checkRefs, living } from '../refs.mjs';
import { anyValue, idOf } from '../things.mjs';
import { Thrown } from '../world.mjs';

/** WeakRefs of ECMAScript: also that a target stays to the end of the job in which it was given. */
class Refs {
  name = 'WeakRef';
  refs = new Map();
  dead = new Set();

  constructor(world) {
    this.world = world;
  }

  act(rng) {
    const { world } = this;
    if (rng.chance(20)) {
      for (const id of [...this.refs.keys()]) if (rng.chance(30)) this.refs.delete(id);
      return 'some forgotten';
    }
    if (rng.chance(60) || this.refs.size === 0) {
      const count = rng.size(100);
      for (let i = 0; i < count; i++) {
        const { id, thing } = world.some(rng);
        this.refs.set(id, new WeakRef(thing));
      }
      return `${count} made`;
    }
    const [id, ref] = rng.pick([...this.refs]);
    const before = idOf(ref.deref());
    world.gc(rng, rng.pick(['minor', 'major']));
    world.expect(idOf(ref.deref()) === before, () => `${id} has gone within the job`);
    return `deref ${id}: ${before}`;
  }

  check() {
    checkRefs(this);
  }

  letGo() {
    // Asking keeps them.
    this.last = [...this.refs.values()];
    this.refs.clear();
  }

  left() {
    const alive = living(this.last ?? []);
    return alive === 0 ? undefined : `${alive} targets of WeakRefs`;
  }
}

/** What is held for a registration that is looked after. */
class Held {
  constructor(id) {
    this.id = id;
  }
}

/** Each registration calls at most once, with what it holds, not before its target is dead, and not when it was taken back. */
class Registry {
  droppable = true;
  registered = new Map();
  tokens = new Map();

  constructor(world) {
    this.world = world;
    this.name = `FinalizationRegistry ${world.newId()}`;
    this.registry = new FinalizationRegistry((held) => this.called(held));
  }

  act(rng) {
    const { world } = this;
    if (rng.chance(30)) return this.unregister(rng);
    const count = rng.size(200);
    for (let i = 0; i < count; i++) {
      const { id: target, thing } = world.fresh(rng, { holding: 30 });
      const id = world.newId();
      // Any value may be held: every third is one.
      const held = i % 3 === 0 ? anyValue(rng) : new Held(id);
      const token = rng.chance(50) ? this.token(rng) : undefined;
      if (i % 3 === 0) {
        this.registry.register(thing, held);
        continue;
      }
      this.registered.set(id, { target, token, state: 'armed' });
      this.registry.register(thing, held, token);
    }
    return `${count} registered`;
  }

  token(rng) {
    const tokens = [...this.tokens.keys()];
    if (tokens.length < 5) {
      const { id, thing } = this.world.fresh(rng, { holding: 100 });
      this.tokens.set(thing, id);
      return thing;
    }
    return rng.pick(tokens);
  }

  unregister(rng) {
    const token = this.token(rng);
    let some = false;
    for (const known of this.registered.values()) {
      if (known.token !== token || known.state !== 'armed') continue;
      known.state = 'taken back';
      some = true;
    }
    const given = this.registry.unregister(token);
    // Those that are due and not called can still be taken back.
    this.world.expect(given === some, () => `unregister gave ${given}`);
    if (rng.chance(50)) this.tokens.delete(token);
    return `unregister: ${given}`;
  }

  called(held) {
    if (!(held instanceof Held)) return;
    const { world } = this;
    const { id } = held;
    const known = this.registered.get(id);
    if (known === undefined) {
      world.fault(`registration ${id} is another registry's`);
      return;
    }
    if (known.state !== 'armed') world.fault(`registration ${id}, which was ${known.state}, is called`);
    known.state = 'called';
    if (world.held.has(known.target)) world.fault(`registration ${id} is called, and ${known.target} is held`);
    if (id % 50 === 0) throw new Thrown(`registration ${id}`);
  }

  check() {
    const { registry } = this;
    this.world.expect(registry.unregister({}) === false, 'unregister of nothing');
  }

  letGo() {
    this.tokens.clear();
    for (const known of this.registered.values()) known.token = undefined;
  }

  left() {
    for (const [id, { state }] of this.registered) if (state === 'armed') return `registration ${id}`;
    return undefined;
  }
}

export const refs = (world) => {
  if (world.subjects.some((subject) => subject instanceof Refs)) return 'they are there';
  return `new ${world.add(new Refs(world)).name}`;
};

export const registries = (world) => {
  if (world.subjects.length >= 8) return 'enough of them';
  return `new ${world.add(new Registry(world)).name}`;
};
