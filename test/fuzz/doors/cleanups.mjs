import { AsyncLocalStorage } from 'node:async_hooks';
import { types } from 'node:util';
import { addCleanup, make, queue } from '../../../dist/index.js';
import { atTheEndOfTheStack, cutByTimeout } from '../cut.mjs';
import { churn } from '../shared.mjs';
import { show } from '../things.mjs';
import { carried } from '../told.mjs';
import { Thrown } from '../world.mjs';

const storage = new AsyncLocalStorage();

class OfCleanup extends Thrown {}

/** Not by asking a proxy, which may be revoked. */
const isOfCleanup = (error) => types.isNativeError(error) && error instanceof OfCleanup;

/** Set by the round: shared by all callbacks, which the queue calls in spans if they are one function. */
let cleanups;
const called = (id) => cleanups.called(id);
const throwing = (id) => {
  cleanups.called(id);
  throw new OfCleanup(`cleanup ${id}`);
};
const again = (id) => {
  cleanups.called(id);
  cleanups.again(id);
};
const nested = (id) => {
  cleanups.called(id);
  queue.drain();
};
const asynchronous = async (id) => {
  cleanups.called(id);
  await undefined;
};

/**
 * Each is called at most once, with its own argument, in its own context, and not before its target has gone: once if it was
 * not stopped. `maybe`: what was cut may have registered it, or not.
 */
class Cleanups {
  name = 'cleanups';
  all = new Map();
  thrown = 0;
  reported = 0;

  constructor(world) {
    this.world = world;
    cleanups = this;
    world.told.takers.push((error) => this.take(error));
    world.told.configure({});
    this.actions = [
      [6, (rng) => this.add(rng)],
      [3, (rng) => this.addMany(rng)],
      [3, (rng) => this.stop(rng)],
      [3, () => `drain: ${queue.drain()}`],
      [1, (rng) => this.configure(rng)],
      [1, () => this.stats()],
      [1, (rng) => this.timeout(rng)],
      [1, (rng) => this.stack(rng)],
      [1, (rng) => this.refused(rng)],
      [1, (rng) => this.forget(rng)],
      ...(world.does('deep-drain') ? [[2, (rng) => this.deepDrain(rng)]] : []),
      ...(world.does('vm-drain') ? [[2, (rng) => this.drainInTimeout(rng)]] : []),
      ...(world.does('stack-drain') ? [[2, (rng) => this.drainAtStack(rng)]] : []),
    ];
  }

  act(rng) {
    return rng.weighted(this.actions)(rng);
  }

  take(error) {
    if (!isOfCleanup(carried(error).error)) return false;
    this.reported++;
    return true;
  }

  /** `how` registers, and gives a Cleanup. */
  register(id, target, how, { context, maybe = false, throws = false } = {}) {
    const known = { target, context, throws, pointer: undefined, cleanup: undefined, state: maybe ? 'maybe' : 'armed' };
    this.all.set(id, known);
    known.cleanup = how();
    known.state = 'armed';
    return known;
  }

  add(rng) {
    const { world } = this;
    const { id: target, thing } = world.some(rng, { holding: 50 });
    const id = world.newId();
    const callback = rng.weighted([
      [5, called],
      [1, throwing],
      [1, again],
      [1, asynchronous],
      ...(world.does('nested-drain') ? [[1, nested]] : []),
    ]);
    const options = rng.pick([
      undefined,
      undefined,
      undefined,
      { atExit: true },
      { asyncContext: true },
      { atExit: false },
    ]);
    const context = options?.asyncContext === true ? id : undefined;
    const known = storage.run(id, () =>
      this.register(id, target, () => addCleanup(thing, callback, id, options), {
        context,
        throws: callback === throwing,
      }),
    );
    if (rng.chance(30)) known.pointer = make(thing);
    return `addCleanup to ${target}: ${id}`;
  }

  addMany(rng) {
    const count = rng.size(1000);
    for (let i = 0; i < count; i++) {
      const { id: target, thing } = this.world.fresh(rng, { holding: 5 });
      const id = this.world.newId();
      this.register(id, target, () => addCleanup(thing, called, id));
    }
    return `addCleanup ${count} times`;
  }

