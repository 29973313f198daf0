import { WeakCache } from '../../../dist/collections/index.js';
import { Clock, isThat, ODD } from '../clock.mjs';
import { idOf, keysOf, show } from '../things.mjs';
import { Thrown } from '../world.mjs';

const KEYS = 8;

/** What has expired is not found, in use or not; what has not and is held, is. A call that fails has changed nothing. */
class Timed {
  droppable = true;
  entries = new Map();
  clock = new Clock();

  constructor(world, rng) {
    const { name, keys } = keysOf(rng, KEYS, world.tame);
    this.keys = keys.map((make) => make()).filter((key) => key !== undefined && key !== null);
    if (this.keys.length === 0) this.keys.push('key');
    this.world = world;
    this.ttl = rng.pick([undefined, 1, 20, 500, Number.POSITIVE_INFINITY]);
    this.renewing = rng.chance(50);
    const max = rng.between(1, 2 * KEYS);
    const { ttl, renewing: updateAgeOnGet, clock: perf } = this;
    this.cache = new WeakCache({ max, updateAgeOnGet, perf, ...(ttl === undefined ? {} : { ttl }) });
    this.name = `WeakCache ${world.newId()} of ${name} by a clock, max ${max}, ttl ${ttl}, renewing ${updateAgeOnGet}`;
    this.actions = [
      [6, (rng) => this.set(rng)],
      [6, (rng) => this.get(rng)],
      [2, (rng) => this.remove(rng)],
      [4, (rng) => this.jump(rng)],
      [4, (rng) => this.fetch(rng)],
      [1, (rng) => this.refused(rng)],
    ];
  }

  act(rng) {
    return rng.weighted(this.actions)(rng);
  }

  jump(rng) {
    const known = rng.chance(50) ? rng.pick([...this.entries.values()]) : undefined;
    // To the last moment of one, or past it.
    const rest = known === undefined ? 0 : known.expires - this.clock.passed;
    const near = rest > 0 && rest < 1000 ? rest + rng.below(2) / 2 : undefined;
    const by = near ?? rng.pick([1, 1, 5, 20, 100, -1, -50, -2000, 2 ** 30, -(2 ** 30)]);
    this.clock.time += by;
    return `the clock goes ${by}`;
  }

  /** Whether `call` came to its end. What is wrong with the clock has to be thrown, and nothing else. */
  try(rng, call) {
    if (rng.chance(20)) this.clock.arm(rng.pick(ODD));
    let failed;
    try {
      call();
    } catch (error) {
      failed = { error };
    }
    const thrown = this.clock.disarm();
    const right = failed === undefined ? thrown === undefined : isThat(failed.error, thrown);
    if (!right && thrown === undefined) throw failed.error;
    this.world.expect(right, () => `a clock that gives ${show(thrown)}: ${failed?.error.stack ?? 'not thrown'}`);
    return failed === undefined;
  }

  ttlOf(rng) {
    const ttl = rng.pick([undefined, undefined, 1, 0.5, 30, 400, Number.POSITIVE_INFINITY]);
    return { ttl, options: ttl === undefined && rng.chance(50) ? undefined : { ttl } };
  }

  /** Before it is set: the time may not be asked for twice. */
  entry(id, given) {
    const ttl = given ?? this.ttl ?? Number.POSITIVE_INFINITY;
    return { id, ttl, expires: this.clock.passed + ttl };
  }

  set(rng) {
    const key = rng.pick(this.keys);
    const { id, thing } = this.world.some(rng, { holding: 70, object: true });
    const { ttl, options } = this.ttlOf(rng);
    const entry = this.entry(id, ttl);
    const done = this.try(rng, () => this.cache.set(key, thing, options));
    if (done) this.entries.set(key, entry);
    return `${show(key)} = ${id}, ttl ${ttl}: ${done}`;
  }

  /** `value` was found, or not. */
  compare(key, value, passed, uses) {
    const { world } = this;
    const known = this.entries.get(key);
    const stays = known !== undefined && known.expires >= passed;
    const held = stays ? world.held.get(known.id) : undefined;
    if (value === undefined) {
      world.expect(held === undefined, () => `${show(key)}, which is held (${known.id}), is not there`);
      if (uses) this.entries.delete(key);
      return;
    }
    world.expect(stays, () => `${show(key)} has ${show(value)}, which has expired or is none`);
    world.expect(idOf(value) === known.id, () => `${show(key)} has ${show(value)}, not ${known.id}`);
    world.expect(held === undefined || Object.is(held, value), () => `${show(key)} has another ${show(value)}`);
    if (uses && this.renewing) known.expires = passed + known.ttl;
  }

  get(rng) {
    const key = rng.pick(this.keys);
    const { passed } = this.clock;
    let value;
    const done = this.try(rng, () => {
      value = this.cache.get(key);
    });
    if (done) this.compare(key, value, passed, true);
    return `get ${show(key)}: ${done ? show(value) : 'failed'}`;
  }

  remove(rng) {
    const key = rng.pick(this.keys);
    const { passed } = this.clock;
    const known = this.entries.get(key);
    let deleted;
    const done = this.try(rng, () => {
      deleted = this.cache.delete(key);
    });
    if (!done) return `delete ${show(key)}: failed`;
    const stays = known !== undefined && known.expires >= passed;
    const right = deleted ? stays : !(stays && this.world.held.has(known.id));
    this.world.expect(right, () => `delete ${show(key)}: ${deleted}`);
    this.entries.delete(key);
    return `delete ${show(key)}: ${deleted}`;
  }

