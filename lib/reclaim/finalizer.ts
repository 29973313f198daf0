import { typeError } from '../errors.js';
import { ownList } from '../own-list.js';
import { checkCallback, received, targetError } from '../validate.js';
import { acquire, CHUNK_MASK, CHUNK_SHIFT, CHUNK_SIZE, liveGenerationOf, onGiveBack } from '../weak/slots.js';
import { added, addWith, type Callback, extraFor, FINALIZER, isPending, replaceCallback, withdraw } from './records.js';
import { createStandIn } from './stand-in.js';
import { type Behind, handlerOf } from './stand-in-brand.js';

/** What runs when a stand-in is dead: it gets a new stand-in for the same target. */
export type Finalizer<T extends object> = (standIn: T) => unknown;

/**
 * For each slot three numbers, of the finalizer that was last set for a target of it: the generation of the slot, the record and
 * its generation. Whether that still waits is the record's to know: it may have gone with its realm, and then nobody comes by
 * here, neither for a target that lives on, nor before the slot is another's.
 */
const latest = ownList<Int32Array | undefined>();
const NUMBERS = 3;

onGiveBack((chunk) => {
  if (chunk < latest.length) latest[chunk] = undefined;
});

/** Those of the chunk of a slot: made if there are none. */
function latestOf(slot: number): Int32Array {
  const index = slot >>> CHUNK_SHIFT;
  while (latest.length <= index) latest[latest.length] = undefined;
  const chunk = latest[index] ?? new Int32Array(NUMBERS * CHUNK_SIZE);
  latest[index] = chunk;
  return chunk;
}

/** The record holds the target strongly, as the argument of the call to come. */
function arm(handler: Behind, finalizer: Callback, called: typeof finalizable | typeof setFinalizer): void {
  const { target, standIn } = handler;
  const extra = extraFor(finalizer, target, called);
  const slot = acquire(target);
  const slotGeneration = liveGenerationOf(slot);
  const numbers = latestOf(slot);
  const at = NUMBERS * (slot & CHUNK_MASK);
  if (numbers[at] === slotGeneration && isPending(numbers[at + 1] as number, numbers[at + 2] as number)) {
    extra?.letGo();
    throw typeError(
      'ERR_WEAKLY_FINALIZER_SET',
      `${called.name}: the target has a finalizer already, through another stand-in; expected it to have run or to be cleared with setFinalizer(standIn, null) first`,
    );
  }
  const record = addWith(standIn, finalizer, target, FINALIZER, extra);
  // Without a call: were that one too many for the stack, a finalizer would be set that nobody knows of.
  handler.record = record;
  handler.generation = added.generation;
  numbers[at] = slotGeneration;
  numbers[at + 1] = record;
  numbers[at + 2] = added.generation;
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
 *   Date and Buffer, classes and `instanceof`, `util.inspect` and JSON. No read, descriptor, call, iterator or promise of an
 *   async method gives the target away.
 *
 * Not guaranteed:
 * - That it is ever called; see {@link addCleanup}, which is cheaper and enough for most uses. Never at exit.
 * - Anything if the target itself is reachable past its stand-in: what keeps `this` (a closure in a constructor, an
 *   unfinished async method, whoever the target's own code passes `this` to) has the target, not the stand-in.
 * - A ring of finalizable objects that hold each other is never collected, as in Go.
 * - That other objects can read its private fields: `a.equals(b)` throws `ERR_WEAKLY_STAND_IN` if it does so with `b`. The
 *   whole table is in docs/cleanups.md.
 * - Identity: a stand-in is not its target (`!==`), its methods are not those of its class, `structuredClone` and native
 *   code that looks for internal slots (`fs.write` for a Buffer's stand-in) refuse it, as they do every proxy.
 *
 * @param target the raw object or function; from now on, keep and hand out only what is returned.
 * @throws TypeError `ERR_WEAKLY_TARGET` when `target` is no object or function, or a revoked proxy.
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
  if (isRevoked(target))
    throw typeError(
      'ERR_WEAKLY_TARGET',
      'finalizable: expected argument "target" to be an object or a function, got a revoked proxy, which cannot be used',
    );
  checkCallback(finalizer, 'finalizer', 'finalizable');
  holdsNot(target, finalizer, 'finalizable');
  const standIn = createStandIn(target);
  arm(handlerOf(standIn) as Behind, finalizer as Callback, finalizable);
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
    withdraw(handler.record);
    handler.record = -1;
    return;
  }
  checkCallback(finalizer, 'finalizer', 'setFinalizer', ' or null');
  holdsNot(handler.target, finalizer, 'setFinalizer');
  if (!armed) arm(handler, finalizer as Callback, setFinalizer);
  // Ended meanwhile, and maybe set again: once more.
  else if (!replaceCallback(handler.record, handler.generation, finalizer as Callback, setFinalizer))
    setFinalizer(standIn, finalizer);
}

/** A proxy tells whether it is an array without asking its handler; a revoked one has no target to ask. */
function isRevoked(target: object): boolean {
  try {
    Array.isArray(target);
    return false;
  } catch {
    return true;
  }
}

function holdsNot(target: object, finalizer: unknown, where: string): void {
  if (finalizer !== target && handlerOf(finalizer)?.target !== target) return;
  throw typeError(
    'ERR_WEAKLY_CLEANUP_HOLDS_TARGET',
    `${where}: argument "finalizer" is the target itself or a stand-in of it; expected another function`,
  );
}
