import { inspect } from 'node:util';
import { type Depth, viewOf } from '../inspect.js';
import { checkCallback, checkWeakKey, receiverError } from '../validate.js';
import { adderOf, checkEntry, inheritFrom } from './construct.js';
import { iterate } from './iterate.js';
import { ENTRIES, KEYS, likeBuiltIn, VALUES, WeakValueMapIterator } from './iterator.js';
import { ValueEntries } from './value-entries.js';

const NAME = 'WeakValueMap';

/** The value of a key, if there is one and it lives. */
function find<K>(entries: ValueEntries<K>, key: K): unknown {
  const place = entries.map.get(key);
  return place === undefined ? undefined : entries.read(place);
}

/**
 * A Map whose values are weak: an entry is there as long as something else holds its value. Keys can be anything, and are
 * held as long as their entry is there. What Go's documentation of `weak` calls a cache.
 *
 *     const images = new WeakValueMap<string, Image>();
 *     images.set(url, image);
 *     images.get(url);          // the image, or undefined once nobody uses it any more
 *
 * It has all of Map's interface, with `getOrInsert` and `getOrInsertComputed` on every Node.js.
 *
 * Guaranteed:
 * - A dead entry is never returned, counted or iterated: from the moment the collector has found its value dead, it is not
 *   there. `size` is exact.
 * - Iteration is in the order of insertion; what is added, removed, or dies meanwhile is treated as by Map. A key whose value
 *   has died and is set again comes last, as if it were new.
 * - The death of a value that was overwritten or removed never removes its successor.
 * - Reading pins nothing beyond the use of what was returned. The map holds no value, also not from one key to another.
 *
 * Not guaranteed:
 * - That `assert.deepStrictEqual` tells two of them apart, as vitest, jest and chai do: compare `new Map(...)` of each.
 * - That a value lives until the next line, if nothing holds it: take it from `get` once, and use what you got.
 * - That it ever dies, or how soon; see `Pointer`.
 * - That the key of a dead entry is let go of at once: when the event loop comes to it, or the map grows.
 *
 * @throws TypeError `ERR_WEAKLY_TARGET` when a value is no object, function or non-registered symbol; nothing is changed.
 * @throws TypeError `ERR_WEAKLY_ARGUMENT` when the constructor's argument is not iterable, or an item is no object, of which
 *   `[0]` and `[1]` are key and value.
 * @throws TypeError `ERR_WEAKLY_CALLBACK` when a callback is no function, or `set` of a derived class is none.
 * @throws Error `ERR_WEAKLY_MEMORY` when no memory, or none of 2^28 numbers, is left for one more entry, or for the map itself,
 *   which `clear` makes anew.
 * @throws TypeError `ERR_WEAKLY_RECEIVER` when a method is called on anything but a WeakValueMap.
 */
export class WeakValueMap<K, V extends WeakKey> implements Map<K, V> {
  readonly #map: Map<K, number> = new Map();
  readonly #entries: ValueEntries<K> = new ValueEntries(this.#map);

  constructor(iterable: Iterable<readonly [K, V]> | null | undefined = undefined) {
    if (new.target !== WeakValueMap) inheritFrom(WeakValueMap.prototype, this, new.target);
    if (iterable === undefined || iterable === null) return;
    const where = `new ${NAME}`;
    const adder = adderOf(this, 'set', where);
    for (const entry of iterate(iterable, 'iterable', where)) {
      checkEntry(entry, where);
      const { 0: key, 1: value } = entry;
      if (adder === set) {
        checkWeakKey(value, 'the value of each entry', where);
        this.#put(key as K, value as V);
      } else Reflect.apply(adder, this, [key, value]);
    }
  }

  /** The class itself: as of Map and Set. */
  static get [Symbol.species](): typeof WeakValueMap {
    // biome-ignore lint/complexity/noThisInStatic: a derived class answers itself
    return this;
  }

  /**
   * Groups of items by what `callback` gives for each. The groups are arrays, and as values of the map held by nothing but
   * **their items: a group lives as long as one of these does** (and the map), and with it all the others in it. So items have
   * to be objects, functions or non-registered symbols.
   *
   * @throws TypeError `ERR_WEAKLY_TARGET` for any other item.
   */
  static groupBy<K, T extends WeakKey>(
    items: Iterable<T>,
    callback: (item: T, index: number) => K,
  ): WeakValueMap<K, T[]> {
    const where = `${NAME}.groupBy`;
    checkCallback(callback, 'callback', where);
    const groups = new Map<K, T[]>();
    const holders = new WeakMap<WeakKey, unknown[]>();
    let index = 0;
    for (const item of iterate(items, 'items', where)) {
      checkWeakKey(item, 'each item', where);
      const key = callback(item as T, index++);
      const group = groups.get(key) ?? [];
      group.push(item as T);
      groups.set(key, group);
      const held = holders.get(item);
      if (held === undefined) holders.set(item, [group]);
      else held.push(group);
    }
    const map = new WeakValueMap<K, T[]>();
    for (const [key, group] of groups) map.#entries.set(key, group);
    map.#entries.companions = holders;
    return map;
  }

