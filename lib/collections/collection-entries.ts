import { plainError } from '../errors.js';

/** What to throw when a Map or Set has not taken an entry: V8 has a limit of its own, some 16 million. Or the stack has ended. */
export function notListed(cause: unknown): unknown {
  return cause instanceof RangeError && / maximum size exceeded$/.test(cause.message)
    ? plainError('ERR_WEAKLY_MEMORY', 'weakly: no more entries fit into one collection', cause)
    : cause;
}
