// Calls of nanoseconds. A repetition is a job that passes over n pointers `passes` times; in between, the event loop
// turns. WeakRef pays most when a target is read for the first time in a job, so more passes per job are in its favour.

import { makeTargets, median, now, turn } from './common.mjs';

const REPETITIONS = 200;
/** So many calls are enough: a million targets are passed over a few times only. */
const CALLS = 2e7;

export async function measure(api, n, passes, pass, targets = makeTargets(n)) {
  const pointers = targets.map((target) => api.create(target));
  const times = [];
  const repetitions = Math.max(20, Math.min(REPETITIONS, Math.ceil(CALLS / (n * passes))));
  const warmUp = repetitions / 4;
  for (let i = 0; i < warmUp + repetitions; i++) {
    await turn();
    let sum = 0;
    const start = now();
    for (let j = 0; j < passes; j++) sum += pass(targets, pointers);
    const ns = ((now() - start) * 1e6) / (n * passes);
    // The results are used and checked: calls that an optimiser drops, or that find nothing, are fast.
    if (sum !== n * passes) throw new Error(`${sum} of ${n * passes} calls gave what they should`);
    if (i >= warmUp) times.push(ns);
  }
  // Needed after the last pass too, else the targets may die before it.
  if (targets.length !== n) throw new Error('unreachable');
  return { ns: median(times) };
}

export function read(api, n, { passes = 10 } = {}) {
  const { read: get } = api;
  return measure(api, n, passes, (_targets, pointers) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += get(pointers[i]).one;
    return sum;
  });
}

export function alive(api, n, { passes = 10 } = {}) {
  const { alive: ask } = api;
  return measure(api, n, passes, (_targets, pointers) => {
    let sum = 0;
    for (let i = 0; i < n; i++) if (ask(pointers[i])) sum++;
    return sum;
  });
}

/** The pointer of a target that has one already. */
export function known(api, n, { passes = 10 } = {}) {
  const { find } = api;
  return measure(api, n, passes, (targets, pointers) => {
    let sum = 0;
    for (let i = 0; i < n; i++) if (find(targets[i]) === pointers[i]) sum++;
    return sum;
  });
}
