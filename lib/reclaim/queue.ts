import { channel } from 'node:diagnostics_channel';
import { type Histogram, performance } from 'node:perf_hooks';
import { binding } from '../binding.js';
import { checkOptions, optionError, positiveOption } from '../validate.js';
import { endInterruptedReclaim, reclaimEntries } from '../weak/entries.js';
import { endInterruptedBatch, reclaimBatch, reclaimed } from '../weak/slots.js';
import { call, countFailure, failed, leaveContexts } from './call.js';
import { latencies, recordLatency } from './latency.js';
import {
  batch,
  batchTime,
  counts,
  end,
  entries,
  exits,
  isPlainNext,
  NONE,
  oldestTime,
  runs,
  shift,
} from './records.js';
import { type OnError, report, setOnError } from './report.js';
import { callSpan, forgetSpan, takeFailure, timeSpan } from './span.js';

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
  /** Cleanups that were stopped before their call. */
  readonly stopped: number;
  /** Callbacks that threw. */
  readonly failed: number;
  /** Dead targets of pointers, and dead entries of collections, for which something is still held: until no callback is due. */
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
  /** Callbacks called in this slice, and how many of them threw. */
  readonly run: number;
  readonly failed: number;
  /** Callbacks that are due and wait for the next slice. */
  readonly pending: number;
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
  const failure = takeFailure();
  if (failure !== undefined) report(failure.error);
  timeSpan(timeCalls(called, diedAt));
}

function runNext(record: number): void {
  const diedAt = batchTime();
  try {
    call(record, end);
  } catch (error) {
    countFailure();
    report(error);
  }
  timeCalls(1, diedAt);
}

/**
 * More that is done in slices, after what is due: callbacks that ECMAScript wants in a task of their own, say. Each does a
 * little, less than a millisecond if no user code takes longer, and tells whether there was anything to do. Not part of
 * `drain()`. Lives as long as the thread.
 */
export function addLane(lane: () => boolean): void {
  lanes.push(lane);
}

const lanes: (() => boolean)[] = [];

function workOnLanes(): boolean {
  for (const lane of lanes) if (lane()) return true;
  return false;
}

/** Lets go of what is held for the dead; false when there is nothing to do. */
function reclaim(): boolean {
  return reclaimEntries() !== 0 || reclaimBatch() !== 0;
}

/** Works until `until`; whether there is more to do. */
function work(until: number, inTask: boolean): boolean {
  clock = now();
  for (;;) {
    if (isPlainNext()) {
      runSpan();
    } else {
      const record = shift();
      if (record >= 0) {
        runNext(record);
      } else {
        // What is due comes first: a dead slot costs little while it waits.
        if (record === NONE && !reclaim() && !(inTask && workOnLanes())) return false;
        clock = now();
      }
    }
    if (clock >= until) return true;
  }
}

function drainSlice(): void {
  endInterruptedReclaim();
  endInterruptedBatch();
  const before = runs();
  const failedBefore = failed;
  const start = now();
  let more = true;
  try {
    more = work(start + sliceMs, true);
  } finally {
    forgetSpan();
    if (more) binding.wake();
  }
  const run = runs() - before;
  if (run > 0 && slices.hasSubscribers) {
    const slice: QueueSlice = {
      run,
      failed: failed - failedBefore,
      pending: counts().pending,
      durationMs: now() - start,
    };
    slices.publish(slice);
  }
  settle();
}

binding.onDeaths(drainSlice);

interface Waiter {
  /** So many dead slots are to be reclaimed, as many entries of collections, and so many callbacks to leave the queue. */
  readonly deaths: number;
  readonly entryDeaths: number;
  readonly entries: number;
  readonly resolve: () => void;
}

let waiters: Waiter[] = [];

function settle(): void {
  if (waiters.length === 0) return;
  const { deadEntries, entryDeaths } = binding.pending();
  waiters = waiters.filter((waiter) => {
    if (waiter.deaths > reclaimed() || waiter.entryDeaths > entryDeaths - deadEntries) return true;
    if (waiter.entries > exits()) return true;
    waiter.resolve();
    return false;
  });
  if (waiters.length === 0) binding.hold(false);
}

/**
 * The queue of cleanups and finalizers that are due. One for each thread.
 *
 * Guaranteed: it wakes up by itself after a GC that found deaths, also when the process is otherwise idle; it runs in
 * slices; it never keeps the process alive.
 */
export interface Queue {
  /** Numbers for monitoring. Cheap: no callback runs, nothing is reclaimed. */
  stats(): QueueStats;
  /**
   * Calls everything that is due, now, however long it takes. Also when called from inside a cleanup.
   *
   * Not guaranteed: that anything unreachable is due; only a GC finds out.
   *
   * @returns how many callbacks were called.
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

export const queue: Readonly<Queue> = Object.freeze({
  stats(): QueueStats {
    const { dead, deadEntries, armed } = binding.pending();
    const oldest = oldestTime();
    return {
      armed,
      ...counts(),
      run: runs(),
      failed,
      dead: dead + deadEntries,
      oldestMs: oldest === undefined ? 0 : Math.max(0, now() + startOfNow - oldest / 1e6),
      slowestMs,
      latency: latencies(),
    };
  },

  drain(): number {
    const before = runs();
    leaveContexts(); // from inside a cleanup, whose context is still entered
    work(Number.POSITIVE_INFINITY, false);
    forgetSpan();
    batch.interrupted = true;
    settle();
    return runs() - before;
  },

  settled(): Promise<void> {
    return new Promise((resolve) => {
      const { deaths, entryDeaths } = binding.pending();
      waiters.push({ deaths, entryDeaths, entries: entries(), resolve });
      settle();
      if (waiters.length === 0) return;
      binding.hold(true);
      binding.wake();
    });
  },

  configure(options: QueueOptions): void {
    checkOptions(options, ['sliceMs', 'onError'], 'queue.configure');
    const slice = positiveOption(options, 'sliceMs', 'queue.configure', sliceMs);
    const { onError } = options;
    if (onError !== undefined && onError !== null && typeof onError !== 'function')
      throw optionError('onError', 'queue.configure', 'a function or null', onError);
    sliceMs = slice;
    if (onError !== undefined) setOnError(onError ?? undefined);
  },
});
