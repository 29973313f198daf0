import { inspect } from 'node:util';
import { binding } from '../binding.js';
import { checkCallback, checkIterable, checkWeakKey, entryOf, receiverError } from '../validate.js';
import { NONE } from './collection-entries.js';
import { inspectAs, itself, likeBuiltIn, TargetsOfEntries } from './iterator.js';
import { OrderedEntries } from './key-entries.js';

const NAME = 'WeakKeyMap';

/**
 * A WeakMap that can be iterated: an entry is there as long as something else holds its key. Keys compare by identity;
 * values can be anything, and are held as long as their entry is there.
 *
 *     const contexts = new WeakKeyMap<Request, Context>();
 *     contexts.set(request, context);
 *     for (const [request, context] of contexts) ...   // those of all requests that are still alive
 *
 * It has all of Map's interface, with `getOrInsert`, `getOrInsertComputed` and `groupBy` on every Node.js.
 *
 * Guaranteed:
 * - It is ephemeron-correct, as WeakMap is: a value that reaches its key, or this map, keeps neither alive.
 * - A dead entry is never returned, counted or iterated: from the moment the collector has found its key dead, it is not
 *   there. `size` is exact.
 * - Iteration is in the order of insertion; what is added, removed, or dies meanwhile is treated as by Map.
 *
 * Not guaranteed:
 * - That a key lives until the next line, if nothing holds it: what iteration has given is yours, what it has not yet is not.
 * - That a key ever dies, or how soon; see {@link Pointer}. What a value holds is let go of after the next major GC.
 *
 * @throws TypeError `ERR_WEAKLY_TARGET` when a key that is added is no object, function or non-registered symbol; nothing is
 *   changed. As with WeakMap, `get`, `has` and `delete` of such a key find nothing.
 * @throws TypeError `ERR_WEAKLY_ARGUMENT` when the constructor's argument is not iterable, or an item is no `[key, value]`.
 * @throws TypeError `ERR_WEAKLY_CALLBACK` when a callback is no function.
 * @throws Error `ERR_WEAKLY_MEMORY` when no memory, or none of 2^28 numbers, is left for one more entry, or for the map itself,
 *   which `clear` makes anew.
 * @throws TypeError `ERR_WEAKLY_RECEIVER` when a method is called on anything but a WeakKeyMap.
 */
export class WeakKeyMap<K extends WeakKey, V> implements Map<K, V> {
  readonly #order: Set<number> = new Set();
  #values: WeakMap<K, V> = new WeakMap();
  #entries: OrderedEntries = new OrderedEntries(this.#order);

  constructor(iterable?: Iterable<readonly [K, V]> | null) {
    if (iterable === undefined || iterable === null) return;
    checkIterable(iterable, 'iterable', `new ${NAME}`);
    for (const item of iterable) {
      const [key, value] = entryOf(item, `new ${NAME}`);
      this.set(key as K, value as V);
    }
  }

  /** Groups of items by the object, function or symbol that `callback` gives for each. */
  static groupBy<K extends WeakKey, T>(
    items: Iterable<T>,
    callback: (item: T, index: number) => K,
  ): WeakKeyMap<K, T[]> {
    const where = `${NAME}.groupBy`;
    checkIterable(items, 'items', where);
    checkCallback(callback, 'callback', where);
    const groups = new WeakKeyMap<K, T[]>();
    let index = 0;
    for (const item of items) {
      const key = callback(item, index++);
      checkWeakKey(key, 'what "callback" returns', where);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [item]);
      else group.push(item);
    }
    return groups;
  }

  /** How many keys are alive. */
  get size(): number {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.size`, NAME);
    return this.#entries.count;
  }

  get(key: K): V | undefined {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.get`, NAME);
    return this.#values.get(key);
  }

  set(key: K, value: V): this {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.set`, NAME);
    if (this.#values.has(key)) {
      this.#values.set(key, value);
      return this;
    }
    checkWeakKey(key, 'argument "key"', `${NAME}.prototype.set`);
    const entries = this.#entries;
    entries.add(key, true);
    this.#values.set(key, value);
    entries.loose = NONE;
    return this;
  }

  has(key: K): boolean {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.has`, NAME);
    return this.#values.has(key);
  }

  delete(key: K): boolean {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.delete`, NAME);
    if (!this.#values.has(key)) return false;
    const entries = this.#entries;
    entries.settle();
    const entry = entries.find(key);
    // Only if a WeakMap that somebody has patched says that it is there; a call with no entry would be out of bounds.
    if (entry === NONE) return false;
    this.#values.delete(key);
    entries.loose = entry;
    return entries.giveBack();
  }

  /** In constant time. */
  clear(): void {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.clear`, NAME);
    if (this.#order.size === 0) return;
    const entries = new OrderedEntries(this.#order);
    const values = new WeakMap<K, V>();
    this.#order.clear();
    this.#entries = entries;
    this.#values = values;
  }

  /** The value of `key`; if there is none, `value` becomes it. ECMAScript's `Map.prototype.getOrInsert`. */
  getOrInsert(key: K, value: V): V {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.getOrInsert`, NAME);
    if (this.#values.has(key)) return this.#values.get(key) as V;
    this.set(key, value);
    return value;
  }

  /** The value of `key`; if there is none, what `callback` gives becomes it, also if that has set another one meanwhile. */
  getOrInsertComputed(key: K, callback: (key: K) => V): V {
    const where = `${NAME}.prototype.getOrInsertComputed`;
    if (!(#order in Object(this))) throw receiverError(this, where, NAME);
    checkCallback(callback, 'callback', where);
    if (this.#values.has(key)) return this.#values.get(key) as V;
    checkWeakKey(key, 'argument "key"', where);
    const value = callback(key);
    this.set(key, value);
    return value;
  }

  forEach(callback: (value: V, key: K, map: WeakKeyMap<K, V>) => void, thisArg: unknown = undefined): void {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.forEach`, NAME);
    checkCallback(callback, 'callback', `${NAME}.prototype.forEach`);
    for (const entry of this.#entries.order) {
      const key = binding.entry(entry) as K | undefined;
      if (key !== undefined) callback.call(thisArg, this.#values.get(key) as V, key, this);
    }
  }

  keys(): MapIterator<K> {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.keys`, NAME);
    return new TargetsOfEntries(this, this.#entries.order.values(), itself) as unknown as MapIterator<K>;
  }

  values(): MapIterator<V> {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.values`, NAME);
    return new TargetsOfEntries(this, this.#entries.order.values(), (key) =>
      this.#values.get(key as K),
    ) as unknown as MapIterator<V>;
  }

  entries(): MapIterator<[K, V]> {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.entries`, NAME);
    return new TargetsOfEntries(this, this.#entries.order.values(), (key) => [
      key,
      this.#values.get(key as K),
    ]) as unknown as MapIterator<[K, V]>;
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries(); // likeBuiltIn() puts entries() itself in its place
  }

  declare readonly [Symbol.toStringTag]: string;

  /** For `console.log`: like a Map. */
  [inspect.custom](depth: number, options: object): string {
    return #order in Object(this) ? inspectAs(NAME, new Map(this), depth, options) : `[object ${NAME}]`;
  }
}

likeBuiltIn(WeakKeyMap.prototype, NAME, 'entries');
