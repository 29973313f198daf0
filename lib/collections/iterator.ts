import { inspect } from 'node:util';
import { binding } from '../binding.js';
import { isAlive } from '../weak/entries.js';

/*
 * Iterators of the collections. Each goes along a native one of the Map or Set that keeps the entries in their order, which
 * copes with all that is added and removed meanwhile, and leaves out what is dead. It holds the collection: without that, its
 * entries would be nobody's, and their numbers be given to others.
 */

/** The result of a native iterator: an object of its own each time, so that its value can be replaced. */
export interface Step<T> {
  done?: boolean;
  value: T;
}

interface Steps<T> {
  next(): Step<T>;
}

interface Collection {
  readonly [Symbol.toStringTag]: string;
}

/** Nothing is taken out of an iterator to be shown. */
const shown = (collection: Collection): string => `[${collection[Symbol.toStringTag]} Iterator]`;

/** What an iterator of targets makes of each: nothing. */
export const itself = (target: unknown): unknown => target;

/** [key, entry] -> key */
export class KeysOfEntries {
  readonly #collection: Collection;
  readonly #steps: Steps<unknown>;

  constructor(collection: Collection, entries: Steps<unknown>) {
    this.#collection = collection;
    this.#steps = entries;
  }

  next(): Step<unknown> {
    for (;;) {
      const step = this.#steps.next();
      if (step.done === true) return step;
      const [key, entry] = step.value as [unknown, number];
      if (!isAlive(entry)) continue;
      step.value = key;
      return step;
    }
  }

  [inspect.custom](): string {
    return shown(this.#collection);
  }
}

/** [key, entry] -> [key, target] */
export class EntriesOfEntries {
  readonly #collection: Collection;
  readonly #steps: Steps<unknown>;

  constructor(collection: Collection, entries: Steps<unknown>) {
    this.#collection = collection;
    this.#steps = entries;
  }

  next(): Step<unknown> {
    for (;;) {
      const step = this.#steps.next();
      if (step.done === true) return step;
      const pair = step.value as [unknown, unknown];
      const target = binding.entry(pair[1] as number);
      if (target === undefined) continue;
      pair[1] = target;
      return step;
    }
  }

  [inspect.custom](): string {
    return shown(this.#collection);
  }
}

/** entry -> what `of` makes of its target */
export class TargetsOfEntries {
  readonly #collection: Collection;
  readonly #steps: Steps<unknown>;
  readonly #of: (target: unknown) => unknown;

  constructor(collection: Collection, entries: Steps<unknown>, of: (target: unknown) => unknown) {
    this.#collection = collection;
    this.#steps = entries;
    this.#of = of;
  }

  next(): Step<unknown> {
    for (;;) {
      const step = this.#steps.next();
      if (step.done === true) return step;
      const target = binding.entry(step.value as number);
      if (target === undefined) continue;
      step.value = this.#of(target);
      return step;
    }
  }

  [inspect.custom](): string {
    return shown(this.#collection);
  }
}

/** What iterators inherit from, as those of Map and Set do: helpers such as `filter` are there where V8 has them. */
const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;

for (const { prototype } of [KeysOfEntries, EntriesOfEntries, TargetsOfEntries]) {
  Object.setPrototypeOf(prototype, IteratorPrototype);
  Object.defineProperty(prototype, Symbol.toStringTag, { value: 'Weak Collection Iterator', configurable: true });
}

/** What built-in collections have and a class body cannot say: some methods are the same function, the tag is a constant. */
export function likeBuiltIn(prototype: object, name: string, iterator: 'entries' | 'values'): void {
  const hidden = { enumerable: false, configurable: true };
  const value: unknown = Reflect.get(prototype, iterator);
  for (const same of iterator === 'values' ? [Symbol.iterator, 'keys'] : [Symbol.iterator])
    Object.defineProperty(prototype, same, { ...hidden, value, writable: true });
  Object.defineProperty(prototype, Symbol.toStringTag, { ...hidden, value: name, writable: false });
}

/** `Name(2) {...}`, as `plain` would be shown with its own name. */
export function inspectAs(
  name: string,
  plain: Map<unknown, unknown> | Set<unknown>,
  depth: number,
  options: object,
): string {
  if (depth < 0) return `[${name}]`;
  return `${name}${inspect(plain, { ...options, depth }).slice(plain instanceof Map ? 'Map'.length : 'Set'.length)}`;
}
