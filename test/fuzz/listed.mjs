// What collections with entries have in common: a model that is a Map, in which nothing dies, against what a collection
// says by each of its methods. What is held has to be there, and as it was put there; what is not may be, until it was
// found missing, and then never again. Nothing may be there that was not put there.

import { atTheEndOfTheStack, cutByTimeout } from './cut.mjs';
import { idOf, sameValueZero, show } from './things.mjs';
import { Fault, keep } from './world.mjs';

/**
 * An entry: `id` says who is held weakly, `token` what else belongs to it. `place`: one object from insertion to removal.
 * `loose`: whether it has kept its place in the order is not known, because the value before may have been dead.
 */
const entry = (id, token, place = {}, loose = false) => ({ id, token, place, loose });

/**
 * Subclasses say what a row of theirs is: `{ key, id, token, weak }`, `key` being that of the model and `weak` the very thing;
 * and how a step is done (`exec`), and what it should give (`expected`).
 */
export class Listed {
  droppable = true;
  entries = new Map();
  iterators = [];
  /** Whether the key decides who is held. */
  weakKeys = true;

  constructor(world, name, real) {
    this.world = world;
    this.name = name;
    this.real = real;
  }

  /** What a step does to a model. */
  apply(entries, { op, key, id, token }) {
    const known = entries.get(key);
    if (op === 'put') {
      if (known === undefined) entries.set(key, entry(id, token));
      else if (this.weakKeys || this.world.held.has(known.id))
        entries.set(key, entry(id, token, known.place, known.loose));
      else {
        entries.delete(key);
        entries.set(key, entry(id, token, {}, true));
      }
    } else if (op === 'insert') {
      if (known === undefined) entries.set(key, entry(id, token));
    } else if (op === 'delete') {
      entries.delete(key);
    } else if (op === 'clear') {
      entries.clear();
    }
  }

  /** Does it, compares what it gives, and does it to the model. */
  step(step) {
    const { world } = this;
    const known = step.op === 'clear' ? undefined : this.entries.get(step.key);
    const sure = known === undefined || world.held.has(known.id) || (this.weakKeys && step.weak !== undefined);
    const result = this.exec(step);
    const expected = this.expected(step, known);
    if (sure)
      world.expect(
        sameValueZero(result, expected),
        () => `${this.tell(step)} gave ${show(result)}, not ${show(expected)}`,
      );
    else this.may(step, known, result);
    this.apply(this.entries, step);
    return result;
  }

  /** What is given where the thing may be dead. */
  may({ op }, known, result) {
    const right =
      op === 'get' ? result === undefined || idOf(result) === known.id : op === 'put' || typeof result === 'boolean';
    this.world.expect(right, () => `${op} of ${show(known.id)} gave ${show(result)}`);
  }

  tell({ op, key, id }) {
    return `${op} ${show(key)}${id === undefined || this.weakKeys ? '' : ` = ${id}`}`;
  }

  /** All rows now; holding them holds what is in them. */
  compare(rows, entries) {
    const { world } = this;
    const seen = new Map();
    for (const { key, id, token, weak } of rows) {
      const known = entries.get(key);
      world.expect(
        known !== undefined,
        () => `${show(key)} (${show(weak)}) is there, and was never put there, or has gone`,
      );
      world.expect(!seen.has(key), () => `${show(key)} is there twice`);
      world.expect(known.id === id, () => `${show(key)} has ${show(weak)}, not ${known.id}`);
      world.expect(
        sameValueZero(known.token, token),
        () => `${show(key)} has ${show(token)}, not ${show(known.token)}`,
      );
      const held = world.held.get(id);
      world.expect(held === undefined || held === weak, () => `${show(key)} has something else that says it is ${id}`);
      seen.set(key, known);
    }
    for (const [key, { id }] of entries)
      world.expect(seen.has(key) || !world.held.has(id), () => `${show(key)}, which is held (${id}), is not there`);
    const order = [...entries].filter(([key, { loose }]) => seen.has(key) && !loose).map(([key]) => key);
    const given = [...seen].filter(([, { loose }]) => !loose).map(([key]) => key);
    world.expect(
      order.every((key, i) => sameValueZero(key, given[i])),
      'another order',
    );
    entries.clear();
    for (const [key, known] of seen) {
      known.loose = false;
      entries.set(key, known);
    }
  }

  check() {
    const rows = this.rows();
    const { size } = this.real;
    this.compare(rows, this.entries);
    // Under flags that keep objects young for longer, the deaths of old ones are found by the next major GC.
    const right = size === rows.length || (!this.world.exact && size > rows.length);
    this.world.expect(right, () => `size ${size}, with ${rows.length} entries`);
    this.views(rows);
    keep(rows);
  }

