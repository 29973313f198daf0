import { inspect } from 'node:util';
import { WeakValueMap } from '../../../dist/collections/index.js';
import { Listed } from '../listed.mjs';
import { cuts } from '../shared.mjs';
import { idOf, keysOf, sameValueZero, show } from '../things.mjs';
import { keep } from '../world.mjs';

class Derived extends WeakValueMap {
  more = 1;
}

class ValueMap extends Listed {
  weakKeys = false;

  constructor(world, rng) {
    const { name, keys } = keysOf(rng, rng.between(2, 40), world.tame);
    const real = rng.chance(15) ? new Derived() : new WeakValueMap();
    super(world, `WeakValueMap ${world.newId()} of ${name}`, real);
    this.keys = keys;
    this.actions = [
      [6, (rng) => this.put(rng)],
      [3, (rng) => this.putMany(rng)],
      [4, (rng) => this.remove(rng)],
      [3, (rng) => this.removeMany(rng)],
      [2, (rng) => this.replace(rng)],
      [1, () => this.clear()],
      [1, (rng) => this.insert(rng)],
      [2, (rng) => this.iterate(rng)],
      [2, (rng) => this.during(rng)],
      [1, (rng) => this.revive(rng)],
      [1, (rng) => this.refused(rng)],
      [1, () => this.shown()],
      [1, (rng) => this.copied(rng)],
      ...cuts(this),
    ];
  }

  key(rng) {
    return rng.pick(this.keys)();
  }

  exec({ op, key, thing }) {
    const { real } = this;
    if (op === 'put') return real.set(key, thing);
    if (op === 'insert') return real.getOrInsert(key, thing);
    if (op === 'delete') return real.delete(key);
    if (op === 'get') return real.get(key);
    return real.clear();
  }

  expected({ op, thing }, known) {
    if (op === 'put') return this.real;
    if (op === 'insert') return known === undefined ? thing : this.world.held.get(known.id);
    if (op === 'delete') return known !== undefined;
    return op === 'get' && known !== undefined ? this.world.held.get(known.id) : undefined;
  }

  rows() {
    return [...this.real].map(([key, weak]) => ({ key, id: idOf(weak), token: undefined, weak }));
  }

  where(kind, value) {
    if (kind === 'keys') return { key: value, id: undefined };
    if (kind === 'values') return { key: undefined, id: idOf(value) };
    return { key: value[0], id: idOf(value[1]) };
  }

  views(rows) {
    const { world, real } = this;
    const same = (what, list, of) =>
      world.expect(
        list.length === rows.length && list.every((item, i) => Object.is(item, of(rows[i]))),
        `${what} differ`,
      );
    same('keys()', [...real.keys()], ({ key }) => key);
    same('values()', [...real.values()], ({ weak }) => weak);
    const each = [];
    real.forEach((value, key, map) => {
      each.push(map === real ? value : undefined, key);
    });
    world.expect(
      each.length === 2 * rows.length &&
        rows.every(({ key, weak }, i) => each[2 * i] === weak && Object.is(each[2 * i + 1], key)),
      'forEach differs',
    );
    for (const { key, weak } of rows) {
      world.expect(real.get(key) === weak, () => `get ${show(key)} is ${show(real.get(key))}, not ${show(weak)}`);
      world.expect(real.has(key), () => `has not ${show(key)}`);
      world.expect(!Object.is(key, -0), '-0 is a key');
    }
    for (const make of this.keys) {
      const key = make();
      if (this.entries.has(key)) continue;
      world.expect(real.get(key) === undefined, () => `get ${show(key)} is ${show(real.get(key))}`);
      world.expect(!real.has(key), () => `has ${show(key)}`);
    }
  }

  put(rng, holding = 60) {
    const { id, thing } = this.world.some(rng, { holding });
    const key = this.key(rng);
    // Half of the time the value that is there, if any, is known to live, or known to be dead.
    if (rng.chance(50)) {
      const there = this.real.get(key);
      const known = this.entries.get(key);
      if (there === undefined) {
        this.world.expect(
          known === undefined || !this.world.held.has(known.id),
          () => `${show(key)} is held, and not there`,
        );
        this.entries.delete(key);
      } else {
        this.world.expect(known?.id === idOf(there), () => `${show(key)} has ${show(there)}, not ${known?.id}`);
      }
      this.real.set(key, thing);
      keep(there);
      if (there === undefined) this.apply(this.entries, { op: 'put', key, id });
      else this.entries.set(key, { ...known, id });
      return `${show(key)} = ${id}, over ${show(there)}`;
    }
    this.step({ op: 'put', key, id, thing });
    return `${show(key)} = ${id}`;
  }

  putMany(rng) {
    const count = rng.size(200);
    const holding = rng.pick([0, 10, 50, 100]);
    for (let i = 0; i < count; i++) {
      const { id, thing } = this.world.fresh(rng, { holding });
      this.step({ op: 'put', key: this.key(rng), id, thing });
    }
    return `${count} more, ${holding} % held`;
  }

  remove(rng) {
    const key = this.key(rng);
    return `delete ${show(key)}: ${this.step({ op: 'delete', key })}`;
  }

