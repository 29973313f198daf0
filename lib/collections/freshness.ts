import { rangeError } from '../errors.js';
import { optionError } from '../validate.js';
import type { Terms } from './cache-items.js';

/*
 * Until when a value is of use, and for what. Its time has two ends, the same in both tiers:
 *
 *   set ........................ expires ............................. over
 *       fresh: everybody finds it        stale: fetch may give it            gone
 *             |<-- refreshAhead -->|<-- staleWhileRevalidate, staleIfError -->|
 */

const NAMES = ['refreshAhead', 'staleWhileRevalidate', 'staleIfError'] as const;

/** Milliseconds, or Infinity; 0 where there is none. Read once: it may be an accessor. */
function windowOption(options: object, name: (typeof NAMES)[number], where: string): number {
  const value = (options as Record<string, unknown>)[name];
  if (value === undefined) return 0;
  if (typeof value !== 'number') throw optionError(name, where, 'a number', value);
  if (value > 0) return value;
  throw rangeError('ERR_WEAKLY_RANGE', `${where}: expected option "${name}" to be positive, got ${value}`);
}

export class Freshness {
  readonly #refreshAhead: number;
  readonly #staleWhileRevalidate: number;
  readonly #staleIfError: number;
  /** How long a value is kept after it has expired. */
  readonly #grace: number;

  constructor(options: object, ttl: number, where: string) {
    const [refreshAhead, staleWhileRevalidate, staleIfError] = NAMES.map((name) => windowOption(options, name, where));
    this.#refreshAhead = refreshAhead as number;
    this.#staleWhileRevalidate = staleWhileRevalidate as number;
    this.#staleIfError = staleIfError as number;
    this.#grace = Math.max(this.#staleWhileRevalidate, this.#staleIfError);
    // No time would be left in which a value is not loaded anew.
    if (this.#refreshAhead < ttl) return;
    throw rangeError(
      'ERR_WEAKLY_RANGE',
      `${where}: expected option "refreshAhead" to be less than "ttl", which is ${ttl}, got ${this.#refreshAhead}`,
    );
  }

  /** Whether anything is ever given, or loaded, that would not be without one of these options. */
  get isPlain(): boolean {
    return this.#grace === 0 && this.#refreshAhead === 0;
  }

  /** Not even `fetch` gives it any more. */
  isOver(terms: Terms | undefined, now: number): boolean {
    return terms !== undefined && terms.expires + this.#grace < now;
  }

  /** Fresh, and to be loaded anew if somebody asks for it. */
  isDue(terms: Terms | undefined, now: number): boolean {
    if (terms === undefined) return false;
    // Of a value that does not live as long: else each `fetch` would load it anew.
    const ahead = terms.ttl > this.#refreshAhead ? this.#refreshAhead : terms.ttl / 2;
    return terms.expires - now < ahead;
  }

  /** Expired, and given while it is loaded anew. */
  mayRevalidate({ expires }: Terms, now: number): boolean {
    return now <= expires + this.#staleWhileRevalidate;
  }

  /** Expired, and given in the place of an error. */
  mayReplaceError({ expires }: Terms, now: number): boolean {
    return now <= expires + this.#staleIfError;
  }
}
