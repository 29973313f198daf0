import 'vitest';
import type { RunnerMatchers } from '../../dist/testing/index.js';

declare module 'vitest' {
  // The parameter's name and default are vitest's, of every version.
  // biome-ignore lint/suspicious/noExplicitAny: as vitest has it
  interface Assertion<T = any> extends RunnerMatchers {}
}
