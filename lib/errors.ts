/**
 * The codes of every error this package throws by itself.
 *
 * | code | thrown by | class |
 * |---|---|---|
 * | `ERR_WEAKLY_TARGET` | `make`, `makeField`, `addCleanup`, `finalizable`, `addWeakListener`, collections, `weakly/testing` | TypeError |
 * | `ERR_WEAKLY_KEY` | `makeField` | TypeError |
 * | `ERR_WEAKLY_ARGUMENT` | collections, `addWeakListener`: an argument that is not iterable, not a set, not of the kind asked for | TypeError |
 * | `ERR_WEAKLY_VALUE` | `unique`: what has no equal: functions, cyclic and exotic objects | TypeError |
 * | `ERR_WEAKLY_CALLBACK` | `addCleanup`, `finalizable`, `setFinalizer`, `addWeakListener`, collections, `weakly/testing`: not a function | TypeError |
 * | `ERR_WEAKLY_CLEANUP_HOLDS_TARGET` | `addCleanup`, `finalizable`, `setFinalizer`, `addWeakListener`: it would keep its target alive for ever | TypeError |
 * | `ERR_WEAKLY_STAND_IN` | `finalizable` of a stand-in, `setFinalizer` of anything else, private fields read of a stand-in by another, a fixed method defined on one | TypeError |
 * | `ERR_WEAKLY_FINALIZER_SET` | `finalizable`, `setFinalizer`: another stand-in of the target has one | TypeError |
 * | `ERR_WEAKLY_OPTION` | an option that is unknown, or of the wrong type | TypeError |
 * | `ERR_WEAKLY_RANGE` | a number is out of range: an option's, a set's size | RangeError |
 * | `ERR_WEAKLY_DISPOSED` | `WeakCache`: it has been disposed of | Error |
 * | `ERR_WEAKLY_NOT_COLLECTED` | `weakly/testing`: not within the time given | Error |
 * | `ERR_WEAKLY_CLEANUP` | nobody: it is reported for what a callback throws, if that cannot carry where it was registered | Error |
 * | `ERR_WEAKLY_TERMINATED` | `WeakCache.fetch` of a load that was; else nobody: it is reported for a callback that was terminated in the middle | Error |
 * | `ERR_WEAKLY_REALM` | `weakly/spec`: nothing can be installed into that realm | Error |
 * | `ERR_WEAKLY_CONSTRUCTOR` | `new Pointer()`, `new FieldPointer()`, `new Field()`, `new Cleanup()`, `new Handle()`, `new WeakListener()` | TypeError |
 * | `ERR_WEAKLY_RECEIVER` | a method or accessor called on a foreign `this` | TypeError |
 * | `ERR_WEAKLY_MEMORY` | what makes pointers or entries, or registers: no memory, or no number, for one more target | Error |
 * | `ERR_WEAKLY_INTERNAL` | nothing, if this package is without fault: the native half has been asked for what is not the asker's | Error |
 * | `ERR_WEAKLY_BINARY` | `import`: no native binary for this platform and Node.js, one that does not fit, none in a bundle, or options of Node.js that allow none | Error |
 * | `ERR_WEAKLY_RUNTIME` | `import`: not Node.js (Bun, Deno, Electron), or one whose V8 is built in another way | Error |
 *
 * Codes are stable; messages are not.
 */
export type ErrorCode =
  | 'ERR_WEAKLY_TARGET'
  | 'ERR_WEAKLY_KEY'
  | 'ERR_WEAKLY_ARGUMENT'
  | 'ERR_WEAKLY_VALUE'
  | 'ERR_WEAKLY_CALLBACK'
  | 'ERR_WEAKLY_CLEANUP_HOLDS_TARGET'
  | 'ERR_WEAKLY_STAND_IN'
  | 'ERR_WEAKLY_FINALIZER_SET'
  | 'ERR_WEAKLY_OPTION'
  | 'ERR_WEAKLY_RANGE'
  | 'ERR_WEAKLY_DISPOSED'
  | 'ERR_WEAKLY_NOT_COLLECTED'
  | 'ERR_WEAKLY_CLEANUP'
  | 'ERR_WEAKLY_TERMINATED'
  | 'ERR_WEAKLY_REALM'
  | 'ERR_WEAKLY_CONSTRUCTOR'
  | 'ERR_WEAKLY_RECEIVER'
  | 'ERR_WEAKLY_MEMORY'
  | 'ERR_WEAKLY_INTERNAL'
  | 'ERR_WEAKLY_BINARY'
  | 'ERR_WEAKLY_RUNTIME';

/** An error thrown by this package: an ordinary `Error` or `TypeError` that also carries a stable `code`. */
export type CodedError<Base extends Error = Error> = Base & {
  /** What has happened, in a form that does not change. */
  readonly code: ErrorCode;
};

export function coded<Base extends Error>(error: Base, code: ErrorCode): CodedError<Base> {
  // As in Node.js itself: the code shows in the stack, while `name` stays that of the class.
  const { name } = error;
  // defineProperty: an assignment would fail where built-in prototypes are frozen.
  Object.defineProperty(error, 'name', { value: `${name} [${code}]`, configurable: true });
  try {
    void error.stack; // composed from `name` on first access
  } catch {
    // Error.prepareStackTrace is the user's, and may throw. It is asked again when somebody else looks.
  }
  Reflect.deleteProperty(error, 'name');
  return Object.defineProperty(error, 'code', {
    value: code,
    enumerable: true,
    writable: true,
    configurable: true,
  }) as CodedError<Base>;
}

export function typeError(code: ErrorCode, message: string): CodedError<TypeError> {
  return coded(new TypeError(message), code);
}

export function rangeError(code: ErrorCode, message: string): CodedError<RangeError> {
  return coded(new RangeError(message), code);
}

export function plainError(code: ErrorCode, message: string, cause?: unknown): CodedError {
  return coded(cause === undefined ? new Error(message) : new Error(message, { cause }), code);
}
