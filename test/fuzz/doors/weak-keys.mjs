import { inspect } from 'node:util';
import { WeakKeyMap, WeakKeySet } from '../../../dist/collections/index.js';
import { Listed } from '../listed.mjs';
import { cuts } from '../shared.mjs';
import { anyValue, idOf, sameValueZero, show } from '../things.mjs';
import { keep } from '../world.mjs';

class DerivedMap extends WeakKeyMap {}
class DerivedSet extends WeakKeySet {}

/** A value that reaches its key: that must not keep it. */
class Reaching {
  constructor(serial, key) {
    this.serial = serial;
    this.key = key;
  }
}

/** For a model, which must not hold the key. */
const tokenOf = (value) => (value instanceof Reaching ? `reaching ${value.serial}` : value);

class Keyed extends Listed {
  constructor(world, name, real) {
    super(world, name, real);
    this.actions = [
      [6, (rng) => this.put(rng)],
      [3, (rng) => this.putMany(rng)],
      [4, (rng) => this.remove(rng)],
      [3, (rng) => this.removeMany(rng)],
      [1, () => this.clear()],
      [2, (rng) => this.iterate(rng)],
      [2, (rng) => this.during(rng)],
      [1, (rng) => this.revive(rng)],
      [1, (rng) => this.refused(rng)],
      [1, () => this.shown()],
      ...cuts(this),
    ];
  }

  tell({ op, id }) {
    return id === undefined ? op : `${op} ${id}`;
  }

  step(step) {
    return super.step({ ...step, key: step.id, weak: step.thing });
  }

  put(rng, holding = 60) {
    const { id, thing } = this.world.some(rng, { holding });
    this.step({ op: 'put', id, thing, ...this.value(rng, thing) });
    return `put ${id} (${typeof thing})`;
  }

  putMany(rng) {
    const count = rng.size(200);
    const holding = rng.pick([0, 10, 50, 100]);
    for (let i = 0; i < count; i++) this.put(rng, holding);
    return `${count} more, ${holding} % held`;
  }

  /** Something that is held, in it or not. */
  remove(rng) {
    const known = this.world.pick(rng);
    if (known === undefined) return 'nothing to remove';
    return `delete ${known.id}: ${this.step({ op: 'delete', ...known })}`;
  }

  removeMany(rng) {
    const percent = rng.pick([10, 50, 100]);
    for (const id of [...this.entries.keys()]) {
      const thing = this.world.held.get(id);
      if (thing !== undefined && rng.chance(percent)) this.step({ op: 'delete', id, thing });
    }
    return `${percent} % deleted`;
  }

  clear() {
    this.step({ op: 'clear' });
    return 'clear';
  }

  during(rng) {
    let steps = 0;
    const change = (key) => {
      const id = idOf(key);
      this.world.expect(this.entries.has(id), () => `met ${show(key)}, which is not there`);
      if (steps++ > 100) return false;
      if (rng.chance(30)) this.remove(rng);
      if (rng.chance(30)) this.put(rng, 50);
      if (rng.chance(3)) this.clear();
      if (rng.chance(10)) this.world.gc(rng);
      return true;
    };
    if (rng.chance(50)) {
      for (const key of this.real.keys()) if (!change(key)) break;
    } else {
      this.real.forEach((_, key) => {
        change(key);
      });
    }
    return `${steps} met and changed`;
  }

  revive(rng) {
    const [key] = this.real.keys().drop?.(rng.below(10)) ?? this.real.keys();
    if (key !== undefined) this.world.revive(idOf(key), key);
    return `hold ${show(key)}`;
  }

  refused(rng) {
    for (const key of [undefined, null, 5, 3e9, 'text', 1n, Symbol.for('registered'), anyPrimitive(rng)]) {
      this.world.expect(!this.real.has(key) && !this.real.delete(key), () => `has ${show(key)}`);
      try {
        if (this.real instanceof WeakKeyMap) this.real.set(key, 1);
        else this.real.add(key);
      } catch (error) {
        this.world.expect(error.code === 'ERR_WEAKLY_TARGET', () => `${show(key)} threw ${error}`);
        continue;
      }
      this.world.fail(`took ${show(key)}`);
    }
    return 'no keys';
  }

  shown() {
    inspect(this.real);
    return 'inspect';
  }

