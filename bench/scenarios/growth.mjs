// How costs grow with the number of pointers: everything of one size in one process.

import { checkDead, makeTargets, median, point, settle, timedMajor, timedMinor, turn } from './common.mjs';

export let sink;

export async function growth(api, n, { times = 11 } = {}) {
  const warm = makeTargets(20_000);
  await point(api, warm, new Array(warm.length).fill(undefined));
  const state = { targets: makeTargets(n), pointers: new Array(n).fill(undefined) };
  await settle();
  const makeMs = await point(api, state.targets, state.pointers);
  // As in memory.mjs: less the same with no pointers.
  garbage(2_000_000);
  await settle(6);
  const bytes = process.memoryUsage.rss() / n;

  const minors = [];
  for (let i = 0; i < 21; i++) {
    garbage(20_000);
    minors.push(await timedMinor());
  }
  const majors = [];
  for (let i = 0; i < times; i++) majors.push(await timedMajor());

  state.targets = undefined;
  await turn();
  await turn();
  const dieMs = await timedMajor();
  checkDead(api, state.pointers);
  return { ns: (makeMs * 1e6) / n, bytes, majorMs: median(majors), minorMs: median(minors), dieMs };
}

function garbage(n) {
  for (let i = 0; i < n; i++) sink = { n: i, garbage: true };
  sink = undefined;
}
