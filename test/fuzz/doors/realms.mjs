import { createContext, runInContext } from 'node:vm';
import { make } from '../../../dist/index.js';
import * as own from '../../../dist/spec/index.js';
import { checkRefs, living } from '../refs.mjs';
import { anyValue, show } from '../things.mjs';
import { Thrown } from '../world.mjs';

const OWN = { WeakRef: own.WeakRef, FinalizationRegistry: own.FinalizationRegistry };
const NAMES = Object.keys(OWN);
const CODE = `({
  global: globalThis,
  object: (id) => ({ id }),
  ref: (target) => new WeakRef(target),
  derived: (target) => new (class Derived extends WeakRef {})(target),
  registry: (called) => new FinalizationRegistry((held) => called(held)),
  newTarget: Object.assign(function () {}, { prototype: undefined }),
})`;

/** What is held for a registration that is looked after. */
class Held {
  constructor(id) {
    this.id = id;
  }
}

/** Pointers to the realms that were dropped. */
const gone = [];

/** A context with WeakRef and FinalizationRegistry of its own. What is held for a registration is given once, and as it was. */
class Realm {
  refs = new Map();
  dead = new Set();
  registered = [];
  tokens = [];

  constructor(world, rng) {
    this.world = world;
    this.name = `realm ${world.newId()}`;
    this.context = createContext({}, rng.chance(20) ? { microtaskMode: 'afterEvaluate' } : {});
    const global = runInContext('globalThis', this.context);
    const made = own.installInto(global);
    this.inside = runInContext(CODE, this.context);
    world.expect(this.inside.global === global, 'another globalThis');
    this.installed(made);
    // The callback is of this realm, or of the other.
    const called = (held) => this.called(held);
    this.registry = rng.chance(50) ? new made.FinalizationRegistry(called) : this.inside.registry(called);
    this.actions = [
      [4, (rng) => this.makeRefs(rng)],
      [4, (rng) => this.register(rng)],
      [2, (rng) => this.unregister(rng)],
      [1, (rng) => this.deref(rng)],
      [1, () => this.again()],
      [1, (rng) => this.refused(rng)],
      [1, (rng) => this.dropped(rng)],
    ];
  }

  act(rng) {
    return rng.weighted(this.actions)(rng);
  }

  installed(made) {
    const { global } = this.inside;
    for (const name of NAMES) {
      const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(global, name);
      const right = value === made[name] && writable && !enumerable && configurable;
      this.world.expect(right && value !== OWN[name] && value instanceof global.Function, `${name} is not installed`);
    }
  }

  again() {
    const { global } = this.inside;
    const before = NAMES.map((name) => global[name]);
    const made = own.installInto(global);
    this.world.expect(
      NAMES.every((name, i) => made[name] === before[i]),
      'installed twice, differently',
    );
    this.installed(made);
    return 'installed again';
  }

  some(rng) {
    const { world } = this;
    if (rng.chance(60)) return world.some(rng);
    const id = world.newId();
    const thing = this.inside.object(id);
    if (rng.chance(50)) world.held.set(id, thing);
    else world.dropped.add(id);
    return { id, thing };
  }

  makeRefs(rng) {
    const { inside } = this;
    const Ref = inside.global.WeakRef;
    const count = rng.size(50);
    for (let i = 0; i < count; i++) {
      const { id, thing } = this.some(rng);
      const how = rng.below(4);
      const ref =
        how === 0
          ? inside.ref(thing)
          : how === 1
            ? inside.derived(thing)
            : how === 2
              ? Reflect.construct(own.WeakRef, [thing], inside.newTarget)
              : new Ref(thing);
      this.world.expect(ref instanceof Ref && !(ref instanceof own.WeakRef), `a WeakRef of another realm (${how})`);
      this.refs.set(id, ref);
    }
    return `${count} refs`;
  }

  deref(rng) {
    const [id, ref] = rng.pick([...this.refs]) ?? [];
    if (ref === undefined) return 'no refs';
    const before = ref.deref();
    this.world.gc(rng);
    const after = own.WeakRef.prototype.deref.call(ref);
    this.world.expect(before === after, () => `${id} has gone within the job`);
    if (before !== undefined && rng.chance(30)) this.world.revive(id, before);
    return `deref ${id}: ${show(before)}`;
  }

  register(rng) {
    const count = rng.size(100);
    for (let i = 0; i < count; i++) {
      const { id: target, thing } = this.some(rng);
      const named = rng.chance(40);
      const held = named ? new Held(this.world.newId()) : anyValue(rng);
      const token = named && rng.chance(60) ? this.token(rng) : undefined;
      this.registered.push({ target, held, token });
      this.registry.register(thing, held, token);
    }
    return `${count} registered`;
  }

