import { LRUCache } from 'lru-cache';
import { signalOption } from '../aborts.js';
import { rangeError, typeError } from '../errors.js';
import { checkOptions, optionError, positiveOption, received } from '../validate.js';
import type { WeakCacheClock } from './cache-clock.js';

/*
 * What the options of a WeakCache may be. All of it is said here, lru-cache's own included: its texts tell neither which
 * value was passed nor, always, which option; and some of what is wrong it takes for "none" (0, null, NaN).
 */

/** In place of a `ttl`, and of a time: never. */
export const NEVER = Number.POSITIVE_INFINITY;

/** What V8 lets into one Map. Memory for `max` values is taken at once, so that more would end the process. */
const MOST = 2 ** 24;

export interface Limits<K, V extends object> {
  readonly max: number | undefined;
  readonly maxSize: number | undefined;
  readonly maxEntrySize: number | undefined;
  readonly sizeCalculation: ((value: V, key: K) => number) | undefined;
  readonly ttl: number | undefined;
}

const LIMITS = ['max', 'maxSize', 'maxEntrySize', 'sizeCalculation', 'ttl'] as const;
const OPTIONS = [
  ...LIMITS,
  'loader',
  'refreshAhead',
  'staleWhileRevalidate',
  'staleIfError',
  'updateAgeOnGet',
  'perf',
  'maxHeapRatio',
  'history',
] as const;
const SET_OPTIONS = ['ttl', 'size'] as const;
const FETCH_OPTIONS = [...SET_OPTIONS, 'signal'] as const;

type TheirOptions = LRUCache.OptionsBase<object, object, unknown> &
  LRUCache.SetOptions<object, object, unknown> &
  LRUCache.FetchOptionsWithContext<object, object, unknown>;
type Ours = (typeof OPTIONS)[number] | (typeof FETCH_OPTIONS)[number];

const STALE = 'fetch() gives what has expired for as long as "staleWhileRevalidate" says; get() never does';
const NO_DISPOSE = 'a value that leaves may still be in use; addCleanup() tells when it is dead';
const OWN_TIME = 'each set() starts the time anew';
const NO_ERRORS = 'an error is never cached, nor a load that nobody waits for';

/** Why there is no such option, for who comes from lru-cache. Its own types say which there are. */
const HINTS: Record<Exclude<keyof TheirOptions, Ours>, string> = {
  allowStale: STALE,
  allowStaleOnFetchAbort: STALE,
  allowStaleOnFetchRejection:
    'fetch() gives what has expired in the place of an error for as long as "staleIfError" says',
  backgroundFetchSize: 'a load takes no room before its value is there',
  context: 'the loader is a function, and may refer to what it needs',
  dispose: NO_DISPOSE,
  disposeAfter: NO_DISPOSE,
  fetchMethod: 'it is called "loader" here, or told to fetch()',
  forceRefresh: 'delete() the key before fetch()',
  ignoreFetchAbort: NO_ERRORS,
  memoMethod: 'fetch() is told the loader, which may give the value itself',
  noDeleteOnFetchRejection: NO_ERRORS,
  noDeleteOnStaleGet: STALE,
  noDisposeOnSet: NO_DISPOSE,
  noUpdateTTL: OWN_TIME,
  onInsert: 'whoever sets a value knows it',
  start: OWN_TIME,
  status: 'stats() and statsOf() tell what has happened',
  ttlAutopurge: 'there are no timers: what has expired goes when it is asked for, or evicted',
  ttlResolution: 'the clock is read each time',
  updateAgeOnHas: 'has() counts as no use',
};

function hintOf(name: string): string | undefined {
  if (Object.hasOwn(HINTS, name)) return `, which is lru-cache's: ${HINTS[name as keyof typeof HINTS]}`;
  if ((OPTIONS as readonly string[]).includes(name)) return ', which is one of the constructor';
  return name === 'signal' ? ', which is one of fetch()' : undefined;
}

