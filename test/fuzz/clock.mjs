// A clock for caches, in the hands of a door.

import { Thrown } from './world.mjs';

/** What it gives instead of the time; `throws`: nothing; `none`: it has no method now(). */
export const ODD = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  undefined,
  null,
  5n,
  '5',
  'throws',
  'none',
];

/** A clock that jumps, and now and then gives no time at all: then whoever has asked must say so. */
export class Clock {
  time = 1000;
  /** As a cache has it that goes on from its last reading where this one goes backwards. */
  #last;
  #passed = 0;
  odd = undefined;
  /** What `odd` has to become for who called; undefined: it has not been asked for. */
  thrown = undefined;

  /** What a cache would take for the time now. */
  get passed() {
    return this.#passed + Math.max(0, this.time - (this.#last ?? this.time));
  }

  get now() {
    const odd = this.odd?.[0];
    this.odd = undefined;
    if (odd === 'throws') this.thrown = new Thrown('a clock');
    else if (odd !== undefined || this.arming) this.thrown = 'ERR_WEAKLY_OPTION';
    this.arming = false;
    if (odd === 'none') return undefined;
    return () => {
      if (odd === 'throws') throw this.thrown;
      if (this.thrown !== undefined) return odd;
      this.#passed = this.passed;
      this.#last = this.time;
      return this.time;
    };
  }

  arm(odd) {
    this.thrown = undefined;
    this.odd = [odd];
    this.arming = odd === undefined;
  }

  disarm() {
    this.odd = undefined;
    this.arming = false;
    const { thrown } = this;
    this.thrown = undefined;
    return thrown;
  }
}

/** Whether that is what a clock has thrown, or brought about. */
export const isThat = (error, thrown) =>
  typeof thrown === 'string' ? error?.code === thrown : Object.is(error, thrown);
