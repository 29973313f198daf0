/* The types for CommonJS: see index.d.cts. */
import type * as spec from '../../dist/spec/index.js' with { 'resolution-mode': 'import' };

export type * from '../../dist/spec/index.js' with { 'resolution-mode': 'import' };

export declare const installInto: typeof spec.installInto;

export declare const WeakRef: typeof spec.WeakRef;
export type WeakRef<T extends WeakKey> = spec.WeakRef<T>;
export declare const FinalizationRegistry: typeof spec.FinalizationRegistry;
export type FinalizationRegistry<T> = spec.FinalizationRegistry<T>;
