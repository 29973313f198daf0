import { inspect } from 'node:util';
import { isAborted, offAbort, onAbort, type Patient, signalOption } from '../aborts.js';
import { typeError } from '../errors.js';
import { identityTag } from '../identity.js';
import { addCleanup, type Cleanup } from '../reclaim/cleanup.js';
import { rawOf } from '../reclaim/stand-in.js';
import {
  argumentError,
  booleanOption,
  checkCallback,
  checkOptions,
  checkWeakKey,
  constructorError,
  optionError,
  receiverError,
} from '../validate.js';
import { type Inspection, leaf } from '../weak/describe.js';
import { make, type Pointer } from '../weak/pointer.js';
import { call, type Kind, kindOf, type Listener } from './source.js';

/** Only this module can present it, so only `addWeakListener` can construct. */
const KEY: unique symbol = Symbol('weakly.WeakListener');

/** The last argument of {@link addWeakListener}. */
export interface WeakListenerOptions {
  /**
   * It is removed before its first call.
   *
   * @default false
   */
  readonly once?: boolean | undefined;
  /**
   * It is removed when this is aborted; one that is aborted already adds nothing.
   *
   * @default none
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * It is called in the capture phase. Of an EventTarget only.
   *
   * @default false
   */
  readonly capture?: boolean | undefined;
}

/** In the list of the target, which alone holds it, and by it the listener. */
interface Wrapper extends Listener {
  /** By this `emitter.off(type, listener)` and `emitter.listeners(type)` find what was meant, as with `once`. */
  listener: unknown;
}

/** For what is called once: whether it has been, and what is to be removed then. */
interface Once {
  of: WeakListener | undefined;
  isCalled: boolean;
}

/** Made here, where nothing is in reach that it must not hold. */
function wrapperOf(owner: Pointer, listener: Listener, once: Once | undefined): Wrapper {
  const wrapper: Listener = function (this: unknown, ...args: unknown[]): unknown {
    const alive = owner.value();
    // Dead, and its cleanup has not been called yet.
    if (alive === undefined) return undefined;
    if (once !== undefined) {
      // An emitter goes along a list of its own: who emits in the middle of it would come here twice.
      if (once.isCalled) return undefined;
      once.isCalled = true;
      if (once.of !== undefined) remove(once.of);
    }
    return Reflect.apply(listener, this, [alive, ...args]);
  };
  return Object.assign(wrapper, { listener });
}

interface Wanted {
  readonly target: object;
  readonly kind: Kind;
  readonly type: string | symbol;
  readonly owner: WeakKey;
  readonly listener: Listener;
  readonly once: boolean;
  readonly capture: boolean;
  readonly signal: AbortSignal | undefined;
}

/** What it throws is less than what has been thrown. */
function removeQuietly(listener: WeakListener): void {
  try {
    remove(listener);
  } catch {}
}

let add: (wanted: Wanted) => WeakListener;
let remove: (listener: WeakListener) => void;

/**
 * One registration of {@link addWeakListener}. It need not be kept; dropping it changes nothing. It holds neither the target, nor the
 * owner, nor the listener.
 */
export class WeakListener {
  readonly #kind: Kind;
  readonly #type: string | symbol;
  readonly #capture: boolean;
  readonly #target: Pointer;
  readonly #wrapper: Pointer;
  readonly #signal: Pointer | undefined;
  readonly #patient: Patient;
  /** Of the owner and of the wrapper: whichever is gone first. None: it is over. */
  #cleanups: readonly Cleanup[] = [];

