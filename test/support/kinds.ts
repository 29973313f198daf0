import fc from 'fast-check';

/*
 * Keys and values of every kind that a Map takes. Keys are chosen so that an array which holds them changes its kind in V8:
 * small integers only, doubles only, both, anything. Two keys of one kind and different numbers are never equal; of the same
 * number they are, and are not the same where they have no identity.
 */

export type KeyOf = (n: number) => unknown;

const LONG = 'long and longer '.repeat(100);
const SPECIAL: readonly unknown[] = [
  ...[Number.NaN, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MIN_VALUE, Number.MAX_VALUE],
  ...[30, 31, 32, 52].flatMap((bits) => [2 ** bits - 1, 2 ** bits, -(2 ** bits), -(2 ** bits) - 1]),
  ...[2 ** 31 + 1, 2 ** 53, undefined, null, true, false, '', 0n, Symbol.iterator, Symbol.for('weakly.kinds')],
];

/** One for each number, for good. */
function table(make: KeyOf): KeyOf {
  const made = new Map<number, unknown>();
  return (n) => {
    if (!made.has(n)) made.set(n, make(n));
    return made.get(n);
  };
}

/** Nobody may look into it: all of its traps throw. */
const TRAPS: ProxyHandler<object> = new Proxy(
  {},
  {
    get: (_, name) => {
      throw new Error(`the trap ${String(name)} was asked for`);
    },
  },
);

/** Throws on whatever is asked of it, `Array.isArray` included. */
function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

/** Defined, not assigned: there may be a setter (setters.ts). */
const holey = (n: number): unknown[] =>
  Object.defineProperty(Array(4), 2, { value: n, writable: true, enumerable: true, configurable: true });

const OBJECTS: readonly KeyOf[] = [
  (n) => ({ n }),
  (n) => Object.freeze({ n }),
  (n) => Object.seal([n]),
  (n) => new Proxy({ n }, {}),
  (n) => () => n,
  () => class {},
  (n) => Object.assign([], { 100000: n }),
  (n) => holey(n),
  (n) => Object.assign(Object.create(null) as object, { n }),
  () => revoked({}),
  () => revoked(() => undefined),
  () => new Proxy({}, TRAPS),
  (n) => Symbol(String(n)),
];

const NUMBERS: Readonly<Record<string, () => KeyOf>> = {
  'small integers': () => (n) => n,
  'negative ones': () => (n) => -n - 1,
  'ids above 2^31': () => (n) => 3e9 + n,
  timestamps: () => (n) => 1_700_000_000_000 + n,
  fractions: () => (n) => n + 0.5,
  'small integers that are the rest of large ones': () => (n) => (3e9 + n) % 1e6,
  'first small integers, then doubles': () => (n) => (n < 20 ? n : n + 0.5),
  'first doubles, then small integers': () => (n) => (n < 20 ? n + 0.5 : n),
  'integers about 2^31 and 2^53': () => (n) => (n % 2 === 0 ? 2 ** 31 - 100 + n : 2 ** 53 - 1000 + 2 * n),
};

const KEYS: Readonly<Record<string, () => KeyOf>> = {
  ...NUMBERS,
  'doubles, then anything': () => (n) => (n < 40 ? n + 0.5 : n % 3 === 0 ? `text ${n}` : n),
  bigints: () => (n) => (n % 2 === 0 ? BigInt(n) : -(2n ** 64n) - BigInt(n)),
  strings: () => (n) => {
    const texts = [`text ${n}`, `текст ${n}`, `${LONG}${n}`, `${LONG} ${n}`.slice(LONG.length), String(n)];
    return texts[n % texts.length];
  },
  'symbols, and registered ones': () => table((n) => (n % 2 === 0 ? Symbol(n) : Symbol.for(`weakly.kinds ${n}`))),
  'objects of every kind': () => table((n) => OBJECTS[n % OBJECTS.length]?.(n)),
  'special ones, then doubles': () => (n) => (n < SPECIAL.length ? SPECIAL[n] : n + 0.25),
  'anything, in turn': () => {
    const object = table((n) => OBJECTS[n % OBJECTS.length]?.(n));
    return (n) => [n, n + 0.5, `text ${n}`, BigInt(n), object(n), 3e9 + n, Symbol.for(`weakly.kinds ${n}`)][n % 7];
  },
};

type Kind = fc.Arbitrary<{ readonly kind: string; readonly keyOf: KeyOf }>;

