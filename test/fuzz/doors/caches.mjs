import { setTimeout as later } from 'node:timers/promises';
import { WeakCache } from '../../../dist/collections/index.js';
import { atTheEndOfTheStack, cutByTimeout, isEndOfStack } from '../cut.mjs';
import { idOf, keysOf, sameValueZero, show } from '../things.mjs';
import { keep, Thrown } from '../world.mjs';

/** A key of a cache is anything but null and undefined. */
const isKey = (make) => make() !== undefined && make() !== null;

/**
 * What may be found, by key: the value that was set last, and what loads have made since. A value that is held and cannot have
 * expired has to be found.
 */
class Cache {
  droppable = true;
  allowed = new Map();
  /** Which keys each value was ever made for. */
  madeFor = new Map();
  loading = 0;
  wasCut = false;

  constructor(world, rng) {
    const { name, keys } = keysOf(rng, rng.between(2, 40), world.tame);
    this.keys = keys.filter(isKey);
    if (this.keys.length === 0) this.keys.push(() => 'key');
    this.world = world;
    this.max = rng.between(1, 12);
    this.sized = rng.chance(20);
    this.ttl = rng.chance(20) ? rng.between(1, 30) : undefined;
    this.cache = new WeakCache({
      max: this.max,
      history: rng.pick([0, 3, 1000]),
      ...(this.sized ? { maxSize: 30, maxEntrySize: 8, sizeCalculation: (value) => 1 + (idOf(value) % 12) } : {}),
      ...(this.ttl === undefined ? {} : { ttl: this.ttl, updateAgeOnGet: rng.chance(50) }),
      ...(rng.chance(30) ? { maxHeapRatio: 0.01 + rng.below(90) / 100 } : {}),
      ...(rng.chance(30) ? { staleWhileRevalidate: rng.pick([1, 20, Infinity]) } : {}),
      ...(rng.chance(30) ? { staleIfError: rng.pick([1, 20, Infinity]) } : {}),
      ...(rng.chance(30) ? { refreshAhead: (this.ttl ?? 5) / 2 } : {}),
    });
    this.name = `WeakCache ${world.newId()} of ${name}, max ${this.max}, ttl ${this.ttl}`;
    this.actions = [
      [6, (rng) => this.set(rng)],
      [4, (rng) => this.setMany(rng)],
      [5, (rng) => this.get(rng)],
      [2, (rng) => this.peek(rng)],
      [1, (rng) => this.iterate(rng)],
      [3, (rng) => this.remove(rng)],
      [4, (rng) => this.fetch(rng)],
      [1, () => this.clear()],
      [1, (rng) => this.refused(rng)],
      [1, (rng) => this.timeout(rng)],
      [1, (rng) => this.stack(rng)],
      [1, (rng) => this.dispose(rng)],
      [1, (rng) => this.stats(rng)],
    ];
  }

  act(rng) {
    return rng.weighted(this.actions)(rng);
  }

  key(rng) {
    return rng.pick(this.keys)();
  }

  value(rng, key, holding = 50) {
    const { id, thing } = this.world.some(rng, { holding, object: true });
    this.for(id, key);
    return { id, thing };
  }

  for(id, key) {
    if (!this.madeFor.has(id)) this.madeFor.set(id, new Set());
    this.madeFor.get(id).add(key);
  }

  set(rng, holding) {
    const key = this.key(rng);
    const { id, thing } = this.value(rng, key, holding);
    this.cache.set(
      key,
      thing,
      rng.chance(20) ? { ttl: this.ttl === undefined ? undefined : rng.between(1, 50) } : undefined,
    );
    this.allowed.set(key, { ids: new Set([id]), must: this.ttl === undefined });
    return `${show(key)} = ${id}`;
  }

  setMany(rng) {
    const count = rng.size(100);
    const holding = rng.pick([0, 20, 100]);
    for (let i = 0; i < count; i++) this.set(rng, holding);
    return `${count} set, ${holding} % held`;
  }

