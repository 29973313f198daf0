// What is put into collections. Keys: everything that a Map takes, so chosen that arrays which hold them change their kind.
// Things: everything that can be held weakly, each of which says who it is, so that one is never taken for another.

import { createContext, runInContext } from 'node:vm';

const LONG = 'long and longer '.repeat(700);
const symbols = Array.from({ length: 64 }, (_, i) => Symbol(`key ${i}`));
const holders = Array.from({ length: 64 }, (_, i) =>
  [
    { i },
    Object.freeze({ i }),
    [i],
    () => i,
    new Proxy({ i }, {}),
    Object.seal([i]),
    class {},
    new Map(),
    new Date(i),
  ].at(i % 9),
);
const SPECIAL = [
  ...[
    -0,
    0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    1.5,
    -1.5,
    Number.MIN_VALUE,
    Number.MAX_VALUE,
  ],
  ...[30, 31, 32, 52, 53, 63].flatMap((bits) => [
    2 ** bits - 1,
    2 ** bits,
    2 ** bits + 1,
    -(2 ** bits),
    -(2 ** bits) - 1,
  ]),
];

/** Strings of every make. `n` decides which text, and nothing but that: two of the same `n` are equal, and not the same. */
const strings = [
  (n) => `text ${n}`,
  (n) => String(n),
  (n) => `текст ${n}`,
  (n) => `${LONG}${n}`, // a rope
  (n) => `${LONG}${n}${LONG}`.slice(LONG.length - 30, LONG.length + 5 + String(n).length), // cut out
  (n) => Object.keys({ [`name${n}`]: 0 })[0], // of the table of names
  (n) => (n % 9 === 0 ? '' : `\u{1f600}${n}`),
];
const numbers = [
  (n) => 3e9 + n,
  (n) => n + 0.5,
  (n) => 1_700_000_000_000 + n,
  (n) => 2 ** 31 - 2 + n,
  (n) => -(2 ** 31) + 2 - n,
  (n) => 2 ** 53 - 8 + n,
  (n) => n / 3,
  (n) => n * 1e300,
];
/** Small integers for any program, and boxed numbers for V8, which it does not look at again. */
const boxed = [(n) => 3e9 + n - 3e9, (n) => (3e9 + n) % 1000, (n) => n * 0.5 * 2];
const bigints = [(n) => BigInt(n), (n) => -(2n ** 64n) - BigInt(n), (n) => 2n ** 200n + BigInt(n)];
const KINDS = {
  int: [(n) => n | 0, (n) => -n | 0, (n) => Math.imul(n, 4097)],
  double: numbers,
  boxed,
  special: [(n) => SPECIAL[n % SPECIAL.length]],
  string: strings,
  bigint: bigints,
  symbol: [(n) => symbols[n % 64], (n) => Symbol.for(`weakly.fuzz ${n}`)],
  object: [(n) => holders[n % 64]],
  nothing: [(n) => [undefined, null, true, false, '', 0][n % 6]],
};

/** Which kinds of keys go together, and how often. Only small integers become doubles, and both become elements. */
const PROFILES = [
  [6, ['double']],
  [4, ['double', 'int']],
  [2, ['boxed']],
  [2, ['boxed', 'int']],
  [3, ['special', 'double', 'int']],
  [2, ['special']],
  [3, ['int']],
  [1, ['string']],
  [1, ['bigint']],
  [1, ['symbol']],
  [1, ['object']],
  [2, ['double', 'nothing']],
  [5, Object.keys(KINDS)],
];
const TAME = [
  [3, ['int']],
  [2, ['string']],
  [1, ['bigint']],
  [1, ['symbol', 'object', 'string']],
  [1, ['string', 'nothing']],
];

