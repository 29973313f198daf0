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

const stress = process.env.WEAKLY_STRESS !== undefined;
const longMs = Number(process.env.WEAKLY_LONG_MS ?? 0);

export function runs(ordinary: number): Runs {
  if (longMs > 0)
    return { numRuns: 1e9, endOnFailure: true, interruptAfterTimeLimit: longMs, markInterruptAsFailure: false };
  return { numRuns: stress ? Math.ceil(ordinary / 8) : ordinary, endOnFailure: stress };
}

/** For the test itself. */
export const PROPERTY_TIMEOUT_MS = 240_000 + longMs;