  plan(rng, count) {
    const things = Array.from({ length: 8 }, () => this.world.some(rng, { holding: 90 }));
    return Array.from({ length: count }, () => {
      const { id, thing } = rng.pick(things);
      const op = rng.weighted([
        [5, 'put'],
        [4, 'delete'],
        [1, 'get'],
        ...(count > 1 && rng.chance(5) ? [[1, 'clear']] : []),
      ]);
      return { op, key: id, id, thing, weak: thing, ...this.value(rng, thing) };
    });
  }
}

function anyPrimitive(rng) {
  const value = anyValue(rng);
  return typeof value === 'object' || typeof value === 'function' || typeof value === 'symbol' ? 2 ** 31 : value;
}

class KeyMap extends Keyed {
  constructor(world, rng) {
    super(world, `WeakKeyMap ${world.newId()}`, rng.chance(15) ? new DerivedMap() : new WeakKeyMap());
    this.actions.push([1, (rng) => this.insert(rng)], [1, (rng) => this.grouped(rng)]);
  }

  value(rng, thing) {
    const value = rng.chance(30) ? new Reaching(this.world.newId(), thing) : anyValue(rng);
    return { value, token: tokenOf(value) };
  }

  exec({ op, thing, value }) {
    const { real } = this;
    if (op === 'put') return real.set(thing, value);
    if (op === 'delete') return real.delete(thing);
    if (op === 'get') return tokenOf(real.get(thing));
    return real.clear();
  }

  expected({ op }, known) {
    if (op === 'put') return this.real;
    if (op === 'delete') return known !== undefined;
    return op === 'get' ? known?.token : undefined;
  }

  rows() {
    return [...this.real].map(([weak, value]) => ({
      key: idOf(weak),
      id: idOf(weak),
      token: tokenOf(value),
      weak,
      value,
    }));
  }

  where(kind, value) {
    // Values need not say whose they are; and may be of any kind.
    if (kind === 'values') return {};
    const id = idOf(kind === 'keys' ? value : value[0]);
    return { key: id, id };
  }

  advance(iterator, times) {
    if (iterator.kind !== 'values') {
      super.advance(iterator, times);
      return;
    }
    for (let i = 0; i < times; i++) {
      const { done, value } = iterator.real.next();
      if (done) return;
      const token = tokenOf(value);
      const there = [...this.entries.values()].some((known) => sameValueZero(known.token, token));
      this.world.expect(there, () => `an iterator gave ${show(token)}, which is not there`);
    }
  }

  views(rows) {
    const { world, real } = this;
    const [keys, values] = [[...real.keys()], [...real.values()]];
    world.expect(keys.length === rows.length && values.length === rows.length, 'keys() or values() differ');
    for (const [i, { weak, value }] of rows.entries()) {
      world.expect(keys[i] === weak && Object.is(values[i], value), () => `keys() or values() differ at ${show(weak)}`);
      world.expect(Object.is(real.get(weak), value) && real.has(weak), () => `get ${show(weak)} differs`);
    }
    for (const [id, thing] of world.held) {
      if (this.entries.has(id)) continue;
      world.expect(real.get(thing) === undefined && !real.has(thing), () => `has ${id}`);
    }
  }

  insert(rng) {
    const { world } = this;
    const { id, thing } = world.some(rng);
    const { value, token } = this.value(rng, thing);
    const computed = rng.chance(50);
    const known = this.entries.get(id);
    const given = computed
      ? this.real.getOrInsertComputed(thing, (same) => {
          world.expect(same === thing && known === undefined, 'called without need');
          if (rng.chance(40)) this.put(rng, 100);
          if (rng.chance(40)) this.remove(rng);
          return value;
        })
      : this.real.getOrInsert(thing, value);
    const expected = known === undefined ? token : known.token;
    world.expect(sameValueZero(tokenOf(given), expected), () => `insert ${id} gave ${show(given)}`);
    if (known === undefined) this.apply(this.entries, { op: 'put', key: id, id, token });
    return `insert ${id}`;
  }

  grouped(rng) {
    const keys = Array.from({ length: rng.between(1, 5) }, () => this.world.some(rng));
    const items = Array.from({ length: 20 }, () => anyValue(rng));
    const groups = WeakKeyMap.groupBy(items, (_, i) => keys[i % keys.length].thing);
    for (const [i, { thing }] of keys.entries()) {
      const expected = items.filter((_, n) => keys[n % keys.length].thing === thing);
      const group = groups.get(thing);
      const right = group.length === expected.length && group.every((item, n) => Object.is(item, expected[n]));
      this.world.expect(right, () => `group ${i} differs`);
    }
    keep(keys);
    return 'grouped';
  }
}

