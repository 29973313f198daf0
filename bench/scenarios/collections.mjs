// What the pointers add to garbage collections.

import { checkDead, hold, median, now, settle, timedMajor, turn } from './common.mjs';

/** A forced major GC while all n targets live. */
export async function liveGc(api, n, { times = 21 } = {}) {
  const state = await hold(api, n);
  await settle();
  const pauses = [];
  for (let i = 0; i < times; i++) pauses.push(await timedMajor());
  if (state.targets.length !== n) throw new Error('unreachable; it keeps the targets to here');
  return { ms: median(pauses) };
}

/** The forced major GC in which n targets die, and what the event loop goes through after it. */
export async function die(api, n) {
  const state = await hold(api, n);
  await settle();
  state.targets = undefined;
  // What this turn's job has read is kept to its end.
  await turn();
  await turn();
  const ms = await timedMajor();
  const blockMs = await longestBlock(api, n);
  checkDead(api, state.pointers);
  return { ms, blockMs };
}

/** The longest time between two turns of the event loop, until all is told that is to be told. */
async function longestBlock(api, n) {
  const start = now();
  const told = () => api.finalized === undefined || api.finalized() >= n * 0.99;
  let last = start;
  let longest = 0;
  while (last < start + 500 || (!told() && last < start + 20_000)) {
    await turn();
    const time = now();
    longest = Math.max(longest, time - last);
    last = time;
  }
  return longest;
}
