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

/** Object, pointer, both dropped, n times; process memory over the run. */
export async function shortLived(api, n, { yielding = true, warmUp = n / 10, every = n / 20 } = {}) {
  const samples = [];
  await churn(api.create, warmUp, yielding);
  const start = now();
  const before = process.memoryUsage.rss();
  if (yielding) {
    for (let done = 0; done < n; done += every) {
      await churn(api.create, every, true);
      samples.push(process.memoryUsage.rss());
    }
  } else {
    // One job from here to the end.
    for (let done = 0; done < n; done += every) {
      spin(api.create, every);
      samples.push(process.memoryUsage.rss());
    }
  }
  const growth = Math.max(0, ...samples.map((sample) => sample - before));
  return { ns: ((now() - start) * 1e6) / n, megabytes: growth / 2 ** 20, percent: (growth / before) * 100, before, samples };
}

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
