import { inspect } from 'node:util';
import { typeError } from '../errors.js';
import {
  booleanOption,
  checkCallback,
  checkOptions,
  constructorError,
  isWeakKey,
  receiverError,
  targetError,
} from '../validate.js';
import { Field } from '../weak/field.js';
import { enterContext, leaveContext } from './call.js';
import { runAtExit } from './exit.js';
import {
  AT_EXIT,
  add,
  type Callback,
  flagsOf,
  generationOf,
  IN_CONTEXT,
  isPending,
  isQueued,
  stop,
} from './records.js';
import { rawOf } from './stand-in.js';

/** Only this module can present it, so only `addCleanup` can construct. */
const KEY: unique symbol = Symbol('weakly.Cleanup');

/** In place of the generation: no registration has it, nor the one before it. A field of its own would be felt: there may be millions. */
const STOPPED = -2;

/**
 * - `armed`: the target is not known to be dead.
 * - `queued`: the target is dead, the call is due.
 * - `done`: it was called, or is being called, or was called at exit.
 * - `stopped`: {@link Cleanup.stop} came first; it never is called.
 */
export type CleanupState = 'armed' | 'queued' | 'done' | 'stopped';

export interface CleanupOptions {
  /**
   * Call it at exit, if it has not been called by then: after the event loop has ended, in `process.exit()`, after an
   * uncaught exception, and at the orderly exit of a worker. The newest registration comes first, as with Python's
   * `weakref.finalize`. A terminated worker, `process.abort()` and a signal that nobody handles call
   * nothing; nor does `process.exit()` on the main thread for what other threads have registered.
   *
   * @default false Go's rule: no cleanup is guaranteed to run.
   */
  readonly atExit?: boolean;
  /**
   * Call it in the asynchronous context (`AsyncLocalStorage`) of the `addCleanup` call, which that keeps alive.
   *
   * @default false It runs in no context.
   */
  readonly asyncContext?: boolean;
}

/**
 * One registration of {@link addCleanup}. It need not be kept; dropping it changes nothing. It holds neither the target
 * nor the argument.
 */
export class Cleanup {
  readonly #record: number;
  #generation: number;

  /** @internal Throws a TypeError with code `ERR_WEAKLY_CONSTRUCTOR`; cleanups are made by {@link addCleanup}. */
  constructor(key: typeof KEY, record: number, generation: number) {
    if (key !== KEY) throw constructorError('Cleanup', 'addCleanup(target, fn, arg)');
    this.#record = record;
    this.#generation = generation;
  }

