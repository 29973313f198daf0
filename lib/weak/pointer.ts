import { inspect } from 'node:util';
import { identityTag } from '../identity.js';
import { filledList, ownList } from '../own-list.js';
import { constructorError, receiverError, targetError } from '../validate.js';
import { type Inspection, inspectWeak } from './describe.js';
import {
  acquire,
  CHUNK_MASK,
  CHUNK_SHIFT,
  CHUNK_SIZE,
  isAlive,
  liveGenerationOf,
  onGiveBack,
  onRelease,
  read,
} from './slots.js';

/** Only this module can present it, so only `make` can construct. */
const KEY: unique symbol = Symbol('weakly.Pointer');

/**
 * A weak pointer: it refers to its target without keeping it alive. Made by {@link make}. The semantics are those of
 * Go 1.24's `weak.Pointer`.
 *
 * Guaranteed:
 * - Two pointers are `===` exactly if they were made for the same target, before and after its death. A dead pointer
 *   never becomes equal to another one, so pointers serve as keys of a `Map` or members of a `Set` for ever. The deep
 *   comparisons of node:assert, vitest, jest and chai agree: see docs/comparing.md.
 * - Once {@link value} has returned `undefined`, it always will.
 * - Neither the pointer, nor asking it anything, extends the life of the target beyond the use of what `value()` returned.
 *   (`WeakRef` keeps its target to the end of the job, both when it is constructed and whenever it is read.)
 *
 * Not guaranteed:
 * - That the target ever dies. A garbage collector may be in no hurry: an object that has survived two minor
 *   collections waits for a major one, and closures, inline caches and unfinished functions can hold what looks
 *   unreachable. At exit nothing is collected.
 * - That it lives on until the end of the function or job, even if a variable still names it: where its last use has
 *   passed, it may go. {@link keepAlive} marks a use.
 * - Anything across threads. A pointer belongs to the thread that made it; `structuredClone` and `postMessage` copy it
 *   to an empty object.
 */
export class Pointer<out T extends WeakKey = WeakKey> {
  /** The pointer to nothing: `make(null)` and `make(undefined)`. Never alive; its value is `undefined`. */
  static readonly nil: Pointer<never> = new Pointer<never>(KEY, 0, -1);

  readonly #slot: number;
  readonly #generation: number;

  /** @hidden Throws a TypeError with code `ERR_WEAKLY_CONSTRUCTOR`; pointers are made by {@link make}. */
  constructor(key: typeof KEY, slot: number, generation: number) {
    if (key !== KEY) throw constructorError('Pointer', 'make(target)');
    this.#slot = slot;
    this.#generation = generation;
  }

