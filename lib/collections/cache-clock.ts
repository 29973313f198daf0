import { typeError } from '../errors.js';
import { received } from '../validate.js';

/** What tells the time: `performance`, `Date`, or a test's own. */
export interface WeakCacheClock {
  /** In milliseconds, since whenever. */
  now(): number;
}

/** Looked up anew each time: fake timers may have replaced it. */
const ambient: WeakCacheClock = { now: () => performance.now() };

/**
 * The one clock of a cache. It never goes backwards: where what it reads does (the system's time was set, fake timers were
 * installed), it goes on from its last reading. What was set before would live longer by as much, otherwise.
 */
export class CacheClock {
  readonly #perf: WeakCacheClock;
  #last = -Number.MAX_VALUE;
  /** What has to be added to a reading, after those that went backwards. */
  #lost = 0;

  constructor(perf: WeakCacheClock = ambient) {
    this.#perf = perf;
  }

  /** May run the user's code, which may change the cache: so first the time, and then whatever depends on the cache. */
  now(): number {
    const perf = this.#perf;
    const read: unknown = typeof perf.now === 'function' ? perf.now() : undefined;
    if (typeof read === 'number') {
      const now = read + this.#lost;
      if (now >= this.#last && now < Number.POSITIVE_INFINITY) {
        this.#last = now;
        return now;
      }
    }
    return this.#wentBack(read);
  }

  /** The last reading. */
  get last(): number {
    return this.#last;
  }

  #wentBack(read: unknown): number {
    if (typeof read !== 'number' || !Number.isFinite(read))
      throw typeError(
        'ERR_WEAKLY_OPTION',
        `WeakCache: expected now() of option "perf" to give a finite number, got ${received(read)}`,
      );
    this.#lost = this.#last - read;
    return this.#last;
  }
}
