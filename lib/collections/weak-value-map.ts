import { inspect } from 'node:util';
import { binding } from '../binding.js';
import { checkCallback, checkIterable, checkWeakKey, entryOf, receiverError } from '../validate.js';
import { isAlive } from '../weak/entries.js';
import { EntriesOfEntries, inspectAs, itself, KeysOfEntries, likeBuiltIn, TargetsOfEntries } from './iterator.js';
import { ValueEntries } from './value-entries.js';

const NAME = 'WeakValueMap';

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
 * - That a value lives until the next line, if nothing holds it: take it from `get` once, and use what you got.
 * - That it ever dies, or how soon; see {@link Pointer}.
 * - That the key of a dead entry is let go of at once: when the event loop comes to it, or the map grows.
 *
 * @throws TypeError `ERR_WEAKLY_TARGET` when a value is no object, function or non-registered symbol; nothing is changed.
 * @throws TypeError `ERR_WEAKLY_ARGUMENT` when the constructor's argument is not iterable, or an item is no `[key, value]`.
 * @throws TypeError `ERR_WEAKLY_CALLBACK` when a callback is no function.
 * @throws Error `ERR_WEAKLY_MEMORY` when no memory, or none of 2^28 numbers, is left for one more entry, or for the map itself,
 *   which `clear` makes anew.
 * @throws TypeError `ERR_WEAKLY_RECEIVER` when a method is called on anything but a WeakValueMap.
 */
export class WeakValueMap<K, V extends WeakKey> implements Map<K, V> {
  readonly #map: Map<K, number> = new Map();
  #entries: ValueEntries<K> = new ValueEntries(this.#map);

  constructor(iterable?: Iterable<readonly [K, V]> | null) {
    if (iterable === undefined || iterable === null) return;
    checkIterable(iterable, 'iterable', `new ${NAME}`);
    for (const item of iterable) {
      const [key, value] = entryOf(item, `new ${NAME}`);
      this.set(key as K, value as V);
    }
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
    checkIterable(items, 'items', where);
    checkCallback(callback, 'callback', where);
    const groups = new Map<K, T[]>();
    const holders = new WeakMap<WeakKey, unknown[]>();
    let index = 0;
    for (const item of items) {
      checkWeakKey(item, 'each item', where);
      const key = callback(item, index++);
      const group = groups.get(key) ?? [];
      group.push(item);
      groups.set(key, group);
      const held = holders.get(item);
      if (held === undefined) holders.set(item, [group]);
      else held.push(group);
    }
    const map = new WeakValueMap<K, T[]>(groups);
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
    const entry = this.#map.get(key);
    return entry === undefined ? undefined : (binding.entry(entry) as V | undefined);
  }

  set(key: K, value: V): this {
    if (!(#map in Object(this))) throw receiverError(this, `${NAME}.prototype.set`, NAME);
    checkWeakKey(value, 'argument "value"', `${NAME}.prototype.set`);
    if (this.#entries.isWorn) this.#entries = new ValueEntries(this.#map);
    this.#entries.set(key, value);
    return this;
  }

  has(key: K): boolean {
    if (!(#map in Object(this))) throw receiverError(this, `${NAME}.prototype.has`, NAME);
    const entry = this.#map.get(key);
    return entry !== undefined && isAlive(entry);
  }

  delete(key: K): boolean {
    if (!(#map in Object(this))) throw receiverError(this, `${NAME}.prototype.delete`, NAME);
    const entry = this.#map.get(key);
    return entry !== undefined && this.#entries.remove(key, entry);
  }

  /** In constant time. */
  clear(): void {
    if (!(#map in Object(this))) throw receiverError(this, `${NAME}.prototype.clear`, NAME);
    if (this.#map.size === 0) return;
    const entries = new ValueEntries(this.#map);
    this.#map.clear();
    this.#entries = entries;
  }

  /** The value of `key`; if there is none, `value` becomes it. ECMAScript's `Map.prototype.getOrInsert`. */
  getOrInsert(key: K, value: V): V {
    if (!(#map in Object(this))) throw receiverError(this, `${NAME}.prototype.getOrInsert`, NAME);
    checkWeakKey(value, 'argument "value"', `${NAME}.prototype.getOrInsert`);
    const known = this.get(key);
    if (known !== undefined) return known;
    this.set(key, value);
    return value;
  }

  /** The value of `key`; if there is none, what `callback` gives becomes it, also if that has set another one meanwhile. */
  getOrInsertComputed(key: K, callback: (key: K) => V): V {
    const where = `${NAME}.prototype.getOrInsertComputed`;
    if (!(#map in Object(this))) throw receiverError(this, where, NAME);
    checkCallback(callback, 'callback', where);
    const known = this.get(key);
    if (known !== undefined) return known;
    const value = callback(key === 0 ? (0 as K) : key); // as Map gives it: 0 for -0
    checkWeakKey(value, 'what "callback" returns', where);
    this.set(key, value);
    return value;
  }

  forEach(callback: (value: V, key: K, map: WeakValueMap<K, V>) => void, thisArg: unknown = undefined): void {
    if (!(#map in Object(this))) throw receiverError(this, `${NAME}.prototype.forEach`, NAME);
    checkCallback(callback, 'callback', `${NAME}.prototype.forEach`);
    for (const [key, entry] of this.#map) {
      const value = binding.entry(entry) as V | undefined;
      if (value !== undefined) callback.call(thisArg, value, key, this);
    }
  }

  keys(): MapIterator<K> {
    if (!(#map in Object(this))) throw receiverError(this, `${NAME}.prototype.keys`, NAME);
    return new KeysOfEntries(this, this.#map.entries()) as unknown as MapIterator<K>;
  }

  values(): MapIterator<V> {
    if (!(#map in Object(this))) throw receiverError(this, `${NAME}.prototype.values`, NAME);
    return new TargetsOfEntries(this, this.#map.values(), itself) as unknown as MapIterator<V>;
  }

  entries(): MapIterator<[K, V]> {
    if (!(#map in Object(this))) throw receiverError(this, `${NAME}.prototype.entries`, NAME);
    return new EntriesOfEntries(this, this.#map.entries()) as unknown as MapIterator<[K, V]>;
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries(); // likeBuiltIn() puts entries() itself in its place
  }

  declare readonly [Symbol.toStringTag]: string;

  /** For `console.log`: like a Map. */
  [inspect.custom](depth: number, options: object): string {
    return #map in Object(this) ? inspectAs(NAME, new Map(this), depth, options) : `[object ${NAME}]`;
  }
}

likeBuiltIn(WeakValueMap.prototype, NAME, 'entries');
