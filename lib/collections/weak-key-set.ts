import { inspect } from 'node:util';
import { type Depth, viewOf } from '../inspect.js';
import { checkCallback, checkWeakKey, receiverError } from '../validate.js';
import { NONE } from '../weak/entries.js';
import { adderOf, inheritFrom } from './construct.js';
import { iterate } from './iterate.js';
import { itself, likeBuiltIn, WeakKeySetIterator } from './iterator.js';
import { OrderedEntries } from './key-entries.js';
import { type SetLike, setRecord } from './set-like.js';

const NAME = 'WeakKeySet';

/** What the methods of sets take from another. */
const KEYS = 'each of the keys() of argument "other"';

const twice = (key: unknown): unknown => [key, key];

/** Adds what is not there. */
function insert<T extends WeakKey>(index: WeakMap<T, number>, entries: OrderedEntries, value: T): void {
  index.set(value, entries.add(value, false));
  entries.loose = NONE;
}

function remove<T extends WeakKey>(index: WeakMap<T, number>, entries: OrderedEntries, value: T): boolean {
  const place = index.get(value);
  if (place === undefined) return false;
  entries.settle();
  index.delete(value);
  entries.loose = place;
  return entries.giveBack();
}

/**
 * A WeakSet that can be iterated: a member is there as long as something else holds it. Members compare by identity.
 *
 *     const observers = new WeakKeySet<Observer>();
 *     observers.add(observer);
 *     for (const observer of observers) observer.notify();   // nobody has to unsubscribe
 *
 * It has all of Set's interface, with the methods of ECMAScript 2025 (`union`, `isSubsetOf`, ...) on every Node.js. Those
 * that make a set make a WeakKeySet.
 *
 * Guaranteed:
 * - A dead member is never given, counted or iterated: from the moment the collector has found it dead, it is not there.
 *   `size` is exact.
 * - Iteration is in the order of insertion; what is added, removed, or dies meanwhile is treated as by Set.
 *
 * Not guaranteed:
 * - That `assert.deepStrictEqual` tells two of them apart, as vitest, jest and chai do: compare `new Set(...)` of each.
 * - That a member lives until the next line, if nothing holds it: what iteration has given is yours, what it has not yet is
 *   not.
 * - That a member ever dies, or how soon; see `Pointer`.
 *
 * @throws TypeError `ERR_WEAKLY_TARGET` when what is added is no object, function or non-registered symbol; nothing is
 *   changed. As with WeakSet, `has` and `delete` of such a value find nothing.
 * @throws TypeError `ERR_WEAKLY_ARGUMENT` when the constructor's argument is not iterable, or that of `union` and the like is
 *   no set.
 * @throws TypeError `ERR_WEAKLY_CALLBACK` when the callback of `forEach`, or `add` of a derived class, is no function.
 * @throws RangeError `ERR_WEAKLY_RANGE` when the size of another set is negative.
 * @throws Error `ERR_WEAKLY_MEMORY` when no memory, or none of 2^28 numbers, is left for one more member, or for the set itself,
 *   which `clear` makes anew.
 * @throws TypeError `ERR_WEAKLY_RECEIVER` when a method is called on anything but a WeakKeySet.
 */
export class WeakKeySet<T extends WeakKey> implements Set<T> {
  readonly #order: Set<number> = new Set();
  /** V8's own index: it is asked in a fourth of the time that ours takes, which would make up for that in GC pauses. */
  #index: WeakMap<T, number> = new WeakMap();
  readonly #entries: OrderedEntries = new OrderedEntries(this.#order);

  constructor(iterable: Iterable<T> | null | undefined = undefined) {
    if (new.target !== WeakKeySet) inheritFrom(WeakKeySet.prototype, this, new.target);
    if (iterable === undefined || iterable === null) return;
    const where = `new ${NAME}`;
    const adder = adderOf(this, 'add', where);
    for (const value of iterate(iterable, 'iterable', where)) {
      if (adder === add) this.#include(value, 'each value', where);
      else Reflect.apply(adder, this, [value]);
    }
  }

