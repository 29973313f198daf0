import type { AsyncResource } from 'node:async_hooks';
import { make, type Pointer } from '../weak/pointer.js';

/*
 * What a registration has besides callback and argument, for the few that have anything: it is in the place of the argument,
 * so that the others have no room for it.
 *
 * And what is of another realm (a `node:vm` context, a test file in jest): that is held by its realm, and here by a weak pointer
 * only. Else a callback would hold its context, and that the target of the callback, and nothing would ever die: such a context
 * could not be collected before all targets had died that it has registered, and been called for. So it is collected with its
 * registrations, as a FinalizationRegistry is with its own.
 */

export type Callback = (arg: unknown) => unknown;

/** What is to be called, with what, and in which asynchronous context. */
export interface Call {
  readonly callback: Callback;
  readonly arg: unknown;
  readonly context: AsyncResource | undefined;
}

/** Of one realm, what is held for its registrations: by the realm itself. */
class Home {
  readonly calls = new Map<number, Call>();
  next = 0;
}

interface Realm {
  readonly home: Home;
  readonly pointer: Pointer<Home>;
}

/** By the one object that all prototype chains of a realm end in, and that all of the realm holds. */
const realms = new WeakMap<object, Realm>();

const objectPrototype = Object.prototype;
const functionPrototype = Function.prototype;

/** The object in which the prototype chain ends, if that is of another realm. */
function foreignRoot(value: object): object | undefined {
  let root = value;
  for (let steps = 0; steps < 1000; steps++) {
    const prototype = Reflect.getPrototypeOf(root);
    if (prototype === null) return root !== value && isRealmRoot(root) ? root : undefined;
    if (prototype === objectPrototype) return undefined;
    root = prototype;
  }
  return undefined;
}

/** Not any object without a prototype: it must hold, and be held by, the functions of its realm. */
function isRealmRoot(root: object): boolean {
  if (realms.has(root)) return true;
  const maker: unknown = Reflect.getOwnPropertyDescriptor(root, 'constructor')?.value;
  if (typeof maker !== 'function') return false;
  const prototype = Reflect.getPrototypeOf(maker);
  return prototype !== null && Reflect.getPrototypeOf(prototype) === root;
}

/** What the realm of a callback, or of its argument, is known by, if it is another one. Undefined at once for ordinary functions. */
export function realmOf(callback: Callback, arg: unknown): object | undefined {
  try {
    if (Object.getPrototypeOf(callback) !== functionPrototype) {
      const root = foreignRoot(callback);
      if (root !== undefined) return root;
    }
    if (typeof arg === 'object' ? arg === null : typeof arg !== 'function') return undefined;
    return Object.getPrototypeOf(arg) === objectPrototype ? undefined : foreignRoot(arg as object);
  } catch {
    return undefined; // a proxy, whatever it is of
  }
}

export class Extra {
  readonly #own: Call | undefined;
  readonly #home: Pointer<Home> | undefined;
  readonly #key: number = -1;
  /** Where it was registered: `stack` of an error, as text. */
  readonly trace: string | undefined;

  constructor(call: Call, root: object | undefined, trace: string | undefined) {
    this.trace = trace;
    if (root === undefined) {
      this.#own = call;
      return;
    }
    let realm = realms.get(root);
    if (realm === undefined) {
      const home = new Home();
      realm = { home, pointer: make(home) };
      realms.set(root, realm);
    }
    this.#home = realm.pointer;
    this.#key = realm.home.next++;
    realm.home.calls.set(this.#key, call);
  }

  /** Undefined: its realm is gone, and so it is never called. */
  get call(): Call | undefined {
    return this.#home === undefined ? this.#own : this.#home.value()?.calls.get(this.#key);
  }

  /** Its realm holds it no longer. Where the stack ends, it does, until it ends itself. */
  letGo(): void {
    try {
      this.#home?.value()?.calls.delete(this.#key);
    } catch {
      // There is nothing more to be done here.
    }
  }
}
