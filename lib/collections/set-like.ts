import { rangeError } from '../errors.js';
import { argumentError } from '../validate.js';

/** What the methods of sets take: a Set, a Map, a {@link WeakKeySet}, or anything that answers these three as a Set does. */
export interface SetLike<T> {
  readonly size: number;
  has(value: T): boolean;
  keys(): Iterator<T>;
}

/** A set as ECMAScript's GetSetRecord takes it in: its size and methods are read once, before anything else is done. */
export interface SetRecord {
  readonly size: number;
  has(value: unknown): boolean;
  keys(): Iterable<unknown>;
}

export function setRecord(other: unknown, where: string): SetRecord {
  const refuse = (expected: string): TypeError => argumentError(other, where, expected, 'other');
  if ((typeof other !== 'object' || other === null) && typeof other !== 'function') throw refuse('a set');
  const { size: given } = other as { size: unknown };
  const size = typeof given === 'symbol' || typeof given === 'bigint' ? Number.NaN : Number(given);
  if (Number.isNaN(size)) throw refuse('a set, with a number as its size');
  const whole = Math.trunc(size);
  if (whole < 0)
    throw rangeError(
      'ERR_WEAKLY_RANGE',
      `${where}: expected the size of argument "other" not to be negative, got ${size}`,
    );
  const { has, keys } = other as { has: unknown; keys: unknown };
  if (typeof has !== 'function') throw refuse('a set, with a method has()');
  if (typeof keys !== 'function') throw refuse('a set, with a method keys()');
  return {
    size: whole,
    has: (value) => Boolean(Reflect.apply(has, other, [value])),
    keys() {
      const iterator = Reflect.apply(keys, other, []) as Iterator<unknown>;
      if ((typeof iterator !== 'object' || iterator === null) && typeof iterator !== 'function')
        throw refuse('a set, whose keys() gives an iterator');
      return { [Symbol.iterator]: () => iterator };
    },
  };
}
