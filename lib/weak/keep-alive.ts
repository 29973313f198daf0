import { binding } from '../binding.js';
import { FieldPointer } from './field.js';
import { Pointer } from './pointer.js';

/**
 * Marks a use of `value`: it is reachable at least until this call. Go's `runtime.KeepAlive`.
 *
 * An optimising compiler knows the last use of every variable, and the collector may free what a variable holds right
 * after it. Where something else depends on the object still being there (a native resource that a cleanup will close,
 * a pointer's target between two calls of `value()`), call this after the last moment of need.
 *
 * Guaranteed: no optimiser removes the call or moves it before an earlier one. Accepts any value, never throws.
 * Not guaranteed: anything after the call.
 */
export function keepAlive(value: unknown): void {
  binding.keepAlive(value);
}

/** Whether `value` is a {@link Pointer} (the nil pointer included) or a {@link FieldPointer} of this copy of the package. */
export function isPointer(value: unknown): value is Pointer | FieldPointer {
  return Pointer.has(value) || FieldPointer.has(value);
}
