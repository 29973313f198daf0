import { channel } from 'node:diagnostics_channel';
import { type Histogram, performance } from 'node:perf_hooks';
import { inspect } from 'node:util';
import { binding } from '../binding.js';
import { type Depth, viewOf } from '../inspect.js';
import { ownList } from '../own-list.js';
import { checkOptions, optionError, positiveOption } from '../validate.js';
import { endInterruptedReclaim, giveBackEntries, reclaimEntries } from '../weak/entries.js';
import { endInterruptedBatch, giveBackSlots, reclaimBatch, reclaimed } from '../weak/slots.js';
import { callNext } from './call.js';
import { forgetStores, isInScope, noteScope, putBack, setAside } from './context.js';
import { latencies, recordLatency } from './latency.js';
import {
  batch,
  batchTime,
  counts,
  entries,
  exits,
  findNext,
  giveBackRecords,
  interrupt,
  isPlainNext,
  NONE,
  oldestTime,
  runs,
  tracing,
} from './records.js';
import { failures, type OnError, raiseLater, reportFailures, setOnError } from './report.js';
import { callSpan, forgetSpan, timeSpan } from './span.js';
import { checkStack, hasMuchStack } from './stack.js';

/** What {@link Queue.configure} takes. */
export interface QueueOptions {
  /**
   * How long one turn of the event loop may spend on the queue, in milliseconds; then timers and I/O have their turn. One
   * callback that takes longer is not interrupted, nor are up to 8 calls of a function whose last calls took less than
   * 0.05 ms together.
   *
   * @default 2
   */
  readonly sliceMs?: number;
  /**
   * Gets what cleanups and finalizers throw, instead of `'uncaughtException'`. `null`: none. What it throws itself is an
   * uncaught exception.
   *
   * @default null
   */
  readonly onError?: OnError | null;
  /**
   * Notes where each callback is registered, from now on. What it throws then carries that as its property `registeredAt`, an
   * Error. What cannot carry it (a primitive, a function, a frozen object, an error that has such a property already) is reported as
   * the `cause` of an Error with code `ERR_WEAKLY_CLEANUP` that does. A stack trace is taken and formatted for
   * each registration, some 10 microseconds, and held until the call.
   *
   * @default false
   */
  readonly traceRegistrations?: boolean;
}

/** Counts since the start; a callback is a cleanup or a finalizer. */
export interface QueueStats {
  /** Callbacks registered whose target is not known to be dead. */
  readonly armed: number;
  /** Callbacks that are due and not called yet. */
  readonly pending: number;
  /** Callbacks that have become due, `pending` ones included. */
  readonly queued: number;
  /** Callbacks called, failed ones and those called at exit included. */
  readonly run: number;
  /** Callbacks that were stopped before their call, or are gone with the `node:vm` context that has registered them. */
  readonly stopped: number;
  /** Callbacks that threw, or were terminated. */
  readonly failed: number;
  /** Dead targets of pointers, and dead entries of collections, for which something is still held. */
  readonly dead: number;
  /** How long ago the target died whose callbacks wait longest, in milliseconds; 0 when none wait. */
  readonly oldestMs: number;
  /** The longest that one callback has taken, in milliseconds; up to 8 calls of a fast function are timed as one. */
  readonly slowestMs: number;
  /**
   * From the GC that found the target dead to the call, in nanoseconds, to three digits. One object for all; each
   * `queue.stats()` brings it up to date.
   */
  readonly latency: Histogram;
}

/** What is published on the `diagnostics_channel` `weakly:queue`, after each slice that called something. */
export interface QueueSlice {
  /** Callbacks called in this slice. */
  readonly run: number;
  /** How many of them threw. */
  readonly failed: number;
  /** Callbacks that are due and wait for the next slice. */
  readonly pending: number;
  /** How long it took, in milliseconds. */
  readonly durationMs: number;
}

// Taken now: fake timers replace the method later, and a clock that stands still would make one slice of everything.
const now = performance.now.bind(performance);
/** From the clock of deaths, `process.hrtime`, to that of `now`, which starts with each thread. */
const startOfNow = Number(process.hrtime.bigint()) / 1e6 - now();

const slices = channel('weakly:queue');
let sliceMs = 2;
let slowestMs = 0;
/** The time after the last call: one look at the clock for each span. */
let clock = 0;

/** Accounts for `called` calls that began at `clock`. */
function timeCalls(called: number, diedAt: number): number {
  const start = clock;
  clock = now();
  const ms = clock - start;
  if (ms > slowestMs) slowestMs = ms;
  if (recordLatency((start + startOfNow) * 1e6 - diedAt, called)) clock = now();
  return ms;
}

function runSpan(): void {
  const diedAt = batchTime();
  const called = callSpan();
  if (failures.last !== undefined) reportFailures();
  timeSpan(timeCalls(called, diedAt));
}

function runNext(record: number): void {
  const diedAt = batchTime();
  const called = callNext(record);
  if (failures.last !== undefined) reportFailures();
  if (called) timeCalls(1, diedAt);
  else clock = now();
}

/** Does a little, less than a millisecond if no user code takes longer; false when there was nothing to do. */
type Lane = () => boolean;

