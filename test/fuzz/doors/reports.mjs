import { runInContext } from 'node:vm';
import { addCleanup, finalizable, queue } from '../../../dist/index.js';
import { anyValue, show } from '../things.mjs';
import { carried, realm, UNCAUGHT } from '../told.mjs';
import { Thrown } from '../world.mjs';

const own = (error, value) => Object.defineProperty(error, 'registeredAt', value);
const abroad = runInContext('(call) => (id) => call(id)', realm);
const errorAbroad = runInContext('(text) => new RangeError(text)', realm);
const refusing = { defineProperty: () => false };
const throwing = {
  defineProperty() {
    throw new Thrown('a trap');
  },
};

function revoked() {
  const { proxy, revoke } = Proxy.revocable(new Thrown('revoked'), {});
  revoke();
  return proxy;
}

class Odd extends Thrown {
  get registeredAt() {
    return this;
  }
  set registeredAt(_) {
    throw new Thrown('the setter was called');
  }
}

/** What is thrown, and whether it can carry the place of its registration. */
const THROWN = {
  error: [(id) => new Thrown(`report ${id}`), true],
  'of another realm': [(id) => errorAbroad(`report ${id}`), true],
  'with a setter': [(id) => new Odd(`report ${id}`), true],
  object: [(id) => Object.assign(Object.create(null), { report: id }), true],
  proxy: [(id) => new Proxy(new Thrown(`report ${id}`), {}), true],
  frozen: [(id) => Object.freeze(new Thrown(`report ${id}`)), false],
  sealed: [(id) => Object.preventExtensions(new Thrown(`report ${id}`)), false],
  'with that property': [(id) => Object.assign(new Thrown(`report ${id}`), { registeredAt: id }), false],
  'with an accessor': [
    (id) =>
      own(new Thrown(`report ${id}`), {
        get() {
          throw new Thrown('the getter was called');
        },
      }),
    false,
  ],
  'proxy that refuses': [(id) => new Proxy(new Thrown(`report ${id}`), refusing), false],
  'proxy that throws': [(id) => new Proxy(new Thrown(`report ${id}`), throwing), false],
  'revoked proxy': [revoked, false],
  function: [(id) => Object.assign(() => id, { report: id }), false],
  text: [(id) => `report ${id}`, false],
  symbol: [(id) => Symbol(`report ${id}`), false],
  nothing: [(id) => [undefined, null, false, 0, -0, Number.NaN, 0n, ''][id % 8], false],
  // Of those that are shared, only the first can.
  shared: [(id, shared) => shared[id % shared.length], undefined],
};

/**
 * What each callback throws is reported exactly once, as itself, to who is told at that time; with the place of its
 * registration if that was noted.
 */
class Reports {
  name = 'reports';
  calls = new Map();
  /** Thrown, and not reported. */
  thrown = [];
  shared = Array.from({ length: 3 }, (_, i) => new Thrown(`shared ${i}`));
  tracing = false;

  constructor(world) {
    this.world = world;
    world.told.takers.push((error, mode) => this.take(error, mode));
    this.throwing = (id) => this.throw(id);
    this.abroad = abroad(this.throwing);
    this.actions = [
      [6, (rng) => this.add(rng)],
      [4, (rng) => this.configure(rng)],
      [1, (rng) => this.refused(rng)],
      [2, (rng) => `gc ${world.gc(rng)}, drain: ${queue.drain()}`],
    ];
  }

  act(rng) {
    return rng.weighted(this.actions)(rng);
  }

  add(rng) {
    const { world } = this;
    const count = rng.size(30);
    const holding = rng.pick([0, 30]);
    for (let i = 0; i < count; i++) {
      const id = world.newId();
      const kind = rng.pick(Object.keys(THROWN));
      const known = { kind, traced: this.tracing, called: false, toggles: rng.chance(5) ? rng.next() : undefined };
      this.calls.set(id, known);
      if (rng.chance(20)) this.finalizer(id);
      else this.cleanup(rng, id, holding);
    }
    return `${count} that throw`;
  }

  /** Their names are in the traces. */
  cleanup(rng, id, holding) {
    const { thing } = this.world.fresh(rng, { holding });
    const options = rng.chance(20) ? { asyncContext: true } : undefined;
    addCleanup(thing, rng.chance(20) ? this.abroad : this.throwing, id, options);
  }

  finalizer(id) {
    finalizable({ id: -1 }, () => this.throw(id));
  }

  throw(id) {
    const known = this.calls.get(id);
    if (known === undefined || known.called) this.world.fault(`a callback that throws, ${show(id)}, is called again`);
    known.called = true;
    const [make] = THROWN[known.kind];
    const value = make(id, this.shared);
    if (known.toggles !== undefined) this.toggle(known.toggles);
    this.thrown.push({ id, value, kind: known.kind, traced: known.traced, mode: this.world.told.mode });
    throw value;
  }