  /** The class itself: as of Map and Set. */
  static get [Symbol.species](): typeof WeakKeySet {
    // biome-ignore lint/complexity/noThisInStatic: a derived class answers itself
    return this;
  }

  /** How many members are alive. */
  get size(): number {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.size`, NAME);
    return this.#entries.count;
  }

  add(value: T): this {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.add`, NAME);
    if (this.#index.has(value)) return this;
    checkWeakKey(value, 'argument "value"', `${NAME}.prototype.add`);
    insert(this.#index, this.#entries, value);
    return this;
  }

  has(value: T): boolean {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.has`, NAME);
    return this.#index.has(value);
  }

  delete(value: T): boolean {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.delete`, NAME);
    return remove(this.#index, this.#entries, value);
  }

  /** In constant time. */
  clear(): void {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.clear`, NAME);
    if (this.#order.size === 0) return;
    const index = new WeakMap<T, number>();
    this.#entries.clear();
    this.#index = index;
  }

  forEach(callback: (value: T, same: T, set: WeakKeySet<T>) => void, thisArg: unknown = undefined): void {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.forEach`, NAME);
    checkCallback(callback, 'callback', `${NAME}.prototype.forEach`);
    for (const place of this.#entries.order) {
      const value = this.#entries.read(place) as T | undefined;
      if (value !== undefined) Reflect.apply(callback, thisArg, [value, value, this]);
    }
  }

  values(): SetIterator<T> {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.values`, NAME);
    return new WeakKeySetIterator(this.#entries, this.#entries.order.values(), itself) as unknown as SetIterator<T>;
  }

  /** The same as `values`. */
  keys(): SetIterator<T> {
    return this.values();
  }

  entries(): SetIterator<[T, T]> {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.entries`, NAME);
    return new WeakKeySetIterator(this.#entries, this.#entries.order.values(), twice) as unknown as SetIterator<[T, T]>;
  }

  /*
   * The methods of sets, in ECMAScript's order: `other` is asked for its size and methods, then for its keys, and only then is
   * this set copied; but `difference` copies first. They use what is inside, and call nothing that a derived class may have
   * overridden.
   */

  #members(): T[] {
    return Array.from(this.#living());
  }

