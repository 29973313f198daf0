import { binding } from '../binding.js';
import { plainError } from '../errors.js';

/*
 * What is to be called when a target dies. Records are numbers into flat tables: no object, no closure, no WeakMap for
 * each. The native half (native/cleanup_queue.h) has a cell for each, with the weak handle and a generation, which is
 * read here as the slots' are (weak/slots.ts); here are the callback, its argument, and what kind of record it is.
 *
 * The life of a record:
 *   armed   the target is not known to be dead
 *   queued  the target is dead; the native queue has it, or the batch
 *   over    called or stopped; nothing is held for it. Its cell may have to wait for its turn in the queue
 * and then its cell is used again, in its next generation. So (record, generation) names one registration for ever.
 */

/** `arg` is the raw target of a stand-in, and gets a new one: a finalizer. */
export const FINALIZER = 1;
/** Is called at exit, if it has not been by then. */
export const AT_EXIT = 2;
/** Has an AsyncResource to run in. */
export const IN_CONTEXT = 4;
export const OVER = 8;

export const NONE = -1;
/** Nothing is due yet, but not everything has been looked at. */
export const SEARCHING = -2;

export type Callback = (arg: unknown) => unknown;

export const SHIFT = 12; // as slots have it
const SIZE = 4096;
export const MASK = 4095;

const cells: Int32Array[] = [];
/** Two entries a record: callback and argument. */
export const payloads: unknown[][] = [];
export const kinds: Uint8Array[] = [];

/**
 * Due records at hand: positions in `binding.due`. Those from `from` to `at` have been called, and are still in the tables.
 * `interrupted`: something has happened because of which the next one needs another look before it is called.
 */
export const batch = { from: 0, at: 0, count: 0, interrupted: false };

let stopped = 0;
/** Have left the queue in earlier batches. */
let left = 0;
/** Of those that have left it, how many were not called: they had been stopped. */
let passed = 0;
let calledAtExit = 0;
/** Stopped ones that are in the queue. */
let idle = 0;

const BATCH_TIME = 0;
const DEATHS = 1;
const OLDEST_TIME = 2;

function grow(): boolean {
  // Before there are any records for them: what comes next may be more than the stack has room for.
  payloads[cells.length] = new Array<unknown>(2 * SIZE).fill(undefined);
  kinds[cells.length] = new Uint8Array(SIZE).fill(OVER);
  return binding.growCleanups(cells);
}

function registerAfterGrowing(target: object | symbol): number {
  const record = grow() ? binding.register(target) : NONE;
  if (record >= 0) return record;
  const { armed } = binding.pending();
  throw plainError('ERR_WEAKLY_MEMORY', `weakly: no memory or no number for one more cleanup; ${armed} are registered`);
}

/** One more record for `target`, which must be a valid one. */
export function add(target: object | symbol, callback: Callback, arg: unknown, flags: number): number {
  const registered = binding.register(target);
  const record = registered >= 0 ? registered : registerAfterGrowing(target);
  // Without a call: were that one too many for the stack, a record would be left that is over, and counted as armed.
  const payload = payloads[record >>> SHIFT] as unknown[];
  const place = (record & MASK) << 1;
  payload[place] = callback;
  payload[place + 1] = arg;
  (kinds[record >>> SHIFT] as Uint8Array)[record & MASK] = flags;
  return record;
}

function setPayload(record: number, callback: Callback | undefined, arg: unknown): void {
  const payload = payloads[record >>> SHIFT] as unknown[];
  const place = (record & MASK) << 1;
  payload[place] = callback;
  payload[place + 1] = arg;
}

export function callbackOf(record: number): Callback {
  return (payloads[record >>> SHIFT] as unknown[])[(record & MASK) << 1] as Callback;
}

export function argOf(record: number): unknown {
  return (payloads[record >>> SHIFT] as unknown[])[((record & MASK) << 1) + 1];
}

export function replaceCallback(record: number, callback: Callback): void {
  setPayload(record, callback, argOf(record));
}

export function flagsOf(record: number): number {
  return (kinds[record >>> SHIFT] as Uint8Array)[record & MASK] as number;
}

function currentGeneration(record: number): number {
  return (cells[record >>> SHIFT] as Int32Array)[((record & MASK) << 2) + 2] as number;
}

/** The generation of a record that has just been added. Should its target be dead by now, it is one more already. */
export function generationOf(record: number): number {
  return (currentGeneration(record) - 1) | 1;
}

