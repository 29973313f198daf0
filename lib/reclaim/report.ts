import { writeSync } from 'node:fs';
import { inspect } from 'node:util';

export type OnError = (error: unknown) => void;

let onError: OnError | undefined;

export function setOnError(handler: OnError | undefined): void {
  onError = handler;
}

/**
 * An error that a cleanup or finalizer threw: to the handler if there is one, else an uncaught exception, outside of
 * whatever is running, so that the cleanups behind it run. What the handler throws is reported in its place.
 */
export function report(error: unknown, exiting = false): void {
  let reported = error;
  if (onError !== undefined) {
    try {
      onError(error);
      return;
    } catch (thrown) {
      reported = thrown;
    }
  }
  if (exiting) reportAtExit(reported);
  else raiseLater(reported);
}

/** An uncaught exception, outside of whatever is running. */
export function raiseLater(error: unknown): void {
  process.nextTick(raise, error);
}

function raise(error: unknown): never {
  throw error;
}

/**
 * There are no more ticks, and throwing out of an 'exit' listener would keep others from running. So this does what
 * Node.js would: tells the handlers, or prints the error and fails.
 */
function reportAtExit(error: unknown): void {
  if (process.listenerCount('uncaughtException') > 0) {
    (process as NodeJS.EventEmitter).emit('uncaughtException', error, 'uncaughtException');
    return;
  }
  writeSync(2, `Uncaught ${inspect(error)}\n`);
  if (process.exitCode === undefined || process.exitCode === 0) process.exitCode = 1;
}
