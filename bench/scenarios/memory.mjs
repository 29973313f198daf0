// Process memory of n pointers to n targets that stay, over the targets alone.

import { hold, settle, sleep } from './common.mjs';

export let sink;

/** Of n pointers. */
export async function memory(api, n) {
  const state = await hold(api, n);
  const bytes = await leastBytes(n);
  if (state.targets.length !== n) throw new Error('unreachable; it keeps the targets to here');
  return { bytes };
}

/**
 * Bytes of the whole process per target; the same with nothing but the targets is subtracted later. At the end, both processes have
 * filled the young generation and collected several times: pages that V8 keeps for later use are then as many in both,
 * where a difference within one process would hide the pointers in pages left over from making the targets. It gives pages
 * back when it comes to it, so the least of some looks counts.
 */
export async function leastBytes(n) {
  for (let i = 0; i < 2_000_000; i++) sink = { n: i, garbage: true };
  sink = undefined;
  let bytes = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 8; i++) {
    await settle(2);
    await sleep(50);
    bytes = Math.min(bytes, process.memoryUsage.rss() / n);
  }
  return bytes;
}
