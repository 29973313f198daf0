/*
 * What has no properties looks to a deep comparison like any other of its class, so that no assertion about it could fail. The
 * comparisons of node:assert, jest, vitest and chai ask one more thing: what `Object.prototype.toString` says. So the tag of what
 * is compared by identity has a number in it. It is given to whoever is asked, when it is: an object costs nothing for it.
 */

const numbers = new WeakMap<WeakKey, number>();
let last = 0;

/** The same for the same object or symbol, and never that of another. */
export function numberOf(object: WeakKey): number {
  let number = numbers.get(object);
  if (number === undefined) {
    number = ++last;
    numbers.set(object, number);
  }
  return number;
}

/** The `Symbol.toStringTag` of what is equal to itself only. */
export function identityTag(name: string, object: object): string {
  return `${name} #${numberOf(object)}`;
}

/** That of what names a place: equal to what names the same. */
export function placeTag(name: string, owner: object, key: string | symbol): string {
  if (typeof key === 'string') return `${name} #${numberOf(owner)}.${key}`;
  const registered = Symbol.keyFor(key);
  return `${name} #${numberOf(owner)}[${registered === undefined ? numberOf(key) : `Symbol.for ${registered}`}]`;
}