  /** One load, and some who wait for it; each gives up, or not. */
  async fetch(rng) {
    const { world, cache, clock } = this;
    const key = rng.pick(this.keys);
    const { id, thing } = world.fresh(rng, { holding: 50, object: true });
    const { ttl, options } = this.ttlOf(rng);
    let open;
    const gate = new Promise((resolve) => {
      open = resolve;
    });
    const loads = [];
    const loader = async (given, { signal }) => {
      loads.push(signal);
      if (!Object.is(given, key)) world.fault('the loader got another key');
      await gate;
      return thing;
    };
    const { passed } = clock;
    const waiters = [];
    const count = rng.between(1, 5);
    for (let i = 0; i < count; i++) {
      const controller = rng.chance(60) ? new AbortController() : undefined;
      const waiter = { controller, early: controller !== undefined && rng.chance(15) };
      if (waiter.early) this.abort(rng, waiter);
      if (i === 0 && rng.chance(20)) clock.arm(rng.pick(ODD));
      const promise = cache.fetch(key, loader, { ...options, signal: controller?.signal });
      waiter.thrown = clock.disarm();
      waiter.ended = promise.then(
        (value) => ({ value }),
        (error) => ({ error }),
      );
      waiters.push(waiter);
    }
    const asking = waiters.filter(({ early, thrown }) => !early && thrown === undefined);
    if (asking.length > 0 && loads.length === 0) {
      for (const waiter of waiters) if (waiter.controller !== undefined && rng.chance(50)) this.abort(rng, waiter);
      open();
      return this.found(key, passed, waiters, asking);
    }
    world.expect(loads.length === (asking.length > 0 ? 1 : 0), () => `${loads.length} loads of one key`);
    if (asking.length > 0) this.compare(key, undefined, passed, true);
    for (const waiter of asking) if (waiter.controller !== undefined && rng.chance(60)) this.abort(rng, waiter);
    const staying = asking.filter(({ gone }) => !gone);
    if (asking.length > 0)
      world.expect(loads[0].aborted === (staying.length === 0), () => `${staying.length} wait: ${loads[0].aborted}`);
    this.jump(rng);
    const entry = this.entry(id, ttl);
    if (rng.chance(20)) clock.arm(rng.pick(ODD));
    open();
    const all = await Promise.all(waiters.map(({ ended }) => ended));
    const thrown = clock.disarm();
    for (const [i, { gone, controller, thrown: before }] of waiters.entries()) {
      const { error, value } = all[i];
      const why = before ?? (gone ? undefined : thrown);
      const right = gone
        ? Object.is(error, controller.signal.reason)
        : why === undefined
          ? Object.is(value, thing)
          : isThat(error, why);
      world.expect(right, () => `fetch ${show(key)} gave ${i}: ${error?.stack ?? show(value)}, not ${id}`);
    }
    if (staying.length > 0 && thrown === undefined) this.entries.set(key, entry);
    return `fetch ${show(key)}: ${staying.length} of ${count} have ${id}`;
  }

  abort(rng, waiter) {
    waiter.gone = true;
    waiter.controller.abort(rng.pick([undefined, null, 5, Number.NaN, new Thrown('abort'), 'reason', {}]));
  }

  /** Nothing had to be loaded: who asked has the value, whatever it gave up later. */
  async found(key, passed, waiters, asking) {
    for (const { ended } of asking) {
      const { value, error } = await ended;
      this.world.expect(error === undefined && value !== undefined, () => `fetch ${show(key)}: ${error?.stack}`);
      this.compare(key, value, passed, true);
    }
    for (const { ended, early, thrown, controller } of waiters) {
      if (!early && thrown === undefined) continue;
      const { error } = await ended;
      const right = early ? Object.is(error, controller.signal.reason) : isThat(error, thrown);
      this.world.expect(right, () => `fetch ${show(key)} gave ${error?.stack}`);
    }
    return `fetch ${show(key)}: it is there`;
  }

  refused(rng) {
    const key = rng.pick(this.keys);
    const bad = { ERR_WEAKLY_RANGE: [0, -1, Number.NaN, Number.NEGATIVE_INFINITY], ERR_WEAKLY_OPTION: [null, '5', 5n] };
    const calls = Object.entries(bad).flatMap(([code, ttls]) =>
      ttls.map((ttl) => [() => this.cache.set(key, {}, { ttl }), code]),
    );
    const clocks = [5, null, {}, { now: 5 }];
    for (const perf of clocks) calls.push([() => new WeakCache({ max: 1, perf }), 'ERR_WEAKLY_OPTION']);
    this.world.refuse(calls);
    return 'no options';
  }

  check() {
    const { cache, clock } = this;
    for (const key of this.keys) {
      const { passed } = clock;
      const has = cache.has(key);
      const known = this.entries.get(key);
      const stays = known !== undefined && known.expires >= passed;
      this.world.expect(has ? stays : !(stays && this.world.held.has(known.id)), () => `has ${show(key)}: ${has}`);
      if (has && known.id % 4 === 0) this.compare(key, cache.get(key), passed, true);
    }
  }

  letGo() {
    this.cache.clear();
    this.entries.clear();
  }

  left() {
    return this.cache.size === 0 ? undefined : `${this.cache.size} in ${this.name}`;
  }
}

export const timedCaches = (world, rng) => {
  if (world.subjects.length >= 8) return 'enough of them';
  return `new ${world.add(new Timed(world, rng)).name}`;
};
