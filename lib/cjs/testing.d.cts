/* The types for CommonJS: see index.d.cts. */
import type * as testing from '../../dist/testing/index.js' with { 'resolution-mode': 'import' };

export type * from '../../dist/testing/index.js' with { 'resolution-mode': 'import' };

export declare const collected: typeof testing.collected;
export declare const gcUntil: typeof testing.gcUntil;
export declare const matchers: typeof testing.matchers;
