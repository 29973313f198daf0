import { types } from 'node:util';
import { typeError } from '../errors.js';
import { type Fn, isConstructor, nativeName } from './function-text.js';
import { type Behind, handlerOf } from './stand-in-brand.js';

/*
 * What a stand-in has in place of its target's methods. They are called on the target, which private fields and built-ins
 * need, and do not give it away: where what they return, throw or pass to callbacks is the target, it becomes the stand-in.
 *
 * What is looked through is what a call makes anew, and only where its kind is known from the method alone: the promise of an
 * async function, the iterator of a generator. Any other object is handed out as it is, because somebody may compare it.
 */

const { apply } = Reflect;
const { then } = Promise.prototype;

function functionsOf(prototype: object, names: string): unknown[] {
  return names.split(' ').map((name): unknown => Reflect.getOwnPropertyDescriptor(prototype, name)?.value);
}

const TypedArray = Object.getPrototypeOf(Uint8Array) as { readonly prototype: object };
const CALLING = 'forEach map filter some every reduce reduceRight find findIndex findLast findLastIndex';

/** Their callbacks get members, and what they are called on. Where the engine has no such method, it is undefined. */
const calling: ReadonlySet<unknown> = new Set([
  ...functionsOf(Array.prototype, `${CALLING} sort`),
  ...functionsOf(TypedArray.prototype, CALLING),
  ...functionsOf(Map.prototype, 'forEach'),
  ...functionsOf(Set.prototype, 'forEach'),
]);

/** Their iterators give members, or pairs of them. */
const iterating: ReadonlySet<unknown> = new Set([
  ...functionsOf(Array.prototype, 'values entries'),
  ...functionsOf(Map.prototype, 'keys values entries'),
  ...functionsOf(Set.prototype, 'values entries'),
]);

/** They make arrays of members. */
const copying: ReadonlySet<unknown> = new Set(
  functionsOf(Array.prototype, 'concat filter flat flatMap slice splice toReversed toSorted toSpliced with'),
);

/** Their second argument is called, and gets a key. */
const computing: ReadonlySet<unknown> = new Set([
  ...functionsOf(Map.prototype, 'getOrInsertComputed'),
  ...functionsOf(WeakMap.prototype, 'getOrInsertComputed'),
]);

/** They make sets of members, and ask another set for them. */
const combining: ReadonlySet<unknown> = new Set(
  functionsOf(
    Set.prototype,
    'union intersection difference symmetricDifference isSubsetOf isSupersetOf isDisjointFrom',
  ),
);
const { has: hasMember, forEach: forEachMember } = Set.prototype;

/** They work on anything that can be called, and so on the stand-in itself; what is bound is to hold that. */
const ofFunctions: ReadonlySet<unknown> = new Set(functionsOf(Function.prototype, 'apply bind call'));

/** They look for what they are called on: in a prototype chain, it may be either. */
const finding: ReadonlySet<unknown> = new Set(functionsOf(Object.prototype, 'isPrototypeOf'));

/** What a stand-in passes to its target: not itself. So that `a.equals(a)`, and no target holds its stand-in. */
export function inward(handler: Behind, args: unknown[]): unknown[] {
  for (let i = 0; i < args.length; i++) if (args[i] === handler.standIn) args[i] = handler.target;
  return args;
}

/** What comes out of the target, or is thrown in it: not the target itself. */
export function outward(handler: Behind, value: unknown): unknown {
  return value === handler.target ? handler.standIn : value;
}

const INTERNAL = /private (?:member|field|method)|incompatible receiver|^Receiver must be /;

/** Private fields and internal slots are the target's: a method that looks for them in a stand-in is told so by V8, not why. */
function explained(error: unknown, handler: Behind, name: () => string, args: unknown[]): unknown {
  if (error === handler.target) return handler.standIn;
  if (!(error instanceof TypeError) || 'code' in error || !INTERNAL.test(error.message)) return error;
  const at = args.findIndex((arg) => handlerOf(arg) !== undefined);
  if (at < 0) return error;
  const told = typeError(
    'ERR_WEAKLY_STAND_IN',
    `${name()}(): argument ${at} is a stand-in, whose private fields and internal slots only its own methods can read (${error.message}); expected a method that asks it through its own methods`,
  );
  return Object.defineProperty(told, 'cause', { value: error, configurable: true, writable: true });
}