  *#living(): Generator<T, void> {
    for (const place of this.#entries.order) {
      const value = this.#entries.read(place) as T | undefined;
      if (value !== undefined) yield value;
    }
  }

  /** A WeakKeySet of its own, with the same members. */
  #copy<U extends WeakKey>(): WeakKeySet<T | U> {
    const copy = new WeakKeySet<T | U>();
    for (const place of this.#entries.order) {
      const value = this.#entries.read(place) as T | undefined;
      if (value !== undefined) insert(copy.#index, copy.#entries, value);
    }
    return copy;
  }

  /** Adds a value, of which `where` has been given `name`. */
  #include(value: unknown, name: string, where: string): void {
    if (this.#index.has(value as T)) return;
    checkWeakKey(value, name, where);
    insert(this.#index, this.#entries, value as T);
  }

  /** Whether `has` gives `wanted` for a member. What is added to the set meanwhile has its turn. */
  #some(has: (value: unknown) => boolean, wanted: boolean): boolean {
    for (const place of this.#entries.order) {
      const value = this.#entries.read(place) as T | undefined;
      if (value !== undefined && has(value) === wanted) return true;
    }
    return false;
  }

  /** Members of this set, then those of `other`, which all have to be possible members. */
  union<U>(other: SetLike<Extract<U, WeakKey>>): WeakKeySet<T | Extract<U, WeakKey>> {
    const where = `${NAME}.prototype.union`;
    if (!(#order in Object(this))) throw receiverError(this, where, NAME);
    const keys = setRecord(other, where).keys();
    const result = this.#copy<Extract<U, WeakKey>>();
    for (const value of keys) result.#include(value, KEYS, where);
    return result;
  }

  /** Members of both. */
  intersection<U>(other: SetLike<U>): WeakKeySet<T & U> {
    const where = `${NAME}.prototype.intersection`;
    if (!(#order in Object(this))) throw receiverError(this, where, NAME);
    const { size, has, keys } = setRecord(other, where);
    const result = new WeakKeySet<T & U>();
    if (this.#entries.count <= size) {
      for (const place of this.#entries.order) {
        const value = this.#entries.read(place) as T | undefined;
        if (value !== undefined && has(value)) result.#include(value, KEYS, where);
      }
    } else {
      for (const value of keys()) if (this.#index.has(value as T)) result.#include(value, KEYS, where);
    }
    return result;
  }

  /** Members that `other` has not. */
  difference(other: SetLike<unknown>): WeakKeySet<T> {
    const where = `${NAME}.prototype.difference`;
    if (!(#order in Object(this))) throw receiverError(this, where, NAME);
    const { size, has, keys } = setRecord(other, where);
    if (this.#entries.count <= size) {
      const result = new WeakKeySet<T>();
      // What is asked of are the members of now, whatever has() does to this set.
      for (const value of this.#members()) if (!has(value)) insert(result.#index, result.#entries, value);
      return result;
    }
    const result = this.#copy<T>();
    for (const value of keys()) remove(result.#index, result.#entries, value as T);
    return result;
  }

  /** Members of one of the two only. Those of `other` have to be possible members. */
  symmetricDifference<U>(other: SetLike<Extract<U, WeakKey>>): WeakKeySet<T | Extract<U, WeakKey>> {
    const where = `${NAME}.prototype.symmetricDifference`;
    if (!(#order in Object(this))) throw receiverError(this, where, NAME);
    const keys = setRecord(other, where).keys();
    const result = this.#copy<Extract<U, WeakKey>>();
    for (const value of keys) {
      if (this.#index.has(value as T)) remove(result.#index, result.#entries, value as T);
      else result.#include(value, KEYS, where);
    }
    return result;
  }

  /** Whether `other` has all members. */
  isSubsetOf(other: SetLike<unknown>): boolean {
    const where = `${NAME}.prototype.isSubsetOf`;
    if (!(#order in Object(this))) throw receiverError(this, where, NAME);
    const { size, has } = setRecord(other, where);
    return this.#entries.count <= size && !this.#some(has, false);
  }

  /** Whether all members of `other` are in it. */
  isSupersetOf(other: SetLike<unknown>): boolean {
    const where = `${NAME}.prototype.isSupersetOf`;
    if (!(#order in Object(this))) throw receiverError(this, where, NAME);
    const { size, keys } = setRecord(other, where);
    if (this.#entries.count < size) return false;
    for (const value of keys()) if (!this.#index.has(value as T)) return false;
    return true;
  }

  /** Whether the two have no member in common. */
  isDisjointFrom(other: SetLike<unknown>): boolean {
    const where = `${NAME}.prototype.isDisjointFrom`;
    if (!(#order in Object(this))) throw receiverError(this, where, NAME);
    const { size, has, keys } = setRecord(other, where);
    if (this.#entries.count <= size) return !this.#some(has, true);
    for (const value of keys()) if (this.#index.has(value as T)) return false;
    return true;
  }

  /** The same function as {@link values}. */
  [Symbol.iterator](): SetIterator<T> {
    return this.values(); // likeBuiltIn() puts values() itself in its place
  }

  /** `'WeakKeySet'`. */
  declare readonly [Symbol.toStringTag]: string;

  /** For `console.log`: like a Set. */
  [inspect.custom](depth?: Depth): object | string {
    if (!(#order in Object(this))) return `[object ${NAME}]`;
    const values = WeakKeySet.prototype.values; // not a subclass's
    return viewOf(this, NAME, Set, depth, this.#entries.count === 0, () => new Set(values.call(this)));
  }
}

likeBuiltIn(WeakKeySet.prototype, NAME, 'values');
/** What the constructor calls where nothing is overridden: what is wrong is then its own argument. */
const { add } = WeakKeySet.prototype;
