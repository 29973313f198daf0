/* The types for CommonJS: see index.d.cts. */
import type * as events from '../../dist/events/index.js' with { 'resolution-mode': 'import' };

export type * from '../../dist/events/index.js' with { 'resolution-mode': 'import' };

export declare const addWeakListener: typeof events.addWeakListener;

export declare const WeakListener: typeof events.WeakListener;
export type WeakListener = events.WeakListener;
