export type { CodedError, ErrorCode } from './errors.js';
export { addCleanup, Cleanup, type CleanupOptions, type CleanupState } from './reclaim/cleanup.js';
export { type Finalizer, finalizable, setFinalizer } from './reclaim/finalizer.js';
// With this, draining starts at the first import, whatever else is used.
export { type Queue, type QueueOptions, type QueueSlice, type QueueStats, queue } from './reclaim/queue.js';
export type { OnError } from './reclaim/report.js';
export { Field, FieldPointer, makeField } from './weak/field.js';
export { isPointer, keepAlive } from './weak/keep-alive.js';
export { make, Pointer } from './weak/pointer.js';