  /** It is as one of these say. */
  settle(alternatives) {
    const rows = this.rows();
    for (const [i, entries] of alternatives.entries()) {
      try {
        this.compare(rows, entries);
        this.entries = entries;
        break;
      } catch (error) {
        if (!(error instanceof Fault) || i === alternatives.length - 1) throw error;
      }
    }
    keep(rows);
    this.check();
  }

  /** What is there, held until it is let go of; the model has nothing else. */
  pin() {
    const rows = this.rows();
    this.compare(rows, this.entries);
    return rows;
  }

  /** Steps again and again, until vm's timeout comes: the one that was under way is done or not. */
  cut(given, ms, churn, pinned) {
    this.iterators = [];
    const rows = pinned ? this.pin() : undefined;
    // What is given by an insertion, and whether it is made, depends on whether what is there is dead.
    const steps = pinned ? given : given.map((step) => (step.op === 'insert' ? { ...step, op: 'put' } : step));
    let begun = 0;
    let odd;
    const loop = () => {
      for (;;) {
        const step = steps[begun % steps.length];
        begun++;
        this.exec(step);
        churn();
      }
    };
    try {
      cutByTimeout(loop, ms);
    } catch (error) {
      odd = error;
    }
    if (odd !== undefined) throw odd;
    const done = begun - 1;
    // After some times through the steps, it is the same each time.
    const most = 3 * steps.length;
    const seen = done < most ? done : most + (done % steps.length);
    for (let i = 0; i < seen; i++) this.apply(this.entries, steps[i % steps.length]);
    const after = new Map(this.entries);
    if (begun > 0) this.apply(after, steps[done % steps.length]);
    this.settle([after, this.entries]);
    keep(rows);
    return begun;
  }

  /** One step in each of the last frames of the stack: it is done or not. */
  cutByStack(step, pad, levels) {
    this.iterators = [];
    const rows = this.pin();
    const { done, odd } = atTheEndOfTheStack(() => this.exec(step), pad, levels);
    if (odd !== undefined) throw odd;
    const after = new Map(this.entries);
    this.apply(after, step);
    this.settle(done > 0 ? [after] : [after, this.entries]);
    keep(rows);
    return done;
  }

  open(kind) {
    const must = [...this.entries.values()].filter(({ id }) => !this.world.dropped.has(id)).map(({ place }) => place);
    this.iterators.push({ kind, real: this.real[kind](), must, seen: new Set(), ended: false });
    if (this.iterators.length > 4) this.iterators.shift();
  }

  /** `near`: where the value of a step belongs in the model; undefined: it cannot be told. */
  advance(iterator, times) {
    const { world } = this;
    for (let i = 0; i < times; i++) {
      const { done, value } = iterator.real.next();
      world.expect(!(iterator.ended && !done), 'an iterator that had ended goes on');
      if (done) {
        iterator.ended = true;
        this.#ended(iterator);
        return;
      }
      const { key, id } = this.where(iterator.kind, value);
      // By the kind: undefined is a key, too.
      if (iterator.kind === 'values' && !this.weakKeys) {
        const there = [...this.entries.values()].some((known) => known.id === id);
        world.expect(there, () => `an iterator gave ${show(value)}, which is not there`);
        continue;
      }
      const known = this.entries.get(key);
      world.expect(known !== undefined, () => `an iterator gave ${show(key)}, which is not there`);
      world.expect(
        id === undefined || known.id === id,
        () => `an iterator gave ${id} for ${show(key)}, not ${known.id}`,
      );
      world.expect(!iterator.seen.has(known.place), () => `an iterator gave ${show(key)} twice`);
      iterator.seen.add(known.place);
    }
  }

  #ended({ kind, must, seen }) {
    if (kind === 'values' && !this.weakKeys) return;
    const there = new Map([...this.entries.values()].map(({ place, id }) => [place, id]));
    for (const place of must) {
      const id = there.get(place);
      if (id === undefined || this.world.dropped.has(id)) continue;
      this.world.expect(seen.has(place), () => `an iterator has left out ${id}`);
    }
  }

  act(rng) {
    return rng.weighted(this.actions)(rng);
  }

  iterate(rng) {
    if (this.iterators.length === 0 || rng.chance(30)) {
      this.open(rng.pick(['entries', 'keys', 'values', Symbol.iterator]));
      return 'an iterator is made';
    }
    const times = rng.size(64);
    this.advance(rng.pick(this.iterators), times);
    return `an iterator goes on by ${times}`;
  }

  letGo() {
    this.iterators = [];
  }

  left() {
    const { size } = this.real;
    if (size === 0) return undefined;
    // What it is, without holding it.
    const kinds = [...this.entries.values()].map(({ id, token }) => `${id} (${String(token).slice(0, 20)})`);
    return `${size} in ${this.name}: ${kinds.slice(0, 9)}`;
  }
}
