import { addCleanup, finalizable, make, setFinalizer } from '../../../dist/index.js';

class Resource {
  #secret;
  constructor(id) {
    this.#secret = id;
  }
  get id() {
    return this.#secret;
  }
  self() {
    return this;
  }
}

/**
 * Stand-ins: what is held is one, its finalizer gets another of the same target, at most once, and may bring it back. `held`
 * has the stand-ins that the program holds.
 */
class Finalizers {
  name = 'finalizers';
  /** By id: `armed` finalizers, `due` ones that may be called, and how often each target came back. */
  all = new Map();
  held = new Map();
  untold = 0;

  constructor(world) {
    this.world = world;
    this.actions = [
      [4, (rng) => this.make(rng)],
      [2, (rng) => this.dropSome(rng)],
      [1, (rng) => this.replace(rng)],
      [1, (rng) => this.clear(rng)],
      [1, () => this.refused()],
    ];
  }

  act(rng) {
    return rng.weighted(this.actions)(rng);
  }

  make(rng) {
    const count = rng.size(30);
    for (let i = 0; i < count; i++) {
      const id = this.world.newId();
      const resurrections = rng.chance(30) ? rng.between(1, 2) : 0;
      this.all.set(id, { armed: true, called: 0, resurrections });
      const standIn = finalizable(new Resource(id), this.finalizer(id));
      this.held.set(id, standIn);
      this.all.get(id).pointer = make(standIn);
      addCleanup(standIn, this.gone(id));
    }
    return `${count} stand-ins`;
  }

  gone(id) {
    return () => {
      const known = this.all.get(id);
      if (known.gone) this.world.fault(`the target of stand-in ${id} is gone twice`);
      // A call that a timeout has ended may not have told us so.
      if (known.armed && ++this.untold > this.world.cut)
        this.world.fault(`the target of stand-in ${id} is gone before its finalizer`);
      known.armed = false;
      known.gone = true;
    };
  }

  finalizer(id) {
    return (standIn) => {
      const { world } = this;
      const known = this.all.get(id);
      if (!known.armed) world.fault(`finalizer ${id} is called, and is not set`);
      if (this.held.has(id)) world.fault(`finalizer ${id} is called, and its stand-in is held`);
      if (standIn.id !== id) world.fault(`finalizer ${id} got ${standIn.id}`);
      if (known.gone) world.fault(`finalizer ${id} is called for what is gone`);
      if (known.pointer.value() !== undefined) world.fault(`finalizer ${id} sees the stand-in before`);
      known.armed = false;
      known.called++;
      if (known.called > known.resurrections || world.ending) return;
      known.pointer = make(standIn);
      known.armed = true;
      setFinalizer(standIn, this.finalizer(id));
      this.held.set(id, standIn);
    };
  }

  dropSome(rng) {
    const ids = [...this.held.keys()].filter(() => rng.chance(50));
    for (const id of ids) this.held.delete(id);
    return `drop ${ids.length}`;
  }

  replace(rng) {
    const [id, standIn] = rng.pick([...this.held]) ?? [];
    if (standIn === undefined) return 'none';
    this.all.get(id).armed = true;
    setFinalizer(standIn, this.finalizer(id));
    return `another finalizer for ${id}`;
  }

  clear(rng) {
    const [id, standIn] = rng.pick([...this.held]) ?? [];
    if (standIn === undefined) return 'none';
    this.all.get(id).armed = false;
    setFinalizer(standIn, null);
    return `no finalizer for ${id}`;
  }

  refused() {
    this.world.refuse([
      [() => finalizable(5, () => {}), 'ERR_WEAKLY_TARGET'],
      [() => finalizable({}, 5), 'ERR_WEAKLY_CALLBACK'],
      [() => setFinalizer({}, null), 'ERR_WEAKLY_STAND_IN'],
    ]);
    return 'no finalizers';
  }

  check() {
    for (const [id, standIn] of this.held) {
      const { pointer, gone } = this.all.get(id);
      const right = standIn.id === id && standIn.self() === standIn && standIn instanceof Resource && !gone;
      this.world.expect(right && pointer.value() === standIn, () => `stand-in ${id}`);
    }
  }

  letGo() {
    this.held.clear();
    for (const known of this.all.values()) known.resurrections = 0;
  }

  left() {
    // A call that a timeout has ended may not have told us so.
    const waiting = [...this.all].filter(([, { armed, gone }]) => armed || !gone);
    return waiting.length > this.world.cut ? `stand-in ${waiting[0][0]}` : undefined;
  }
}

export const finalizerDoor = (world) => {
  if (world.subjects.some((subject) => subject instanceof Finalizers)) return 'they are there';
  return `new ${world.add(new Finalizers(world)).name}`;
};
