// Process memory of n pointers to n targets that stay, over the targets alone.

import { makeTargets, point, settle } from './common.mjs';

export let sink;

/**
 * Bytes of process memory per pointer. The array for the pointers exists before, and the young generation has been
 * filled: its pages, once touched, stay, and would be counted for whoever touches them first.
 */
export async function memory(api, n) {
  const state = { targets: makeTargets(n), pointers: new Array(n).fill(undefined) };
  for (let i = 0; i < 2_000_000; i++) sink = { n: i, garbage: sink === undefined };
  sink = undefined;
  await settle(6);
  const before = process.memoryUsage.rss();
  await point(api, state.targets, state.pointers);
  await settle(6);
  const bytes = (process.memoryUsage.rss() - before) / n;
  if (state.targets.length !== n) throw new Error('unreachable; it keeps the targets to here');
  return { bytes };
}
