import { beOutside, enterContext, leaveContext } from './context.js';
import type { Call, Extra } from './extra.js';
import {
  argOf,
  atExit,
  batch,
  callbackOf,
  endCalled,
  extraOf,
  FINALIZER,
  flagsOf,
  passOver,
  stop,
  withdrawForExit,
} from './records.js';
import { failures } from './report.js';
import { createStandIn } from './stand-in.js';

export { callOutside } from './context.js';

/**
 * Calls what has been taken out of the queue: from then on it is called, or what has come in between is reported. `calling`
 * was set together with the taking, and is set back before anything else can be terminated.
 */
function callTaken(call: Call, flags: number, extra: Extra | undefined, calling: number): void {
  const { callback, context } = call;
  try {
    endCalled();
    extra?.letGo();
    let { arg } = call;
    if ((flags & FINALIZER) !== 0) arg = createStandIn(arg as object);
    if (context === undefined) beOutside();
    else enterContext(context);
    callback(arg);
    if (batch.calling > calling) failures.terminated += batch.calling - calling;
    batch.calling = calling - 1;
  } catch (error) {
    failures.last = { error, trace: extra?.trace, before: failures.last };
    failures.count++;
    if (batch.calling > calling) failures.terminated += batch.calling - calling;
    batch.calling = calling - 1;
  }
  leaveContext(context);
}

/** What a record is to call; undefined when that has gone with its realm. */
function callOf(record: number, extra: Extra | undefined): Call | undefined {
  if (extra !== undefined) return extra.call;
  return { callback: callbackOf(record), arg: argOf(record), context: undefined };
}

/** Calls the next record, which `findNext()` has found; false if there is nothing to call any more. */
export function callNext(record: number): boolean {
  const flags = flagsOf(record);
  const extra = extraOf(record);
  const call = callOf(record, extra);
  if (call === undefined) {
    passOver();
    return false;
  }
  const calling = batch.calling + 1;
  batch.at++;
  batch.calling = calling;
  callTaken(call, flags, extra, calling);
  return true;
}

/** Calls a pending record out of turn, the last of those that want to run at exit. */
export function callAtExit(record: number): void {
  const flags = flagsOf(record);
  const extra = extraOf(record);
  const call = callOf(record, extra);
  if (call === undefined) {
    stop(record); // which has nothing left to let go of
    atExit.count -= 2;
    return;
  }
  const calling = batch.calling + 1;
  withdrawForExit(record);
  atExit.count -= 2;
  batch.calling = calling;
  callTaken(call, flags, extra, calling);
}
