import { binding } from '../binding.js';
import { between, callOutside } from './context.js';
import { AT_EXIT, batch, type Callback, endCalled, kinds, MASK, nextCallback, payloads, SHIFT } from './records.js';
import { failures } from './report.js';

/*
 * A span: calls that are timed as one. Looking at the clock after each call costs as much as a short one. But what is not
 * timed cannot end a slice: a span has calls of one function only, and more than one only when that has been fast.
 *
 * Arguments are read before the first call, and what has been called is taken out of the tables after the last. Short
 * callbacks wait for the cache (deleting keys from a large Map does), and the less there is between them, the more of these
 * waits the processor has in flight: it halves the time of a million (docs/performance.md). What a callback does to those
 * behind it (stops one, drains the queue) is an interruption, after which they are read again.
 */

const MOST = 8;
const FAST_MS = 0.05;

let fn: Callback | undefined;
let limit = 1;

/** The arguments of a span. A span inside another one (a callback has drained the queue) interrupts that. */
const args = new Array<unknown>(MOST).fill(undefined);

function readArgs(most: number): number {
  const end = Math.min(batch.at + most, batch.count);
  for (let i = batch.at; i < end; i++) {
    const record = binding.due[i] as number;
    const index = record & MASK;
    if ((((kinds[record >>> SHIFT] as Uint8Array)[index] as number) & ~AT_EXIT) !== 0) return i - batch.at;
    const payload = payloads[record >>> SHIFT] as unknown[];
    if (payload[2 * index] !== fn) return i - batch.at;
    args[i - batch.at] = payload[2 * index + 1];
  }
  return end - batch.at;
}

function callSome(most: number): number {
  const callback = fn as Callback;
  endCalled(); // of a span that was terminated, as vm's timeouts do
  const count = readArgs(most);
  const calling = batch.calling + 1;
  const { interruptions } = batch;
  let called = 0;
  try {
    while (called < count) {
      batch.at++;
      batch.calling = calling;
      callback(args[called++]);
      if (batch.calling !== calling) break; // what it has called was terminated
      batch.calling = calling - 1;
      if (batch.interruptions !== interruptions) break;
      between();
    }
  } catch (error) {
    failures.last = { error, trace: undefined, before: failures.last };
    failures.count++;
  }
  if (batch.calling > calling) failures.terminated += batch.calling - calling;
  batch.calling = calling - 1;
  endCalled();
  args.fill(undefined, 0, count);
  return called;
}

/** Calls the next, which `isPlainNext()`, and maybe more; how many. What the last one throws is noted, to be reported. */
export function callSpan(): number {
  const callback = nextCallback();
  if (callback !== fn) {
    fn = callback;
    limit = 1;
  }
  return callOutside(callSome, limit);
}

/** How long the span took decides the length of the next. */
export function timeSpan(ms: number): void {
  limit = ms < FAST_MS ? Math.min(MOST, 2 * limit) : 1;
}

/** Nothing is held between slices. */
export function forgetSpan(): void {
  fn = undefined;
  args.fill(undefined);
}
