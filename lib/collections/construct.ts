import { typeError } from '../errors.js';
import { isObject, received } from '../validate.js';

/* What the constructors of Map and Set do, and no other function: they call a method that a derived class may have overridden. */

type Method = (...args: unknown[]) => unknown;

/** `set` or `add` of the new collection. It is read once, whatever there is to add. */
export function adderOf(collection: object, name: 'add' | 'set', where: string): Method {
  const adder: unknown = Reflect.get(collection, name);
  if (typeof adder === 'function') return adder as Method;
  throw typeError(
    'ERR_WEAKLY_CALLBACK',
    `${where}: expected its method ${name}() to be a function, got ${received(adder)}`,
  );
}

/** Of an entry, a Map's constructor reads `[0]` and `[1]`: any object can be one. */
export function checkEntry(
  entry: unknown,
  where: string,
): asserts entry is { readonly 0: unknown; readonly 1: unknown } {
  if (isObject(entry)) return;
  throw typeError('ERR_WEAKLY_ARGUMENT', `${where}: expected each entry to be a [key, value], got ${received(entry)}`);
}

/**
 * Where `new.target.prototype` is no object, as that of a bound function, an instance of a built-in inherits from the
 * prototype of the built-in itself; that of a class would from Object.prototype.
 */
export function inheritFrom(prototype: object, instance: object, target: { readonly prototype: unknown }): void {
  const inherited = Reflect.getPrototypeOf(instance);
  // Some realm's Object.prototype has none. `prototype` is read a second time only then.
  if (inherited === null || Reflect.getPrototypeOf(inherited) !== null) return;
  if (!isObject(target.prototype)) Reflect.setPrototypeOf(instance, prototype);
}
