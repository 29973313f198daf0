import { Handle, Unique, unique } from '../../../dist/collections/index.js';
import { atTheEndOfTheStack, cutByTimeout } from '../cut.mjs';
import { churn } from '../shared.mjs';
import { keysOf, sameValueZero, show } from '../things.mjs';

const isPrimitive = (value) => value === null || (typeof value !== 'object' && typeof value !== 'function');

/** Values that are equal if and only if `name` is the same. */
function structures(part, name) {
  return [
    { name: `{a} ${name}`, make: () => ({ a: part() }), right: (value) => sameValueZero(value.a, part()) },
    {
      name: `[] ${name}`,
      make: () => [part(), 1.5],
      right: (value) => sameValueZero(value[0], part()) && value[1] === 1.5,
    },
    {
      name: `{b:[]} ${name}`,
      make: () => Object.assign(Object.create(null), { b: [part()], c: -0 }),
      right: (value) => sameValueZero(value.b[0], part()) && Object.is(value.c, 0),
    },
  ];
}

/** Handles that are held, by what they are of. While one is, its value gives it, and no other value does. */
class Handles {
  handles = new Map();
  /** Whose a handle is. */
  owners = new Map();

  constructor(world, name) {
    this.world = world;
    this.name = name;
  }

  note(name, handle, holding) {
    const { world } = this;
    const known = this.handles.get(name);
    world.expect(handle instanceof Handle, 'it gave no handle');
    world.expect(known === undefined || known === handle, () => `another handle of ${show(name)}`);
    const owner = this.owners.has(handle) ? this.owners.get(handle) : name;
    world.expect(sameValueZero(owner, name), () => `the handle of ${show(owner)} is that of ${show(name)}`);
    if (!holding) return;
    this.handles.set(name, handle);
    this.owners.set(handle, name);
  }

  drop(rng) {
    const percent = rng.pick([10, 50, 100]);
    for (const [name, handle] of [...this.handles]) {
      if (!rng.chance(percent)) continue;
      this.handles.delete(name);
      this.owners.delete(handle);
    }
    return `${percent} % dropped`;
  }

  letGo() {
    this.handles.clear();
    this.owners.clear();
  }

  act(rng) {
    return rng.weighted(this.actions)(rng);
  }

  makeMany(rng) {
    const count = rng.size(200);
    const holding = rng.pick([0, 10, 50, 100]);
    for (let i = 0; i < count; i++) this.make(rng, rng.chance(holding));
    return `${count} handles, ${holding} % held`;
  }

  timeout(rng) {
    if (!this.world.does('timeout')) return 'no timeout';
    const values = Array.from({ length: 12 }, () => this.some(rng));
    const given = new Map();
    let i = 0;
    cutByTimeout(
      () => {
        for (;;) {
          const value = values[i++ % values.length];
          const handle = this.handleOf(value);
          if (rng.chance(30)) given.set(value.name, handle);
          churn();
        }
      },
      rng.between(1, 3),
    );
    for (const [name, handle] of given) this.note(name, handle, true);
    return `cut by a timeout after ${i}`;
  }

  stack(rng) {
    if (!this.world.does('stack')) return 'no end of the stack';
    const value = this.some(rng);
    let given;
    const { odd } = atTheEndOfTheStack(
      () => {
        given = this.handleOf(value);
      },
      rng.below(40),
      rng.between(10, 150),
    );
    // What is said of a structure where the stack is too small for it.
    if (odd !== undefined && odd.code !== 'ERR_WEAKLY_VALUE') throw odd;
    if (given !== undefined) this.note(value.name, given, true);
    this.note(value.name, this.handleOf(value), false);
    return `at the end of the stack: ${show(value.name)}`;
  }
}