function checkKnown(options: unknown, known: readonly string[], where: string): asserts options is object {
  if (typeof options === 'object' && options !== null) {
    const name = Object.keys(options).find((key) => !known.includes(key) && hintOf(key) !== undefined);
    if (name !== undefined)
      throw typeError(
        'ERR_WEAKLY_OPTION',
        `${where}: expected options to be of ${known.join(', ')}, got the unknown option ${name}${hintOf(name)}`,
      );
  }
  checkOptions(options, known, where);
}

function isPositiveInteger(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0;
}

/** What is wrong with a limit; undefined: nothing. */
function faultOf(limits: Record<(typeof LIMITS)[number], unknown>): [name: string, expected: string] | undefined {
  const { max, maxSize, maxEntrySize, sizeCalculation, ttl } = limits;
  if (max !== undefined && !(isPositiveInteger(max) && max <= MOST))
    return ['max', `a positive integer, ${MOST} at most`];
  for (const name of ['maxSize', 'maxEntrySize'] as const)
    if (limits[name] !== undefined && !isPositiveInteger(limits[name])) return [name, 'a positive integer'];
  if (ttl !== undefined && !(typeof ttl === 'number' && ttl > 0))
    return ['ttl', 'a positive number of milliseconds, or Infinity for no expiry'];
  if (sizeCalculation !== undefined && typeof sizeCalculation !== 'function') return ['sizeCalculation', 'a function'];
  if (sizeCalculation !== undefined && maxSize === undefined && maxEntrySize === undefined)
    return ['sizeCalculation', 'together with "maxSize" or "maxEntrySize"'];
  return undefined;
}

/** What lru-cache has to say to it, as the cause of ours. */
function withCause(error: TypeError, limits: object): TypeError {
  try {
    new LRUCache(limits as { max: number });
  } catch (cause) {
    Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true });
  }
  return error;
}

/** Each is read once: it may be an accessor. */
export function limitsOf<K, V extends object>(options: object, where: string): Limits<K, V> {
  const given = options as Record<string, unknown>;
  const limits = Object.fromEntries(LIMITS.map((name) => [name, given[name]])) as Record<
    (typeof LIMITS)[number],
    unknown
  >;
  const fault = faultOf(limits);
  if (fault !== undefined) {
    const [name, expected] = fault;
    const value = limits[name as keyof typeof limits];
    const error = optionError(name, where, expected, value);
    // So much memory cannot be asked for, only to be told.
    throw name === 'max' && isPositiveInteger(value) ? error : withCause(error, limits);
  }
  const { max, maxSize, ttl } = limits;
  if (max === undefined && maxSize === undefined && (ttl === undefined || ttl === NEVER))
    throw withCause(
      typeError(
        'ERR_WEAKLY_OPTION',
        `${where}: expected option "max", "maxSize" or a finite "ttl", got ${
          ttl === undefined ? 'none of them' : `only a "ttl" of ${String(ttl)}`
        }`,
      ),
      limits,
    );
  return limits as unknown as Limits<K, V>;
}

/** What is checked before the limits are. */
export function checkCacheOptions(options: unknown, where: string): asserts options is object {
  checkKnown(options, OPTIONS, where);
}

export function loaderOption({ loader }: { readonly loader?: unknown }, where: string): unknown {
  if (loader === undefined || typeof loader === 'function') return loader;
  throw optionError('loader', where, 'a function', loader);
}

/** How long what was loaded is to be found; 0: it is not to be stored. `usual`: if the loader has said nothing. */
export function loadedTtl(context: { readonly ttl?: unknown }, usual: number, where: string): number {
  const { ttl = usual } = context;
  if (typeof ttl !== 'number') throw optionError('ttl', `${where}, as "loader" has set it`, 'a number', ttl);
  if (ttl >= 0) return ttl;
  throw rangeError(
    'ERR_WEAKLY_RANGE',
    `${where}: expected "ttl", as "loader" has set it, to be positive, Infinity for no expiry, or 0 not to be stored, got ${ttl}`,
  );
}

