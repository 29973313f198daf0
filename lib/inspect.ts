import { inspect } from 'node:util';
import { classNameOf } from './weak/describe.js';
import { make, type Pointer } from './weak/pointer.js';

/*
 * What `console.log` shows. `util.inspect` counts depth, finds cycles and keeps lines within limits by itself, for whatever
 * an object's `[inspect.custom]` returns: if that is no text. So what has something inside gives a view of it: a Map, a Set
 * or a plain object with the right name and contents.
 *
 * A cycle is found by identity, so within one inspection the view of an object has to be one and the same. Nobody tells when
 * an inspection ends, and a view holds what is in it: it is therefore known weakly, and used again only if what is in it
 * has not changed. While it is being shown, `util.inspect` holds it.
 */

/** What an object's `[inspect.custom]` gets; `null`: as deep as it goes. */
export type Depth = number | null | undefined;

/** What a view is: an object with the properties that are shown, or the items. */
type Kind = typeof Object | typeof Map | typeof Set;
type Contents = Map<unknown, unknown> | Set<unknown> | object;

const views = new WeakMap<object, Pointer<object>>();

/** By the prototype of what is shown: subclasses have names of their own. */
const prototypes = new WeakMap<object, object>();

/**
 * Names a view: not by the prototype of what it shows, whose accessors refuse a view, and whose `[inspect.custom]` would be
 * called for it again.
 */
function prototypeFor(of: object, name: string, kind: Kind): object {
  const key = Reflect.getPrototypeOf(of) ?? of;
  const known = prototypes.get(key);
  if (known !== undefined) return known;
  // Looks like a built-in's: with `showHidden`, nothing of it is listed.
  const builtIn = Object.create(kind.prototype as object, {
    constructor: { value: kind },
    [Symbol.toStringTag]: { value: name },
  }) as object;
  const named = Object.defineProperty(() => undefined, 'name', { value: classNameOf(of) ?? name });
  const prototype = Object.create(builtIn, { constructor: { value: named } }) as object;
  Object.defineProperty(named, 'prototype', { value: prototype });
  prototypes.set(key, prototype);
  return prototype;
}

/** With the properties that the object itself has, too: the fields of a subclass. */
function finish(view: Contents, of: object, prototype: object): object {
  for (const key of Reflect.ownKeys(of)) {
    if (key === inspect.custom || Object.hasOwn(view, key)) continue;
    Object.defineProperty(view, key, Reflect.getOwnPropertyDescriptor(of, key) as PropertyDescriptor);
  }
  return Object.setPrototypeOf(view, prototype);
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, i) => Object.is(item, b[i]));
}

function isSame(a: object, b: object): boolean {
  if (a instanceof Map && b instanceof Map && !isSameList([...a.keys(), ...a.values()], [...b.keys(), ...b.values()]))
    return false;
  if (a instanceof Set && b instanceof Set && !isSameList([...a], [...b])) return false;
  const keys = Reflect.ownKeys(a);
  return (
    isSameList(keys, Reflect.ownKeys(b)) &&
    keys.every((key) => {
      const left = Reflect.getOwnPropertyDescriptor(a, key);
      const right = Reflect.getOwnPropertyDescriptor(b, key);
      return Object.is(left?.value, right?.value) && left?.get === right?.get && left?.set === right?.set;
    })
  );
}

/**
 * What `[inspect.custom]` of `of` returns, which is an instance of the class `name` or of a subclass of it. `contents` makes
 * a new object of the given kind each time. It is not asked where the depth has been used up, unless it `isEmpty`.
 */
export function viewOf(
  of: object,
  name: string,
  kind: Kind,
  depth: Depth,
  isEmpty: boolean,
  contents: () => Contents,
): object {
  const prototype = prototypeFor(of, name, kind);
  const known = views.get(of)?.value();
  // Its name is all that will be shown, or that it is part of a cycle. An empty one would be shown as such.
  if (typeof depth === 'number' && depth < 0 && !isEmpty)
    return known ?? Object.setPrototypeOf({ more: true }, prototype);
  const view = finish(contents(), of, prototype);
  if (known !== undefined && isSame(known, view)) return known;
  try {
    views.set(of, make(view));
  } catch {
    // No memory for one more pointer. It is shown all the same, and a cycle through it ends where the depth does.
  }
  return view;
}
