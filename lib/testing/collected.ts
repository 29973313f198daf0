import { inspect, types } from 'node:util';
import { plainError, typeError } from '../errors.js';
import { isWeakKey, received } from '../validate.js';
import type { FieldPointer } from '../weak/field.js';
import { isPointer } from '../weak/keep-alive.js';
import { make, type Pointer } from '../weak/pointer.js';
import { collectUntil, timeoutOf, type WaitOptions } from './gc-until.js';

/** A pointer to what should die, or a function that gives it. */
export type Collectable =
  | {
      /** Whether its target is there. */
      readonly alive: boolean;
    }
  | (() => WeakKey | Promise<WeakKey>);

/** Not in an async function: its suspended frame would hold what the call returned. */
function pointerTo(subject: Collectable, where: string): Pointer | FieldPointer | Promise<Pointer> {
  if (isPointer(subject)) return subject;
  if (typeof subject !== 'function')
    throw typeError(
      'ERR_WEAKLY_TARGET',
      `${where}: expected argument "subject" to be a Pointer, a FieldPointer or a function that returns what should be collected, got ${received(subject)}`,
    );
  const target = (subject as () => unknown)();
  // jest runs tests in a realm of its own, whose promises are no instances of this one's Promise.
  return types.isPromise(target) ? target.then((settled) => point(settled, where)) : point(target, where);
}

function point(target: unknown, where: string): Pointer {
  if (isWeakKey(target)) return make(target);
  throw typeError(
    'ERR_WEAKLY_TARGET',
    `${where}: expected argument "subject", a function, to return an object, a function or a non-registered symbol, got ${received(target)}`,
  );
}

/** Whether it was collected in time, and what it was for the message. */
export async function isCollected(
  subject: Collectable,
  options: unknown,
  where: string,
): Promise<{ collected: boolean; what: string; timeoutMs: number }> {
  const timeoutMs = timeoutOf(options, where);
  const pointer = await pointerTo(subject, where);
  const gone = await collectUntil(() => !pointer.alive, timeoutMs);
  return { collected: gone, what: inspect(pointer), timeoutMs };
}

/** In words, with what it usually is in a test. */
export function stillAlive(what: string, timeoutMs: number): string {
  return (
    `${what} after ${timeoutMs} ms: something holds it. In a test that usually is a local variable of a function that has not ended, ` +
    'such as an async test itself (make the target in a function of its own), or a spy, which keeps what it was called with (vi.fn, jest.fn)'
  );
}

/**
 * Waits until a target has been collected, collecting garbage itself: the assertion "this does not leak".
 *
 *     const pointer = make(server.session);
 *     server.close();
 *     await collected(pointer);
 *
 *     await collected(() => new Session());   // nothing that a Session does keeps it alive
 *
 * Needs no flag of Node.js; works in vitest, jest and node:test, also under fake timers.
 *
 * @throws Error `ERR_WEAKLY_NOT_COLLECTED` when it is alive after `timeoutMs`.
 * @throws TypeError `ERR_WEAKLY_TARGET` for anything else than a pointer or a function that returns a possible target.
 * @throws TypeError `ERR_WEAKLY_OPTION`, RangeError `ERR_WEAKLY_RANGE` for bad options.
 */
export async function collected(subject: Collectable, options?: WaitOptions): Promise<void> {
  const { collected: gone, what, timeoutMs } = await isCollected(subject, options, 'collected');
  if (!gone) throw plainError('ERR_WEAKLY_NOT_COLLECTED', `collected: ${stillAlive(what, timeoutMs)}`);
}
