import { type Collectable, isCollected } from './collected.js';
import type { WaitOptions } from './gc-until.js';

/** What vitest and jest expect of a matcher. */
export interface MatcherResult {
  readonly pass: boolean;
  message(): string;
}

/**
 * Matchers for `expect.extend`, of vitest or jest:
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
          : `expected the target to be collected, but ${what} after ${timeoutMs} ms: something holds it`,
    };
  },
};
