import { inspect } from 'node:util';
import { typeError } from '../errors.js';
import { identityTag } from '../identity.js';
import { type Depth, viewOf } from '../inspect.js';
import { checkCallback, checkOptions, receiverError } from '../validate.js';
import { Handle, KEY } from './handle.js';
import { frozenCopy, isPrimitive, signature } from './structure.js';
import { ValueEntries } from './value-entries.js';
import { WeakValueMap } from './weak-value-map.js';

/** Without weak keys: a primitive, or the signature of an object. Not a handle itself, which may reach what it would be the key of. */
const atoms = new WeakValueMap<unknown, Handle>();
const structures = new WeakValueMap<string, Handle>();

/** What `unique` makes of a type: nothing in it can be changed. A handle stays what it is. */
export type Frozen<T> = T extends string | number | bigint | boolean | symbol | null | undefined | Handle
  ? T
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

/**
 * The handle of a value: equal values give the identical handle, and its `value` is one value for all of them. What nobody
 * holds a handle of is forgotten. Go 1.23's `unique.Make`.
 *
 *     unique({ host, port }) === unique({ port, host });   // true
 *     lines.map((line) => unique(line));                  // one string, however many equal lines there are
 *
 * Equal are:
 * - strings, numbers, bigints, booleans, symbols, `null` and `undefined` as in SameValueZero: NaN equals itself, and 0
 *   equals -0. A registered symbol (`Symbol.for`) is equal to itself in every realm;
 * - handles, of `unique` or of a {@link Unique}, if they are identical;
 * - arrays of as many equal elements in the same order;
 * - plain objects (`{}` or `Object.create(null)`, which are two kinds) with the same keys, in any order, and equal values.
 *
 * Guaranteed: for objects and arrays `value` is a copy, frozen to the bottom; what was passed stays as it is, and its own.
 * Strings are copies, too: one that was cut out of a longer one does not keep that. Handles are not copied: the value holds
 * them, and what they stand for is written out, compared and kept once, however many values it is part of.
 *
 * Not guaranteed: that a handle which nobody holds is forgotten at once. Identity between two copies of this package, or
 * two threads.
 *
 * @throws TypeError `ERR_WEAKLY_VALUE` for functions, class instances and other built-ins (Date, Map), proxies, accessors,
 *   properties that are not enumerable, arrays with holes, and for what contains itself or one of these.
 * @throws Error `ERR_WEAKLY_MEMORY` as for {@link WeakValueMap}.
 */
export function unique<T>(value: T): Handle<Frozen<T>> {
  const [handles, key] = isPrimitive(value)
    ? ([atoms, value] as const)
    : ([structures as WeakValueMap<unknown, Handle>, signature(value as object, 'unique')] as const);
  const known = handles.get(key);
  if (known !== undefined) return known as Handle<Frozen<T>>;
  const copy = frozenCopy(value, 'unique') as Frozen<T>;
  const handle = new Handle(KEY, copy);
  handles.set(typeof copy === 'string' ? copy : key, handle);
  return handle;
}

/** How a {@link Unique} tells equal values. */
export type UniqueOptions<T> =
  | {
      /**
       * What values are equal by: two are if it gives the same, as a Map compares it. The result is held as long as a handle
       * is; it must not reach the handle.
       */
      readonly key: (value: T) => unknown;
      /** Not beside `key`. */
      readonly equals?: never;
      /** Not beside `key`. */
      readonly hash?: never;
    }
  | {
      /** Whether two values are equal. Has to agree with `hash`, and to be an equivalence. */
      readonly equals: (a: T, b: T) => boolean;
      /** The same for equal values, as a Map compares it, and for few others: only those with the same are compared. */
      readonly hash: (value: T) => unknown;
      /** Not beside `equals` and `hash`. */
      readonly key?: never;
    };

/**
 * Handles for values of any kind, equal by what you say: as {@link unique}, but nothing is copied or frozen. The first of
 * equal values stands for all.
 *
 *     const users = new Unique<User>({ key: (user) => user.id });
 *     users.make(a) === users.make(b);   // if a.id === b.id
 *
 * Guaranteed: as for {@link Handle}.
 * Not guaranteed: anything if a value is changed so that it is equal to others than before.
 *
 * @throws TypeError `ERR_WEAKLY_OPTION` for options that are neither `{ key }` nor `{ equals, hash }`.
 * @throws TypeError `ERR_WEAKLY_CALLBACK` when one of them is no function.
 */
export class Unique<T> {
  readonly #handleOf: (value: T) => Handle<T>;
  readonly #entries: { readonly count: number };

