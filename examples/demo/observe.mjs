// The two ways to know that an object is gone, behind one interface, and what all sides measure about it.

import { constants, PerformanceObserver, performance } from 'node:perf_hooks';
import { Waits } from './waits.mjs';

/** Every how many objects of a kind one is observed. */
export const SAMPLE = { request: 4, session: 1 };

/** No more than so many dead objects wait to be known dead; past it, none are taken on, and they are counted. */
const MAX_PENDING = 200_000;

const weakRef = {
  point: (target) => new WeakRef(target),
  // There is no way to ask a WeakRef that does not also hold its target until the job ends.
  gone: (ref) => ref.deref() === undefined,
};

/** `every`: how often the observer asks, in milliseconds. */
export const SIDES = {
  weakly: {
    every: 15,
    async load() {
      // Not imported at the top: the other sides must not run a line of it.
      const { make } = await import('weakly');
      return { point: (target) => make(target), gone: (pointer) => !pointer.alive };
    },
  },
  WeakRef: { every: 15, load: async () => weakRef },
  // Asking is what a WeakRef suffers from: what is asked about while V8 marks counts as in use. Without this side, the
  // one above would show WeakRefs at their worst only.
  'WeakRef, rarely asked': { every: 500, load: async () => weakRef },
};

/**
 * Time that passes only while this side is under load. The sides take turns, and a process that serves nobody collects
 * nothing: its waiting would count as slowness.
 */
export class Clock {
  #before = 0;
  #since = performance.now();
  running = true;

  now() {
    return this.running ? this.#before + performance.now() - this.#since : this.#before;
  }

  stop() {
    this.#before = this.now();
    this.running = false;
  }

  start() {
    this.#since = performance.now();
    this.running = true;
  }
}

/** Garbage collection pauses while the clock runs. */
export class Pauses {
  // Sums and extremes only: the bookkeeping must not grow with the load.
  minor = { count: 0, total: 0, longest: 0 };
  major = { count: 0, total: 0, longest: 0 };
  #observer;
  #clock;

  // To be called after weakly was loaded: its own work at the end of a collection then comes before the end that
  // Node.js reports, and is part of the pauses that are counted here.
  constructor(clock) {
    this.#clock = clock;
    this.#observer = new PerformanceObserver((list) => this.#count(list.getEntries()));
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** Takes in what has been reported but not delivered. */
  flush() {
    this.#count(this.#observer.takeRecords());
  }

  reset() {
    this.flush();
    for (const kind of [this.minor, this.major]) Object.assign(kind, { count: 0, total: 0, longest: 0 });
  }

  #count(entries) {
    if (!this.#clock.running) return;
    for (const { detail, duration } of entries) {
      const kind = detail.kind === constants.NODE_PERFORMANCE_GC_MINOR ? this.minor : this.major;
      // Incremental steps and weak callbacks belong to major collections, but are not collections of their own.
      if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) this.major.count++;
      if (kind === this.minor) kind.count++;
      kind.total += duration;
      kind.longest = Math.max(kind.longest, duration);
    }
  }
}

export class Observer {
  #side;
  #clock;
  #pauses;
  #epoch = 0;
  #kinds;
  /** The dead that are not known to be dead yet. Nothing else here refers to an observed object, dead or alive. */
  #pending = [];
  /** Milliseconds spent on asking. */
  asking = 0;

  constructor(side, every, clock, pauses) {
    this.#side = side;
    this.#clock = clock;
    this.#pauses = pauses;
    this.reset();
    // Collections are reported in the check phase of the event loop; the sweep that follows there has heard of them.
    setInterval(() => clock.running && setImmediate(() => this.sweep()), every).unref();
  }

  /** Forgets everything so far: what was made before (the warm-up) is not counted any more. */
  reset() {
    const tally = () => ({ made: 0, observed: 0, died: 0, known: 0, byMinor: 0, skipped: 0, waits: new Waits() });
    this.#epoch++;
    this.#kinds = { request: tally(), session: tally() };
    this.#pending = [];
    this.asking = 0;
  }

  /** Starts observing, if the target is in the sample. The target keeps the record, the record does not keep it. */
  observe(kind, target) {
    const tally = this.#kinds[kind];
    if (tally.made++ % SAMPLE[kind] !== 0) return undefined;
    if (this.#pending.length >= MAX_PENDING) {
      tally.skipped++;
      return undefined;
    }
    tally.observed++;
    return { kind, epoch: this.#epoch, ref: this.#side.point(target), lastUse: 0, majors: 0 };
  }

  /** The service has used the record's object for the last time, and let go of it. */
  died(record) {
    if (record === undefined || record.epoch !== this.#epoch) return;
    record.lastUse = this.#clock.now();
    record.majors = this.#pauses.major.count;
    this.#kinds[record.kind].died++;
    this.#pending.push(record);
  }

  sweep() {
    this.#pauses.flush();
    const now = this.#clock.now();
    const majors = this.#pauses.major.count;
    const began = performance.now();
    let kept = 0;
    for (const record of this.#pending) {
      if (this.#side.gone(record.ref)) {
        const tally = this.#kinds[record.kind];
        tally.known++;
        if (record.majors === majors) tally.byMinor++;
        tally.waits.ended(now - record.lastUse);
      } else {
        this.#pending[kept++] = record;
      }
    }
    this.#pending.length = kept;
    this.asking += performance.now() - began;
  }

  get unknown() {
    return this.#pending.length;
  }

  /** Per kind: the counts, and the p50 and p99 of the time from last use to knowledge. To be asked once, at the end. */
  summary() {
    this.sweep();
    const now = this.#clock.now();
    for (const record of this.#pending) this.#kinds[record.kind].waits.open(now - record.lastUse);
    const kinds = Object.entries(this.#kinds).map(([kind, { waits, ...counts }]) => {
      return [kind, { ...counts, p50: waits.quantile(0.5), p99: waits.quantile(0.99) }];
    });
    return Object.fromEntries(kinds);
  }
}
