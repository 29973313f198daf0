import { installInto, own } from './install.js';

export type { Intrinsics } from './intrinsics.js';
export { installInto };

/**
 * ECMAScript's `WeakRef`, to the letter, on this package's slots: the same shape, errors, realms, and kept objects (a target
 * that was passed to the constructor or given by `deref` stays to the end of the job; a `Pointer` is the precise one).
 *
 * What it adds: deaths are seen by minor GCs on every Node.js. What is not guaranteed is as for `Pointer`.
 */
export const WeakRef: WeakRefConstructor = own.WeakRef;

/**
 * ECMAScript's `FinalizationRegistry`, to the letter, on this package's queue: the same shape, errors, realms, unregister
 * tokens. A callback comes at most once for each registration, in a task of its own, never at exit, and never from a registry
 * that is garbage itself; `unregister` works at any time before.
 *
 * What it adds: deaths are seen by minor GCs on every Node.js, and callbacks come in slices (`queue.configure({ sliceMs })`):
 * a million of them do not block the event loop. `queue.drain()` does not call them.
 */
export const FinalizationRegistry: FinalizationRegistryConstructor = own.FinalizationRegistry;

// Both can be used as types, as the global ones can.
export type WeakRef<T extends WeakKey> = globalThis.WeakRef<T>;
export type FinalizationRegistry<T> = globalThis.FinalizationRegistry<T>;
