// Process memory of n pointers to n targets that stay, over the targets alone.

import { hold, settle } from './common.mjs';

export let sink;

/**
 * Bytes of the whole process per target; the same with no pointers is subtracted later. At the end, both processes have
 * filled the young generation and collected several times: pages that V8 keeps for later use are then as many in both,
 * where a difference within one process would hide the pointers in pages left over from making the targets.
 */
export async function memory(api, n) {
  const state = await hold(api, n);
  for (let i = 0; i < 2_000_000; i++) sink = { n: i, garbage: true };
  sink = undefined;
  await settle(8);
  const bytes = process.memoryUsage.rss() / n;
  if (state.targets.length !== n) throw new Error('unreachable; it keeps the targets to here');
  return { bytes };
}
