// How costs grow with the number of pointers: everything of one size in one process.

import { makeTargets, median, point, settle, timedGc, turn } from './common.mjs';

export let sink;

export async function growth(api, n, { times = 11 } = {}) {
  const warm = makeTargets(20_000);
  await point(api, warm, new Array(warm.length).fill(undefined));
  const state = { targets: makeTargets(n), pointers: new Array(n).fill(undefined) };
  garbage(2_000_000);
  await settle(4);
  const before = process.memoryUsage.rss();
  const makeMs = await point(api, state.targets, state.pointers);
  await settle(4);
  const bytes = (process.memoryUsage.rss() - before) / n;

  const minors = [];
  for (let i = 0; i < 21; i++) {
    garbage(20_000);
    minors.push(await timedGc({ type: 'minor' }));
  }
  const majors = [];
  for (let i = 0; i < times; i++) majors.push(await timedGc());

  state.targets = undefined;
  await turn();
  await turn();
  const dieMs = await timedGc();
  return { ns: (makeMs * 1e6) / n, bytes, majorMs: median(majors), minorMs: median(minors), dieMs };
}

function garbage(n) {
  for (let i = 0; i < n; i++) sink = { n: i, garbage: true };
  sink = undefined;
}