  take(error, mode) {
    const { world } = this;
    const { error: value, carrier } = carried(error);
    const same = (known) => Object.is(known.value, value);
    const told = (known) => same(known) && known.mode === mode;
    // Of several of one value, that which can be meant.
    let at = this.thrown.findIndex((known) => told(known) && known.traced === (carrier !== undefined));
    if (at === -1) at = this.thrown.findIndex(told);
    if (at === -1) at = this.thrown.findIndex(same);
    if (at === -1) return false;
    const [known] = this.thrown.splice(at, 1);
    const say = (text) => world.fault(`what a callback has thrown (${known.kind}) ${text}`);
    if (known.mode !== mode) say(`is told to ${mode}, not ${known.mode}`);
    // Where a report itself was cut short, it has the property already.
    if (world.endsStack || world.cutting) return true;
    if (known.kind === 'with that property' && value.registeredAt !== known.id) say('has another one');
    if (!known.traced) {
      if (carrier !== undefined) say('has a carrier, and was not traced');
      return true;
    }
    const can = THROWN[known.kind][1];
    if (can !== undefined && can === (carrier !== undefined)) say(`has ${can ? 'a' : 'no'} carrier`);
    if (carrier !== undefined && !(carrier instanceof Error)) say('is carried by no Error');
    const place = Object.getOwnPropertyDescriptor(carrier ?? value, 'registeredAt');
    const right = place?.value instanceof Error && /Reports\.(cleanup|finalizer)/.test(place.value.stack);
    if (!right) say(`was registered at ${place?.value?.stack ?? place}`);
    return true;
  }

  /** In whatever order the options are given. */
  configure(rng) {
    const { world } = this;
    if (rng.chance(50)) {
      this.tracing = rng.chance(60);
      queue.configure({ traceRegistrations: this.tracing, ...(rng.chance(30) ? { sliceMs: rng.between(1, 5) } : {}) });
      return `traceRegistrations ${this.tracing}`;
    }
    const percent = rng.below(100);
    const tracing = rng.chance(50);
    const rethrow = percent < 30 ? (mode) => this.rethrow(mode) : undefined;
    world.told.configure({ traceRegistrations: tracing }, { none: percent > 70, rethrow, abroad: rng.chance(30) });
    this.tracing = tracing;
    return `traceRegistrations ${tracing}, onError ${world.told.mode}`;
  }

  /** From inside a callback. */
  toggle(number) {
    this.tracing = number % 2 === 0;
    this.world.told.configure({ traceRegistrations: this.tracing }, { none: number % 3 === 0 });
  }

  rethrow(mode) {
    const value = new Thrown(`of onError ${mode}`);
    this.thrown.push({ value, kind: 'error', traced: false, mode: UNCAUGHT });
    throw value;
  }

  /** Nothing is changed then: `check()` of what is thrown later finds out. */
  refused(rng) {
    const onError = () => this.world.fault('a handler that was refused is told');
    const odd = rng.pick([5, 'text', {}, 1n, Symbol('no option')]);
    this.world.refuse([
      [() => queue.configure({ onError: odd, traceRegistrations: !this.tracing }), 'ERR_WEAKLY_OPTION'],
      [() => queue.configure({ onError, traceRegistrations: odd }), 'ERR_WEAKLY_OPTION'],
      [() => queue.configure({ onError, traceRegistrations: null }), 'ERR_WEAKLY_OPTION'],
      [() => queue.configure({ onError, sliceMs: 0, traceRegistrations: !this.tracing }), 'ERR_WEAKLY_RANGE'],
      [() => queue.configure({ onError, sliceMs: rng.pick(['2', null]) }), 'ERR_WEAKLY_OPTION'],
      [() => queue.configure({ onError, onerror: anyValue(rng) }), 'ERR_WEAKLY_OPTION'],
    ]);
    return 'no options';
  }

  check() {
    // What goes to onError is told before a drain comes back; the others have to wait for the next tick.
    const late = this.thrown.filter(({ mode }) => mode !== UNCAUGHT).length;
    const { cut, ended } = this.world;
    this.world.expect(late <= cut + ended, () => `${late} errors are not reported`);
  }

  left() {
    const { cut, ended } = this.world;
    const missing = [...this.calls].filter(([, { called }]) => !called);
    if (missing.length > ended + cut) return `${missing.length} that throw, from ${missing[0][0]}`;
    return this.thrown.length > cut + ended ? `${this.thrown.length} reports` : undefined;
  }
}

export const reportDoor = (world) => {
  if (world.subjects.some((subject) => subject instanceof Reports)) return 'they are there';
  return `new ${world.add(new Reports(world)).name}`;
};
