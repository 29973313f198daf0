import { typeError } from '../errors.js';
import { received } from '../validate.js';

/** What tells the time: `performance`, `Date`, or a test's own. */
export interface WeakCacheClock {
  /** In milliseconds, since whenever. */
  now(): number;
}

/**
 * The one clock of a cache. It never goes backwards: where what it reads does (the system's time was set, fake timers were
 * installed), it goes on from its last reading. What was set before would live longer by as much, otherwise.
 */
export class CacheClock {
  /** Undefined: `performance`, looked up anew each time, as fake timers may have replaced it. */
  readonly #perf: WeakCacheClock | undefined;
  #last = -Number.MAX_VALUE;
  /** What has to be added to a reading, after those that went backwards. */
  #lost = 0;

  constructor(perf?: WeakCacheClock) {
    this.#perf = perf;
  }

  /** May run the user's code, which may change the cache: so first the time, and then whatever depends on the cache. */
  now(): number {
    const perf = this.#perf ?? performance;
    // Read once: an accessor may give something else each time.
    const method: unknown = perf.now;
    const read: unknown = typeof method === 'function' ? Reflect.apply(method, perf, []) : undefined;
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
