import type { AsyncResource } from 'node:async_hooks';
import { inspect, types } from 'node:util';
import { typeError } from '../errors.js';
import { identityTag } from '../identity.js';
import {
  booleanOption,
  checkCallback,
  checkOptions,
  constructorError,
  isWeakKey,
  receiverError,
  targetError,
} from '../validate.js';
import { type Inspection, leaf } from '../weak/describe.js';
import { Field } from '../weak/field.js';
import { capture, release } from './context.js';
import { listenForExit } from './exit.js';
import { AT_EXIT, add, added, type Callback, extraOf, isPending, isQueued, stop } from './records.js';
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

/** The fourth argument of {@link addCleanup}. */
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
   * Call it with the stores (`AsyncLocalStorage`) of the `addCleanup` call, which that keeps alive.
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

  /** @hidden Throws a TypeError with code `ERR_WEAKLY_CONSTRUCTOR`; cleanups are made by {@link addCleanup}. */
  constructor(key: typeof KEY, target: WeakKey, fn: Callback, arg: unknown, flags: number, context?: AsyncResource) {
    if (key !== KEY) throw constructorError('Cleanup', 'addCleanup(target, fn, arg)');
    // Registers by itself: were it made afterwards, the stack could end in between, and what has thrown would be registered.
    this.#record = add(target, fn, arg, flags, addCleanup, context);
    this.#generation = added.generation;
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
    return Cleanup.#stop(this);
  }

  /** Static: for a private method of instances V8 gives each instance one more field. */
  static #stop(cleanup: Cleanup): boolean {
    if (!isPending(cleanup.#record, cleanup.#generation)) return false;
    const extra = extraOf(cleanup.#record);
    const context = extra?.call?.context;
    stop(cleanup.#record);
    // Here, without a call in between: else it would be stopped, and nobody had been told so.
    cleanup.#generation = STOPPED;
    extra?.letGo();
    if (context !== undefined) releaseQuietly(context);
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

  /**
   * `using cleanup = addCleanup(...)`: stops it at the end of the block, when the resource was released by hand.
   *
   * @throws TypeError `ERR_WEAKLY_RECEIVER` when called on anything but a Cleanup.
   */
  [Symbol.dispose](): void {
    if (!(#record in Object(this))) throw receiverError(this, 'Cleanup.prototype[Symbol.dispose]', 'Cleanup');
    Cleanup.#stop(this);
  }

  /** With a number: so that tests which compare deeply tell two of them apart. */
  get [Symbol.toStringTag](): string {
    return #record in Object(this) ? identityTag('Cleanup', this) : 'Cleanup';
  }

  /** For `console.log`: its state. */
  [inspect.custom](_depth?: unknown, options?: Inspection): string {
    return #record in Object(this) ? leaf('Cleanup', this.state, options) : '[object Cleanup]';
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

/** It is stopped, or was not registered, whether or not there is room on the stack to tell the hooks. */
function releaseQuietly(context: AsyncResource): void {
  try {
    release(context);
  } catch {
    // The stack ends here.
  }
}

const OPTIONS: readonly string[] = ['atExit', 'asyncContext'];

/** Options in the place of the argument of a function that takes none can only be a slip: they would be without effect. */
function checkIsNoOptions(fn: (...args: never) => unknown, arg: object | symbol): void {
  // The length last: it is slow to ask for.
  // A proxy is asked for nothing: that would run the user's code, and a revoked one would throw.
  if (typeof arg !== 'object' || types.isProxy(arg) || !('atExit' in arg || 'asyncContext' in arg) || fn.length !== 0)
    return;
  const prototype: unknown = Object.getPrototypeOf(arg);
  if (prototype !== Object.prototype && prototype !== null) return;
  const keys = Reflect.ownKeys(arg);
  const isOption = (key: string | symbol): boolean =>
    typeof key === 'string' &&
    OPTIONS.includes(key) &&
    typeof Reflect.getOwnPropertyDescriptor(arg, key)?.value === 'boolean';
  if (keys.length === 0 || !keys.every(isOption)) return;
  throw typeError(
    'ERR_WEAKLY_OPTION',
    `addCleanup: argument "arg" has the options (${keys.join(', ')}), and "fn" has no parameter without a default (its length is 0); expected the options in the fourth place: addCleanup(target, fn, undefined, options)`,
  );
}

/** With options, whose getters have been asked. */
function addWith(target: WeakKey, fn: Callback, arg: unknown, atExit: boolean, inContext: boolean): Cleanup {
  const flags = atExit ? AT_EXIT : 0;
  if (atExit) listenForExit();
  if (!inContext) return new Cleanup(KEY, target, fn, arg, flags);
  const context = capture();
  try {
    return new Cleanup(KEY, target, fn, arg, flags, context);
  } catch (error) {
    releaseQuietly(context);
    throw error;
  }
}

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
 * - That it is called when `fn` or `arg` is of a `node:vm` context of which nothing is held any more: then it is collected with it.
 * - Anything if `fn`, a closure in it, or `arg` reaches the target: then the target lives, and no error can tell. A
 *   method of the target's class, bound to nothing, with the resource as `arg`, is the safe form.
 *
 * A stand-in ({@link finalizable}) as target means what it stands for: the call comes when that is dead, with no
 * finalizer left.
 *
 * @throws TypeError `ERR_WEAKLY_TARGET` when `target` is no object, function or non-registered symbol.
 * @throws TypeError `ERR_WEAKLY_CALLBACK` when `fn` is no function.
 * @throws TypeError `ERR_WEAKLY_CLEANUP_HOLDS_TARGET` when `fn` or `arg` is the target, a stand-in or a Field of it.
 * @throws TypeError `ERR_WEAKLY_OPTION` when `options` is no object, has unknown options, or values of the wrong type; when
 * they are in the place of `arg` and `fn` takes no argument.
 * @throws Error `ERR_WEAKLY_MEMORY` as for {@link make}. Nothing is registered when one of these is thrown.
 */
export function addCleanup<A>(target: WeakKey, fn: (arg: A) => unknown, arg: A, options?: CleanupOptions): Cleanup;
export function addCleanup(target: WeakKey, fn: () => unknown, arg?: undefined, options?: CleanupOptions): Cleanup;
export function addCleanup(target: unknown, fn: unknown, arg?: unknown, options?: unknown): Cleanup {
  if (!isWeakKey(target)) throw targetError(target, 'addCleanup', 'an object, a function or a non-registered symbol');
  checkCallback(fn, 'fn', 'addCleanup');
  const raw = rawOf(target);
  checkHoldsNot(raw, fn, 'fn');
  if (isWeakKey(arg)) {
    checkHoldsNot(raw, arg, 'arg');
    if (options === undefined) checkIsNoOptions(fn, arg);
  }
  if (options === undefined) return new Cleanup(KEY, raw, fn as Callback, arg, 0);
  checkOptions(options, OPTIONS, 'addCleanup');
  const atExit = booleanOption(options, 'atExit', 'addCleanup');
  return addWith(raw, fn as Callback, arg, atExit, booleanOption(options, 'asyncContext', 'addCleanup'));
}
