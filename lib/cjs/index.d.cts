/*
 * The types for CommonJS. Under `moduleResolution: node16` TypeScript lets a CommonJS file import only the types of an ES
 * module, so values are named one by one; scripts/test-package.mjs finds one that was forgotten. They are the same types:
 * a Pointer made by CommonJS is one for ES modules.
 */
import type * as weakly from '../../dist/index.js' with { 'resolution-mode': 'import' };

export type * from '../../dist/index.js' with { 'resolution-mode': 'import' };

export declare const addCleanup: typeof weakly.addCleanup;
export declare const finalizable: typeof weakly.finalizable;
export declare const isPointer: typeof weakly.isPointer;
export declare const keepAlive: typeof weakly.keepAlive;
export declare const make: typeof weakly.make;
export declare const makeField: typeof weakly.makeField;
export declare const queue: typeof weakly.queue;
export declare const setFinalizer: typeof weakly.setFinalizer;

// A class is a value and a type.
export declare const Cleanup: typeof weakly.Cleanup;
export type Cleanup = weakly.Cleanup;
export declare const Field: typeof weakly.Field;
export type Field<T extends object = object, K extends keyof T = keyof T> = weakly.Field<T, K>;
export declare const FieldPointer: typeof weakly.FieldPointer;
export type FieldPointer<T extends object = object, K extends keyof T = keyof T> = weakly.FieldPointer<T, K>;
export declare const Pointer: typeof weakly.Pointer;
export type Pointer<T extends WeakKey = WeakKey> = weakly.Pointer<T>;
