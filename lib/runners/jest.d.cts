import type { RunnerMatchers } from '../../dist/testing/index.js' with { 'resolution-mode': 'import' };

declare global {
  namespace jest {
    // The parameters' names and defaults are those of @types/jest.
    // biome-ignore lint/complexity/noBannedTypes: as it has it
    interface Matchers<R, T = {}> extends RunnerMatchers {}
  }
}
