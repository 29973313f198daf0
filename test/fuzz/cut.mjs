// Two ways to end what is going on at any point: vm's timeout, and the end of the stack.

import { runInThisContext } from 'node:vm';

/** Whether code had to be terminated after so many milliseconds; what it throws is thrown. */
export function terminated(code, timeout) {
  try {
    runInThisContext(code, { timeout });
    return false;
  } catch (error) {
    if (error?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    return true;
  }
}

/** Whether `loop`, which does not end by itself, was cut; anything else that it throws is thrown. */
export function cutByTimeout(loop, ms) {
  globalThis.weaklyFuzz = loop;
  try {
    return terminated('weaklyFuzz()', ms);
  } finally {
    globalThis.weaklyFuzz = undefined;
  }
}

export const isEndOfStack = (error) => error instanceof RangeError && /call stack/.test(error.message);

/**
 * Calls `op` at each of the last `levels` of the stack, whose frames are of another size for each `pad`. What it throws,
 * besides that the stack has ended, is given back.
 */
export function atTheEndOfTheStack(op, pad, levels) {
  let left = levels;
  let done = 0;
  let odd;
  const down = () => {
    try {
      down();
    } catch {}
    if (left-- <= 0) return;
    try {
      op();
      done++;
    } catch (error) {
      if (!isEndOfStack(error)) odd = error;
    }
  };
  const variables = Array.from({ length: pad }, (_, i) => `let a${i} = ${i};`).join('');
  new Function('down', `return function () { ${variables} down(); }`)(down)();
  return { done, odd };
}
