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

const OBJECTS: readonly KeyOf[] = [
  (n) => ({ n }),
  (n) => Object.freeze({ n }),
  (n) => Object.seal([n]),
  (n) => new Proxy({ n }, {}),
  (n) => () => n,
  () => class {},
  (n) => Object.assign([], { 100000: n }),
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
  'integers about 2^31 and 2^53': () => (n) => (n % 2 === 0 ? 2 ** 31 - 100 + n : 2 ** 53 - 1000 + n),
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

/** The kind of keys of one run; those with identity are made anew for it. */
export const keyKind: Kind = kindOf(KEYS);

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

const THINGS: readonly ((id: number) => WeakKey)[] = [
  (id) => ({ id }),
  (id) => Object.freeze({ id }),
  (id) => Object.assign(Object.create(null) as object, { id }),
  (id) => new Secretive(id),
  (id) => named(id, [id, id + 0.5]),
  (id) => named(id, () => id),
  (id) => named(id, class {}),
  (id) => new Proxy({ id }, {}),
  (id) => new Proxy(
    named(id, () => id),
    {},
  ),
  (id) => named(id, new Map()),
  (id) => named(id, new Uint8Array(2)),
  (id) => Symbol(`#${id}`),
]; // biome-ignore format: a list

/** Something that can be held weakly, of one of many kinds, and can say who it is. */
export function thingOf(id: number): WeakKey {
  return (THINGS[id % THINGS.length] as (id: number) => WeakKey)(id);
}

export function idOf(thing: WeakKey): number {
  return typeof thing === 'symbol' ? Number(thing.description?.slice(1)) : (thing as { readonly id: number }).id;
}

export const sameValueZero = (a: unknown, b: unknown): boolean =>
  a === b || (typeof a === 'number' && typeof b === 'number' && Number.isNaN(a) && Number.isNaN(b));
