import 'expect';
import type { RunnerMatchers } from '../../dist/testing/index.js' with { 'resolution-mode': 'import' };

declare module 'expect' {
  // The parameters' names and defaults are jest's.
  interface Matchers<R extends void | Promise<void>, T = unknown> extends RunnerMatchers {}
}