/** Whether the registration that (record, generation) names has been neither called nor stopped. */
export function isPending(record: number, generation: number): boolean {
  const current = currentGeneration(record);
  if ((current !== generation && current !== generation + 1) || (flagsOf(record) & OVER) !== 0) return false;
  for (let i = batch.from; i < batch.at; i++) if (binding.due[i] === record) return false;
  return true;
}

/** Whether the target of a registration that is pending is dead. */
export function isQueued(record: number): boolean {
  const words = cells[record >>> SHIFT] as Int32Array;
  const word = (record & MASK) << 2;
  // The generation alone would miss a death that no GC epilogue has seen.
  return ((words[word + 2] as number) & 1) === 0 || (words[word] === 0 && words[word + 1] === 0);
}

/** Ends a registration that was taken from the queue. */
export function end(record: number): void {
  setPayload(record, undefined, undefined);
  (kinds[record >>> SHIFT] as Uint8Array)[record & MASK] = OVER;
}

/** Ends those that have been called. */
export function endCalled(): void {
  while (batch.from < batch.at) end(binding.due[batch.from++] as number);
}

/** Ends a pending registration out of turn. */
export function withdraw(record: number): void {
  end(record);
  if (binding.discard(record)) return;
  // In the middle of the queue: what it held is let go now, its place when its turn comes.
  idle++;
  batch.interrupted = true;
}

/** Ends a registration whose callback has not been called: it never will be. */
export function stop(record: number): void {
  stopped++;
  withdraw(record);
}

/** Takes the next record to be called out of the queue, for the caller to end; else NONE or SEARCHING. */
export function shift(): number {
  endCalled();
  for (;;) {
    while (batch.at < batch.count) {
      const record = binding.due[batch.at++] as number;
      batch.from = batch.at;
      if ((flagsOf(record) & OVER) === 0) return record;
      idle--;
      passed++;
    }
    if (batch.count > 0) {
      binding.releaseDue();
      left += batch.count;
      batch.from = 0;
      batch.at = 0;
      batch.count = 0;
    }
    const taken = binding.takeDue();
    if (taken <= 0) return taken === 0 ? NONE : SEARCHING;
    batch.count = taken;
  }
}

/** Whether the next record to be called is at hand, and is called as it is. */
export function isPlainNext(): boolean {
  return batch.at < batch.count && (flagsOf(binding.due[batch.at] as number) & ~AT_EXIT) === 0;
}

/** Its callback. */
export function nextCallback(): Callback {
  return callbackOf(binding.due[batch.at] as number);
}

/** When the targets died of what is at hand: nanoseconds of `process.hrtime`. */
export function batchTime(): number {
  return binding.dueState[BATCH_TIME] as number;
}

export interface Counts {
  readonly pending: number;
  readonly queued: number;
  readonly stopped: number;
}

export function counts(): Counts {
  const queued = binding.dueState[DEATHS] as number;
  return { pending: queued - exits() - idle, queued, stopped };
}

/** How many have become due so far, and how many of those have been called or passed over. */
export function entries(): number {
  return binding.dueState[DEATHS] as number;
}

export function exits(): number {
  return left + batch.at;
}

/** How many have been called. Not counted call by call: each store there is felt (span.ts). */
export function runs(): number {
  return exits() - passed + calledAtExit;
}

/** Ends a registration that is called out of turn. */
export function withdrawForExit(record: number): void {
  withdraw(record);
  calledAtExit++;
}

/** When the oldest record in the queue lost its target; undefined when the queue is empty. */
export function oldestTime(): number | undefined {
  if (counts().pending === 0) return undefined;
  return binding.dueState[batch.at < batch.count ? BATCH_TIME : OLDEST_TIME];
}

/** For tests: which invariant of the tables is broken, or null. Walks everything. */
export function verify(): string | null {
  for (;;) {
    const before = counts();
    const { armed } = binding.pending();
    const broken = verifyAgainst(armed, before.pending);
    // Since the first of these, a GC has found more to be due: what was counted is of two times.
    if (binding.dueState[DEATHS] === before.queued) return broken;
  }
}

function verifyAgainst(armed: number, pending: number): string | null {
  let alive = 0;
  let due = 0;
  for (let record = 0; record < cells.length << SHIFT; record++) {
    const over = (flagsOf(record) & OVER) !== 0;
    const live = (currentGeneration(record) & 1) === 1;
    if (over !== (callbackOf(record) === undefined)) return `what is held for ${record}`;
    if (over && argOf(record) !== undefined) return `the argument of ${record}`;
    if (over && live) return `record ${record} is over and has a handle`;
    if (live) alive++;
    else if (!over) due++;
  }
  if (alive !== armed) return 'armed records are miscounted';
  return due === pending ? null : 'pending records are miscounted';
}
