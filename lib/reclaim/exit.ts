import { binding } from '../binding.js';
import { callAtExit } from './call.js';
import { noteScope, putBack, setAside } from './context.js';
import { atExit, isPending } from './records.js';
import { failures, reportFailures } from './report.js';
import { checkStack } from './stack.js';

let listening = false;

/** Before the first one is added that wants to run at exit: a process that never asks for it has no listener of ours. */
export function listenForExit(): void {
  if (listening) return;
  process.on('exit', onExit);
  listening = true;
}

/** Newest first; what a cleanup registers meanwhile is the newest. */
function callAll(): void {
  while (atExit.count > 0) {
    const record = atExit.list[atExit.count - 2] as number;
    if (!isPending(record, atExit.list[atExit.count - 1] as number)) {
      atExit.count -= 2;
      continue;
    }
    callAtExit(record);
    if (failures.last === undefined || !Left.is(failures.last.error)) continue;
    failures.last = failures.last.before;
    failures.count--;
  }
}

/** All are called before the first error is reported: whoever handles it may end the process. */
function callAndReport(): void {
  callAll();
  reportFailures();
}

type ReallyExit = (code?: number) => void;

/** `process.exit()` inside of each other. Beyond, a cleanup that calls it is left by an exception: the stack must not end. */
const MOST_EXITS = 50;

/** Made where it is thrown: an error holds the functions of its stack, and so the context of whoever has loaded this module. */
class Left extends Error {
  readonly #left = true;

  /** Asks nothing of what cleanups throw, which may be a proxy. */
  static is(error: unknown): boolean {
    return #left in Object(error);
  }
}

/**
 * What `process.exit()` calls once it has emitted 'exit', and so at once when a cleanup calls it that runs at exit. The others
 * come first.
 */
function exitLast(reallyExit: ReallyExit): ReallyExit {
  let exits = 0;
  return (code) => {
    if (exits === MOST_EXITS && atExit.count > 0)
      throw new Left('process.exit() was called at exit by many cleanups, one inside the other');
    exits++;
    callAndReport();
    exits--;
    // An error that nobody has handled has changed it.
    Reflect.apply(reallyExit, process, [code === undefined || code === 0 ? (process.exitCode ?? 0) : code]);
  };
}

function onExit(): void {
  checkStack();
  binding.outside(runAtExit);
}

function runAtExit(this: object): void {
  const real = Reflect.get(process, 'reallyExit') as ReallyExit;
  const last = exitLast(real);
  noteScope(this);
  const stores = setAside();
  Reflect.set(process, 'reallyExit', last);
  try {
    callAndReport();
  } finally {
    if (Reflect.get(process, 'reallyExit') === last) Reflect.set(process, 'reallyExit', real);
    putBack(stores);
  }
}
