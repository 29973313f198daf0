import { inspect } from 'node:util';
import { binding } from '../binding.js';
import { type Depth, viewOf } from '../inspect.js';
import { ownList } from '../own-list.js';
import { classNameOf, describeTarget, type Inspection, inspectWeak, styled } from '../weak/describe.js';
import { acquire, liveGenerationOf, read } from '../weak/slots.js';
import { Returned } from './returned.js';

/*
 * What a WeakRef does, whatever realm its constructor is of (intrinsics.ts). The target is a slot, as a Pointer's is. And a
 * target that a WeakRef was made for or has given stays to the end of the job: V8 tells when that is, natively.
 */

/** Its first element is what this job keeps. The native half clears it, so nothing else may hold that. */
const keeper: (unknown[] | undefined)[] = [undefined];
const JOB = 0;
const KEPT = 1;

binding.trackJobs(keeper);

/** Of those that have been shown with fields of their own. */
const shownTargets = new WeakMap<object, object>();

function keep(target: unknown): void {
  const kept = keeper[0];
  if (kept !== undefined) {
    kept[kept.length] = target;
    return;
  }
  const first = ownList<unknown>();
  first[0] = target;
  keeper[0] = first;
  binding.jobs[KEPT] = 1;
}

/** The internal slots of a WeakRef, on an object of any realm. */
class Ref extends Returned {
  readonly #slot: number;
  readonly #generation: number;
  /** In which the target was last kept. */
  #job: number;

  constructor(object: object, slot: number) {
    super(object);
    this.#slot = slot;
    this.#generation = liveGenerationOf(slot);
    this.#job = binding.jobs[JOB] as number;
  }

  static is(value: unknown): value is Ref {
    return #slot in Object(value);
  }

  static inspect(ref: Ref, depth: Depth, options: Inspection | undefined): string | object {
    if (Reflect.ownKeys(ref).length === 0)
      return inspectWeak(classNameOf(ref) ?? 'WeakRef', ref.#slot, ref.#generation, options);
    // The fields of a subclass, which a text could not show in their depth.
    return viewOf(ref, 'WeakRef', Object, depth, false, () =>
      Object.hasOwn(ref, 'target') ? {} : { target: Ref.#shown(ref) },
    );
  }

  /** What stands for the target where fields are shown: one for each, or a cycle would not be seen as one. */
  static #shown(ref: Ref): object {
    let shown = shownTargets.get(ref);
    if (shown === undefined) {
      shown = {
        [inspect.custom]: (_depth: unknown, options?: Inspection) => {
          const text = describeTarget(ref.#slot, ref.#generation);
          return styled(text === null ? 'dead' : `<${text}>`, options);
        },
      };
      shownTargets.set(ref, shown);
    }
    return shown;
  }

  static deref(ref: Ref): unknown {
    const target = read(ref.#slot, ref.#generation);
    if (target !== undefined && ref.#job !== binding.jobs[JOB]) {
      keep(target);
      // Not before: what is cut short in there would not be kept, nor when it is asked for again.
      ref.#job = binding.jobs[JOB] as number;
    }
    return target;
  }
}

/** Makes `object` a WeakRef for `target`, which must be a possible one. */
export function makeRef(object: object, target: WeakKey): object {
  keep(target);
  new Ref(object, acquire(target));
  return object;
}

export const isRef = Ref.is;
/** The class of its target, and whether it is alive; that is not kept for it. */
export const inspectRef = Ref.inspect as (ref: object, depth: Depth, options?: Inspection) => string | object;
export const deref = Ref.deref as (object: object) => unknown;