  compare(key, value) {
    const { world } = this;
    const known = this.allowed.get(key);
    if (value === undefined) {
      const [id] = known?.ids ?? [];
      const missing = known?.must === true && known.ids.size === 1 && world.held.has(id);
      world.expect(!missing, () => `${show(key)}, which is held (${id}), is not there`);
      return;
    }
    world.expect(known?.ids.has(idOf(value)), () => `${show(key)} has ${show(value)}, not ${[...(known?.ids ?? [])]}`);
    const held = world.held.get(idOf(value));
    world.expect(held === undefined || held === value, () => `${show(key)} has another ${show(value)}`);
  }

  get(rng) {
    const key = this.key(rng);
    const value = this.cache.get(key);
    this.compare(key, value);
    if (value !== undefined && rng.chance(20)) this.world.revive(idOf(value), value);
    return `get ${show(key)}: ${show(value)}`;
  }

  peek(rng) {
    const key = this.key(rng);
    const value = this.cache.peek(key);
    this.compare(key, value);
    return `peek ${show(key)}: ${show(value)}`;
  }

  iterate(rng) {
    const { world, cache } = this;
    const seen = [];
    for (const [key, value] of cache) {
      world.expect(!seen.some((other) => sameValueZero(other, key)), () => `${show(key)} comes twice`);
      seen.push(key);
      this.compare(key, value);
      if (rng.chance(5)) this.remove(rng);
      if (rng.chance(5)) this.set(rng);
      if (rng.chance(5)) this.get(rng);
    }
    return `${seen.length} iterated`;
  }

  remove(rng) {
    const key = this.key(rng);
    const deleted = this.cache.delete(key);
    this.world.expect(!deleted || this.allowed.has(key), () => `deleted ${show(key)}, which was not there`);
    this.allowed.delete(key);
    return `delete ${show(key)}: ${deleted}`;
  }

  clear() {
    this.cache.clear();
    this.allowed.clear();
    return 'clear';
  }

  /** Loaders that give, throw, reject, wait for ever, or change the cache meanwhile. */
  fetch(rng) {
    const { world } = this;
    const key = this.key(rng);
    const waiters = rng.between(1, world.does('many-waiters') ? 14 : 4);
    const controller = rng.chance(40) ? new AbortController() : undefined;
    const signal = rng.chance(50) ? controller?.signal : undefined;
    const kind = rng.pick(['now', 'soon', 'later', 'throw', 'reject', 'wait', 'change', 'wrong']);
    // Whether one of them never gives up.
    const first = rng.chance(50);
    const loads = { running: 0 };
    const ttl = rng.chance(30) ? rng.pick([0, 1, 20, Infinity]) : undefined;
    const loader = async (given, context) => {
      const { signal: abandoned } = context;
      if (ttl !== undefined) context.ttl = ttl;
      if (++loads.running > 1) world.fault('two loads of one key at a time');
      try {
        world.expect(sameValueZero(given, key), 'the loader got another key');
        if (kind === 'throw') throw new Thrown('loader');
        const { id, thing } = world.fresh(rng, { object: true });
        this.for(id, key);
        if (!this.allowed.has(key)) this.allowed.set(key, { ids: new Set(), must: false });
        this.allowed.get(key).ids.add(id);
        this.allowed.get(key).must = false;
        if (kind === 'soon' || kind === 'change') await undefined;
        if (kind === 'change') this.remove(rng);
        if (kind === 'later') await later(rng.below(4));
        if (kind === 'reject') throw new Thrown('loader');
        // Not for ever: who is not aborted comes back.
        if (kind === 'wait') await later(30, undefined, { signal: abandoned });
        return kind === 'wrong' ? 5 : thing;
      } finally {
        loads.running--;
      }
    };
    const given = [];
    for (let i = 0; i < waiters; i++) {
      const promise = this.cache.fetch(key, loader, (i === 0 && first) || signal === undefined ? {} : { signal });
      given.push(
        promise.then(
          (value) => this.fetched(key, value),
          (error) => this.rejected(error, kind),
        ),
      );
    }
    if (controller !== undefined) given.push(later(rng.below(6)).then(() => controller.abort(new Thrown('abort'))));
    const all = Promise.all(given);
    world.pending.push(all);
    if (rng.chance(50)) return all.then(() => `fetch ${show(key)}, ${kind}, waited for`);
    return `fetch ${show(key)}, ${kind}`;
  }

  fetched(key, value) {
    const right = this.madeFor.get(idOf(value))?.has(key);
    if (!right) this.world.fault(`fetch ${show(key)} gave ${show(value)}`);
  }

