// One round: what the program holds, what it has made of every door, and steps that each come from the seed and their number
// alone, so that any of them can be left out.

import { writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { mix, Random } from './random.mjs';
import { makeObject, makeThing } from './things.mjs';

/** What the fuzzer has found. */
export class Fault extends Error {}

/** What callbacks throw on purpose. */
export class Thrown extends Error {}

const NEVER = Symbol('never');
let sink;

/** Keeps what it is given up to this call. */
export function keep(value) {
  sink = value;
  if (sink === NEVER) throw sink;
  sink = undefined;
}

export class World {
  /** What the program holds, by id. */
  held = new Map();
  /** Ids of what has not been held at some time: it may have died. */
  dropped = new Set();
  /** What there is of each door. Each has `act(rng)`, which does something and says what, and `check()`. */
  subjects = [];
  faults = [];
  /** Promises that are waited for at the end. */
  pending = [];
  /** What the stack or a timeout has ended in a callback. */
  ended = 0;
  /** Drains that a timeout has ended: each may have ended one call. */
  cut = 0;
  /** Whether a drain has ever been under way that a timeout was to end. */
  cutting = false;
  #nextId = 1;

  constructor({ seed, tame, skip, log, verify }) {
    this.seed = seed;
    this.tame = tame;
    this.skip = skip;
    this.verify = verify;
    this.#log = log;
  }

  #log;

  log(text) {
    if (this.#log !== undefined) writeSync(this.#log, `${text}\n`);
  }

  /** Found where nothing may be thrown. */
  fault(text) {
    this.faults.push(text);
  }

  fail(text) {
    throw new Fault(text);
  }

  expect(condition, text) {
    if (!condition) throw new Fault(typeof text === 'function' ? text() : text);
  }

  /** Each call has to throw an error of its code. */
  refuse(calls) {
    for (const [call, expected] of calls) {
      let code;
      try {
        call();
      } catch (error) {
        code = error.code;
      }
      this.expect(code === expected, () => `${call}: ${code}, not ${expected}`);
    }
  }

  /** `name` is one of `--skip`. */
  does(name) {
    return !this.skip.has(name);
  }

  newId() {
    return this.#nextId++;
  }

  /** `holding`: per cent. */
  fresh(rng, { holding = 60, object = false } = {}) {
    const id = this.newId();
    const thing = object ? makeObject(rng, id) : makeThing(rng, id);
    if (rng.chance(holding)) this.held.set(id, thing);
    else this.dropped.add(id);
    return { id, thing };
  }

  /** Something that is held, if there is anything. */
  pick(rng, objects = false) {
    const ids = [...this.held.keys()];
    const id = rng.pick(ids);
    const thing = this.held.get(id);
    const other = typeof thing === 'symbol' || thing instanceof Promise;
    return thing === undefined || (objects && other) ? undefined : { id, thing };
  }

  /** Held or new. */
  some(rng, options = {}) {
    return (rng.chance(40) ? this.pick(rng, options.object) : undefined) ?? this.fresh(rng, options);
  }

  drop(id) {
    if (this.held.delete(id)) this.dropped.add(id);
  }

  gc(rng, type = rng.pick(['minor', 'major'])) {
    // Node.js 20 takes any options for those of a minor one.
    if (type === 'major') globalThis.gc();
    else globalThis.gc({ type });
    return type;
  }

  /** A thing that is not held, and was found alive, is held again. */
  revive(id, thing) {
    const known = this.held.get(id);
    if (known !== undefined && known !== thing) this.fail(`two things say that they are ${id}`);
    this.held.set(id, thing);
  }

  add(subject) {
    this.subjects.push(subject);
    return subject;
  }

  /** Whatever `actions` say, `count` times. `only`: the numbers of those steps that are done. */
  async run(actions, count, only) {
    const began = performance.now();
    for (let i = 0; i < count; i++) {
      if (only !== undefined && !only.has(i)) continue;
      const rng = new Random(mix(this.seed, i));
      const subject = this.subjects.length > 0 && rng.chance(75) ? rng.pick(this.subjects) : undefined;
      this.log(`${i} ${subject?.name ?? '-'}`);
      const done = subject === undefined ? await rng.weighted(actions)(this, rng) : await subject.act(rng);
      this.log(`${i} ${subject?.name ?? '-'}: ${done}`);
      subject?.check();
      if (i % 16 === 15) this.check();
      this.look();
      // The queue has its turns, or not: everything may also happen in one job.
      if (rng.chance(25)) await nextTurn();
      if (performance.now() - began > 10_000) {
        this.log(`${i} the rest is left out: it takes too long`);
        break;
      }
    }
    this.check();
    this.look();
  }

  check() {
    for (const subject of this.subjects) subject.check();
  }

  look() {
    const broken = this.verify();
    if (broken !== null) this.fail(`verify(): ${broken}`);
    if (this.faults.length > 0) this.fail(this.faults.join('; '));
  }

  /** Nothing is held any more; what waits for that comes to its end. */
  async finish(collect) {
    this.log('the end: nothing is held');
    await Promise.all(this.pending);
    this.check();
    for (const id of [...this.held.keys()]) this.drop(id);
    for (const subject of this.subjects) subject.letGo?.();
    const left = () => this.subjects.map((subject) => subject.left?.()).filter((text) => text !== undefined);
    const end = performance.now() + (this.options?.wait ?? 20_000);
    while (left().length > 0) {
      if (performance.now() > end) this.fail(`still there, or not called: ${left().slice(0, 5).join(', ')}`);
      for (let i = 0; i < 20; i++) await nextTurn();
      collect();
    }
    this.check();
    this.look();
  }
}