/** Functions that give a key, a new one each time where it has no identity. `tame`: no number that is not a small integer. */
export function keysOf(rng, count, tame) {
  const kinds = rng.weighted(tame ? TAME : PROFILES);
  // All numbers of one kind, or of several.
  const makers = kinds.flatMap((kind) => (rng.chance(50) ? [rng.pick(KINDS[kind])] : KINDS[kind]));
  const from = rng.below(1000);
  const keys = Array.from({ length: count }, (_, i) => {
    const maker = rng.pick(makers);
    return () => maker(from + i);
  });
  return { name: kinds.join('+'), keys };
}

/** Any value, weak or not, that does not have to say who it is. */
export function anyValue(rng) {
  return rng.pick(KINDS[rng.pick(Object.keys(KINDS))])(rng.below(60));
}

export const sameValueZero = (a, b) => a === b || (Number.isNaN(a) && Number.isNaN(b));

let foreign;

/** As the values of V8 are made in another realm. */
function ofAnotherRealm(id) {
  foreign ??= runInContext('(id) => ({ id })', createContext({}));
  return foreign(id);
}

class Plain {
  constructor(id) {
    this.id = id;
  }
}

class Secretive {
  #id;
  constructor(id) {
    this.#id = id;
  }
  get id() {
    return this.#id;
  }
}

const named = (id, object) => Object.defineProperty(object, 'id', { value: id });

const OBJECTS = [
  [8, (id) => ({ id })],
  [2, (id) => Object.freeze({ id })],
  [1, (id) => Object.seal({ id, more: 1.5 })],
  [1, (id) => Object.assign(Object.create(null), { id })],
  [2, (id) => new Plain(id)],
  [1, (id) => new Secretive(id)],
  // biome-ignore lint/suspicious/noSparseArray: a hole is meant
  [2, (id) => named(id, [id, , id + 0.5])],
  [2, (id) => named(id, () => id)],
  [1, (id) => named(id, function bound() {}.bind(null))],
  [1, (id) => named(id, class {})],
  [1, (id) => named(id, async () => id)],
  [2, (id) => new Proxy({ id }, {})],
  [
    1,
    (id) =>
      new Proxy(
        named(id, () => id),
        {},
      ),
  ],
  [1, (id) => named(id, new Map([[id, id]]))],
  [1, (id) => named(id, new Date(id))],
  [1, (id) => named(id, new Uint8Array(4))],
  [1, (id) => named(id, new ArrayBuffer(8))],
  [1, (id) => named(id, /./)],
  [1, (id) => named(id, new Error('held'))],
  [1, (id) => Object.assign(Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`p${i}`, i])), { id })],
  [1, (id) => named(id, Object.assign([], { 100000: id }))],
  [1, ofAnotherRealm],
];
const THINGS = [...OBJECTS, [3, (id) => Symbol(`#${id}`)], [1, (id) => named(id, Promise.resolve(id))]];

/** Not what `await` would make something else of. */
export const makeObject = (rng, id) => rng.weighted(OBJECTS)(id);
export const makeThing = (rng, id) => rng.weighted(THINGS)(id);

/** Who a thing says it is; undefined: it is none of these. */
export function idOf(thing) {
  if (typeof thing === 'symbol')
    return /^#\d+$/.test(thing.description) ? Number(thing.description.slice(1)) : undefined;
  if ((typeof thing !== 'object' && typeof thing !== 'function') || thing === null) return undefined;
  const { id } = thing;
  return typeof id === 'number' ? id : undefined;
}

/** For messages. */
export function show(value) {
  if (typeof value === 'string')
    return JSON.stringify(value.length > 30 ? `${value.slice(0, 30)}... (${value.length})` : value);
  if (Object.is(value, -0)) return '-0';
  const id = idOf(value);
  if (id !== undefined) return `thing ${id}`;
  if (typeof value === 'object' && value !== null)
    return `an object ${Object.prototype.toString.call(value)} with ${Reflect.ownKeys(value).slice(0, 9).map(String)}`;
  if (typeof value === 'function') return 'a function';
  return String(value);
}
