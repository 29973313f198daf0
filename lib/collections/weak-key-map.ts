import { inspect } from 'node:util';
import { type Depth, viewOf } from '../inspect.js';
import { checkCallback, checkWeakKey, receiverError } from '../validate.js';
import { NONE } from '../weak/entries.js';
import { adderOf, checkEntry, inheritFrom } from './construct.js';
import { iterate } from './iterate.js';
import { itself, likeBuiltIn, WeakKeyMapIterator } from './iterator.js';
import { OrderedEntries } from './key-entries.js';

const NAME = 'WeakKeyMap';

/** Adds a key that is not there. */
function insert<K extends WeakKey, V>(values: WeakMap<K, V>, entries: OrderedEntries, key: K, value: V): void {
  entries.add(key, true);
  values.set(key, value);
  entries.loose = NONE;
}

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
 * - That `assert.deepStrictEqual` tells two of them apart, as vitest, jest and chai do: compare `new Map(...)` of each.
 * - That a key lives until the next line, if nothing holds it: what iteration has given is yours, what it has not yet is not.
 * - That a key ever dies, or how soon; see `Pointer`. What a value holds is let go of after the next major GC.
 *
 * @throws TypeError `ERR_WEAKLY_TARGET` when a key that is added is no object, function or non-registered symbol; nothing is
 *   changed. As with WeakMap, `get`, `has` and `delete` of such a key find nothing.
 * @throws TypeError `ERR_WEAKLY_ARGUMENT` when the constructor's argument is not iterable, or an item is no object, of which
 *   `[0]` and `[1]` are key and value.
 * @throws TypeError `ERR_WEAKLY_CALLBACK` when a callback is no function, or `set` of a derived class is none.
 * @throws Error `ERR_WEAKLY_MEMORY` when no memory, or none of 2^28 numbers, is left for one more entry, or for the map itself,
 *   which `clear` makes anew.
 * @throws TypeError `ERR_WEAKLY_RECEIVER` when a method is called on anything but a WeakKeyMap.
 */
export class WeakKeyMap<K extends WeakKey, V> implements Map<K, V> {
  readonly #order: Set<number> = new Set();
  #values: WeakMap<K, V> = new WeakMap();
  readonly #entries: OrderedEntries = new OrderedEntries(this.#order);

  constructor(iterable: Iterable<readonly [K, V]> | null | undefined = undefined) {
    if (new.target !== WeakKeyMap) inheritFrom(WeakKeyMap.prototype, this, new.target);
    if (iterable === undefined || iterable === null) return;
    const where = `new ${NAME}`;
    const adder = adderOf(this, 'set', where);
    for (const entry of iterate(iterable, 'iterable', where)) {
      checkEntry(entry, where);
      const { 0: key, 1: value } = entry;
      if (adder === set) {
        checkWeakKey(key, 'the key of each entry', where);
        this.#put(key as K, value as V);
      } else Reflect.apply(adder, this, [key, value]);
    }
  }

  /** The class itself: as of Map and Set. */
  static get [Symbol.species](): typeof WeakKeyMap {
    // biome-ignore lint/complexity/noThisInStatic: a derived class answers itself
    return this;
  }

  /** Groups of items by the object, function or symbol that `callback` gives for each. */
  static groupBy<K extends WeakKey, T>(
    items: Iterable<T>,
    callback: (item: T, index: number) => K,
  ): WeakKeyMap<K, T[]> {
    const where = `${NAME}.groupBy`;
    checkCallback(callback, 'callback', where);
    const groups = new WeakKeyMap<K, T[]>();
    let index = 0;
    for (const item of iterate(items, 'items', where)) {
      const key = callback(item as T, index++);
      checkWeakKey(key, 'what "callback" returns', where);
      const group = groups.#values.get(key);
      if (group === undefined) insert(groups.#values, groups.#entries, key, [item as T]);
      else group.push(item as T);
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
    insert(this.#values, this.#entries, key, value);
    return this;
  }

  #put(key: K, value: V): void {
    if (this.#values.has(key)) this.#values.set(key, value);
    else insert(this.#values, this.#entries, key, value);
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
    const place = entries.find(key);
    // Only if a WeakMap that somebody has patched says that it is there.
    if (place === NONE) return false;
    this.#values.delete(key);
    entries.loose = place;
    return entries.giveBack();
  }

  /** In constant time. */
  clear(): void {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.clear`, NAME);
    if (this.#order.size === 0) return;
    const values = new WeakMap<K, V>();
    this.#entries.clear();
    this.#values = values;
  }

  /** The value of `key`; if there is none, `value` becomes it. ECMAScript's `Map.prototype.getOrInsert`. */
  getOrInsert(key: K, value: V): V {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.getOrInsert`, NAME);
    if (this.#values.has(key)) return this.#values.get(key) as V;
    checkWeakKey(key, 'argument "key"', `${NAME}.prototype.getOrInsert`);
    insert(this.#values, this.#entries, key, value);
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
    this.#put(key, value);
    return value;
  }

  forEach(callback: (value: V, key: K, map: WeakKeyMap<K, V>) => void, thisArg: unknown = undefined): void {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.forEach`, NAME);
    checkCallback(callback, 'callback', `${NAME}.prototype.forEach`);
    for (const place of this.#entries.order) {
      const key = this.#entries.read(place) as K | undefined;
      if (key !== undefined) Reflect.apply(callback, thisArg, [this.#values.get(key) as V, key, this]);
    }
  }

  keys(): MapIterator<K> {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.keys`, NAME);
    return new WeakKeyMapIterator(this.#entries, this.#entries.order.values(), itself) as unknown as MapIterator<K>;
  }

  values(): MapIterator<V> {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.values`, NAME);
    return new WeakKeyMapIterator(this.#entries, this.#entries.order.values(), (key) =>
      this.#values.get(key as K),
    ) as unknown as MapIterator<V>;
  }

  entries(): MapIterator<[K, V]> {
    if (!(#order in Object(this))) throw receiverError(this, `${NAME}.prototype.entries`, NAME);
    return this.#pairs();
  }

  #pairs(): MapIterator<[K, V]> {
    return new WeakKeyMapIterator(this.#entries, this.#entries.order.values(), (key) => [
      key,
      this.#values.get(key as K),
    ]) as unknown as MapIterator<[K, V]>;
  }

  /** The same function as {@link entries}. */
  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries(); // likeBuiltIn() puts entries() itself in its place
  }

  /** `'WeakKeyMap'`. */
  declare readonly [Symbol.toStringTag]: string;

  /** For `console.log`: like a Map. */
  [inspect.custom](depth?: Depth): object | string {
    if (!(#order in Object(this))) return `[object ${NAME}]`;
    const entries = WeakKeyMap.prototype.entries; // not a subclass's
    return viewOf(this, NAME, Map, depth, this.#entries.count === 0, () => new Map(entries.call(this)));
  }
}

likeBuiltIn(WeakKeyMap.prototype, NAME, 'entries');
/** What a constructor calls where nothing is overridden: what is wrong is then its own argument. */
const { set } = WeakKeyMap.prototype;
