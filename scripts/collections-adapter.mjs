// Lets tests of Map and Set run on the weak collections, which take objects only where those take anything. A primitive that
// would have to be weak is replaced, on its way in, by a box: one for each value, held for ever. On its way out, to callbacks and
// to methods of other sets too, a box is replaced by its value. Nothing else is touched: each method is a Proxy of the very
// function, in its place, with its name, length and attributes, and the classes are the very classes, under the name that the
// tests know. So a constructor that calls `add`, or a set method that does, is seen to do it.

const UNBOXED = Symbol('no box');
const isWeak = (value) =>
  (typeof value === 'object' && value !== null) ||
  typeof value === 'function' ||
  (typeof value === 'symbol' && Symbol.keyFor(value) === undefined);
const isObject = (value) => isWeak(value) && typeof value !== 'symbol';

class Box {
  #value;
  constructor(value) {
    this.#value = value;
  }
  static valueOf(box) {
    return isObject(box) && #value in box ? box.#value : UNBOXED;
  }
}

const boxes = new Map();
const minusZero = new Box(-0);
/** What a test has put in: whether it lives is not what these tests are about. */
const held = new Set();

/** A key: as Map and Set compare, -0 is 0. */
function box(value) {
  if (isWeak(value)) {
    held.add(value);
    return value;
  }
  let found = boxes.get(value);
  if (found === undefined) {
    found = new Box(value === 0 ? 0 : value);
    boxes.set(value, found);
  }
  return found;
}

/** A value of a map, or an item of a group: -0 is not 0. */
const boxValue = (value) => (Object.is(value, -0) ? minusZero : box(value));

function unbox(value) {
  const inside = Box.valueOf(value);
  return inside === UNBOXED ? value : inside;
}

/** Of pairs, and groups, what is in them: they are nobody's yet. */
function unboxIn(value) {
  if (Array.isArray(value))
    for (let i = 0; i < value.length; i++) if (Box.valueOf(value[i]) !== UNBOXED) value[i] = unbox(value[i]);
  return unbox(value);
}

/** A callback that is given values, and gives one back. */
const callback = (into, back) => (fn) =>
  typeof fn !== 'function'
    ? fn
    : function (...args) {
        return back(Reflect.apply(fn, this, args.map(into)));
      };
const same = (value) => value;

/** Iterators of whoever: read as often as they are, called with their own receiver. */
function boxedIterator(iterator, of = box) {
  if (!isObject(iterator)) return iterator;
  const step = (result) =>
    !isObject(result)
      ? result
      : {
          get done() {
            return result.done;
          },
          get value() {
            return of(result.value);
          },
        };
  return {
    get next() {
      const { next } = iterator;
      return typeof next === 'function' ? () => step(Reflect.apply(next, iterator, [])) : next;
    },
    get return() {
      const method = iterator.return;
      return typeof method === 'function' ? () => Reflect.apply(method, iterator, []) : method;
    },
  };
}

function boxedIterable(items) {
  if (items === undefined || items === null) return items;
  return {
    get [Symbol.iterator]() {
      const method = items[Symbol.iterator];
      return typeof method === 'function' ? () => boxedIterator(Reflect.apply(method, items, []), boxValue) : method;
    },
  };
}

/** What a set method is given. */
function boxedSet(other) {
  if (!isObject(other)) return other;
  return {
    get size() {
      return other.size;
    },
    get has() {
      const { has } = other;
      return typeof has === 'function' ? (value) => Reflect.apply(has, other, [unbox(value)]) : has;
    },
    get keys() {
      const { keys } = other;
      return typeof keys === 'function' ? () => boxedIterator(Reflect.apply(keys, other, [])) : keys;
    },
  };
}

const each = callback(unbox, same);
const SETS = [
  'union',
  'intersection',
  'difference',
  'symmetricDifference',
  'isSubsetOf',
  'isSupersetOf',
  'isDisjointFrom',
];

/** For each method: what becomes of its arguments, and of its result. */
const METHODS = {
  WeakKeyMap: {
    get: [[box]],
    set: [[box]],
    has: [[box]],
    delete: [[box]],
    getOrInsert: [[box]],
    getOrInsertComputed: [[box, each]],
    forEach: [[each]],
  },
  WeakValueMap: {
    get: [[], unbox],
    set: [[same, boxValue]],
    getOrInsert: [[same, boxValue], unbox],
    getOrInsertComputed: [[same, callback(same, boxValue)], unbox],
    forEach: [[each]],
  },
  WeakKeySet: {
    add: [[box]],
    has: [[box]],
    delete: [[box]],
    forEach: [[each]],
    ...Object.fromEntries(SETS.map((name) => [name, [[boxedSet]]])),
  },
};
const STATICS = {
  WeakKeyMap: { groupBy: [[same, callback(same, box)]] },
  WeakValueMap: {
    groupBy: [
      [boxedIterable, callback(unbox, same)],
      (map) => {
        for (const group of map.values()) unboxIn(group);
        return map;
      },
    ],
  },
};

function replace(holder, name, [into, back = same]) {
  const property = Object.getOwnPropertyDescriptor(holder, name);
  const apply = (target, self, args) =>
    back(Reflect.apply(target, self, into.map((of, i) => of(args[i])).concat(args.slice(into.length))));
  const value = new Proxy(property.value, { apply });
  for (const key of Reflect.ownKeys(holder))
    if (Object.getOwnPropertyDescriptor(holder, key).value === property.value)
      Object.defineProperty(holder, key, { value });
}

/** Fits a class for the tests, and gives what they might change of it. */
export function adapt(Collection, name) {
  const own = Collection.name;
  const { prototype } = Collection;
  const iterators = Object.getPrototypeOf(new Collection().values());
  const touched = [Collection, prototype, iterators];
  for (const holder of [...touched])
    for (const key of Reflect.ownKeys(holder)) {
      const { value, get } = Object.getOwnPropertyDescriptor(holder, key);
      for (const fn of [value, get]) if (typeof fn === 'function') touched.push(fn);
    }
  for (const [method, change] of Object.entries(METHODS[own])) replace(prototype, method, change);
  for (const [method, change] of Object.entries(STATICS[own] ?? {})) replace(Collection, method, change);
  replace(iterators, 'next', [
    [],
    (step) => {
      step.value = unboxIn(step.value);
      return step;
    },
  ]);
  // Only where it is what it should be.
  const rename = (holder, key, from, to) => {
    if (holder[key] === from) Object.defineProperty(holder, key, { value: to });
  };
  rename(Collection, 'name', own, name);
  rename(prototype, Symbol.toStringTag, own, name);
  rename(iterators, Symbol.toStringTag, `${own} Iterator`, `${name} Iterator`);
  return touched;
}

/** What puts objects, and what the tests have put in, back to what they are now. */
export function keeper(objects) {
  const kept = new Map([...new Set(objects)].map((object) => [object, Object.getOwnPropertyDescriptors(object)]));
  return () => {
    held.clear();
    for (const [object, properties] of kept) {
      for (const key of Reflect.ownKeys(object)) if (!Object.hasOwn(properties, key)) delete object[key];
      for (const key of Reflect.ownKeys(properties)) {
        const now = Object.getOwnPropertyDescriptor(object, key);
        const then = properties[key];
        if (
          now === undefined ||
          ['value', 'get', 'set', 'writable', 'enumerable', 'configurable'].some((of) => !Object.is(now[of], then[of]))
        )
          Object.defineProperty(object, key, then);
      }
    }
  };
}
