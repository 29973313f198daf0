import { inspect } from 'node:util';
import { typeError } from '../errors.js';
import { type Fn, readsPrivateFields } from './function-text.js';
import { type Behind, brand, handlerOf } from './stand-in-brand.js';
import { type Caller, callerByKind, inward, methodOf, outward } from './stand-in-methods.js';

/*
 * Stand-ins: proxies that behave as their target does, and can die while the target lives on. V8 lets no weak callback
 * bring an object back, so a finalizer's target is held strongly, out of reach, and what the program holds is a
 * stand-in. When that dies, the finalizer gets a new one.
 *
 * The proxy's own target is a shadow, not the target: an empty object of the same kind. So `util.inspect`, which looks
 * behind proxies, can be told to show the target; reads of fixed properties may give a stand-in's methods; and V8 has no
 * properties of the shadow to check each read against.
 */

const { propertyIsEnumerable: isEnumerable, __lookupGetter__: lookupGetter } = Object.prototype as unknown as {
  readonly propertyIsEnumerable: Fn;
  readonly __lookupGetter__: Fn;
};

/** For `inspect`, which finds it through the shadow's prototype; the proxy's prototype is what the target's is. */
function shadowPrototype(target: object): object {
  return {
    [inspect.custom](): object {
      return target; // no text: `inspect` goes on with it, counts depth and knows cycles
    },
  };
}

const NOTHING: ProxyHandler<Fn> = { construct: () => ({}) };

/** Without running any code of its own: a proxy can be constructed if its target can, and this one's trap makes the object. */
function canConstruct(fn: object): boolean {
  try {
    Reflect.construct(new Proxy(fn as Fn, NOTHING), []);
    return true;
  } catch (error) {
    // Not at the end of the stack: it has said nothing then.
    if (error instanceof TypeError) return false;
    throw error;
  }
}

/**
 * Can be called and constructed exactly if the target can, and has no fixed properties of its own, as what is bound has none.
 * Not the target is bound: `bind` reads its `name` and `length`, which may be static accessors.
 */
function shadowOf(target: object): object {
  let shadow: object = Array.isArray(target) ? [] : {};
  if (typeof target === 'function') {
    const like = canConstruct(target) ? function like() {} : () => undefined;
    shadow = Reflect.apply(Function.prototype.bind, like, [undefined]);
  }
  return Object.setPrototypeOf(shadow, shadowPrototype(target));
}

class StandInHandler implements ProxyHandler<object>, Behind {
  readonly target: object;
  standIn!: object;
  record = -1;
  generation = 0;
  /** How the target is called, if it ever is. */
  #caller: Caller | undefined;

  constructor(target: object) {
    this.target = target;
  }

  get(_shadow: object, key: PropertyKey, receiver: unknown): unknown {
    const { target } = this;
    let value: unknown;
    try {
      // Accessors get the target for `this`: they may read private fields, which a proxy does not have.
      value = Reflect.get(target, key, receiver === this.standIn ? target : receiver);
    } catch (error) {
      throw outward(this, error);
    }
    if (value === target) return this.standIn;
    return typeof value === 'function' ? this.#shown(key, value as Fn) : value;
  }