  rejected(error, kind) {
    const right =
      error instanceof Thrown ||
      error?.name === 'AbortError' ||
      error?.code === 'ERR_WEAKLY_DISPOSED' ||
      // Of whoever asked first: the load may be another's.
      error?.code === 'ERR_WEAKLY_TARGET';
    if (!right) this.world.fault(`fetch (${kind}) was rejected: ${error?.stack}`);
  }

  refused(rng) {
    const key = this.key(rng);
    const values = [undefined, null, 5, 3e9, 'text', Symbol('not in a cache')];
    this.world.refuse(values.map((value) => [() => this.cache.set(key, value), 'ERR_WEAKLY_TARGET']));
    return 'no values';
  }

  stats(rng) {
    const { strong, weak, loading, hitsStrong, hitsWeak, misses, loads, deaths } = this.cache.stats();
    const numbers = [strong, weak, loading, hitsStrong, hitsWeak, misses, loads, deaths];
    this.world.expect(this.wasCut || numbers.every((n) => Number.isInteger(n) && n >= 0), () => `stats: ${numbers}`);
    this.world.expect(strong <= this.max, () => `${strong} are held, at most ${this.max} may be`);
    this.cache.statsOf(this.key(rng));
    return `stats: ${numbers}`;
  }

  steps(rng) {
    return Array.from({ length: 12 }, () => {
      const key = this.key(rng);
      return { key, ...this.value(rng, key), op: rng.pick(['set', 'get', 'delete']) };
    });
  }

  exec({ op, key, thing }) {
    if (op === 'set') this.cache.set(key, thing);
    else if (op === 'get') this.cache.get(key);
    else this.cache.delete(key);
  }

  /** lru-cache may lose what was under way, and count it: what is found has to be right all the same. */
  afterCut(steps) {
    this.wasCut = true;
    for (const { key, id } of steps) {
      const known = this.allowed.get(key) ?? { ids: new Set() };
      known.ids.add(id);
      this.allowed.set(key, known);
    }
    for (const known of this.allowed.values()) known.must = false;
    keep(steps);
  }

  timeout(rng) {
    if (!this.world.does('timeout') || !this.world.does('cache-cut')) return 'no timeout';
    const steps = this.steps(rng);
    let i = 0;
    cutByTimeout(
      () => {
        for (;;) this.exec(steps[i++ % steps.length]);
      },
      rng.between(1, 3),
    );
    this.afterCut(steps);
    return `cut by a timeout after ${i}`;
  }

  stack(rng) {
    if (!this.world.does('stack') || !this.world.does('cache-cut')) return 'no end of the stack';
    const steps = this.steps(rng);
    const { odd } = atTheEndOfTheStack(() => this.exec(steps[0]), rng.below(40), rng.between(10, 150));
    this.afterCut(steps);
    if (odd !== undefined && !(odd.code === 'ERR_WEAKLY_OPTION' && isEndOfStack(odd.cause))) throw odd;
    return `at the end of the stack: ${steps[0].op}`;
  }

  async dispose(rng) {
    if (!rng.chance(30)) return 'not disposed of';
    await this.cache[Symbol.asyncDispose]();
    this.allowed.clear();
    this.check();
    this.world.refuse([[() => this.cache.set(this.key(rng), {}), 'ERR_WEAKLY_DISPOSED']]);
    this.world.subjects.splice(this.world.subjects.indexOf(this), 1);
    return 'disposed of';
  }

  check() {
    for (const make of this.keys) {
      const key = make();
      const has = this.cache.has(key);
      // Most are left where they are.
      if (!has || idOf(this.cache.get(key)) % 4 === 0) this.compare(key, this.cache.get(key));
      if (has) this.world.expect(this.allowed.has(key), () => `has ${show(key)}`);
    }
    const { size } = this.cache;
    this.world.expect(Number.isInteger(size) && (this.wasCut || size >= 0), () => `size ${size}`);
  }

  letGo() {
    this.clear();
  }

  left() {
    return this.wasCut || this.cache.size === 0 ? undefined : `${this.cache.size} in ${this.name}`;
  }
}

export const caches = (world, rng) => {
  if (world.subjects.length >= 8) return 'enough of them';
  return `new ${world.add(new Cache(world, rng)).name}`;
};