/**
 * More that is done in slices, beside what is due: callbacks that ECMAScript wants in a task of their own, say. Each lane has
 * a turn in every slice. Not part of `drain()`. Lives as long as the thread.
 */
export function addLane(lane: Lane): void {
  lanes.push(lane);
}

/** Lets go of what is held for the dead; false when there is nothing to do. */
function reclaim(): boolean {
  if (reclaimEntries() !== 0 || reclaimBatch() !== 0) return true;
  // What a peak has left behind comes last.
  return giveBackSlots() || giveBackRecords() || giveBackEntries();
}

const lanes: Lane[] = [reclaim];

/** Takes a turn of a lane; whether there was anything to do. What it throws must not cost the others theirs. */
function workOnLane(lane: Lane, until: number): boolean {
  let worked = false;
  try {
    while (lane()) {
      worked = true;
      clock = now();
      if (clock >= until) break;
    }
    return worked;
  } catch (error) {
    raiseLater(error);
    clock = now();
    return true;
  }
}

/**
 * Slices and drains that are on the stack, one inside the other; and of those the ones since the last at which that could
 * not be seen. What was terminated is still counted, until whoever is around it goes on.
 */
let entered = 0;
let depth = 0;

/** Calls what is due until `until`, at least a little; whether there was anything to do. */
function workOnDue(until: number): boolean {
  const levels = entered;
  const level = depth;
  let worked = false;
  do {
    if (isPlainNext()) {
      runSpan();
    } else {
      const record = findNext();
      if (record === NONE) break;
      if (record >= 0) runNext(record);
      else clock = now();
    }
    worked = true;
    if (failures.terminated > 0) reportFailures();
    entered = levels;
    depth = level;
  } while (clock < until);
  return worked;
}

/** Works until `until`, in turns; whether there is more to do. Everybody has one, however long those before have taken. */
function workInTurns(until: number): boolean {
  clock = now();
  for (;;) {
    const turn = (until - clock) / (lanes.length + 1);
    let worked = workOnDue(Math.min(until, clock + turn));
    for (const lane of lanes) if (workOnLane(lane, Math.min(until, clock + turn))) worked = true;
    if (!worked) return false;
    if (clock >= until) return true;
  }
}

function drainSlice(this: object): void {
  // Nothing of ours is on the stack: what says otherwise was terminated.
  entered = 1;
  depth = 1;
  failures.terminated += batch.calling;
  batch.calling = 0;
  endInterruptedReclaim();
  endInterruptedBatch();
  noteScope(this);
  forgetStores();
  interrupt();
  const before = runs();
  const failedBefore = failures.count;
  const start = now();
  let more = true;
  try {
    reportFailures();
    more = workInTurns(start + sliceMs);
  } finally {
    entered = 0;
    depth = 0;
    forgetSpan();
    if (more) binding.wake();
  }
  const run = runs() - before;
  if (run > 0 && slices.hasSubscribers) {
    const slice: QueueSlice = {
      run,
      failed: failures.count - failedBefore,
      pending: counts().pending,
      durationMs: now() - start,
    };
    slices.publish(slice);
  }
  settle();
}

binding.onDeaths(drainSlice);

/** So many slices and drains can be on the stack without a look at how much is left of it. */
const FEW = 16;

/**
 * Whether there is nothing for a drain to do, because the one around it goes on. The second one on the stack calls what is
 * due for the cleanup that has asked for it; each further one would be inside of a cleanup that this one calls, and so on, until
 * the stack ends.
 *
 * Where a cleanup has entered another scope first, and where the last drain was terminated, what is around cannot be seen:
 * then there is one, as long as there is stack for it.
 */
function isDrained(inScope: boolean): boolean {
  if (inScope && depth >= 2) return true;
  return entered >= FEW && !hasMuchStack();
}

/** Whether there is anything to call or to report; if not, all that is dead has been let go of. Takes nothing. */
function hasDue(): boolean {
  if (failures.last !== undefined || failures.terminated > 0) return true;
  while (findNext() === NONE) if (!reclaim()) return false;
  return true;
}

/** What the last one has thrown, for who has called it. */
const drained: { thrown: { readonly error: unknown } | undefined } = { thrown: undefined };

function drainAll(this: object): void {
  drained.thrown = undefined; // of one that was terminated before it was thrown
  const levels = ++entered;
  const level = ++depth;
  noteScope(this);
  const stores = setAside(); // from inside a cleanup, whose context is still entered
  interrupt();
  try {
    // Here, where nothing is taken yet, and nobody else's frames come between this one and those of a callback.
    checkStack();
    reportFailures();
    clock = now();
    while (workOnDue(Number.POSITIVE_INFINITY) || reclaim());
  } catch (error) {
    drained.thrown = { error };
  } finally {
    entered = levels - 1;
    depth = level - 1;
    putBack(stores);
    forgetSpan();
  }
}

interface Waiter {
  /** So many dead slots are to be reclaimed, as many entries of collections, and so many callbacks to leave the queue. */
  readonly deaths: number;
  readonly entryDeaths: number;
  readonly entries: number;
  readonly resolve: () => void;
}

