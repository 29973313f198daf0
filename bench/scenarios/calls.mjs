// Calls of nanoseconds. A repetition is one pass over n pointers in one job; the results are used, so that no optimiser
// drops the calls. The sum is checked: a pass that read nothing would be fast.

import { makeTargets, median, now, turn } from './common.mjs';

const WARM_UP = 100;
const PASSES = 300;

async function repeat(n, expected, pass) {
  const times = [];
  for (let i = 0; i < WARM_UP + PASSES; i++) {
    await turn();
    const start = now();
    const sum = pass();
    const ns = ((now() - start) * 1e6) / n;
    if (sum !== expected) throw new Error(`a pass gave ${sum} instead of ${expected}`);
    if (i >= WARM_UP) times.push(ns);
  }
  return { ns: median(times) };
}

function setUp(api, n) {
  const targets = makeTargets(n);
  return { targets, pointers: targets.map((target) => api.create(target)) };
}

export function read(api, n) {
  const { targets, pointers } = setUp(api, n);
  const { read: get } = api;
  return repeat(n, (targets.length * (n - 1)) / 2, () => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += get(pointers[i]).n;
    return sum;
  });
}

export function alive(api, n) {
  const { targets, pointers } = setUp(api, n);
  const { alive: ask } = api;
  return repeat(n, targets.length, () => {
    let sum = 0;
    for (let i = 0; i < n; i++) if (ask(pointers[i])) sum++;
    return sum;
  });
}

/** The pointer of a target that has one already. */
export function known(api, n) {
  const { targets, pointers } = setUp(api, n);
  const { find } = api;
  return repeat(n, targets.length, () => {
    let sum = 0;
    for (let i = 0; i < n; i++) if (find(targets[i]) === pointers[i]) sum++;
    return sum;
  });
}