  /** A method, as what is called on the target; any other function as it is, because somebody may compare it. */
  #shown(key: PropertyKey, value: Fn): unknown {
    const { target } = this;
    if (key === 'constructor') return value;
    // What an accessor gives is a value.
    if (Reflect.apply(lookupGetter, target, [key]) !== undefined) return value;
    // Static methods are not enumerable; what was assigned is.
    const isValue = Reflect.apply(isEnumerable, target, [key]) && Object.hasOwn(target, key);
    return isValue && !readsPrivateFields(value) ? value : methodOf(value);
  }

  set(_shadow: object, key: PropertyKey, value: unknown, receiver: unknown): boolean {
    // A target that held its stand-in would never be finalized.
    const kept = value === this.standIn ? this.target : value;
    try {
      return Reflect.set(this.target, key, kept, receiver === this.standIn ? this.target : receiver);
    } catch (error) {
      throw outward(this, error);
    }
  }

  has(shadow: object, key: PropertyKey): boolean {
    if (Reflect.has(this.target, key)) return true;
    // It may have gone behind the proxy, whose target is closed.
    Reflect.deleteProperty(shadow, key);
    return false;
  }

  deleteProperty(shadow: object, key: PropertyKey): boolean {
    if (!Reflect.deleteProperty(this.target, key)) return false;
    Reflect.deleteProperty(shadow, key);
    return true;
  }

  ownKeys(shadow: object): (string | symbol)[] {
    const keys = Reflect.ownKeys(this.target);
    if (!Reflect.isExtensible(shadow)) forget(shadow, keys);
    return keys;
  }

  getOwnPropertyDescriptor(shadow: object, key: PropertyKey): PropertyDescriptor | undefined {
    const descriptor = this.#describe(key);
    if (descriptor === undefined) Reflect.deleteProperty(shadow, key);
    else if (descriptor.configurable === false) fix(shadow, key, descriptor);
    return descriptor;
  }

  /** An own property as the stand-in has it. */
  #describe(key: PropertyKey): PropertyDescriptor | undefined {
    const descriptor = Reflect.getOwnPropertyDescriptor(this.target, key);
    if (descriptor === undefined || !('value' in descriptor)) return descriptor;
    const { value } = descriptor as { value: unknown };
    if (value === this.target) descriptor.value = this.standIn;
    else if (typeof value === 'function') descriptor.value = this.#shown(key, value as Fn);
    return descriptor;
  }

  defineProperty(shadow: object, key: PropertyKey, descriptor: PropertyDescriptor): boolean {
    const kept = descriptor.value === this.standIn ? { ...descriptor, value: this.target } : descriptor;
    if (typeof kept.value === 'function') this.#checkShown(key, kept);
    if (!Reflect.defineProperty(this.target, key, kept)) return false;
    const defined = this.#describe(key);
    if (defined?.configurable === false) fix(shadow, key, defined);
    return true;
  }

  /** A proxy has to show what is fixed as it was given; a method that needs the target for `this` can't be. */
  #checkShown(key: PropertyKey, given: PropertyDescriptor): void {
    const known = Reflect.getOwnPropertyDescriptor(this.target, key);
    const { configurable = false, writable = false, enumerable = false } = { ...known, ...given };
    if (configurable || writable || key === 'constructor') return;
    if (enumerable && !readsPrivateFields(given.value as Fn)) return;
    if (methodOf(given.value as Fn) === given.value) return;
    throw typeError(
      'ERR_WEAKLY_STAND_IN',
      `a stand-in: property ${String(key)} cannot be a fixed function: as a method it is called on the target, and so is not shown as it was given; expected "configurable: true"`,
    );
  }

  getPrototypeOf(): object | null {
    return Reflect.getPrototypeOf(this.target);
  }

  setPrototypeOf(_shadow: object, prototype: object | null): boolean {
    return Reflect.setPrototypeOf(this.target, prototype);
  }

  isExtensible(shadow: object): boolean {
    if (Reflect.isExtensible(this.target)) return true;
    this.#close(shadow);
    return false;
  }

  preventExtensions(shadow: object): boolean {
    if (!Reflect.preventExtensions(this.target)) return false;
    this.#close(shadow);
    return true;
  }

  apply(_shadow: object, receiver: unknown, args: unknown[]): unknown {
    const target = this.target as Fn;
    this.#caller ??= callerByKind(target);
    return this.#caller(target, this, args, receiver);
  }

  construct(_shadow: object, args: unknown[], newTarget: unknown): object {
    const made = newTarget === this.standIn ? this.target : newTarget;
    try {
      const result = Reflect.construct(this.target as Fn, inward(this, args), made as Fn);
      return outward(this, result) as object;
    } catch (error) {
      throw outward(this, error);
    }
  }

  /** What a proxy says of an object that cannot be extended has to be true of its shadow. */
  #close(shadow: object): void {
    if (!Reflect.isExtensible(shadow)) return;
    forget(shadow, []);
    for (const key of Reflect.ownKeys(this.target)) fix(shadow, key, this.#describe(key) as PropertyDescriptor);
    Reflect.setPrototypeOf(shadow, Reflect.getPrototypeOf(this.target));
    Reflect.preventExtensions(shadow);
  }
}

/** A proxy may call a property fixed only if its shadow's is. */
function fix(shadow: object, key: PropertyKey, descriptor: PropertyDescriptor): void {
  Reflect.defineProperty(shadow, key, descriptor);
}

/** What the target has not any more, its shadow must not have. */
function forget(shadow: object, keys: readonly PropertyKey[]): void {
  for (const key of Reflect.ownKeys(shadow)) if (!keys.includes(key)) Reflect.deleteProperty(shadow, key);
}

export function createStandIn<T extends object>(target: T): T {
  const handler = new StandInHandler(target);
  const standIn = new Proxy(shadowOf(target), handler);
  handler.standIn = standIn;
  brand(handler);
  return standIn as T;
}

/** What a stand-in stands for; anything else as it is. */
export function rawOf<T>(value: T): T {
  return (handlerOf(value)?.target as T | undefined) ?? value;
}
