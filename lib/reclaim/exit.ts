import { call, countFailure } from './call.js';
import { generationOf, isPending, NONE, withdrawForExit } from './records.js';
import { report } from './report.js';

/* The cleanups that want to run at exit, in the order of registration; (record, generation) may be long gone. */
let registered: number[] = [];
let generations: number[] = [];
let compactAt = 1024;
let listening = false;

/** Registers an armed record for exit. */
export function runAtExit(record: number): void {
  if (!listening) {
    // Not before the first: a process that never asks for it has no listener of ours.
    process.on('exit', runAll);
    listening = true;
  }
  if (registered.length >= compactAt) compact();
  registered.push(record);
  generations.push(generationOf(record));
}

/** Forgets the ones that have run or were stopped. The limit doubles with what is left: constant time per registration. */
function compact(): void {
  const kept = registered.map((record, i) => isPending(record, generations[i] as number));
  registered = registered.filter((_, i) => kept[i]);
  generations = generations.filter((_, i) => kept[i]);
  compactAt = Math.max(1024, 2 * registered.length);
}

/** Newest first; what a cleanup registers meanwhile is the newest. */
function runAll(): void {
  for (let record = registered.pop() ?? NONE; record !== NONE; record = registered.pop() ?? NONE) {
    if (!isPending(record, generations.pop() as number)) continue;
    try {
      call(record, withdrawForExit);
    } catch (error) {
      countFailure();
      report(error, true);
    }
  }
}