  removeMany(rng) {
    const percent = rng.pick([30, 70, 100]);
    for (const make of this.keys) if (rng.chance(percent)) this.step({ op: 'delete', key: make() });
    return `${percent} % deleted`;
  }

  /** Removed and put back, now and then with another kind of key in between. */
  replace(rng) {
    const times = rng.size(30);
    for (let i = 0; i < times; i++) {
      this.remove(rng);
      if (rng.chance(30)) this.remove(rng);
      this.put(rng, 90);
    }
    return `${times} removed and put back`;
  }

  clear() {
    this.step({ op: 'clear' });
    return 'clear';
  }

  insert(rng) {
    const key = this.key(rng);
    const { world } = this;
    const { id, thing } = world.some(rng);
    const there = this.real.get(key);
    if (there === undefined) this.entries.delete(key);
    let calls = 0;
    const given = rng.chance(50)
      ? this.real.getOrInsert(key, thing)
      : this.real.getOrInsertComputed(key, (same) => {
          calls++;
          world.expect(sameValueZero(same, key) && !Object.is(same, -0), 'the callback got another key');
          if (rng.chance(40)) this.remove(rng);
          if (rng.chance(40)) this.put(rng, 100);
          return thing;
        });
    world.expect(given === (there ?? thing), () => `getOrInsert ${show(key)} gave ${show(given)}`);
    if (there !== undefined) world.expect(calls === 0, 'called without need');
    else this.apply(this.entries, { op: 'put', key, id });
    keep(there);
    return `insert ${show(key)} = ${show(given)}`;
  }

  /** Changes made by the callback of forEach, or between the steps of for-of. */
  during(rng) {
    let steps = 0;
    const change = () => {
      if (steps++ > 100) return false;
      if (rng.chance(30)) this.remove(rng);
      if (rng.chance(30)) this.put(rng, 50);
      if (rng.chance(3)) this.clear();
      if (rng.chance(10)) this.world.gc(rng);
      return true;
    };
    const look = (key, value) => {
      const known = this.entries.get(key);
      this.world.expect(known?.id === idOf(value), () => `met ${show(value)} at ${show(key)}, not ${known?.id}`);
    };
    if (rng.chance(50)) {
      for (const [key, value] of this.real) {
        look(key, value);
        if (!change()) break;
      }
    } else {
      this.real.forEach((value, key) => {
        look(key, value);
        change();
      });
    }
    return `${steps} met and changed`;
  }

  /** What was found alive is held again. */
  revive(rng) {
    const key = this.key(rng);
    const thing = this.real.get(key);
    if (thing !== undefined) this.world.revive(idOf(thing), thing);
    return `hold ${show(thing)}`;
  }

  refused(rng) {
    const key = this.key(rng);
    for (const value of [undefined, null, 5, 3e9, 'text', 1n, Symbol.for('registered')]) {
      try {
        this.real.set(key, value);
      } catch (error) {
        this.world.expect(error.code === 'ERR_WEAKLY_TARGET', () => `set ${show(value)} threw ${error}`);
        continue;
      }
      this.world.fail(`set took ${show(value)}`);
    }
    return 'no values';
  }

  shown() {
    inspect(this.real);
    return 'inspect';
  }

  /** By the constructor, and by groupBy. */
  copied(rng) {
    const { world } = this;
    const copy = new ValueMap(world, rng);
    copy.keys = this.keys;
    copy.real = new this.real.constructor(this.real);
    // Of what is not held, it may have less.
    copy.entries = new Map([...this.entries].map(([key, known]) => [key, { ...known, place: {} }]));
    if (world.subjects.length < 10) world.add(copy);
    copy.check();

    const items = Array.from({ length: rng.size(20) }, () => this.world.some(rng));
    const keys = items.map(() => this.key(rng));
    const groups = WeakValueMap.groupBy(
      items.map(({ thing }) => thing),
      (_, i) => keys[i],
    );
    const expected = new Map();
    for (const [i, { id }] of items.entries()) expected.set(keys[i], [...(expected.get(keys[i]) ?? []), id]);
    for (const [key, group] of groups) {
      const ids = group.map(idOf);
      world.expect(String(ids) === String(expected.get(key)), () => `group ${show(key)} is ${ids}`);
    }
    world.expect(groups.size === expected.size, 'a group is missing');
    keep(items);
    return 'copied, grouped';
  }

  /** Steps for what may be cut: of few keys and things. */
  plan(rng, count) {
    const things = Array.from({ length: 8 }, () => this.world.some(rng, { holding: 90 }));
    return Array.from({ length: count }, () => {
      const { id, thing } = rng.pick(things);
      const op = rng.weighted([
        [6, 'put'],
        [3, 'delete'],
        [1, 'insert'],
        [1, 'get'],
        ...(count > 1 && rng.chance(5) ? [[1, 'clear']] : []),
      ]);
      return { op, key: this.key(rng), id, thing };
    });
  }
}

/** A new one, with keys of every kind. */
export const valueMaps = (world, rng) => {
  if (world.subjects.length >= 8) return 'enough of them';
  return `new ${world.add(new ValueMap(world, rng)).name}`;
};