class Atoms extends Handles {
  constructor(world, rng) {
    super(world, 'unique');
    const { name, keys } = keysOf(rng, 60, world.tame);
    this.name = `unique of ${name}`;
    const parts = keys.filter((make) => isPrimitive(make()));
    this.values = [
      ...parts.map((make) => ({
        name: make(),
        make,
        right: (value) => sameValueZero(value, make()) && !Object.is(value, -0),
      })),
      // Named by the first part that is equal.
      ...parts
        .slice(0, 10)
        .flatMap((make) => structures(make, `of part ${parts.findIndex((other) => sameValueZero(other(), make()))}`)),
    ];
    if (this.values.length === 0) this.values.push({ name: 'x', make: () => 'x', right: (value) => value === 'x' });
    this.actions = [
      [6, (rng) => this.make(rng, rng.chance(60))],
      [4, (rng) => this.makeMany(rng)],
      [3, (rng) => this.drop(rng)],
      [1, (rng) => this.timeout(rng)],
      [1, (rng) => this.stack(rng)],
      [1, () => this.refused()],
    ];
  }

  some(rng) {
    return rng.pick(this.values);
  }

  handleOf({ make }) {
    return unique(make());
  }

  make(rng, holding) {
    const { name, make, right } = this.some(rng);
    const handle = unique(make());
    this.world.expect(right(handle.value), () => `unique of ${show(name)} has ${show(handle.value)}`);
    this.note(name, handle, holding);
    return `unique ${show(name)}`;
  }

  check() {
    for (const { name, make, right } of this.values) {
      const handle = unique(make());
      this.world.expect(right(handle.value), () => `unique of ${show(name)} has ${show(handle.value)}`);
      this.note(name, handle, false);
    }
  }

  refused() {
    for (const value of [
      () => {},
      new Map(),
      new Proxy({}, {}),
      new Array(2), // holes
      {
        get a() {
          return 1;
        },
      },
    ]) {
      this.world.refuse([[() => unique(value), 'ERR_WEAKLY_VALUE']]);
    }
    return 'no values';
  }

  left() {
    return undefined; // there is no size to ask for, and each look makes some
  }
}

/** Values of the program's own, equal by a key of any kind. The first stands for all. */
class Uniques extends Handles {
  droppable = true;
  constructor(world, rng) {
    const { name, keys } = keysOf(rng, rng.between(2, 40), world.tame);
    const byKey = rng.chance(60);
    super(world, `Unique ${world.newId()} of ${name}, by ${byKey ? 'key' : 'hash'}`);
    this.keys = keys;
    // Few hashes, of the same kinds: many values share one.
    const hashes = keysOf(rng, 3, world.tame).keys;
    const numbers = new Map();
    const hash = ({ key }) => {
      if (!numbers.has(key)) numbers.set(key, numbers.size);
      return hashes[numbers.get(key) % 3]();
    };
    this.uniques = new Unique(
      byKey ? { key: ({ key }) => key } : { hash, equals: (a, b) => sameValueZero(a.key, b.key) },
    );
    this.actions = [
      [6, (rng) => this.make(rng, rng.chance(60))],
      [5, (rng) => this.makeMany(rng)],
      [3, (rng) => this.drop(rng)],
      [1, (rng) => this.timeout(rng)],
      [1, (rng) => this.stack(rng)],
    ];
  }

  some(rng) {
    const make = rng.pick(this.keys);
    return { name: make(), make };
  }

  handleOf({ make }) {
    return this.uniques.make({ key: make() });
  }

  make(rng, holding) {
    const value = this.some(rng);
    const handle = this.handleOf(value);
    const { key } = handle.value;
    this.world.expect(sameValueZero(key, value.name), () => `the handle of ${show(value.name)} has ${show(key)}`);
    this.note(value.name, handle, holding);
    return `make ${show(value.name)}`;
  }

  check() {
    const { world, uniques } = this;
    for (const [name, handle] of this.handles) {
      world.expect(
        sameValueZero(handle.value.key, name),
        () => `the handle of ${show(name)} has ${show(handle.value.key)}`,
      );
      world.expect(uniques.make({ key: name }) === handle, () => `another handle of ${show(name)}`);
    }
    world.expect(uniques.size >= this.handles.size, () => `size ${uniques.size}, with ${this.handles.size} held`);
  }

  left() {
    return this.uniques.size === 0 ? undefined : `${this.uniques.size} in ${this.name}`;
  }
}

export const uniqueDoor = (world, rng) => {
  const there = world.subjects.some((subject) => subject instanceof Atoms);
  if (!there) return `new ${world.add(new Atoms(world, rng)).name}`;
  if (world.subjects.length >= 8) return 'enough of them';
  return `new ${world.add(new Uniques(world, rng)).name}`;
};
