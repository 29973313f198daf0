import { isObject, targetError } from '../validate.js';
import type { WeakCacheLoadEvent } from './cache-events.js';
import type { Item, Terms } from './cache-items.js';
import { type Given, loadedTtl } from './cache-options.js';
import type { Failure, Job, LoadContext } from './load.js';

/** What loads ask of their cache. Some of it may run the user's code: for the time, and for the size. */
export interface JobHost<K, V extends object> {
  newItem(key: K, value: V, given: Given, where: string): Item<K, V>;
  put(item: Item<K, V>): void;
  /** What there is of a key is not up to date. */
  drop(key: K): void;
  /** Whether a value with these terms may be given in the place of an error, now. */
  mayReplaceError(terms: Terms): boolean;
  countError(key: K): void;
}

export type Loader<K, V> = Job<K, V>['loader'];

/** Called at the end of a load, if somebody listens: of {@link WeakCacheLoadEvent}. */
type Tell = (background: boolean, stored: boolean, error: WeakCacheLoadEvent['error']) => void;

export function checkValue(value: unknown, name: string, where: string): asserts value is object {
  if (!isObject(value)) throw targetError(value, where, 'an object or a function', name);
}

/** One load of a WeakCache: what becomes of its value, or its error. */
export class CacheJob<K, V extends object> implements Job<K, V> {
  readonly key: K;
  readonly loader: Loader<K, V>;
  readonly stale: V | undefined;
  readonly ttl: number;
  readonly #host: JobHost<K, V>;
  /** Where it is counted. */
  readonly #item: Item<K, V>;
  readonly #terms: Terms | undefined;
  readonly #size: number | undefined;
  readonly #where: string;
  readonly #tell: Tell | undefined;

  /** `item`: of the key, which may be loaded anew; `stale`: what is going to be replaced. */
  constructor(
    host: JobHost<K, V>,
    item: Item<K, V>,
    { key, loader, stale, ttl }: Pick<Job<K, V>, 'key' | 'loader' | 'stale' | 'ttl'>,
    size: number | undefined,
    where: string,
    tell: Tell | undefined,
  ) {
    this.key = key;
    this.loader = loader;
    this.stale = stale;
    this.ttl = ttl;
    this.#host = host;
    this.#item = item;
    this.#terms = item.terms;
    this.#size = size;
    this.#where = where;
    this.#tell = tell;
  }

  prepare(value: V, isWanted: boolean, context: LoadContext<V>): (() => boolean) | undefined {
    checkValue(value, 'what "loader" gives', this.#where);
    if (!isWanted) return undefined;
    const ttl = loadedTtl(context, this.ttl, this.#where);
    if (ttl === 0)
      return () => {
        this.#host.drop(this.key);
        return false;
      };
    const loaded = this.#host.newItem(this.key, value, { ttl, size: this.#size }, this.#where);
    return () => {
      this.#host.put(loaded);
      // Where `history` is short, what was counted of it may have been forgotten meanwhile.
      if (loaded.loads === 0) loaded.continue(this.#item);
      return true;
    };
  }

  rescue(): V | undefined {
    if (this.stale === undefined || this.#terms === undefined) return undefined;
    return this.#host.mayReplaceError(this.#terms) ? this.stale : undefined;
  }

  ended(isBackground: boolean, stored: boolean, failure: Failure | undefined): void {
    if (failure !== undefined) this.#host.countError(this.key);
    this.#tell?.(isBackground, stored, failure?.error);
  }
}
