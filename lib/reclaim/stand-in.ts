import { inspect } from 'node:util';

/*
 * Stand-ins: proxies that behave as their target does, and can die while the target lives on. V8 lets no weak callback
 * bring an object back, so a finalizer's target is held strongly, out of reach, and what the program holds is a
 * stand-in. When that dies, the finalizer gets a new one.
 *
 * The proxy's own target is a shadow, not the target: an empty object of the same kind. So `util.inspect`, which looks
 * behind proxies, can be told to show the target; reads of fixed properties may give a stand-in's methods; and V8 has no
 * properties of the shadow to check each read against.
 */

type Fn = (...args: unknown[]) => unknown;

/** Stamps a private field on the object that its base "constructs": the proxy itself, which no trap can see. */
class Returned {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the point of this class
    return object;
  }
}

class Brand extends Returned {
  readonly #handler: StandInHandler;

  constructor(standIn: object, handler: StandInHandler) {
    super(standIn);
    this.#handler = handler;
  }

  static of(value: object): StandInHandler | undefined {
    return #handler in value ? value.#handler : undefined;
  }
}

/** For `inspect`, which finds it through the shadow's prototype; the proxy's prototype is what the target's is. */
function shadowPrototype(target: object): object {
  return {
    [inspect.custom](_depth: number, options: object): string {
      return inspect(target, options);
    },
  };
}

function shadowOf(target: object): object {
  // Can be called and constructed exactly if the target can, and has no fixed properties of its own.
  if (typeof target === 'function') return Reflect.apply(Function.prototype.bind, target, [undefined]);
  const shadow = Array.isArray(target) ? [] : {};
  return Object.setPrototypeOf(shadow, shadowPrototype(target));
}

export class StandInHandler implements ProxyHandler<object> {
  readonly target: object;
  standIn!: object;
  /** The registration of its finalizer: records.ts. */
  record = -1;
  generation = 0;

  constructor(target: object) {
    this.target = target;
  }

  get(_shadow: object, key: PropertyKey, receiver: unknown): unknown {
    const { target } = this;
    // Accessors get the target for `this`: they may read private fields, which a proxy does not have.
    const value = Reflect.get(target, key, receiver === this.standIn ? target : receiver);
    if (value === target) return this.standIn;
    if (typeof value !== 'function' || key === 'constructor' || Object.hasOwn(target, key)) return value;
    return methodOf(value as Fn);
  }

  set(_shadow: object, key: PropertyKey, value: unknown, receiver: unknown): boolean {
    return Reflect.set(this.target, key, value, receiver === this.standIn ? this.target : receiver);
  }

  has(_shadow: object, key: PropertyKey): boolean {
    return Reflect.has(this.target, key);
  }

  deleteProperty(_shadow: object, key: PropertyKey): boolean {
    return Reflect.deleteProperty(this.target, key);
  }

  ownKeys(): (string | symbol)[] {
    return Reflect.ownKeys(this.target);
  }

  getOwnPropertyDescriptor(shadow: object, key: PropertyKey): PropertyDescriptor | undefined {
    const descriptor = Reflect.getOwnPropertyDescriptor(this.target, key);
    if (descriptor?.configurable === false) fix(shadow, key, descriptor);
    return descriptor;
  }

  defineProperty(shadow: object, key: PropertyKey, descriptor: PropertyDescriptor): boolean {
    if (!Reflect.defineProperty(this.target, key, descriptor)) return false;
    const defined = Reflect.getOwnPropertyDescriptor(this.target, key);
    if (defined?.configurable === false) fix(shadow, key, defined);
    return true;
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
    const result = Reflect.apply(this.target as Fn, receiver, args);
    return result === this.target ? this.standIn : result;
  }

  construct(_shadow: object, args: unknown[], newTarget: unknown): object {
    return Reflect.construct(this.target as Fn, args, (newTarget === this.standIn ? this.target : newTarget) as Fn);
  }

  /** What a proxy says of an object that cannot be extended has to be true of its shadow. */
  #close(shadow: object): void {
    if (!Reflect.isExtensible(shadow)) return;
    for (const key of Reflect.ownKeys(shadow)) Reflect.deleteProperty(shadow, key);
    for (const key of Reflect.ownKeys(this.target))
      fix(shadow, key, Reflect.getOwnPropertyDescriptor(this.target, key) as PropertyDescriptor);
    Reflect.setPrototypeOf(shadow, Reflect.getPrototypeOf(this.target));
    Reflect.preventExtensions(shadow);
  }
}

/** A proxy may call a property fixed only if its shadow's is. */
function fix(shadow: object, key: PropertyKey, descriptor: PropertyDescriptor): void {
  Reflect.defineProperty(shadow, key, descriptor);
}

const methods = new WeakMap<Fn, Fn>();

/** Calls on a stand-in go to its target; what returns the target returns the stand-in. */
const methodHandler: ProxyHandler<Fn> = {
  apply(method, receiver: unknown, args) {
    const handler = handlerOf(receiver);
    if (handler === undefined) return Reflect.apply(method, receiver, args);
    const result = Reflect.apply(method, handler.target, args);
    return result === handler.target ? receiver : result;
  },
};

/** One for each method, whatever it is read from: `a.f === a.f`, and listeners that were added can be removed. */
function methodOf(method: Fn): Fn {
  let wrapped = methods.get(method);
  if (wrapped === undefined) {
    wrapped = new Proxy(method, methodHandler);
    methods.set(method, wrapped);
  }
  return wrapped;
}

let inUse = false;

export function createStandIn<T extends object>(target: T): T {
  inUse = true;
  const handler = new StandInHandler(target);
  const standIn = new Proxy(shadowOf(target), handler);
  handler.standIn = standIn;
  new Brand(standIn, handler);
  return standIn as T;
}

export function handlerOf(value: unknown): StandInHandler | undefined {
  // Programs without stand-ins pay nothing for the possibility.
  if (!inUse) return undefined;
  if (typeof value === 'object' ? value === null : typeof value !== 'function') return undefined;
  return Brand.of(value as object);
}

/** What a stand-in stands for; anything else as it is. */
export function rawOf<T>(value: T): T {
  return (handlerOf(value)?.target as T | undefined) ?? value;
}
