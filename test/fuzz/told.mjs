// Who is told what callbacks throw: one handler at a time, or 'uncaughtException'. Doors that throw look at what comes.

import { createContext, runInContext } from 'node:vm';
import { queue } from '../../dist/index.js';
import { isEndOfStack } from './cut.mjs';
import { Thrown } from './world.mjs';

export const UNCAUGHT = 'uncaughtException';
const isObject = (value) => typeof value === 'object' && value !== null;

/** Of a realm that stays. */
export const realm = createContext({});
const foreign = runInContext('(tell) => (error) => tell(error)', realm);

/** `error`, or what it carries: nothing that is thrown on purpose has that code. May be a revoked proxy, which tells nothing. */
export function carried(error) {
  try {
    if (isObject(error) && error.code === 'ERR_WEAKLY_CLEANUP') return { error: error.cause, carrier: error };
  } catch {}
  return { error, carrier: undefined };
}

export class Told {
  /** Each says whether an error was its own. */
  takers = [];
  /** What is told now: `uncaughtException`, or a handler's number. */
  mode = UNCAUGHT;
  #handlers = 0;

  constructor(world) {
    this.world = world;
  }

  /** Another handler, or none. One that `rethrows` has what it throws reported in the place of what it got. */
  configure(options, { none = false, rethrow = undefined, abroad = false } = {}) {
    const mode = none ? UNCAUGHT : ++this.#handlers;
    const tell = (error) => {
      if (this.mode !== mode) this.world.fault(`onError ${mode} is told, not ${this.mode}`);
      this.tell(error, mode);
      rethrow?.(mode);
    };
    queue.configure({ ...options, onError: none ? null : abroad ? foreign(tell) : tell });
    this.mode = mode;
  }

  /** Whatever is reported, wherever: `mode` as above. */
  tell(error, mode) {
    const { world } = this;
    for (const take of this.takers) if (take(error, mode)) return;
    const thrown = carried(error).error;
    try {
      if (thrown instanceof Thrown && mode === UNCAUGHT) return;
      if (isEndOfStack(thrown) && world.endsStack) world.ended++;
      // What a timeout has ended counts as called, and has not told us so if it had only begun.
      else if (thrown?.code === 'ERR_WEAKLY_TERMINATED' && world.does('vm-drain')) world.ended++;
      else world.fault(`${mode} got ${thrown?.stack ?? String(thrown)}`);
    } catch {
      world.fault(`${mode} got what tells nothing of itself`);
    }
  }
}