class KeySet extends Keyed {
  constructor(world, rng, real = rng.chance(15) ? new DerivedSet() : new WeakKeySet()) {
    super(world, `WeakKeySet ${world.newId()}`, real);
    this.actions.push([4, (rng) => this.algebra(rng)]);
  }

  value() {
    return {};
  }

  exec({ op, thing }) {
    const { real } = this;
    if (op === 'put') return real.add(thing);
    if (op === 'delete') return real.delete(thing);
    if (op === 'get') return real.has(thing);
    return real.clear();
  }

  expected({ op }, known) {
    if (op === 'put') return this.real;
    return op === 'clear' ? undefined : known !== undefined;
  }

  rows() {
    return [...this.real].map((weak) => ({ key: idOf(weak), id: idOf(weak), token: undefined, weak }));
  }

  where(kind, value) {
    const id = idOf(kind === 'entries' ? value[0] : value);
    if (kind === 'entries') this.world.expect(value[0] === value[1], 'a pair of two');
    return { key: id, id };
  }

  views(rows) {
    const { world, real } = this;
    const each = [];
    real.forEach((value, same, set) => {
      each.push(value === same && set === real ? value : undefined);
    });
    const lists = [[...real.keys()], [...real.values()], [...real.entries()].map(([value]) => value), each];
    for (const list of lists)
      world.expect(list.length === rows.length && rows.every(({ weak }, i) => list[i] === weak), 'the views differ');
    for (const { weak } of rows) world.expect(real.has(weak), () => `has not ${show(weak)}`);
    for (const [id, thing] of world.held) if (!this.entries.has(id)) world.expect(!real.has(thing), () => `has ${id}`);
  }

  /** Against a Set of all that may be there, and of all that has to be. */
  algebra(rng) {
    const { world } = this;
    const others = world.subjects.filter((subject) => subject instanceof KeySet);
    const other = rng.pick(others);
    const method = rng.pick([
      'union',
      'intersection',
      'difference',
      'symmetricDifference',
      'isSubsetOf',
      'isSupersetOf',
      'isDisjointFrom',
    ]);
    // What is in one of them is held during the comparison.
    const [mine, theirs] = [[...this.real], [...other.real]];
    const argument = rng.chance(30) ? new Set(theirs) : other.real;
    const given = this.real[method](argument);
    const [a, b] = [new Set(mine), new Set(theirs)];
    const both = mine.filter((thing) => b.has(thing));
    const expected = {
      union: () => [...mine, ...theirs.filter((thing) => !a.has(thing))],
      intersection: () => both,
      difference: () => mine.filter((thing) => !b.has(thing)),
      symmetricDifference: () => [...mine.filter((thing) => !b.has(thing)), ...theirs.filter((thing) => !a.has(thing))],
      isSubsetOf: () => both.length === mine.length,
      isSupersetOf: () => both.length === theirs.length,
      isDisjointFrom: () => both.length === 0,
    }[method]();
    if (typeof given === 'boolean') {
      world.expect(given === expected, () => `${method} gave ${given}`);
    } else {
      const got = new Set(given);
      world.expect(
        got.size === expected.length && expected.every((thing) => got.has(thing)),
        () => `${method} gave ${[...got].map(show)}`,
      );
      world.expect(given.size === got.size && given instanceof WeakKeySet, `the size of what ${method} gave`);
      if (world.subjects.length < 8 && rng.chance(30)) {
        const set = new KeySet(world, rng, given);
        for (const thing of got) set.apply(set.entries, { op: 'put', key: idOf(thing), id: idOf(thing) });
        world.add(set);
      }
    }
    keep([mine, theirs]);
    return `${method} with ${other.name}`;
  }
}

export const keyMaps = (world, rng) => {
  if (world.subjects.length >= 8) return 'enough of them';
  return `new ${world.add(new KeyMap(world, rng)).name}`;
};

export const keySets = (world, rng) => {
  if (world.subjects.length >= 8) return 'enough of them';
  return `new ${world.add(new KeySet(world, rng)).name}`;
};