let waiters = ownList<Waiter>();

function settle(): void {
  if (waiters.length === 0) return;
  const { deadEntries, entryDeaths } = binding.pending();
  const left = ownList<Waiter>();
  for (let i = 0; i < waiters.length; i++) {
    const waiter = waiters[i] as Waiter;
    const waits =
      waiter.deaths > reclaimed() || waiter.entryDeaths > entryDeaths - deadEntries || waiter.entries > exits();
    if (waits) left[left.length] = waiter;
    else waiter.resolve();
  }
  waiters = left;
  if (waiters.length === 0) binding.hold(false);
}

/**
 * The queue of cleanups and finalizers that are due. One for each thread.
 *
 * Guaranteed: it wakes up by itself after a GC that found deaths, also when the process is otherwise idle; it runs in
 * slices, in which cleanups, callbacks of `weakly/spec` and everything else each have a turn; it never keeps the process alive.
 */
export interface Queue {
  /** Numbers for monitoring. Cheap: no callback runs, nothing is reclaimed. */
  stats(): QueueStats;
  /**
   * Calls everything that is due, now, however long it takes. Also when called from inside a cleanup, or from `onError`: it
   * then calls the others. Called once more by one of these it does nothing, and the drain around it goes on: that
   * takes the same stack, however deep it is asked for. Not where each first enters a scope of its own
   * (`AsyncResource.runInAsyncScope`), which hides the drain around: half of the stack, then.
   *
   * Guaranteed: what is due is called once, or reported once, also where the stack ends or the timeout of `node:vm` comes. A
   * call that such a timeout ends is over; it is reported with code `ERR_WEAKLY_TERMINATED`, to `onError` or as a process
   * warning, by the next slice.
   *
   * Not guaranteed: that anything unreachable is due; only a GC finds out.
   *
   * @returns how many callbacks were called.
   * @throws RangeError V8's own, where the stack is about to end; nothing has been called then.
   */
  drain(): number;
  /**
   * Waits until everything has been called that is due at this moment, and keeps the process alive until then. Promises
   * that cleanups return are not waited for.
   */
  settled(): Promise<void>;
  /**
   * Options that are left out stay as they are.
   *
   * @throws TypeError `ERR_WEAKLY_OPTION` for unknown options and values of the wrong type; nothing is changed then.
   * @throws RangeError `ERR_WEAKLY_RANGE` when `sliceMs` is not a positive finite number.
   */
  configure(options: QueueOptions): void;
}

/** In place of `queue` for `console.log`, which has no class, and methods of its own. */
const shown = new (class Queue {})();

/** What is due, in this thread: cleanups, finalizers, and what collections do for their dead. */
export const queue: Readonly<Queue> = Object.freeze({
  stats(): QueueStats {
    const { dead, deadEntries, armed, queued } = binding.pending();
    const oldest = oldestTime();
    return {
      armed,
      ...counts(queued),
      run: runs(),
      failed: failures.count + failures.terminated,
      dead: dead + deadEntries,
      oldestMs: oldest === undefined ? 0 : Math.max(0, now() + startOfNow - oldest / 1e6),
      slowestMs,
      latency: latencies(),
    };
  },

  drain(): number {
    const inScope = entered > 0 && isInScope();
    if (isDrained(inScope)) return 0;
    const before = runs();
    if (hasDue()) {
      // Here, too: there, V8 would take it for an error that nobody catches.
      checkStack();
      const around = depth;
      if (!inScope) depth = 0;
      binding.outside(drainAll);
      depth = around;
      const { thrown } = drained;
      drained.thrown = undefined;
      if (thrown !== undefined) throw thrown.error;
    }
    settle();
    return runs() - before;
  },

  settled(): Promise<void> {
    return new Promise((resolve) => {
      const { deaths, entryDeaths } = binding.pending();
      waiters[waiters.length] = { deaths, entryDeaths, entries: entries(), resolve };
      settle();
      if (waiters.length === 0) return;
      binding.hold(true);
      binding.wake();
    });
  },

  configure(options: QueueOptions): void {
    checkOptions(options, ['sliceMs', 'onError', 'traceRegistrations'], 'queue.configure');
    const slice = positiveOption(options, 'sliceMs', 'queue.configure', sliceMs);
    const { onError } = options;
    if (onError !== undefined && onError !== null && typeof onError !== 'function')
      throw optionError('onError', 'queue.configure', 'a function or null', onError);
    const { traceRegistrations } = options;
    if (traceRegistrations !== undefined && typeof traceRegistrations !== 'boolean')
      throw optionError('traceRegistrations', 'queue.configure', 'a boolean', traceRegistrations);
    if (onError !== undefined) setOnError(onError ?? undefined);
    sliceMs = slice;
    if (traceRegistrations !== undefined) tracing.on = traceRegistrations;
  },

  /** For `console.log`: the numbers of `stats()`, without the histogram. */
  [inspect.custom](depth?: Depth): object {
    return viewOf(shown, 'Queue', Object, depth, false, () => {
      const { latency: _, ...numbers } = queue.stats();
      return { sliceMs, ...numbers };
    });
  },
});
