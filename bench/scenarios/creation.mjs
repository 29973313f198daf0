// What a new pointer costs, its share of the collections included that its making provokes.

import { JOB, makeTargets, now, point, settle, turn } from './common.mjs';

/** n pointers to targets that stay, kept in an array. `oneJob`: without a turn of the event loop in between. */
export async function create(api, n, { oneJob = false } = {}) {
  const targets = makeTargets(n);
  const pointers = new Array(n).fill(undefined);
  // Compiled before it is timed; the pointers of the warm-up are dropped.
  const warm = makeTargets(20_000);
  await point(api, warm, new Array(warm.length).fill(undefined));
  await settle();
  const ms = await point(api, targets, pointers, oneJob ? n : JOB);
  return { ns: (ms * 1e6) / n };
}

export let sink;

/**
 * Object, pointer, both dropped, n times after a tenth as many for warming up. Process memory is a saw, its teeth the
 * major GCs; so the highest of the last 20 samples is compared with the highest of the 20 of the warm-up.
 */
export async function shortLived(api, n, { yielding = true } = {}) {
  const every = n / 200;
  const warm = [];
  const samples = [];
  for (let i = 0; i < 20; i++) {
    await churn(api.create, every, yielding);
    warm.push(process.memoryUsage.rss());
  }
  const start = now();
  for (let i = 0; i < 200; i++) {
    await churn(api.create, every, yielding);
    samples.push(process.memoryUsage.rss());
  }
  const ns = ((now() - start) * 1e6) / n;
  const before = Math.max(...warm);
  const growth = Math.max(0, Math.max(...samples.slice(-20)) - before);
  return { ns, megabytes: growth / 2 ** 20, percent: (growth / before) * 100, beforeMegabytes: before / 2 ** 20 };
}

// Not yielding, everything happens in one turn of the event loop: awaiting what is settled takes microtasks only.
async function churn(make, n, yielding) {
  if (!yielding) return spin(make, n);
  for (let done = 0; done < n; done += JOB) {
    spin(make, Math.min(JOB, n - done));
    await turn();
  }
}

function spin(make, n) {
  for (let i = 0; i < n; i++) sink = make({ n: i });
}
