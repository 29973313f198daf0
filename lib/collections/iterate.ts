import { types } from 'node:util';
import { typeError } from '../errors.js';
import { argumentError, isObject, received } from '../validate.js';

function brokenError(where: string, expected: string, value: unknown): TypeError {
  return typeError('ERR_WEAKLY_ARGUMENT', `${where}: expected ${expected}, got ${received(value)}`);
}

const END = Object.freeze({ done: true, value: undefined });

/**
 * The language's way along somebody's iterator, for a `for`-`of`. That alone, along the iterator itself, would have to be given
 * what it iterates, and so read `Symbol.iterator` or `next` once more than Map and Set do; and what is no iterator would be an
 * error without a code.
 *
 * No callbacks instead of the loop: while V8 compiles a closure in the background, it holds the collection that it is about.
 */
export class Steps {
  readonly #iterator: object;
  readonly #next: unknown;
  readonly #where: string;
  /** What an iterator of arrays goes along that nobody has meddled with: going along by index is the same, and fast. */
  readonly #array: readonly unknown[] | undefined;
  #index = 0;

  constructor(iterator: object, next: unknown, where: string, array: readonly unknown[] | undefined) {
    this.#iterator = iterator;
    this.#next = next;
    this.#where = where;
    this.#array = array;
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): { done: boolean; value: unknown } {
    const array = this.#array;
    if (array !== undefined) return this.#index < array.length ? { done: false, value: array[this.#index++] } : END;
    const next = this.#next;
    if (typeof next !== 'function') throw brokenError(this.#where, 'next() of an iterator to be a function', next);
    const step: unknown = Reflect.apply(next, this.#iterator, []);
    if (!isObject(step)) throw brokenError(this.#where, 'next() of an iterator to return an object', step);
    if ((step as { done?: unknown }).done) return END;
    return { done: false, value: (step as { value?: unknown }).value };
  }

  /** Closes the iterator. Where the body of the loop has thrown, `for`-`of` throws that, whatever comes of this. */
  return(): { done: boolean; value: unknown } {
    const method = (this.#iterator as { return?: unknown }).return;
    if (method === undefined || method === null) return END;
    if (typeof method !== 'function')
      throw brokenError(this.#where, 'return() of an iterator to be a function', method);
    const result: unknown = Reflect.apply(method, this.#iterator, []);
    if (!isObject(result)) throw brokenError(this.#where, 'return() of an iterator to return an object', result);
    return END;
  }
}

/** The steps of what is supposed to be an iterator. `giver`: what has returned it. */
export function stepsOf(iterator: unknown, giver: string, where: string, array?: readonly unknown[]): Steps {
  if (!isObject(iterator)) throw brokenError(where, `${giver} to return an iterator`, iterator);
  const { next } = iterator as { next: unknown };
  return new Steps(iterator, next, where, next === arrayNext ? array : undefined);
}

const { values: arrayValues } = Array.prototype;
const { next: arrayNext } = [][Symbol.iterator]();

/** The steps of what can be iterated. `name`: which argument. */
export function iterate(iterable: unknown, name: string, where: string): Steps {
  if (iterable === null || iterable === undefined) throw argumentError(iterable, where, 'iterable', name);
  const method = (iterable as { [Symbol.iterator]: unknown })[Symbol.iterator];
  if (typeof method !== 'function') throw argumentError(iterable, where, 'iterable', name);
  const plain = method === arrayValues && Array.isArray(iterable) && !types.isProxy(iterable);
  const iterator: unknown = Reflect.apply(method, iterable, []);
  return stepsOf(iterator, `[Symbol.iterator]() of argument "${name}"`, where, plain ? iterable : undefined);
}
