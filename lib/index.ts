// Draining starts with the first import, whatever else is used.
import './reclaim/queue.js';

export type { CodedError, ErrorCode } from './errors.js';
export { Field, FieldPointer, makeField } from './weak/field.js';
export { isPointer, keepAlive } from './weak/keep-alive.js';
export { make, Pointer } from './weak/pointer.js';