  /**
   * Prevents the call: at once, and also when the target is already dead and the call is due. (Go's `Cleanup.Stop` gives
   * up in that case.) The argument and the function are let go of.
   *
   * @returns Whether this call prevented it: `true` at most once, `false` when it was called or stopped before.
   * @throws TypeError `ERR_WEAKLY_RECEIVER` when called on anything but a Cleanup.
   */
  stop(): boolean {
    if (!(#record in Object(this))) throw receiverError(this, 'Cleanup.prototype.stop', 'Cleanup');
    if (!isPending(this.#record, this.#generation)) return false;
    if ((flagsOf(this.#record) & IN_CONTEXT) !== 0) leaveContext(this.#record);
    stop(this.#record);
    this.#generation = STOPPED;
    return true;
  }

  /**
   * Where it is on its way; see {@link CleanupState}.
   *
   * @throws TypeError `ERR_WEAKLY_RECEIVER` when read on anything but a Cleanup.
   */
  get state(): CleanupState {
    if (!(#record in Object(this))) throw receiverError(this, 'Cleanup.prototype.state', 'Cleanup');
    if (this.#generation === STOPPED) return 'stopped';
    if (!isPending(this.#record, this.#generation)) return 'done';
    return isQueued(this.#record) ? 'queued' : 'armed';
  }

  /** `using cleanup = addCleanup(...)`: stops it at the end of the block, when the resource was released by hand. */
  [Symbol.dispose](): void {
    this.stop();
  }

  get [Symbol.toStringTag](): string {
    return 'Cleanup';
  }

  [inspect.custom](): string {
    return #record in Object(this) ? `Cleanup { ${this.state} }` : '[object Cleanup]';
  }
}

/** Whether a cleanup with this argument could ever run: what it holds, it keeps alive, and a target that lives is not dead. */
function checkHoldsNot(target: unknown, value: unknown, what: 'fn' | 'arg'): void {
  let held = rawOf(value);
  let how = held === value ? 'the target itself' : 'a stand-in of the target';
  if (held !== target && Field.has(value)) {
    held = rawOf(value.owner);
    how = 'a Field of the target';
  }
  if (held !== target) return;
  throw typeError(
    'ERR_WEAKLY_CLEANUP_HOLDS_TARGET',
    `addCleanup: argument "${what}" is ${how}, which would keep the target alive for ever; expected what the cleanup needs of it instead`,
  );
}

const OPTIONS = ['atExit', 'asyncContext'] as const;

/**
 * Calls `fn(arg)` some time after `target` has died. Go 1.24's `runtime.AddCleanup`.
 *
 * Guaranteed:
 * - At most one call, from the event loop, never from inside other JavaScript except `queue.drain()`.
 * - Inside it, and ever after, every pointer to the target reads `undefined`: it cannot be brought back.
 * - Order: deaths found by an earlier GC first; several cleanups of one target in the order of registration.
 * - What it throws is reported as `'uncaughtException'`, or to `queue.configure({ onError })`; the others still run. A
 *   promise it returns is not waited for; its rejection is an ordinary unhandled one.
 * - Neither target nor the process is kept alive by it.
 *
 * Not guaranteed:
 * - That it is ever called: not before a collection finds the target dead, and not at exit unless `atExit` says so.
 * - The order between targets found dead by the same GC.
 * - Anything if `fn`, a closure in it, or `arg` reaches the target: then the target lives, and no error can tell. A
 *   method of the target's class, bound to nothing, with the resource as `arg`, is the safe form.
 *
 * A stand-in ({@link finalizable}) as target means what it stands for: the call comes when that is dead, with no
 * finalizer left.
 *
 * @throws TypeError `ERR_WEAKLY_TARGET` when `target` is no object, function or non-registered symbol.
 * @throws TypeError `ERR_WEAKLY_CALLBACK` when `fn` is no function.
 * @throws TypeError `ERR_WEAKLY_CLEANUP_HOLDS_TARGET` when `fn` or `arg` is the target, a stand-in or a Field of it.
 * @throws TypeError `ERR_WEAKLY_OPTION` when `options` is no object, has unknown options, or values of the wrong type.
 * @throws Error `ERR_WEAKLY_MEMORY` as for {@link make}. Nothing is registered when one of these is thrown.
 */
export function addCleanup<A>(target: WeakKey, fn: (arg: A) => unknown, arg: A, options?: CleanupOptions): Cleanup;
export function addCleanup(target: WeakKey, fn: () => unknown, arg?: undefined, options?: CleanupOptions): Cleanup;
export function addCleanup(target: unknown, fn: unknown, arg?: unknown, options?: unknown): Cleanup {
  if (!isWeakKey(target)) throw targetError(target, 'addCleanup', 'an object, a function or a non-registered symbol');
  checkCallback(fn, 'fn', 'addCleanup');
  const raw = rawOf(target);
  checkHoldsNot(raw, fn, 'fn');
  if (isWeakKey(arg)) checkHoldsNot(raw, arg, 'arg');
  let flags = 0;
  if (options !== undefined) {
    checkOptions(options, OPTIONS, 'addCleanup');
    if (booleanOption(options, 'atExit', 'addCleanup')) flags |= AT_EXIT;
    if (booleanOption(options, 'asyncContext', 'addCleanup')) flags |= IN_CONTEXT;
  }
  const record = add(raw, fn as Callback, arg, flags);
  if (flags !== 0) {
    if ((flags & IN_CONTEXT) !== 0) enterContext(record);
    if ((flags & AT_EXIT) !== 0) runAtExit(record);
  }
  return new Cleanup(KEY, record, generationOf(record));
}
