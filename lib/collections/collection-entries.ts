import { binding } from '../binding.js';
import { plainError } from '../errors.js';
import { Owner } from '../weak/entries.js';

/** In place of an entry. */
export const NONE = -1;

/** What to throw when a Map or Set has not taken an entry: V8 has a limit of its own, some 16 million. Or the stack has ended. */
export function notListed(cause: unknown): unknown {
  return cause instanceof RangeError && / maximum size exceeded$/.test(cause.message)
    ? plainError('ERR_WEAKLY_MEMORY', 'weakly: no more entries fit into one collection', cause)
    : cause;
}

/**
 * The entries of a collection. A change of it takes several calls, each of which may be one too many for the stack, or the
 * last before a timeout of `vm`; so every change keeps to this order:
 *
 *   settle()                    what an earlier one has left
 *   the entry, if it is new
 *   loose = entry               from here on until the end it is given back, if nothing else happens
 *   where it is listed
 *   loose = NONE, or giveBack()
 *
 * Between a call that has returned and an assignment nothing can end, so an entry is listed, or loose, or not there.
 */
export abstract class CollectionEntries extends Owner {
  /** An entry that is not in the collection yet, or not any more. */
  loose = NONE;

  /** Gives the loose entry back; whether its target was alive. */
  abstract giveBack(): boolean;

  settle(): void {
    if (this.loose !== NONE) this.giveBack();
  }

  /** How many targets are alive. */
  get count(): number {
    this.settle();
    return binding.countEntries(this.number);
  }
}
