import { typeError } from '../errors.js';
import { checkCallback, received, targetError } from '../validate.js';
import { acquire, CHUNK_MASK, CHUNK_SHIFT, CHUNK_SIZE } from '../weak/slots.js';
import { add, type Callback, FINALIZER, generationOf, isPending, replaceCallback, withdraw } from './records.js';
import { createStandIn, handlerOf, type StandInHandler } from './stand-in.js';

/** What runs when a stand-in is dead: it gets a new stand-in for the same target. */
export type Finalizer<T extends object> = (standIn: T) => unknown;

/** For each slot: whether its target has a finalizer waiting. Such a target lives, so its slot is its own. */
const guarded: (Uint8Array | undefined)[] = [];

function guard(target: object, value: 0 | 1): void {
  const slot = acquire(target);
  const index = slot >>> CHUNK_SHIFT;
  while (guarded.length <= index) guarded.push(undefined);
  const chunk = guarded[index] ?? new Uint8Array(CHUNK_SIZE);
  guarded[index] = chunk;
  chunk[slot & CHUNK_MASK] = value;
}

function isGuarded(target: object): boolean {
  const slot = acquire(target);
  return guarded[slot >>> CHUNK_SHIFT]?.[slot & CHUNK_MASK] === 1;
}

/** The finalizer of `target` is called now, or withdrawn: another may be set. */
export function unguard(target: object): void {
  guard(target, 0);
}

/** The record holds the target strongly, as the argument of the call to come. */
function arm(handler: StandInHandler, finalizer: Callback, where: string): void {
  const { target, standIn } = handler;
  if (isGuarded(target))
    throw typeError(
      'ERR_WEAKLY_FINALIZER_SET',
      `${where}: the target has a finalizer already, through another stand-in; expected it to have run or to be cleared with setFinalizer(standIn, null) first`,
    );
  handler.record = add(standIn, finalizer, target, FINALIZER);
  handler.generation = generationOf(handler.record);
  guard(target, 1);
}

/**
 * A stand-in for `target`, to be used in its place, and a finalizer that is called some time after the stand-in has died:
 * Go's `runtime.SetFinalizer`, resurrection included. V8 brings no object back, so here the target itself never dies
 * before its finalizer has been called; what dies is the stand-in, and the finalizer is given a new one.
 *
 * Guaranteed:
 * - The finalizer is called at most once, from the event loop, with a new stand-in for the same target. It may store it,
 *   and so bring the target back; to be finalized again it has to be set anew ({@link setFinalizer}).
 * - Pointers to the dead stand-in read `undefined` from the moment a GC finds it dead, and never equal those to a later one.
 * - If A holds B, both finalizable, A's finalizer is called first, and B's only when A is gone for good.
 * - A stand-in works as its target does with private fields, accessors, methods that return `this`, built-ins such as Map,
 *   Date and Buffer, classes and `instanceof`, `util.inspect` and JSON.
 *
 * Not guaranteed:
 * - That it is ever called; see {@link addCleanup}, which is cheaper and enough for most uses. Never at exit.
 * - Anything if the target itself is reachable past its stand-in: what keeps `this` (a closure in a constructor, an
 *   unfinished async method, a promise of `this`) has the target, not the stand-in.
 * - A ring of finalizable objects that hold each other is never collected, as in Go.
 * - Identity: a stand-in is not its target (`!==`), its methods are not those of its class, `structuredClone` and native
 *   code that looks for internal slots (`fs.write` for a Buffer's stand-in) refuse it, as they do every proxy.
 *
 * @param target the raw object or function; from now on, keep and hand out only what is returned.
 * @throws TypeError `ERR_WEAKLY_TARGET` when `target` is no object or function.
 * @throws TypeError `ERR_WEAKLY_STAND_IN` when `target` is a stand-in already.
 * @throws TypeError `ERR_WEAKLY_CALLBACK` when `finalizer` is no function.
 * @throws TypeError `ERR_WEAKLY_CLEANUP_HOLDS_TARGET` when `finalizer` is the target.
 * @throws TypeError `ERR_WEAKLY_FINALIZER_SET` when another stand-in of the target has a finalizer waiting.
 * @throws Error `ERR_WEAKLY_MEMORY` as for {@link make}.
 */
export function finalizable<T extends object>(target: T, finalizer: Finalizer<T>): T {
  if (typeof target === 'object' ? target === null : typeof target !== 'function')
    throw targetError(target, 'finalizable', 'an object or a function');
  if (handlerOf(target) !== undefined)
    throw typeError(
      'ERR_WEAKLY_STAND_IN',
      'finalizable: argument "target" is a stand-in; expected the raw object. setFinalizer(standIn, finalizer) gives a stand-in another finalizer',
    );
  checkCallback(finalizer, 'finalizer', 'finalizable');
  holdsNot(target, finalizer, 'finalizable');
  const standIn = createStandIn(target);
  arm(handlerOf(standIn) as StandInHandler, finalizer as Callback, 'finalizable');
  return standIn;
}

/**
 * Replaces the finalizer of a stand-in, gives it one again after the last has been called, or with `null` takes it away:
 * the target then dies with its stand-in, and its cleanups run. Go's `runtime.SetFinalizer` on an object that has one.
 *
 * @throws TypeError `ERR_WEAKLY_STAND_IN` when `standIn` was not made by {@link finalizable}.
 * @throws TypeError `ERR_WEAKLY_CALLBACK` when `finalizer` is neither a function nor null.
 * @throws TypeError `ERR_WEAKLY_CLEANUP_HOLDS_TARGET` when `finalizer` is the stand-in or its target.
 * @throws TypeError `ERR_WEAKLY_FINALIZER_SET` when another stand-in of the same target has a finalizer waiting.
 */
export function setFinalizer<T extends object>(standIn: T, finalizer: Finalizer<T> | null): void {
  const handler = handlerOf(standIn);
  if (handler === undefined)
    throw typeError(
      'ERR_WEAKLY_STAND_IN',
      `setFinalizer: expected argument "standIn" to be a stand-in made by finalizable, got ${received(standIn)}`,
    );
  const armed = handler.record >= 0 && isPending(handler.record, handler.generation);
  if (finalizer === null) {
    if (!armed) return;
    unguard(handler.target);
    withdraw(handler.record);
    handler.record = -1;
    return;
  }
  checkCallback(finalizer, 'finalizer', 'setFinalizer', ' or null');
  holdsNot(handler.target, finalizer, 'setFinalizer');
  if (armed) replaceCallback(handler.record, finalizer as Callback);
  else arm(handler, finalizer as Callback, 'setFinalizer');
}

function holdsNot(target: object, finalizer: unknown, where: string): void {
  if (finalizer !== target && handlerOf(finalizer)?.target !== target) return;
  throw typeError(
    'ERR_WEAKLY_CLEANUP_HOLDS_TARGET',
    `${where}: argument "finalizer" is the target itself or a stand-in of it; expected another function`,
  );
}
