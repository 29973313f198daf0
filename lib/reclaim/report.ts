import { writeSync } from 'node:fs';
import { inspect } from 'node:util';
import { plainError } from '../errors.js';
import { Extra, realmOf } from './extra.js';
import { Registration } from './records.js';

/** Is told what a callback has thrown. What it throws itself is reported as an uncaught exception. */
export type OnError = (error: unknown) => void;

/** Where errors go, if not to `'uncaughtException'`. Held by its realm, as callbacks are. */
const handler: { held: Extra | undefined } = { held: undefined };

export function setOnError(onError: OnError | undefined): void {
  const before = handler.held;
  handler.held =
    onError === undefined
      ? undefined
      : new Extra({ callback: onError, arg: undefined, context: undefined }, realmOf(onError, undefined), undefined);
  before?.letGo();
}

export interface Failure {
  readonly error: unknown;
  /** Where its callback was registered. */
  readonly trace: string | undefined;
  readonly before: Failure | undefined;
}

/**
 * What callbacks have thrown and was not reported yet; how many have thrown, or were terminated; how many of those that were
 * terminated are not reported. Who writes here makes no call, nor does who reads between reading and reporting: what is
 * noted is reported once, wherever `vm`'s timeout comes.
 */
export const failures: { last: Failure | undefined; count: number; terminated: number } = {
  last: undefined,
  count: 0,
  terminated: 0,
};

/**
 * Reports what has failed: to the handler if there is one, else as uncaught exceptions, outside of whatever is running, so
 * that the cleanups behind run. What the handler throws is reported in the place of what it was given.
 */
export function reportFailures(): void {
  for (let failure = failures.last; failure !== undefined; failure = failures.last) {
    const error = withRegistration(failure.error, failure.trace);
    const onError = handler.held?.call?.callback;
    if (onError !== undefined) {
      failures.last = failure.before;
      tell(onError, error);
    } else if (isExiting()) {
      failures.last = failure.before;
      reportAtExit(error);
    } else {
      raiseLater(error);
      failures.last = failure.before;
    }
  }
  while (failures.terminated > 0) reportTerminated();
}

/** Without a handler it is a warning: an exception would end the process, and who has set the timeout knows of it. */
function reportTerminated(): void {
  const onError = handler.held?.call?.callback;
  const error = plainError('ERR_WEAKLY_TERMINATED', TERMINATED);
  if (onError === undefined) process.emitWarning(TERMINATED, { type: 'WeaklyWarning', code: 'ERR_WEAKLY_TERMINATED' });
  failures.terminated--;
  failures.count++;
  if (onError !== undefined) tell(onError, error);
}

const TERMINATED =
  'weakly: a callback was terminated in the middle, as the timeout of node:vm does; it counts as called, and is not called again';

function tell(onError: OnError, error: unknown): void {
  try {
    onError(error);
  } catch (thrown) {
    if (isExiting()) reportAtExit(thrown);
    else raiseLater(thrown);
  }
}

/** An uncaught exception, outside of whatever is running. */
export function raiseLater(error: unknown): void {
  process.nextTick(raise, error);
}

function raise(error: unknown): never {
  throw error;
}

/** The error, and where its callback was registered: as its property, or that of another one, whose `cause` it is. */
function withRegistration(error: unknown, trace: string | undefined): unknown {
  if (trace === undefined) return error;
  const registeredAt = new Registration();
  registeredAt.stack = trace;
  if (attach(error, registeredAt)) return error;
  const carrier = plainError(
    'ERR_WEAKLY_CLEANUP',
    'weakly: a callback threw what cannot carry the place of its registration: see "cause" and "registeredAt"',
    error,
  );
  attach(carrier, registeredAt);
  return carrier;
}

/** False for primitives, for what is frozen, and for what has that property: thrown before, perhaps, by another callback. */
function attach(error: unknown, registeredAt: Registration): boolean {
  if (typeof error !== 'object' || error === null) return false;
  try {
    if (Object.hasOwn(error, 'registeredAt')) return false;
    const attributes = { value: registeredAt, enumerable: true, writable: true, configurable: true };
    return Reflect.defineProperty(error, 'registeredAt', attributes);
  } catch {
    return false; // a proxy
  }
}

/** Node.js has no more ticks then, and drops those that are asked for. */
function isExiting(): boolean {
  return (process as { _exiting?: unknown })._exiting === true;
}

/**
 * Throwing out of an 'exit' listener would keep others from running. So this does what Node.js would: tells the handlers, or
 * prints the error and fails.
 */
function reportAtExit(error: unknown): void {
  const emitter = process as NodeJS.EventEmitter;
  try {
    emitter.emit('uncaughtExceptionMonitor', error, 'uncaughtException');
    if (emitter.emit('uncaughtException', error, 'uncaughtException')) return;
    print(error, 1);
  } catch (thrown) {
    print(thrown, 7);
  }
}

function print(error: unknown, code: number): void {
  if (process.exitCode === undefined || process.exitCode === 0) process.exitCode = code;
  try {
    writeSync(2, `Uncaught ${inspect(error)}\n`);
  } catch {
    // There is nobody to tell: stderr is closed, or full.
  }
}