function call(method: Fn, handler: Behind, args: unknown[], receiver: unknown): unknown {
  try {
    return apply(method, receiver, inward(handler, args));
  } catch (error) {
    throw explained(error, handler, () => method.name, args);
  }
}

/** Of a method, with the target as its receiver; or of the target itself, with any. */
export type Caller = (method: Fn, handler: Behind, args: unknown[], receiver: unknown) => unknown;

const callPlain: Caller = (method, handler, args, receiver) => outward(handler, call(method, handler, args, receiver));

const callOfFunction: Caller = (method, handler, args) => apply(method, handler.standIn, args);

const callFinding: Caller = (method, handler, args) =>
  apply(method, handler.standIn, args) || apply(method, handler.target, args);

/** A callback that is given the stand-in where the target would be. */
function callbackOutward(callback: Fn, handler: Behind): Fn {
  return function (this: unknown, ...given: unknown[]): unknown {
    for (let i = 0; i < given.length; i++) given[i] = outward(handler, given[i]);
    return apply(callback, outward(handler, this), given);
  };
}

const callCalling: Caller = (method, handler, args) => {
  const [callback] = args;
  if (typeof callback === 'function') args[0] = callbackOutward(callback as Fn, handler);
  return callPlain(method, handler, args, handler.target);
};

const callComputing: Caller = (method, handler, args) => {
  const [, callback] = args;
  if (typeof callback === 'function') {
    const given = callbackOutward(callback as Fn, handler);
    // What is made is kept: the stand-in would be kept by its target.
    args[1] = (key: unknown) => inward(handler, [given(key)])[0];
  }
  return callPlain(method, handler, args, handler.target);
};

/** A set that is in itself is rare, and a copy that has its stand-in takes its place then. */
const callCombining: Caller = (method, handler, args) => {
  const { target } = handler;
  const hasItself = types.isSet(target) && apply(hasMember, target, [target]);
  if (!hasItself) return callPlain(method, handler, args, handler.target);
  const shown = new Set<unknown>();
  apply(forEachMember, target, [(member: unknown) => shown.add(outward(handler, member))]);
  return apply(method, shown, args);
};

/** An array that holds itself is rare, and read through its stand-in then. */
const callCopying: Caller = (method, handler, args) => {
  const { target } = handler;
  const holdsItself = Array.isArray(target) && target.includes(target);
  return holdsItself ? apply(method, handler.standIn, args) : callCalling(method, handler, args, handler.target);
};

function settleOutward(promise: unknown, handler: Behind, settle: (value: unknown) => unknown): unknown {
  return apply(then, promise, [
    settle,
    (reason: unknown) => {
      throw outward(handler, reason);
    },
  ]);
}

const callAsync: Caller = (method, handler, args, receiver) =>
  settleOutward(call(method, handler, args, receiver), handler, (value) => outward(handler, value));

interface Step {
  value: unknown;
}

/** An iterator in place of `inner`, whose steps `settle` looks through. */
function iteratorOf(inner: object, handler: Behind, settle: (step: unknown) => unknown): object {
  const outer = Object.create(Reflect.getPrototypeOf(inner)) as object;
  for (const name of ['next', 'return', 'throw']) {
    const step: unknown = Reflect.get(inner, name);
    if (typeof step !== 'function') continue;
    const value = (...args: unknown[]): unknown => {
      try {
        return settle(apply(step, inner, inward(handler, args)));
      } catch (error) {
        throw explained(error, handler, () => name, args);
      }
    };
    Object.defineProperty(outer, name, { value, writable: true, configurable: true });
  }
  return outer;
}

const callGenerator: Caller = (method, handler, args, receiver) =>
  iteratorOf(call(method, handler, args, receiver) as object, handler, (step) => {
    (step as Step).value = outward(handler, (step as Step).value);
    return step;
  });