  token(rng) {
    if (this.tokens.length < 5) this.tokens.push(this.inside.object(-1));
    return rng.pick(this.tokens);
  }

  unregister(rng) {
    const token = this.token(rng);
    const left = this.registered.filter((known) => known.token !== token);
    const expected = left.length < this.registered.length;
    const given = this.registry.unregister(token);
    this.world.expect(given === expected, () => `unregister gave ${given}`);
    this.registered = left;
    return `unregister: ${given}`;
  }

  /** Of those that hold the same, it is one whose target is not held. */
  called(held) {
    const { world } = this;
    const at = this.registered.findIndex(
      (known) => Object.is(known.held, held) && (world.ending || !world.held.has(known.target)),
    );
    if (at === -1) return world.fault(`${this.name}: no registration, or none that is due, holds ${show(held)}`);
    this.registered.splice(at, 1);
    if (held instanceof Held && held.id % 20 === 0) throw new Thrown(`registration ${held.id}`);
    return undefined;
  }

  refused(rng) {
    const { global } = this.inside;
    const { WeakRef: Ref, FinalizationRegistry: Registry } = global;
    const { thing } = this.world.some(rng);
    const calls = [
      [() => new Ref(5), 'ERR_WEAKLY_TARGET'],
      [() => new Ref(Symbol.for('registered')), 'ERR_WEAKLY_TARGET'],
      [() => Ref.prototype.deref.call({}), 'ERR_WEAKLY_RECEIVER'],
      [() => new Registry(5), 'ERR_WEAKLY_CALLBACK'],
      [() => this.registry.register(5, 0), 'ERR_WEAKLY_TARGET'],
      [() => this.registry.register(thing, thing), 'ERR_WEAKLY_CLEANUP_HOLDS_TARGET'],
      [() => this.registry.register(thing, 0, 5), 'ERR_WEAKLY_TARGET'],
      [() => this.registry.unregister(undefined), 'ERR_WEAKLY_TARGET'],
    ];
    this.world.refuse(calls);
    for (const [call] of calls) {
      try {
        call();
      } catch (error) {
        this.world.expect(error instanceof global.TypeError, () => `${call}: an error of another realm`);
      }
    }
    const fixed = runInContext(
      `Object.defineProperty(globalThis, 'FinalizationRegistry', { configurable: false })`,
      createContext({}),
    );
    const noCode = createContext({}, { codeGeneration: { strings: false } });
    const before = runInContext('[WeakRef, FinalizationRegistry]', noCode);
    this.world.refuse([
      ...[undefined, null, 5, {}, thing, { Object, Function }].map((value) => [
        () => own.installInto(value),
        'ERR_WEAKLY_ARGUMENT',
      ]),
      [() => own.installInto(runInContext('globalThis', noCode)), 'ERR_WEAKLY_REALM'],
      [() => own.installInto(fixed), 'ERR_WEAKLY_REALM'],
    ]);
    const after = runInContext('[WeakRef, FinalizationRegistry]', noCode);
    this.world.expect(before[0] === after[0] && before[1] === after[1], 'a refused realm was changed');
    return 'no realms';
  }

  /** With all that it has registered: that may never be called. */
  dropped(rng) {
    if (!rng.chance(50)) return 'it stays';
    const { subjects } = this.world;
    subjects.splice(subjects.indexOf(this), 1);
    if (!subjects.includes(graves)) this.world.add(Object.assign(graves, { world: this.world }));
    gone.push({ name: this.name, pointer: make(this.inside.global) });
    return 'dropped';
  }

  check() {
    checkRefs(this);
  }

  letGo() {
    // Asking keeps them.
    this.last = [...this.refs.values()];
    this.refs.clear();
    this.tokens = [];
    for (const known of this.registered) known.token = undefined;
  }

  left() {
    const alive = living(this.last ?? []);
    if (alive > 0) return `${alive} targets of WeakRefs of ${this.name}`;
    return this.registered.length === 0 ? undefined : `${this.registered.length} registrations of ${this.name}`;
  }
}

/** Stays to the end: realms that were dropped have to go. */
const graves = {
  name: 'dropped realms',
  act: (rng) => `gc ${graves.world.gc(rng)} after ${gone.length}`,
  check() {},
  left() {
    const name = gone.find(({ pointer }) => pointer.alive)?.name;
    return name === undefined ? undefined : `${name}, dropped`;
  },
};

export const realms = (world, rng) => {
  if (world.subjects.length >= 8) return 'enough of them';
  return `new ${world.add(new Realm(world, rng)).name}`;
};