  called(id) {
    const { world } = this;
    const known = this.all.get(id);
    if (known === undefined) return world.fault(`a cleanup got ${show(id)}`);
    if (known.state !== 'armed' && known.state !== 'maybe')
      world.fault(`cleanup ${id}, which was ${known.state}, is called`);
    known.state = 'called';
    if (known.throws) this.thrown++;
    if (world.ending) return undefined;
    if (world.held.has(known.target)) world.fault(`cleanup ${id} is called, and ${known.target} is held`);
    if (known.pointer?.value() !== undefined || known.pointer?.alive) world.fault(`cleanup ${id} sees its target`);
    const store = storage.getStore();
    if (store !== known.context) world.fault(`cleanup ${id} is called in context ${store}`);
    const state = known.cleanup?.state;
    if (state !== undefined && state !== 'done') world.fault(`cleanup ${id} is called, and ${state}`);
    if (known.cleanup?.stop()) world.fault(`cleanup ${id} is called, and was stopped`);
    return undefined;
  }

  /** From inside of one: more of them, and another stopped. */
  again(id) {
    const next = this.world.newId();
    this.world.dropped.add(next);
    this.register(next, next, () => addCleanup({ id: next }, called, next));
    for (const [other, known] of this.all) {
      if (other === id || known.state !== 'armed' || known.cleanup === undefined) continue;
      this.stopOne(other, known);
      break;
    }
  }

  stopOne(id, known) {
    const expected = known.state === 'armed';
    const stopped = known.cleanup.stop();
    if (stopped !== expected) this.world.fault(`stop() of ${id}, which is ${known.state}, gave ${stopped}`);
    if (stopped) known.state = 'stopped';
  }

  stop(rng) {
    const all = [...this.all].filter(([, { cleanup }]) => cleanup !== undefined);
    const times = rng.size(50);
    for (let i = 0; i < times && all.length > 0; i++) this.stopOne(...rng.pick(all));
    return `stop ${times}`;
  }

  check() {
    for (const [id, { state, cleanup, target }] of this.all) {
      if (cleanup === undefined) continue;
      const right = { armed: ['armed', 'queued'], called: ['done'], stopped: ['stopped'], maybe: [] }[state];
      const given = cleanup.state;
      this.world.expect(right.includes(given), () => `cleanup ${id} is ${given}, not ${state}`);
      this.world.expect(
        given !== 'queued' || !this.world.held.has(target),
        () => `cleanup ${id} is queued, and ${target} held`,
      );
    }
    this.world.expect(this.reported <= this.thrown, 'errors are reported that were not thrown');
    const { armed, pending, queued, run, stopped, failed } = queue.stats();
    const numbers = [armed, pending, queued, run, stopped, failed];
    this.world.expect(
      numbers.every((n) => Number.isInteger(n) && n >= 0),
      () => `stats: ${numbers}`,
    );
  }

  stats() {
    const { latency: _, ...rest } = queue.stats();
    return JSON.stringify(rest);
  }

  configure(rng) {
    const sliceMs = rng.pick([0.01, 0.5, 2, 10]);
    queue.configure({ sliceMs });
    if (!rng.chance(30)) return `sliceMs ${sliceMs}`;
    this.world.pending.push(queue.settled());
    return `sliceMs ${sliceMs}, settled()`;
  }

  /** So that the checks do not become slow. */
  forget(rng) {
    let count = 0;
    for (const [id, { state }] of [...this.all]) {
      if ((state !== 'called' && state !== 'stopped') || !rng.chance(80)) continue;
      // A second call would be known as one of a cleanup that nobody has registered.
      this.all.delete(id);
      count++;
    }
    return `${count} forgotten`;
  }

  timeout(rng) {
    if (!this.world.does('timeout')) return 'no timeout';
    const things = Array.from({ length: 10 }, () => this.world.some(rng));
    let i = 0;
    cutByTimeout(
      () => {
        while (i < 3000) {
          const { id: target, thing } = things[i++ % things.length];
          const id = this.world.newId();
          this.register(id, target, () => addCleanup(thing, called, id), { maybe: true });
        }
        for (;;) churn();
      },
      rng.between(1, 3),
    );
    return `cut by a timeout after ${i}`;
  }