  /** How many values are alive. */
  get size(): number {
    if (!(#map in Object(this))) throw receiverError(this, `${NAME}.prototype.size`, NAME);
    return this.#entries.count;
  }

  get(key: K): V | undefined {
    if (!(#map in Object(this))) throw receiverError(this, `${NAME}.prototype.get`, NAME);
    return find(this.#entries, key) as V | undefined;
  }

  set(key: K, value: V): this {
    if (!(#map in Object(this))) throw receiverError(this, `${NAME}.prototype.set`, NAME);
    checkWeakKey(value, 'argument "value"', `${NAME}.prototype.set`);
    this.#put(key, value);
    return this;
  }

  #put(key: K, value: V): void {
    this.#entries.set(key, value);
  }

  has(key: K): boolean {
    if (!(#map in Object(this))) throw receiverError(this, `${NAME}.prototype.has`, NAME);
    const place = this.#map.get(key);
    return place !== undefined && this.#entries.isAlive(place);
  }

  delete(key: K): boolean {
    if (!(#map in Object(this))) throw receiverError(this, `${NAME}.prototype.delete`, NAME);
    const place = this.#map.get(key);
    return place !== undefined && this.#entries.remove(key, place);
  }

  /** In constant time. */
  clear(): void {
    if (!(#map in Object(this))) throw receiverError(this, `${NAME}.prototype.clear`, NAME);
    if (this.#map.size > 0) this.#entries.clear();
  }

  /** The value of `key`; if there is none, `value` becomes it. ECMAScript's `Map.prototype.getOrInsert`. */
  getOrInsert(key: K, value: V): V {
    if (!(#map in Object(this))) throw receiverError(this, `${NAME}.prototype.getOrInsert`, NAME);
    checkWeakKey(value, 'argument "value"', `${NAME}.prototype.getOrInsert`);
    const known = find(this.#entries, key) as V | undefined;
    if (known !== undefined) return known;
    this.#put(key, value);
    return value;
  }

  /** The value of `key`; if there is none, what `callback` gives becomes it, also if that has set another one meanwhile. */
  getOrInsertComputed(key: K, callback: (key: K) => V): V {
    const where = `${NAME}.prototype.getOrInsertComputed`;
    if (!(#map in Object(this))) throw receiverError(this, where, NAME);
    checkCallback(callback, 'callback', where);
    const known = find(this.#entries, key) as V | undefined;
    if (known !== undefined) return known;
    const value = callback(key === 0 ? (0 as K) : key); // as Map gives it: 0 for -0
    checkWeakKey(value, 'what "callback" returns', where);
    this.#put(key, value);
    return value;
  }

  forEach(callback: (value: V, key: K, map: WeakValueMap<K, V>) => void, thisArg: unknown = undefined): void {
    if (!(#map in Object(this))) throw receiverError(this, `${NAME}.prototype.forEach`, NAME);
    checkCallback(callback, 'callback', `${NAME}.prototype.forEach`);
    for (const [key, place] of this.#map) {
      const value = this.#entries.read(place) as V | undefined;
      if (value !== undefined) Reflect.apply(callback, thisArg, [value, key, this]);
    }
  }

  keys(): MapIterator<K> {
    if (!(#map in Object(this))) throw receiverError(this, `${NAME}.prototype.keys`, NAME);
    return new WeakValueMapIterator(this.#entries, this.#map.entries(), KEYS) as unknown as MapIterator<K>;
  }

  values(): MapIterator<V> {
    if (!(#map in Object(this))) throw receiverError(this, `${NAME}.prototype.values`, NAME);
    return new WeakValueMapIterator(this.#entries, this.#map.values(), VALUES) as unknown as MapIterator<V>;
  }

  entries(): MapIterator<[K, V]> {
    if (!(#map in Object(this))) throw receiverError(this, `${NAME}.prototype.entries`, NAME);
    return this.#pairs();
  }

  #pairs(): MapIterator<[K, V]> {
    return new WeakValueMapIterator(this.#entries, this.#map.entries(), ENTRIES) as unknown as MapIterator<[K, V]>;
  }

  /** The same function as {@link entries}. */
  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries(); // likeBuiltIn() puts entries() itself in its place
  }

  /** `'WeakValueMap'`. */
  declare readonly [Symbol.toStringTag]: string;

  /** For `console.log`: like a Map. */
  [inspect.custom](depth?: Depth): object | string {
    if (!(#map in Object(this))) return `[object ${NAME}]`;
    const entries = WeakValueMap.prototype.entries; // not a subclass's
    return viewOf(this, NAME, Map, depth, this.#entries.count === 0, () => new Map(entries.call(this)));
  }
}

likeBuiltIn(WeakValueMap.prototype, NAME, 'entries');
/** What a constructor calls where nothing is overridden: what is wrong is then its own argument. */
const { set } = WeakValueMap.prototype;
