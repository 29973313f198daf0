import { inspect } from 'node:util';
import { identityTag } from '../identity.js';
import { type Depth, viewOf } from '../inspect.js';
import { constructorError, receiverError } from '../validate.js';

/** Whoever can present it makes handles: the package only. */
export const KEY: unique symbol = Symbol('weakly.Handle');

/** Runs no code of the value. */
export let isHandle: (value: unknown) => value is Handle;

/**
 * What stands for all values that are equal to one. Two handles of the same `unique` or {@link Unique} are `===` exactly if
 * their values are equal. Go 1.23's `unique.Handle`.
 *
 * Guaranteed: as long as somebody holds the handle, an equal value gives this very handle.
 * Not guaranteed: that a later equal value gets the same one after nobody has held it.
 */
export class Handle<out T = unknown> {
  readonly #value: T;

  static {
    isHandle = (value): value is Handle => #value in Object(value);
  }

  /** @hidden Throws a TypeError with code `ERR_WEAKLY_CONSTRUCTOR`. */
  constructor(key: typeof KEY, value: T) {
    if (key !== KEY) throw constructorError('Handle', 'unique(value) or uniques.make(value)');
    this.#value = value;
  }

  /**
   * The value: the same one each time.
   *
   * @throws TypeError `ERR_WEAKLY_RECEIVER` when read on anything but a Handle.
   */
  get value(): T {
    if (!(#value in Object(this))) throw receiverError(this, 'Handle.prototype.value', 'Handle');
    return this.#value;
  }

  /** With a number: so that tests which compare deeply tell two of them apart. */
  get [Symbol.toStringTag](): string {
    return #value in Object(this) ? identityTag('Handle', this) : 'Handle';
  }

  /** For `console.log`: the value. */
  [inspect.custom](depth?: Depth): object | string {
    if (!(#value in Object(this))) return '[object Handle]';
    return viewOf(this, 'Handle', Object, depth, false, () => ({ value: this.#value }));
  }
}
