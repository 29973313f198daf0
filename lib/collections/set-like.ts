import { rangeError } from '../errors.js';
import { argumentError, isObject } from '../validate.js';
import { type Steps, stepsOf } from './iterate.js';

/** What the methods of sets take: a Set, a Map, a {@link WeakKeySet}, or anything that answers these three as a Set does. */
export interface SetLike<T> {
  /** How many members it has; as a number, or what converts to one. */
  readonly size: number;
  /** Whether this is a member. */
  has(value: T): boolean;
  /** All members. */
  keys(): Iterator<T>;
}

/** A set as ECMAScript's GetSetRecord takes it in: its size and methods are read once, before anything else is done. */
export interface SetRecord {
  readonly size: number;
  has(value: unknown): boolean;
  keys(): Steps;
}

/** Each is refused before the next is read. */
export function setRecord(other: unknown, where: string): SetRecord {
  if (!isObject(other)) throw argumentError(other, where, 'a set', 'other');
  const { size: given } = other as { size: unknown };
  // As ToNumber, which takes no bigint, also as what an object converts to: so not Number().
  const size = typeof given === 'symbol' || typeof given === 'bigint' ? Number.NaN : +(given as number);
  if (Number.isNaN(size)) throw argumentError(given, where, 'a number', 'other.size');
  const whole = Math.trunc(size);
  if (whole < 0)
    throw rangeError('ERR_WEAKLY_RANGE', `${where}: expected argument "other.size" not to be negative, got ${size}`);
  const { has } = other as { has: unknown };
  if (typeof has !== 'function') throw argumentError(has, where, 'a function', 'other.has');
  const { keys } = other as { keys: unknown };
  if (typeof keys !== 'function') throw argumentError(keys, where, 'a function', 'other.keys');
  return {
    size: whole,
    has: (value) => Boolean(Reflect.apply(has, other, [value])),
    keys: () => stepsOf(Reflect.apply(keys, other, []), 'keys() of argument "other"', where),
  };
}