  constructor(options: UniqueOptions<T>) {
    checkOptions(options, ['key', 'equals', 'hash'], 'new Unique');
    const { key, equals, hash } = options as { key: unknown; equals: unknown; hash: unknown };
    const byKey = 'key' in options;
    if (byKey === 'equals' in options || byKey === 'hash' in options)
      throw typeError(
        'ERR_WEAKLY_OPTION',
        `new Unique: expected argument "options" to have either key, or equals and hash, got ${Object.keys(options).join(', ') || 'none of them'}`,
      );
    if (byKey) {
      checkCallback(key, 'options.key', 'new Unique');
      const keyOf = key as (value: T) => unknown;
      const entries = new ValueEntries<unknown>(new Map());
      this.#entries = entries;
      this.#handleOf = (value) => handleByKey(entries, keyOf(value), value);
    } else {
      checkCallback(equals, 'options.equals', 'new Unique');
      checkCallback(hash, 'options.hash', 'new Unique');
      const hashOf = hash as (value: T) => unknown;
      const entries = new Buckets<T>(equals as (a: T, b: T) => unknown);
      this.#entries = entries;
      this.#handleOf = (value) => entries.handle(hashOf(value), value);
    }
  }

  /**
   * The handle of `value`. Throws what `key`, `equals` and `hash` throw; nothing is changed then.
   *
   * @throws TypeError `ERR_WEAKLY_RECEIVER` when called on anything but a Unique.
   */
  make(value: T): Handle<T> {
    if (!(#handleOf in Object(this))) throw receiverError(this, 'Unique.prototype.make', 'Unique');
    return this.#handleOf(value);
  }

  /** How many handles are alive. */
  get size(): number {
    if (!(#handleOf in Object(this))) throw receiverError(this, 'Unique.prototype.size', 'Unique');
    return this.#entries.count;
  }

  /** With a number: so that tests which compare deeply tell two of them apart. */
  get [Symbol.toStringTag](): string {
    return #handleOf in Object(this) ? identityTag('Unique', this) : 'Unique';
  }

  /** For `console.log`: how many handles are alive. */
  [inspect.custom](depth?: Depth): object | string {
    if (!(#handleOf in Object(this))) return '[object Unique]';
    return viewOf(this, 'Unique', Object, depth, false, () => ({ size: this.#entries.count }));
  }
}

function handleByKey<T>(entries: ValueEntries<unknown>, key: unknown, value: T): Handle<T> {
  const place = entries.map.get(key);
  const known = place === undefined ? undefined : entries.read(place);
  if (known !== undefined) return known as Handle<T>;
  const handle = new Handle(KEY, value);
  entries.set(key, handle);
  return handle;
}

interface Node {
  readonly hash: unknown;
}

/** Handles by hash: of each of those that have the same, a node, which is its key. */
class Buckets<T> extends ValueEntries<Node> {
  readonly #equals: (a: T, b: T) => unknown;
  readonly #nodes: Map<unknown, Node[]> = new Map();
  #added = 0;

  constructor(equals: (a: T, b: T) => unknown) {
    super(new Map());
    this.#equals = equals;
  }

  handle(hash: unknown, value: T): Handle<T> {
    for (;;) {
      const added = this.#added;
      const known = this.#find(hash, value);
      if (known !== undefined) return known;
      // Should `equals` have made handles itself, one of them may be equal.
      if (added === this.#added) return this.#make(hash, value);
    }
  }

  #make(hash: unknown, value: T): Handle<T> {
    const handle = new Handle(KEY, value);
    const node = { hash };
    this.add(node, handle);
    this.#added++;
    const nodes = this.#nodes.get(hash);
    if (nodes === undefined) this.#nodes.set(hash, [node]);
    else this.#nodes.set(hash, [...nodes, node]); // not push(), which asks setters
    return handle;
  }

  #find(hash: unknown, value: T): Handle<T> | undefined {
    const equals = this.#equals; // called on its own: nobody is its `this`
    for (const node of this.#nodes.get(hash)?.slice() ?? []) {
      const place = this.map.get(node);
      const handle = place === undefined ? undefined : (this.read(place) as Handle<T> | undefined);
      if (handle !== undefined && equals(handle.value, value)) return handle;
    }
    return undefined;
  }

  protected override gone(node: Node): void {
    const nodes = this.#nodes.get(node.hash);
    const at = nodes?.indexOf(node) ?? -1;
    if (nodes === undefined || at < 0) return;
    // One call: cut short between two, an empty list would hold the hash for ever.
    if (nodes.length === 1) this.#nodes.delete(node.hash);
    else nodes.splice(at, 1);
  }
}
