import { inspect } from 'node:util';
import { receiverError } from '../validate.js';
import type { Entries } from '../weak/entries.js';

/*
 * Iterators of the collections. Each goes along a native one of the Map or Set that keeps the entries in their order, which
 * copes with all that is added and removed meanwhile, and leaves out what is dead. It holds the collection's entries: without
 * that, they would be nobody's.
 *
 * As in the language, those of one collection have one prototype, whose `next` refuses those of another.
 */

/** The result of a native iterator: an object of its own each time, so that its value can be replaced. */
interface Step<T> {
  done?: boolean;
  value: T;
}

interface Steps<T> {
  next(): Step<T>;
}

/** place -> what `of` makes of its target */
function nextTarget(entries: Entries, steps: Steps<unknown>, of: (target: unknown) => unknown): Step<unknown> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step;
    const target = entries.read(step.value as number);
    if (target === undefined) continue;
    step.value = of(target);
    return step;
  }
}

/** The same, along a Map: V8 inlines the native next() only where it meets iterators of one kind. */
function nextValue(entries: Entries, steps: Steps<unknown>): Step<unknown> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step;
    const target = entries.read(step.value as number);
    if (target === undefined) continue;
    step.value = target;
    return step;
  }
}

/** [key, place] -> key */
function nextKey(entries: Entries, steps: Steps<unknown>): Step<unknown> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step;
    const [key, place] = step.value as [unknown, number];
    if (!entries.isAlive(place)) continue;
    step.value = key;
    return step;
  }
}

/** [key, place] -> [key, target] */
function nextEntry(entries: Entries, steps: Steps<unknown>): Step<unknown> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step;
    const pair = step.value as [unknown, unknown];
    const target = entries.read(pair[1] as number);
    if (target === undefined) continue;
    pair[1] = target;
    return step;
  }
}

/** What an iterator of targets makes of each: nothing. */
export const itself = (target: unknown): unknown => target;

const SET = 'WeakKeySet Iterator';

export class WeakKeySetIterator {
  readonly #entries: Entries;
  readonly #steps: Steps<unknown>;
  readonly #of: (target: unknown) => unknown;

  constructor(entries: Entries, steps: Steps<unknown>, of: (target: unknown) => unknown) {
    this.#entries = entries;
    this.#steps = steps;
    this.#of = of;
  }

  next(): Step<unknown> {
    if (!(#entries in Object(this))) throw receiverError(this, `next of ${SET}`, SET);
    return nextTarget(this.#entries, this.#steps, this.#of);
  }
}

const KEY_MAP = 'WeakKeyMap Iterator';

export class WeakKeyMapIterator {
  readonly #entries: Entries;
  readonly #steps: Steps<unknown>;
  readonly #of: (target: unknown) => unknown;

  constructor(entries: Entries, steps: Steps<unknown>, of: (target: unknown) => unknown) {
    this.#entries = entries;
    this.#steps = steps;
    this.#of = of;
  }

  next(): Step<unknown> {
    if (!(#entries in Object(this))) throw receiverError(this, `next of ${KEY_MAP}`, KEY_MAP);
    return nextTarget(this.#entries, this.#steps, this.#of);
  }
}

const VALUE_MAP = 'WeakValueMap Iterator';

/* What an iterator of a WeakValueMap gives. Numbers: they are compared in every step. */
export const KEYS = 0;
export const VALUES = 1;
export const ENTRIES = 2;
type Kind = typeof KEYS | typeof VALUES | typeof ENTRIES;

export class WeakValueMapIterator {
  readonly #entries: Entries;
  readonly #steps: Steps<unknown>;
  readonly #kind: Kind;

  /** `steps`: along the values of the Map for `VALUES`, else along its entries. */
  constructor(entries: Entries, steps: Steps<unknown>, kind: Kind) {
    this.#entries = entries;
    this.#steps = steps;
    this.#kind = kind;
  }

  next(): Step<unknown> {
    if (!(#entries in Object(this))) throw receiverError(this, `next of ${VALUE_MAP}`, VALUE_MAP);
    if (this.#kind === VALUES) return nextValue(this.#entries, this.#steps);
    return this.#kind === KEYS ? nextKey(this.#entries, this.#steps) : nextEntry(this.#entries, this.#steps);
  }
}

const CACHE = 'WeakCache Iterator';

/** Goes along the keys that there are when it is first asked, and gives what there is when it comes to each. Holds no value. */
export class WeakCacheIterator<K, V, T> {
  #list: (() => readonly K[]) | undefined;
  readonly #look: (key: K) => V | undefined;
  readonly #of: (key: K, value: V) => T;
  #keys: readonly K[] = [];
  #next = 0;

  constructor(list: () => readonly K[], look: (key: K) => V | undefined, of: (key: K, value: V) => T) {
    this.#list = list;
    this.#look = look;
    this.#of = of;
  }

  next(): { done: boolean; value: T | undefined } {
    if (!(#look in Object(this))) throw receiverError(this, `next of ${CACHE}`, CACHE);
    if (this.#list !== undefined) this.#keys = this.#list();
    this.#list = undefined;
    while (this.#next < this.#keys.length) {
      const key = this.#keys[this.#next++] as K;
      const value = this.#look(key);
      if (value !== undefined) return { done: false, value: this.#of(key, value) };
    }
    this.#keys = [];
    this.#next = 0;
    return { done: true, value: undefined };
  }
}

/** What iterators inherit from, as those of Map and Set do: helpers such as `filter` are there where V8 has them. */
const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;

for (const [{ prototype }, name] of [
  [WeakKeySetIterator, SET],
  [WeakKeyMapIterator, KEY_MAP],
  [WeakValueMapIterator, VALUE_MAP],
  [WeakCacheIterator, CACHE],
] as const) {
  Object.setPrototypeOf(prototype, IteratorPrototype);
  Reflect.deleteProperty(prototype, 'constructor');
  const hidden = { enumerable: false, configurable: true };
  Object.defineProperty(prototype, Symbol.toStringTag, { ...hidden, value: name, writable: false });
  // Nothing is taken out of an iterator to be shown.
  Object.defineProperty(prototype, inspect.custom, { ...hidden, value: () => `[${name}]`, writable: true });
}

/** What built-in collections have and a class body cannot say: some methods are the same function, the tag is a constant. */
export function likeBuiltIn(prototype: object, name: string, iterator: 'entries' | 'values'): void {
  const hidden = { enumerable: false, configurable: true };
  const value: unknown = Reflect.get(prototype, iterator);
  for (const same of iterator === 'values' ? [Symbol.iterator, 'keys'] : [Symbol.iterator])
    Object.defineProperty(prototype, same, { ...hidden, value, writable: true });
  Object.defineProperty(prototype, Symbol.toStringTag, { ...hidden, value: name, writable: false });
}
