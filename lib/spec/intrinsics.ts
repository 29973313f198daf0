import type { CodedError, ErrorCode } from '../errors.js';

/** What a realm's constructors are made of: everything that does not depend on the realm. */
export interface Core {
  canBeHeldWeakly(value: unknown): value is WeakKey;
  received(value: unknown): string;
  coded(error: TypeError, code: ErrorCode): CodedError<TypeError>;
  /** The prototype of the given name in the realm whose `Object.prototype` this is, if that has been installed there. */
  prototypeIn(objectPrototype: unknown, name: IntrinsicName): object | undefined;
  makeRef(object: object, target: WeakKey): object;
  isRef(value: unknown): boolean;
  deref(ref: object): unknown;
  makeRegistry(object: object, callback: (held: unknown) => unknown): object;
  registrationsOf(registry: unknown):
    | {
        register(target: WeakKey, held: unknown, token: WeakKey | undefined): void;
        unregister(token: WeakKey): boolean;
      }
    | undefined;
  /** The one property more than ECMAScript's: `[inspect.custom]`, which Node.js makes no use of elsewhere. */
  readonly inspectSymbol: symbol;
  inspectRef(ref: object, depth: number | null | undefined, options: object | undefined): string | object;
  inspectRegistry(registry: object, depth: number | null | undefined): object;
}

export type IntrinsicName = 'WeakRef' | 'FinalizationRegistry';

/** The two constructors, of one realm. */
export interface Intrinsics {
  /** ECMAScript's, on weakly's pointers. */
  readonly WeakRef: WeakRefConstructor;
  /** ECMAScript's, on weakly's cleanups. */
  readonly FinalizationRegistry: FinalizationRegistryConstructor;
}

/**
 * Makes the two constructors, of the realm that this function is of: it is taken to others as text (install.ts), so it must
 * not use anything but its argument and what ECMAScript puts into every realm.
 *
 * Derived classes that never call `super`: a base class would ask for `new.target.prototype` before its arguments are
 * checked, and fall back on `Object.prototype`.
 */
export function createIntrinsics(core: Core): Intrinsics {
  const { Object, Reflect, TypeError } = globalThis;
  const MAKE = 'an object or a non-registered symbol';

  const fail = (code: ErrorCode, message: string): TypeError => core.coded(new TypeError(message), code);

  /** OrdinaryCreateFromConstructor. */
  function create(newTarget: new (argument: never) => unknown, name: IntrinsicName, fallback: object): object {
    let { prototype }: { prototype: unknown } = newTarget;
    if (prototype === null || (typeof prototype !== 'object' && typeof prototype !== 'function')) {
      // Of the realm of newTarget, whatever function that is: Object has to find it, too.
      const ofRealm = Reflect.getPrototypeOf(Reflect.construct(Object, [], newTarget as never));
      prototype = core.prototypeIn(ofRealm, name) ?? fallback;
    }
    return Object.create(prototype as object) as object;
  }

  class WeakRef extends (null as unknown as new () => object) {
    // @ts-expect-error It never calls super: see above.
    constructor(target: unknown) {
      if (!core.canBeHeldWeakly(target))
        throw fail(
          'ERR_WEAKLY_TARGET',
          `WeakRef: expected argument "target" to be ${MAKE}, got ${core.received(target)}`,
        );
      return core.makeRef(create(new.target, 'WeakRef', WeakRef.prototype), target) as never;
    }

    deref(): unknown {
      if (!core.isRef(this))
        throw fail(
          'ERR_WEAKLY_RECEIVER',
          `WeakRef.prototype.deref: expected \`this\` to be a WeakRef, got ${core.received(this)}`,
        );
      return core.deref(this);
    }
  }

  const REGISTRY = 'FinalizationRegistry';

  class FinalizationRegistry extends (null as unknown as new () => object) {
    // @ts-expect-error It never calls super: see above.
    constructor(cleanupCallback: unknown) {
      if (typeof cleanupCallback !== 'function')
        throw fail(
          'ERR_WEAKLY_CALLBACK',
          `${REGISTRY}: expected argument "cleanupCallback" to be a function, got ${core.received(cleanupCallback)}`,
        );
      return core.makeRegistry(
        create(new.target, REGISTRY, FinalizationRegistry.prototype),
        cleanupCallback as (held: unknown) => unknown,
      ) as never;
    }

    // Its length is to be 2.
    register(target: unknown, heldValue: unknown, ...[unregisterToken]: unknown[]): void {
      const where = `${REGISTRY}.prototype.register`;
      const registrations = core.registrationsOf(this);
      if (registrations === undefined)
        throw fail(
          'ERR_WEAKLY_RECEIVER',
          `${where}: expected \`this\` to be a ${REGISTRY}, got ${core.received(this)}`,
        );
      if (!core.canBeHeldWeakly(target))
        throw fail(
          'ERR_WEAKLY_TARGET',
          `${where}: expected argument "target" to be ${MAKE}, got ${core.received(target)}`,
        );
      if (target === heldValue)
        throw fail(
          'ERR_WEAKLY_CLEANUP_HOLDS_TARGET',
          `${where}: argument "heldValue" is the target, and would keep it alive`,
        );
      if (unregisterToken !== undefined && !core.canBeHeldWeakly(unregisterToken))
        throw fail(
          'ERR_WEAKLY_TARGET',
          `${where}: expected argument "unregisterToken" to be ${MAKE} or undefined, got ${core.received(unregisterToken)}`,
        );
      registrations.register(target, heldValue, unregisterToken);
    }

    unregister(unregisterToken: unknown): boolean {
      const where = `${REGISTRY}.prototype.unregister`;
      const registrations = core.registrationsOf(this);
      if (registrations === undefined)
        throw fail(
          'ERR_WEAKLY_RECEIVER',
          `${where}: expected \`this\` to be a ${REGISTRY}, got ${core.received(this)}`,
        );
      if (!core.canBeHeldWeakly(unregisterToken))
        throw fail(
          'ERR_WEAKLY_TARGET',
          `${where}: expected argument "unregisterToken" to be ${MAKE}, got ${core.received(unregisterToken)}`,
        );
      return registrations.unregister(unregisterToken);
    }
  }

  const shown = {
    WeakRef(this: object, depth?: number | null, options?: object): unknown {
      return core.isRef(this) ? core.inspectRef(this, depth, options) : '[object WeakRef]';
    },
    FinalizationRegistry(this: object, depth?: number | null): unknown {
      const is = core.registrationsOf(this) !== undefined;
      return is ? core.inspectRegistry(this, depth) : '[object FinalizationRegistry]';
    },
  };

  for (const [name, { prototype }] of Object.entries({ WeakRef, FinalizationRegistry })) {
    Object.setPrototypeOf(prototype, Object.prototype);
    Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
    Object.defineProperty(prototype, core.inspectSymbol, {
      value: shown[name as IntrinsicName],
      writable: true,
      configurable: true,
    });
  }
  return { WeakRef, FinalizationRegistry } as unknown as Intrinsics;
}
