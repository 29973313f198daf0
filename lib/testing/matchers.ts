import { type Collectable, isCollected, stillAlive } from './collected.js';
import type { WaitOptions } from './gc-until.js';

/** What an `expect` has that was extended by {@link matchers}. */
export interface RunnerMatchers {
  /**
   * Waits until what a pointer points to, or what a function gives, is collected, as {@link collected} does. With `.not`, waits all of
   * `timeoutMs` to see it live.
   */
  toBeCollected(options?: WaitOptions): Promise<void>;
}

/** What vitest and jest expect of a matcher. */
export interface MatcherResult {
  /** Whether it was collected. */
  readonly pass: boolean;
  /** What a failure says. */
  message(): string;
}

/**
 * Matchers for `expect.extend`, of vitest or jest; `import 'weakly/testing/vitest'` or `'weakly/testing/jest'` does that, and tells
 * TypeScript of it.
 *
 *     expect.extend(matchers);
 *     await expect(pointer).toBeCollected();
 *     await expect(() => new Session()).toBeCollected({ timeoutMs: 1000 });
 *     await expect(make(cached)).not.toBeCollected({ timeoutMs: 100 });
 */
export const matchers = {
  /** Like {@link collected}. With `.not`, waits all of `timeoutMs` to see it live. */
  async toBeCollected(subject: Collectable, options?: WaitOptions): Promise<MatcherResult> {
    const { collected, what, timeoutMs } = await isCollected(subject, options, 'toBeCollected');
    return {
      pass: collected,
      message: () =>
        collected
          ? `expected the target not to be collected within ${timeoutMs} ms`
          : `expected the target to be collected, but ${stillAlive(what, timeoutMs)}`,
    };
  },
};
