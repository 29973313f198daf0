import { binding } from '../binding.js';
import { callOutside, countFailure, interrupted, mayShare, setInterrupted } from './call.js';
import { AT_EXIT, batch, type Callback, kinds, MASK, nextCallback, OVER, payloads, SHIFT } from './records.js';

/*
 * A span: calls that are timed as one. Looking at the clock after each call costs as much as a short one. And all that is
 * done around a call keeps the processor from having the cache misses of several in flight: deleting keys from a large
 * Map takes three times as long then (docs/performance.md). So the loop is one function, with the tables at
 * hand. But what is not timed cannot end a slice: a span has calls of one function only, and more than one only when that
 * has been fast.
 */

const MOST = 8;
const FAST_MS = 0.05;

let fn: Callback | undefined;
let limit = 1;
let thrown: { readonly error: unknown } | undefined;

function callSome(most: number): number {
  const separate = !mayShare();
  setInterrupted(false);
  for (let called = 0; called < most; ) {
    if (batch.at >= batch.count) return called;
    const record = binding.due[batch.at] as number;
    const index = record & MASK;
    const kind = kinds[record >>> SHIFT] as Uint8Array;
    if (((kind[index] as number) & ~AT_EXIT) !== 0) return called;
    const payload = payloads[record >>> SHIFT] as unknown[];
    const callback = payload[2 * index] as Callback;
    if (callback !== fn) return called;
    const arg = payload[2 * index + 1];
    batch.at++;
    payload[2 * index] = undefined;
    payload[2 * index + 1] = undefined;
    kind[index] = OVER;
    called++;
    try {
      if (separate) callOutside(callback, arg);
      else callback(arg);
    } catch (error) {
      countFailure();
      thrown = { error };
      return called;
    }
    // What it has entered is left at the end of the span. If it has drained the queue, what is next has another latency.
    if (interrupted) return called;
  }
  return most;
}

/** Calls the next, which `isPlainNext()`, and maybe more; how many. `takeFailure` tells what the last one threw. */
export function callSpan(): number {
  const callback = nextCallback();
  if (callback !== fn) {
    fn = callback;
    limit = 1;
  }
  return mayShare() ? callOutside(callSome, limit) : callSome(limit);
}

/** What the last call of the span threw; told once. */
export function takeFailure(): { readonly error: unknown } | undefined {
  const failure = thrown;
  thrown = undefined;
  return failure;
}

/** How long the span took decides the length of the next. */
export function timeSpan(ms: number): void {
  limit = ms < FAST_MS ? Math.min(MOST, 2 * limit) : 1;
}

/** No function is held between slices. */
export function forgetSpan(): void {
  fn = undefined;
}