  /**
   * The target, or `undefined` once it is dead.
   *
   * May return `undefined` as soon as the target is unreachable, which can be in the middle of a job: test and use the
   * same returned value, do not call twice.
   *
   * @throws TypeError `ERR_WEAKLY_RECEIVER` when called on anything but a Pointer.
   */
  value(): T | undefined {
    // Object(): `in` by itself throws an error without a code for a primitive. It costs nothing once compiled.
    if (!(#slot in Object(this))) throw receiverError(this, 'Pointer.prototype.value', 'Pointer');
    return read(this.#slot, this.#generation) as T | undefined;
  }

  /**
   * Whether the target is still there, at a fraction of the price of {@link value} and without touching it.
   *
   * `false` is final. `true` says nothing about the next moment: to use the target, ask for {@link value}.
   *
   * @throws TypeError `ERR_WEAKLY_RECEIVER` when read on anything but a Pointer.
   */
  get alive(): boolean {
    if (!(#slot in Object(this))) throw receiverError(this, 'Pointer.prototype.alive', 'Pointer');
    return isAlive(this.#slot, this.#generation);
  }

  /** With a number: so that tests which compare deeply tell two of them apart. */
  get [Symbol.toStringTag](): string {
    return #slot in Object(this) ? identityTag('Pointer', this) : 'Pointer';
  }

  /** For `console.log`: the class of the target and whether it is alive. Pins nothing and runs none of the target's code. */
  [inspect.custom](_depth?: unknown, options?: Inspection): string {
    if (!(#slot in Object(this))) return '[object Pointer]';
    if (this.#generation < 0) return 'Pointer.nil';
    return inspectWeak('Pointer', this.#slot, this.#generation, options);
  }

  /** @internal */
  static names(pointer: Pointer, slot: number): boolean {
    return pointer.#slot === slot && pointer.#generation === liveGenerationOf(slot);
  }

  /** @internal */
  static has(value: unknown): boolean {
    return #slot in Object(value);
  }
}

/**
 * The canonical pointer of each live slot, held strongly: `make(o)` finds it again without a weak lookup, and it needs
 * no weak handle of its own. An entry is cleared when its slot is released, and only then can the slot be used anew.
 */
const pointers = ownList<(Pointer | undefined)[]>();

/** Where nobody has made a pointer, or none since the memory of the slots was given back. Never written to. */
const NO_POINTERS = filledList<Pointer | undefined>(CHUNK_SIZE, undefined);

onGiveBack((chunk) => {
  if (chunk < pointers.length) pointers[chunk] = NO_POINTERS;
});

function chunkOf(slot: number): (Pointer | undefined)[] {
  const index = slot >>> CHUNK_SHIFT;
  return index < pointers.length ? (pointers[index] as (Pointer | undefined)[]) : NO_POINTERS;
}

function canonical(slot: number): Pointer {
  const known = chunkOf(slot)[slot & CHUNK_MASK];
  return known === undefined ? create(slot) : known;
}

// Not tied to the slot's creation: a call that failed in between (no memory, no stack) leaves a slot without a pointer,
// and the next call makes it.
function create(slot: number): Pointer {
  const pointer = new Pointer(KEY, slot, liveGenerationOf(slot));
  const index = slot >>> CHUNK_SHIFT;
  while (pointers.length <= index) pointers[pointers.length] = NO_POINTERS;
  if (pointers[index] === NO_POINTERS) {
    const list = filledList<Pointer | undefined>(CHUNK_SIZE, undefined);
    // A built-in that somebody has replaced may have made pointers meanwhile.
    if (pointers[index] === NO_POINTERS) pointers[index] = list;
  }
  const chunk = pointers[index] as (Pointer | undefined)[];
  const known = chunk[slot & CHUNK_MASK];
  if (known !== undefined) return known;
  chunk[slot & CHUNK_MASK] = pointer;
  return pointer;
}

/** For tests: which slot has the pointer of another target, or null. Walks everything. */
export function verifyPointers(): string | null {
  for (let i = 0; i < pointers.length; i++) {
    const chunk = pointers[i] as (Pointer | undefined)[];
    for (let j = 0; j < chunk.length; j++) {
      const slot = (i << CHUNK_SHIFT) + j;
      const pointer = chunk[j];
      if (pointer !== undefined && !Pointer.names(pointer, slot))
        return `slot ${slot} has the pointer of another target`;
    }
  }
  return null;
}

onRelease((batch, count) => {
  for (let i = 0; i < count; i++) {
    const slot = batch[i] as number;
    const chunk = chunkOf(slot);
    if (chunk !== NO_POINTERS) chunk[slot & CHUNK_MASK] = undefined;
  }
});

/**
 * The weak pointer to `target`: always the same one for the same target. Go's `weak.Make`.
 *
 * Targets are objects and functions of every kind and realm (proxies, frozen objects, `globalThis` included) and symbols
 * that are not registered. No target is changed by being pointed to. `null` and `undefined` give {@link Pointer.nil}.
 *
 * Not guaranteed: that two copies of this package, or two threads, agree on the pointer.
 *
 * @throws TypeError `ERR_WEAKLY_TARGET` for any other primitive, and for registered symbols (`Symbol.for`), which never die.
 * @throws Error `ERR_WEAKLY_MEMORY` when no memory, or none of 2^28 slot numbers, is left for one more target.
 */
export function make(target: null | undefined): Pointer<never>;
export function make<T extends WeakKey>(target: T): Pointer<T>;
export function make<T extends WeakKey>(target: T | null | undefined): Pointer<T>;
export function make(target: unknown): Pointer {
  if (typeof target === 'object' ? target !== null : typeof target === 'function')
    return canonical(acquire(target as object));
  if (target === null || target === undefined) return Pointer.nil;
  if (typeof target === 'symbol' && Symbol.keyFor(target) === undefined) return canonical(acquire(target));
  throw targetError(target, 'make', 'an object, a function, a non-registered symbol, null or undefined');
}