  static {
    add = (wanted) => {
      const { target, kind, type, owner, listener, capture, signal } = wanted;
      const once: Once = { of: undefined, isCalled: false };
      const wrapper = wrapperOf(make(owner), listener, wanted.once ? once : undefined);
      const added = new WeakListener(KEY, wanted, wrapper);
      once.of = added;
      if (signal !== undefined && isAborted(signal)) return added;
      try {
        // One after the other: there may be no memory for the second, and the first is let go of then.
        const ofOwner = addCleanup(owner, remove, added);
        added.#cleanups = [ofOwner];
        added.#cleanups = [ofOwner, addCleanup(wrapper, remove, added)];
        if (signal !== undefined) onAbort(signal, added.#patient);
        call(target, kind.add, kind, type, wrapper, capture);
      } catch (error) {
        // It may have been added before that.
        removeQuietly(added);
        throw error;
      }
      // Aborted, or removed, by what the target has called while it was added.
      if (added.#cleanups.length === 0) added.#remove();
      return added;
    };
    remove = (listener) => listener.#remove();
  }

  /** @hidden Throws a TypeError with code `ERR_WEAKLY_CONSTRUCTOR`; they are made by {@link addWeakListener}. */
  constructor(key: typeof KEY, wanted: Wanted, wrapper: Wrapper) {
    if (key !== KEY) throw constructorError('WeakListener', 'addWeakListener(target, type, owner, listener)');
    this.#kind = wanted.kind;
    this.#type = wanted.type;
    this.#capture = wanted.capture;
    this.#signal = wanted.signal === undefined ? undefined : make(wanted.signal);
    this.#target = make(wanted.target);
    this.#wrapper = make(wrapper);
    this.#patient = { giveUp: () => this.#remove() };
  }

  /**
   * Removes it, if it is still there.
   *
   * @throws TypeError `ERR_WEAKLY_RECEIVER` when called on anything but a WeakListener.
   */
  remove(): void {
    if (!(#kind in Object(this))) throw receiverError(this, 'WeakListener.prototype.remove', 'WeakListener');
    this.#remove();
  }

  /**
   * `using listener = addWeakListener(...)`: removes it at the end of the block.
   *
   * @throws TypeError `ERR_WEAKLY_RECEIVER` when called on anything but a WeakListener.
   */
  [Symbol.dispose](): void {
    if (!(#kind in Object(this))) throw receiverError(this, 'WeakListener.prototype[Symbol.dispose]', 'WeakListener');
    this.#remove();
  }

  /** With a number: so that tests which compare deeply tell two of them apart. */
  get [Symbol.toStringTag](): string {
    return #kind in Object(this) ? identityTag('WeakListener', this) : 'WeakListener';
  }

  /** For `console.log`: its state. */
  [inspect.custom](_depth?: unknown, options?: Inspection): string {
    if (!(#kind in Object(this))) return '[object WeakListener]';
    return leaf('WeakListener', this.#cleanups.length > 0 ? 'added' : 'removed', options);
  }

  #remove(): void {
    const target = this.#target.value() as object | undefined;
    const wrapper = this.#wrapper.value() as Wrapper | undefined;
    this.#letGo();
    if (target !== undefined && wrapper !== undefined)
      call(target, this.#kind.remove, this.#kind, this.#type, wrapper, this.#capture);
  }

  #letGo(): void {
    const cleanups = this.#cleanups;
    this.#cleanups = [];
    for (const cleanup of cleanups) cleanup.stop();
    const signal = this.#signal?.value() as AbortSignal | undefined;
    if (signal !== undefined) offAbort(signal, this.#patient);
  }
}

const WHERE = 'addWeakListener';

/**
 * Adds a listener that belongs to `owner`: it is called as `listener(owner, ...)`, and goes when its owner dies. So it need not hold
 * the owner, as a method or a closure would, and nobody has to remove it. The weak listeners that WHATWG DOM and Node.js were
 * asked for, with Go's `AddCleanup` behind them.
 *
 *     addWeakListener(server, 'connection', this, (self, socket) => self.greet(socket));
 *
 * Guaranteed:
 * - Neither owner nor target is kept alive by it. The listener is, by the target, as any other; the signal as by any listener of it.
 * - It is not called once the collector has found the owner dead, and removed soon after that, from the event loop.
 * - `this`, the order among other listeners, and what is done with what it throws or returns are as for any listener of the target.
 * - On an EventEmitter, `off(type, listener)` removes it and `listeners(type)` has `listener`, as with `once`.
 *
 * Not guaranteed:
 * - That it is not called any more when nobody holds the owner: a garbage collector has to find out.
 * - Anything if the listener itself reaches the owner: then the owner lives as long as the target, and no error can tell.
 *
 * @returns What removes it before that. It need not be kept.
 * @throws TypeError `ERR_WEAKLY_TARGET` when `target` is no EventEmitter or EventTarget; when `owner` is no object, function or
 *   non-registered symbol.
 * @throws TypeError `ERR_WEAKLY_ARGUMENT` when `type` is no string (or, on an EventEmitter, symbol).
 * @throws TypeError `ERR_WEAKLY_CALLBACK` when `listener` is no function.
 * @throws TypeError `ERR_WEAKLY_CLEANUP_HOLDS_TARGET` when `listener` is the owner.
 * @throws TypeError `ERR_WEAKLY_OPTION` when `options` is no object, has unknown options, or values of the wrong type; for `capture` on
 *   an EventEmitter.
 * @throws Error `ERR_WEAKLY_MEMORY` as for {@link make}. Nothing is added when one of these is thrown.
 */
export function addWeakListener<O extends WeakKey, E extends Event = Event>(
  target: EventTarget,
  type: string,
  owner: O,
  listener: (owner: O, event: E) => unknown,
  options?: WeakListenerOptions,
): WeakListener;
// biome-ignore lint/suspicious/noExplicitAny: as for listeners of an EventEmitter that says nothing of its events
export function addWeakListener<O extends WeakKey, A extends any[] = any[]>(
  target: NodeJS.EventEmitter,
  type: string | symbol,
  owner: O,
  listener: (owner: O, ...args: A) => unknown,
  options?: WeakListenerOptions,
): WeakListener;
export function addWeakListener(
  target: unknown,
  type: unknown,
  owner: unknown,
  listener: unknown,
  options: unknown = {},
): WeakListener {
  const kind = kindOf(target, WHERE);
  if (typeof type !== 'string' && !(typeof type === 'symbol' && !kind.captures))
    throw argumentError(type, WHERE, kind.captures ? 'a string' : 'a string or a symbol', 'type');
  checkWeakKey(owner, 'argument "owner"', WHERE);
  checkCallback(listener, 'listener', WHERE);
  if (rawOf(listener) === rawOf(owner))
    throw typeError(
      'ERR_WEAKLY_CLEANUP_HOLDS_TARGET',
      `${WHERE}: argument "listener" is the owner, which the target would keep alive; expected another function`,
    );
  checkOptions(options, ['once', 'signal', 'capture'], WHERE);
  const once = booleanOption(options, 'once', WHERE);
  const signal = signalOption(options, WHERE);
  const capture = booleanOption(options, 'capture', WHERE);
  if (capture && !kind.captures)
    throw optionError('capture', WHERE, 'false, as an EventEmitter has no capture phase', true);
  return add({ target: target as object, kind, type, owner, listener: listener as Listener, once, capture, signal });
}
