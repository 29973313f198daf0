import { binding } from '../binding.js';
import { plainError } from '../errors.js';
import { queue } from '../reclaim/queue.js';
import { checkCallback, checkOptions, positiveOption } from '../validate.js';

/** The last argument of all that waits. */
export interface WaitOptions {
  /**
   * How long to try, in milliseconds. The default is below the 5 seconds after which vitest and jest end a test, so that this says
   * what was waited for.
   *
   * @default 4000
   */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 4_000;

// Taken now: fake timers replace them later, and time would stand still.
const now = performance.now.bind(performance);
const nextTurn = setImmediate;

export function timeoutOf(options: unknown, where: string): number {
  if (options === undefined) return DEFAULT_TIMEOUT_MS;
  checkOptions(options, ['timeoutMs'], where);
  return positiveOption(options, 'timeoutMs', where, DEFAULT_TIMEOUT_MS);
}

/**
 * Collects garbage, thoroughly and again and again, with a turn of the event loop and a drained queue in between, until
 * `predicate` gives true or a promise of true. For tests: each round stops the program for some milliseconds.
 *
 * Needs no flag of Node.js, and works under fake timers.
 *
 * @returns whether it did within the time; at least one round is made.
 */
export async function collectUntil(predicate: () => unknown, timeoutMs: number): Promise<boolean> {
  const end = now() + timeoutMs;
  for (;;) {
    // What a WeakRef has been asked for, and what microtasks hold, is kept to the end of the job.
    await new Promise((resolve) => nextTurn(resolve));
    binding.collect();
    queue.drain();
    if (await predicate()) return true;
    if (now() >= end) return false;
  }
}

/**
 * Collects garbage until `predicate` returns true (or a promise of true).
 *
 * Guaranteed: between two collections the event loop turns and all due cleanups are called.
 * Not guaranteed: that one more collection would not have done it. What a debugger, a console or an unfinished function
 * holds is not garbage.
 *
 * @throws Error `ERR_WEAKLY_NOT_COLLECTED` when it did not happen within `timeoutMs`.
 * @throws TypeError `ERR_WEAKLY_CALLBACK`, `ERR_WEAKLY_OPTION`, RangeError `ERR_WEAKLY_RANGE` for bad arguments.
 */
export async function gcUntil(predicate: () => unknown, options?: WaitOptions): Promise<void> {
  checkCallback(predicate, 'predicate', 'gcUntil');
  const timeoutMs = timeoutOf(options, 'gcUntil');
  if (await collectUntil(predicate, timeoutMs)) return;
  throw plainError('ERR_WEAKLY_NOT_COLLECTED', `gcUntil: the predicate was not true within ${timeoutMs} ms`);
}
