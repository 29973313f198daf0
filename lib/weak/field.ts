import { inspect } from 'node:util';
import { identityTag, placeTag } from '../identity.js';
import { type Depth, viewOf } from '../inspect.js';
import { constructorError, propertyKey, receiverError, targetError } from '../validate.js';
import { type Inspection, inspectWeak } from './describe.js';
import { acquire, isAlive, liveGenerationOf, onRelease, read } from './slots.js';

/** Only this module can present it. */
const KEY: unique symbol = Symbol('weakly.Field');

/**
 * A strong pointer to a place inside an object: one property, element or byte. It keeps the object, `owner`, alive.
 * What {@link FieldPointer.value} returns; the counterpart of Go's interior pointer `&owner.field`.
 *
 * Guaranteed: `get` and `set` are ordinary property accesses, made when they are called: getters, setters, proxies and
 * the prototype chain take part, and in strict mode's way a refused assignment throws.
 *
 * Not guaranteed: identity. Each `value()` makes a new Field; to compare places, compare `owner` and `key`, or the
 * FieldPointers.
 */
export class Field<T extends object = object, K extends keyof T = keyof T> {
  readonly #owner: T;
  readonly #key: string | symbol;

  /** @hidden Throws a TypeError with code `ERR_WEAKLY_CONSTRUCTOR`. */
  constructor(token: typeof KEY, owner: T, key: string | symbol) {
    if (token !== KEY) throw constructorError('Field', 'fieldPointer.value()');
    this.#owner = owner;
    this.#key = key;
  }

  /** The object that the place is in. */
  get owner(): T {
    if (!(#owner in Object(this))) throw receiverError(this, 'Field.prototype.owner', 'Field');
    return this.#owner;
  }

  /** The property key: a string or a symbol; a number given to `makeField` has become a string. */
  get key(): string | symbol {
    if (!(#owner in Object(this))) throw receiverError(this, 'Field.prototype.key', 'Field');
    return this.#key;
  }

  /** `owner[key]`, read now. */
  get(): T[K] {
    if (!(#owner in Object(this))) throw receiverError(this, 'Field.prototype.get', 'Field');
    return this.#owner[this.#key as K];
  }

  /** `owner[key] = value`. Throws what the assignment throws, such as a TypeError for a frozen owner. */
  set(value: T[K]): void {
    if (!(#owner in Object(this))) throw receiverError(this, 'Field.prototype.set', 'Field');
    this.#owner[this.#key as K] = value;
  }

  /** With a number: so that tests which compare deeply tell two of them apart. */
  get [Symbol.toStringTag](): string {
    return #owner in Object(this) ? placeTag('Field', this.#owner, this.#key) : 'Field';
  }

  /** For `console.log`: owner and key. The place is not read: that could run code of the owner's. */
  [inspect.custom](depth?: Depth): object | string {
    if (!(#owner in Object(this))) return '[object Field]';
    return viewOf(this, 'Field', Object, depth, false, () => ({ owner: this.#owner, key: this.#key }));
  }

  /** @internal */
  static has(value: unknown): value is Field {
    return #owner in Object(value);
  }
}

/**
 * A weak pointer to a place inside an object. Made by {@link makeField}.
 *
 * Guaranteed: `===` exactly if made for the same target and the same key, before and after the target's death; never
 * equal to a {@link Pointer}. All pointers into one target die together, with it.
 *
 * Not guaranteed: that the property exists, or ever did. A place is a name; deleting the property does not end it.
 */
export class FieldPointer<out T extends object = object, out K extends keyof T = keyof T> {
  readonly #slot: number;
  readonly #generation: number;
  readonly #key: string | symbol;

  /** @hidden Throws a TypeError with code `ERR_WEAKLY_CONSTRUCTOR`; field pointers are made by {@link makeField}. */
  constructor(token: typeof KEY, slot: number, generation: number, key: string | symbol) {
    if (token !== KEY) throw constructorError('FieldPointer', 'makeField(target, key)');
    this.#slot = slot;
    this.#generation = generation;
    this.#key = key;
  }

  /**
   * A strong pointer to the place, or `undefined` once the target is dead.
   *
   * @throws TypeError `ERR_WEAKLY_RECEIVER` when called on anything but a FieldPointer.
   */
  value(): Field<T, K> | undefined {
    if (!(#slot in Object(this))) throw receiverError(this, 'FieldPointer.prototype.value', 'FieldPointer');
    const owner = read(this.#slot, this.#generation) as T | undefined;
    return owner === undefined ? undefined : new Field<T, K>(KEY, owner, this.#key);
  }

  /**
   * Whether the target is still there; see {@link Pointer.alive}.
   *
   * @throws TypeError `ERR_WEAKLY_RECEIVER` when read on anything but a FieldPointer.
   */
  get alive(): boolean {
    if (!(#slot in Object(this))) throw receiverError(this, 'FieldPointer.prototype.alive', 'FieldPointer');
    return isAlive(this.#slot, this.#generation);
  }

  /** With a number: so that tests which compare deeply tell two of them apart. */
  get [Symbol.toStringTag](): string {
    return #slot in Object(this) ? identityTag('FieldPointer', this) : 'FieldPointer';
  }

  /** For `console.log`: the class of the target, the key, and whether it is alive. Pins nothing. */
  [inspect.custom](_depth?: unknown, options?: Inspection): string {
    if (!(#slot in Object(this))) return '[object FieldPointer]';
    const place = typeof this.#key === 'symbol' ? `[${String(this.#key)}]` : `.${this.#key}`;
    return inspectWeak('FieldPointer', this.#slot, this.#generation, options, place);
  }

  /** @internal */
  static has(value: unknown): boolean {
    return #slot in Object(value);
  }
}

/** slot -> key -> canonical pointer. Few targets have fields pointed to, so this is sparse. */
const fields = new Map<number, Map<string | symbol, FieldPointer>>();

onRelease((batch, count) => {
  if (fields.size === 0) return;
  for (let i = 0; i < count; i++) fields.delete(batch[i] as number);
});

/**
 * The weak pointer to one property, element or byte of `target`: always the same one for the same target and key.
 *
 * Keys are property keys: `3` and `'3'` name the same place, symbols work, private names do not exist here.
 * Targets are objects and functions; a symbol has no places of its own.
 *
 * @throws TypeError `ERR_WEAKLY_TARGET` when `target` is no object or function, `null` and `undefined` included.
 * @throws TypeError `ERR_WEAKLY_KEY` when `key` is no string, number or symbol. It is not converted: an object as key is
 *   nearly always a mistake.
 * @throws Error `ERR_WEAKLY_MEMORY` as for {@link make}.
 */
export function makeField<T extends object, K extends keyof T>(target: T, key: K): FieldPointer<T, K> {
  if (typeof target === 'object' ? target === null : typeof target !== 'function') {
    throw targetError(target, 'makeField', 'an object or a function');
  }
  const place = propertyKey(key, 'makeField');
  const slot = acquire(target);
  let places = fields.get(slot);
  if (places === undefined) {
    places = new Map();
    fields.set(slot, places);
  }
  let pointer = places.get(place);
  if (pointer === undefined) {
    pointer = new FieldPointer(KEY, slot, liveGenerationOf(slot), place);
    places.set(place, pointer);
  }
  return pointer as unknown as FieldPointer<T, K>;
}