  stack(rng) {
    if (!this.world.does('stack')) return 'no end of the stack';
    const { id: target, thing } = this.world.some(rng);
    const first = this.world.newId();
    const levels = rng.between(10, 150);
    // Registered with the model before: there may be no room for that afterwards.
    const ids = Array.from({ length: levels }, () => this.world.newId());
    for (const id of ids)
      this.all.set(id, { target, context: undefined, throws: false, state: 'maybe', cleanup: undefined });
    const knowns = ids.map((id) => this.all.get(id));
    let at = 0;
    const { odd } = atTheEndOfTheStack(
      () => {
        const i = at++;
        knowns[i].cleanup = addCleanup(thing, called, ids[i]);
        knowns[i].state = 'armed';
      },
      rng.below(40),
      levels,
    );
    if (odd !== undefined) throw odd;
    return `at the end of the stack, from ${first}`;
  }

  refused(rng) {
    const { thing } = this.world.some(rng);
    this.world.refuse([
      [() => addCleanup(5, called), 'ERR_WEAKLY_TARGET'],
      [() => addCleanup(thing, 5), 'ERR_WEAKLY_CALLBACK'],
      [() => addCleanup(thing, called, thing), 'ERR_WEAKLY_CLEANUP_HOLDS_TARGET'],
      [() => addCleanup(thing, called, 0, { atexit: true }), 'ERR_WEAKLY_OPTION'],
      [() => addCleanup(thing, called, 0, { atExit: 1 }), 'ERR_WEAKLY_OPTION'],
      [() => queue.configure({ sliceMs: -1 }), 'ERR_WEAKLY_RANGE'],
    ]);
    return 'no cleanups';
  }

  /** One drain in another, thousands deep. */
  deepDrain(rng) {
    const count = rng.between(500, 5000);
    for (let i = 0; i < count; i++) {
      const id = this.world.newId();
      this.world.dropped.add(id);
      this.register(id, id, () => addCleanup({ id }, nested, id));
    }
    this.world.gc(rng, 'major');
    return `${count} that drain: ${queue.drain()}`;
  }

  drainInTimeout(rng) {
    const count = rng.between(500, 3000);
    const add = (maybe) => {
      const id = this.world.newId();
      this.world.dropped.add(id);
      this.register(id, id, () => addCleanup({ id }, called, id), { maybe });
    };
    for (let i = 0; i < count; i++) add(false);
    this.world.gc(rng, 'major');
    let code;
    this.world.cutting = true;
    cutByTimeout(
      () => {
        for (;;) {
          add(true);
          try {
            queue.drain();
          } catch (error) {
            code = error.code;
            if (!/^ERR_WEAKLY_/.test(code)) throw error;
          }
        }
      },
      rng.between(1, 5),
    );
    this.noteCut();
    return `${count} drained until a timeout: ${code}`;
  }

  /** The call that a timeout has ended was begun, and may not have told us so. */
  noteCut() {
    this.world.cut++;
    for (const known of this.all.values()) {
      if (known.state !== 'armed' || known.cleanup?.state !== 'done') continue;
      known.state = 'called';
      return;
    }
  }

  drainAtStack(rng) {
    this.world.endsStack = true;
    this.addMany(rng);
    this.world.gc(rng, 'major');
    const { odd } = atTheEndOfTheStack(() => queue.drain(), rng.below(40), rng.between(10, 150));
    if (odd !== undefined && !/^ERR_WEAKLY_/.test(odd.code)) throw odd;
    return 'drained at the end of the stack';
  }

  /** All targets have gone: what is still armed was not called. A callback that had no stack has been reported instead. */
  left() {
    let missing = 0;
    let first;
    for (const [id, { state }] of this.all) {
      if (state !== 'armed') continue;
      missing++;
      first ??= id;
    }
    if (missing > this.world.ended) return `${missing} cleanups from ${first}`;
    // Or a timeout has ended one between saying that it throws and throwing.
    return this.thrown - this.reported <= this.world.ended + this.world.cut
      ? undefined
      : `${this.thrown - this.reported} reports of errors`;
  }
}

export const cleanupDoor = (world) => {
  if (world.subjects.some((subject) => subject instanceof Cleanups)) return 'they are there';
  return `new ${world.add(new Cleanups(world)).name}`;
};