export function perfOption(options: { readonly perf?: unknown }, where: string): WeakCacheClock | undefined {
  const { perf } = options;
  if (perf === undefined) return undefined;
  if (((typeof perf === 'object' && perf !== null) || typeof perf === 'function') && hasNow(perf)) return perf;
  throw optionError('perf', where, 'an object with a method now()', perf);
}

function hasNow(perf: object): perf is WeakCacheClock {
  return typeof (perf as Partial<WeakCacheClock>).now === 'function';
}

export function ratioOption(options: object, where: string): number | undefined {
  const ratio = positiveOption(options, 'maxHeapRatio', where, NEVER);
  if (ratio === NEVER) return undefined;
  if (ratio <= 1) return ratio;
  throw rangeError('ERR_WEAKLY_RANGE', `${where}: expected option "maxHeapRatio" to be at most 1, got ${ratio}`);
}

export function historyOption(options: { readonly history?: unknown }, where: string): number {
  const { history = 1000 } = options;
  if (typeof history !== 'number') throw optionError('history', where, 'a number', history);
  if (Number.isSafeInteger(history) && history >= 0) return history;
  throw rangeError(
    'ERR_WEAKLY_RANGE',
    `${where}: expected option "history" to be an integer, 0 or more, got ${history}`,
  );
}

/** How a value is to be stored; undefined: as the cache says. */
export interface Given {
  readonly ttl: number | undefined;
  readonly size: number | undefined;
}

const AS_USUAL: Given = { ttl: undefined, size: undefined };

/** The `ttl` and the size of one value, each read once. The size is checked where it is known whether one is needed. */
function givenIn(options: object, where: string): Given {
  const { ttl, size } = options as { ttl?: unknown; size?: number };
  if (ttl !== undefined && typeof ttl !== 'number') throw optionError('ttl', where, 'a number', ttl);
  if (ttl === undefined || ttl > 0) return { ttl, size };
  throw rangeError(
    'ERR_WEAKLY_RANGE',
    `${where}: expected option "ttl" to be positive, or Infinity for no expiry, got ${received(ttl)}`,
  );
}

export function setOptions(options: unknown, where: string): Given {
  if (options === undefined) return AS_USUAL;
  checkKnown(options, SET_OPTIONS, where);
  return givenIn(options, where);
}

export function fetchOptions(options: unknown, where: string): Given & { readonly signal?: AbortSignal | undefined } {
  if (options === undefined) return AS_USUAL;
  checkKnown(options, FETCH_OPTIONS, where);
  const { ttl, size } = givenIn(options, where);
  return { ttl, size, signal: signalOption(options, where) };
}

/** The size of a value, given for it or else computed. Undefined where none is kept. */
export function sizeOf<K, V extends object>(
  value: V,
  key: K,
  given: number | undefined,
  limits: Limits<K, V>,
  where: string,
): number | undefined {
  const { maxSize, maxEntrySize, sizeCalculation } = limits;
  if (maxSize === undefined && maxEntrySize === undefined) {
    if (given === undefined) return undefined;
    throw optionError('size', where, 'undefined, as the cache has no "maxSize" or "maxEntrySize"', given);
  }
  if (isPositiveInteger(given)) return given;
  if (given !== undefined) throw optionError('size', where, 'a positive integer', given);
  if (sizeCalculation === undefined)
    throw optionError('size', where, 'a positive integer, as the cache has no "sizeCalculation"', given);
  const computed: unknown = sizeCalculation(value, key);
  if (isPositiveInteger(computed)) return computed;
  throw typeError(
    'ERR_WEAKLY_OPTION',
    `${where}: expected what "sizeCalculation" gives to be a positive integer, got ${received(computed)}`,
  );
}