const callAsyncGenerator: Caller = (method, handler, args, receiver) =>
  iteratorOf(call(method, handler, args, receiver) as object, handler, (promise) =>
    settleOutward(promise, handler, (step) => {
      (step as Step).value = outward(handler, (step as Step).value);
      return step;
    }),
  );

/** Each step and each pair is an object of its own: V8 makes them for whoever asks. */
const callIterating: Caller = (method, handler, args) =>
  iteratorOf(call(method, handler, args, handler.target) as object, handler, (step) => {
    const { value } = step as Step;
    if (Array.isArray(value) && method.name === 'entries') {
      value[0] = outward(handler, value[0]);
      value[1] = outward(handler, value[1]);
    } else {
      (step as Step).value = outward(handler, value);
    }
    return step;
  });

/** Of functions that are not built in. */
export function callerByKind(fn: Fn): Caller {
  if (types.isGeneratorFunction(fn)) return types.isAsyncFunction(fn) ? callAsyncGenerator : callGenerator;
  return types.isAsyncFunction(fn) ? callAsync : callPlain;
}

const BUILT_INS: readonly (readonly [ReadonlySet<unknown>, Caller])[] = [
  [copying, callCopying],
  [ofFunctions, callOfFunction],
  [calling, callCalling],
  [computing, callComputing],
  [combining, callCombining],
  [iterating, callIterating],
  [finding, callFinding],
];

/** How this realm's of that name is called, if it is one of those. Array, Map and Set have no two that differ. */
function callerByName(name: string): Caller | undefined {
  for (const [functions, caller] of BUILT_INS)
    for (const known of functions) if ((known as Fn | undefined)?.name === name) return caller;
  return undefined;
}

function isCollection(value: unknown): boolean {
  return (
    Array.isArray(value) ||
    types.isMap(value) ||
    types.isSet(value) ||
    types.isTypedArray(value) ||
    types.isWeakMap(value)
  );
}

/** One for each of this realm's, or each realm would leave some behind. */
const foreignCallers = new Map<Caller, Caller>();

/** Whether what a function is called on is such as its name promises: others have methods of that name, too. */
function suits(caller: Caller, target: object): boolean {
  if (caller === callFinding) return true;
  if (caller === callOfFunction) return typeof target === 'function';
  return isCollection(target) && !(caller === callIterating && types.isTypedArray(target));
}

function callerOf(method: Fn): Caller {
  for (const [functions, caller] of BUILT_INS) if (functions.has(method)) return caller;
  // Another realm has functions of its own, whose text is the same.
  const name = nativeName(method);
  const foreign = name === undefined ? undefined : callerByName(name);
  // This realm's own that are none of those: of typed arrays, strings, iterators, and what is native but no built-in.
  if (foreign === undefined || Reflect.getPrototypeOf(method) === Function.prototype) return callerByKind(method);
  let caller = foreignCallers.get(foreign);
  if (caller === undefined) {
    caller = (fn, handler, args, receiver) =>
      (suits(foreign, handler.target) ? foreign : callPlain)(fn, handler, args, receiver);
    foreignCallers.set(foreign, caller);
  }
  return caller;
}

const handlers = new Map<Caller, ProxyHandler<Fn>>();

function handlerFor(caller: Caller): ProxyHandler<Fn> {
  let handler = handlers.get(caller);
  if (handler === undefined) {
    handler = {
      apply(method, receiver: unknown, args) {
        const standIn = handlerOf(receiver);
        return standIn === undefined ? apply(method, receiver, args) : caller(method, standIn, args, standIn.target);
      },
    };
    handlers.set(caller, handler);
  }
  return handler;
}

const methods = new WeakMap<Fn, Fn>();

/** One for each method, whatever it is read from: `a.f === a.f`, and listeners that were added can be removed. */
export function methodOf(method: Fn): Fn {
  let wrapped = methods.get(method);
  if (wrapped === undefined) {
    wrapped = isConstructor(method) ? method : new Proxy(method, handlerFor(callerOf(method)));
    methods.set(method, wrapped);
  }
  return wrapped;
}