const kindOf = (kinds: Readonly<Record<string, () => KeyOf>>): Kind =>
  fc.constantFrom(...Object.keys(kinds)).map((kind) => ({ kind, keyOf: (kinds[kind] as () => KeyOf)() }));

/** NaN as V8 itself writes a hole, and `undefined`, into an array of doubles. */
const [HOLE, UNDEFINED] = new Float64Array(new BigUint64Array([0xfff7fffffff7ffffn, 0xfff6fffffff6ffffn]).buffer);

/** The same ones again and again, which as keys would be one. */
const VALUES: Readonly<Record<string, () => KeyOf>> = {
  ...KEYS,
  'special ones, in turn': () => (n) => SPECIAL[n % SPECIAL.length],
  '0 and -0': () => (n) => (n % 3 === 0 ? -0 : 0),
  'NaN of every kind': () => (n) => [Number.NaN, HOLE, UNDEFINED, n + 0.5][n % 4],
  'undefined, and an object now and then': () => table((n) => (n % 50 === 49 ? { n } : undefined)),
  'doubles, and undefined now and then': () => (n) => (n % 50 === 49 ? undefined : n + 0.5),
  'null and undefined': () => (n) => (n % 2 === 0 ? null : undefined),
};

/** The kind of keys of one run; those with identity are made anew for it. */
export const keyKind: Kind = kindOf(KEYS);

/** The kind of what belongs to something, of one run: not each is another. */
export const valueKind: Kind = kindOf(VALUES);

/**
 * Numbers only. To be tested first: once an array that was made in one place has had something else, V8 makes all others of
 * that place for anything from the start, and none of them will be one of doubles.
 */
export const numberKind: Kind = kindOf(NUMBERS);

class Secretive {
  readonly #id: number;
  constructor(id: number) {
    this.#id = id;
  }
  get id(): number {
    return this.#id;
  }
}

const named = <T extends object>(id: number, thing: T): T => Object.defineProperty(thing, 'id', { value: id });

/** Of those that cannot say who they are. Few: what is in a WeakMap dies in other GCs. */
const silent = new WeakMap<WeakKey, number>();

const mute = <T extends WeakKey>(id: number, thing: T): T => {
  silent.set(thing, id);
  return thing;
};

/** In dictionary mode: V8 gives up on its shape when what was not added last is deleted. */
function dictionary(id: number): object {
  const thing: { first?: number; id: number } = { first: 1, id };
  delete thing.first;
  return thing;
}

const OBJECT_THINGS: readonly ((id: number) => object)[] = [
  (id) => ({ id }),
  (id) => Object.freeze({ id }),
  (id) => Object.seal({ id }),
  (id) => Object.assign(Object.create(null) as object, { id }),
  (id) => dictionary(id),
  (id) => new Secretive(id),
  (id) => named(id, [id, id + 0.5]),
  (id) => named(id, holey(id)),
  (id) => named(id, Object.assign([], { 100000: id })),
  (id) => named(id, () => id),
  (id) => named(id, class {}),
  (id) => new Proxy({ id }, {}),
  (id) => new Proxy(
    named(id, () => id),
    {},
  ),
  (id) => mute(id, new Proxy({}, TRAPS)),
  (id) => mute(id, revoked({})),
  (id) => mute(id, revoked(class {})),
  (id) => named(id, new Map()),
  (id) => named(id, new WeakMap()),
  (id) => named(id, new Date(id)),
  (id) => named(id, Promise.resolve(id)),
  (id) => named(id, new Uint8Array(2)),
  (id) => named(id, new ArrayBuffer(8)),
]; // biome-ignore format: a list

const THINGS: readonly ((id: number) => WeakKey)[] = [
  ...OBJECT_THINGS,
  (id) => Symbol(`#${id}`),
  (id) => mute(id, Symbol()),
];

/** Something that can be held weakly, of one of many kinds. {@link idOf} knows who it is. */
export function thingOf(id: number): WeakKey {
  return (THINGS[id % THINGS.length] as (id: number) => WeakKey)(id);
}

/** The same, and no symbol. */
export function objectOf(id: number): object {
  return (OBJECT_THINGS[id % OBJECT_THINGS.length] as (id: number) => object)(id);
}

export function idOf(thing: WeakKey): number {
  const id = silent.get(thing);
  if (id !== undefined) return id;
  return typeof thing === 'symbol' ? Number(thing.description?.slice(1)) : (thing as { readonly id: number }).id;
}

export const sameValueZero = (a: unknown, b: unknown): boolean =>
  a === b || (typeof a === 'number' && typeof b === 'number' && Number.isNaN(a) && Number.isNaN(b));
