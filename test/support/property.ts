import fc from 'fast-check';
import { queue } from '../../lib/index.js';
import { majorGc, minorGc, turn } from './gc.js';
import { stressed } from './stress.js';

/*
 * How long properties are tested. Under stress flags every step costs many times as much, and shrinking for ever; a long run
 * goes on for as long as it is told (scripts/test-stress.mjs).
 */

export interface Runs {
  readonly numRuns: number;
  readonly endOnFailure: boolean;
  readonly interruptAfterTimeLimit?: number;
  readonly markInterruptAsFailure?: boolean;
}

const longMs = Number(process.env.WEAKLY_LONG_MS ?? 0);

export function runs(ordinary: number): Runs {
  if (longMs > 0)
    return { numRuns: 1e9, endOnFailure: true, interruptAfterTimeLimit: longMs, markInterruptAsFailure: false };
  return { numRuns: stressed ? Math.ceil(ordinary / 8) : ordinary, endOnFailure: stressed };
}

/** `fc.assert`, which at its time limit comes back in the middle of a run: that is waited for, or it would go on in the next test. */
export async function holds<T>(property: fc.IAsyncProperty<T>, ordinary: number): Promise<void> {
  let running: ReturnType<typeof property.run> = Promise.resolve(null);
  const run = property.run.bind(property);
  Object.assign(property, {
    run: (value: T) => {
      running = run(value);
      return running;
    },
  });
  await fc.assert(property, runs(ordinary));
  const failure = await running;
  if (failure !== null) throw 'error' in failure ? failure.error : new Error('a run has met no precondition');
}

/** For the test itself. */
export const PROPERTY_TIMEOUT_MS = 240_000 + longMs;

/** One step of a run, on a model `M` and the real thing that belongs to it. */
export interface Command<M> {
  readonly name: string;
  run(model: M): unknown;
}

/** Does one after the other, and compares model and real thing after each. */
export async function carryOut<M extends { check(): void }>(commands: readonly Command<M>[], model: M): Promise<void> {
  for (const { name, run } of commands) {
    await run(model);
    try {
      model.check();
    } catch (error) {
      throw new Error(`after "${name}": ${error}`, { cause: error });
    }
  }
}

/** What may come between any two steps. */
export const INTERRUPTIONS = [
  fc.constant({ name: 'minor gc', run: () => minorGc() }),
  fc.constant({ name: 'major gc', run: () => majorGc() }),
  fc.constant({ name: 'drain', run: () => void queue.drain() }),
  fc.constant({ name: 'turn of the event loop', run: () => turn() }),
];
