import { inspect } from 'node:util';
import { coded, plainError } from '../errors.js';
import { argumentError, isWeakKey, received } from '../validate.js';
import { inspectRegistry, makeRegistry, registrationsOf } from './finalization-registry.js';
import { type Core, createIntrinsics, type IntrinsicName, type Intrinsics } from './intrinsics.js';
import { deref, inspectRef, isRef, makeRef } from './weak-ref.js';

/** The constructors of each realm, by its `Object.prototype`, which they reach and so must not be held by. */
const installed = new WeakMap<object, Intrinsics>();

const core: Core = {
  canBeHeldWeakly: isWeakKey,
  received,
  coded,
  prototypeIn(objectPrototype: unknown, name: IntrinsicName): object | undefined {
    return installed.get(objectPrototype as object)?.[name].prototype;
  },
  makeRef,
  isRef,
  deref,
  makeRegistry,
  registrationsOf,
  inspectSymbol: inspect.custom,
  inspectRef,
  inspectRegistry,
};

/** Those of this realm. */
export const own: Intrinsics = createIntrinsics(core);
installed.set(Object.prototype, own);

/** What every global object has, and these functions need of it. */
interface Global {
  readonly Object: ObjectConstructor;
  readonly Function: FunctionConstructor;
}

function isGlobal(value: unknown): value is Global {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const { Object: object, Function: func } = value as Partial<Global>;
  if (typeof object !== 'function' || typeof func !== 'function' || typeof object.prototype !== 'object') return false;
  return (value as { globalThis?: unknown }).globalThis === value;
}

/**
 * Makes `WeakRef` and `FinalizationRegistry` global properties of a realm, in place of V8's: of this one, or of another
 * whose `globalThis` is passed (`vm.createContext`), which gets constructors of its own: their prototypes, and the errors
 * that they throw, are that realm's.
 *
 * Doing it again changes nothing. What has been made with V8's own goes on to work with those.
 *
 * @returns the two constructors of that realm.
 * @throws TypeError `ERR_WEAKLY_ARGUMENT` when `global` is no global object.
 * @throws Error `ERR_WEAKLY_REALM` when code cannot be made from text there (`codeGeneration: { strings: false }`,
 *   `--disallow-code-generation-from-strings`), or its global object cannot be changed.
 */
export function installInto(global: object): Intrinsics {
  if (!isGlobal(global)) throw argumentError(global, 'installInto', 'the globalThis of a realm', 'global');
  const { prototype } = global.Object;
  const names = ['WeakRef', 'FinalizationRegistry'] as const;
  // Both or none.
  for (const name of names) if (!canDefine(global, name)) throw fixedError(name);
  const intrinsics = installed.get(prototype) ?? createIn(global);
  for (const name of names) {
    const value = intrinsics[name];
    if (!Reflect.defineProperty(global, name, { value, writable: true, enumerable: false, configurable: true }))
      throw fixedError(name);
  }
  installed.set(prototype, intrinsics);
  return intrinsics;
}

function canDefine(global: object, name: IntrinsicName): boolean {
  const own = Reflect.getOwnPropertyDescriptor(global, name);
  return own === undefined ? Reflect.isExtensible(global) : own.configurable === true;
}

function fixedError(name: IntrinsicName): Error {
  return plainError('ERR_WEAKLY_REALM', `installInto: the property ${name} of that global object cannot be changed`);
}

function createIn(global: Global): Intrinsics {
  try {
    const create = global.Function(`'use strict'; return (${createIntrinsics});`)() as typeof createIntrinsics;
    return create(core);
  } catch (cause) {
    throw plainError('ERR_WEAKLY_REALM', 'installInto: no code can be made from text in that realm', cause);
  }
}
