// Collections: reading, changing and iterating them, what they add to collections of garbage, and memory.

import { JOB, makeTargets, median, now, settle, timedMajor, turn } from './common.mjs';
import { leastBytes } from './memory.mjs';

export let sink;

/** The key of the i-th target. */
const keyOf = ({ weakKeys }) => (weakKeys ? (target) => target : (_target, i) => i);

async function filled(contender, n) {
  const targets = makeTargets(n);
  const keys = targets.map(keyOf(contender));
  const map = contender.map();
  const ms = await inJobs(n, (i) => map.set(keys[i], targets[i]));
  return { targets, keys, map, ms };
}

/** Milliseconds of n steps, in jobs; the turns of the event loop in between are not counted. */
async function inJobs(n, step) {
  let ms = 0;
  for (let from = 0; from < n; from += JOB) {
    const to = Math.min(from + JOB, n);
    const start = now();
    for (let i = from; i < to; i++) step(i);
    ms += now() - start;
    await turn();
  }
  return ms;
}

/** Compiled before it is timed: everything that a map can do, once, with few entries. */
async function warmUp(contender) {
  const { targets, keys, map } = await filled(contender, 20_000);
  for (let round = 0; round < 5; round++) {
    await inJobs(keys.length, (i) => {
      if (map.get(keys[i]) !== targets[i] || !map.has(keys[i])) throw new Error('lost');
    });
  }
  if (map.entries !== undefined) for (const entry of map.entries()) sink = entry;
  await inJobs(keys.length, (i) => map.delete(keys[i]));
}

/** Of n entries that stay: each is set, read, found, iterated and deleted. Nanoseconds of one. */
export async function mapUse(contender, n) {
  await warmUp(contender);
  await settle();
  return use(contender, n, 5);
}

async function use(contender, n, passes) {
  const { targets, keys, map, ms } = await filled(contender, n);
  await settle();
  const gets = [];
  const has = [];
  for (let pass = 0; pass < passes; pass++) {
    gets.push(
      await inJobs(n, (i) => {
        if (map.get(keys[i]) !== targets[i]) throw new Error('lost');
      }),
    );
    has.push(
      await inJobs(n, (i) => {
        if (!map.has(keys[i])) throw new Error('lost');
      }),
    );
  }
  const iterateMs = map.entries === undefined ? undefined : await iterate(map, n);
  const deleteMs = await inJobs(n, (i) => {
    if (!map.delete(keys[i])) throw new Error('lost');
  });
  const ns = (milliseconds) => (milliseconds === undefined ? undefined : (milliseconds * 1e6) / n);
  return {
    setNs: ns(ms),
    getNs: ns(median(gets)),
    hasNs: ns(median(has)),
    iterateNs: ns(iterateMs),
    deleteNs: ns(deleteMs),
  };
}

async function iterate(map, n) {
  const samples = [];
  for (let pass = 0; pass < 3; pass++) {
    let count = 0;
    const start = now();
    for (const entry of map.entries()) {
      sink = entry;
      count++;
    }
    samples.push(now() - start);
    if (count !== n) throw new Error(`${count} of ${n} entries were met`);
    await turn();
  }
  return median(samples);
}

/** A thousand entries, read over and over, many times per job. */
export async function mapGetHot(contender, n, { passes = 100, jobs = 20 } = {}) {
  const { targets, keys, map } = await filled(contender, n);
  const samples = [];
  for (let job = 0; job < jobs; job++) {
    samples.push(readAll(map, keys, passes));
    await turn();
  }
  if (targets.length !== n) throw new Error('unreachable; it keeps the targets to here');
  return { ns: (median(samples.slice(jobs / 2)) * 1e6) / (n * passes) };
}

function readAll(map, keys, passes) {
  let found = 0;
  const start = now();
  for (let pass = 0; pass < passes; pass++)
    for (let i = 0; i < keys.length; i++) if (map.get(keys[i]) !== undefined) found++;
  const ms = now() - start;
  if (found !== keys.length * passes) throw new Error('lost');
  return ms;
}

/** Entries that nobody holds, n after a tenth as many for warming up, the event loop turning. With weak values, keys recur. */
export async function mapChurn(contender, n) {
  const map = contender.map();
  const put = contender.weakKeys
    ? (i) => map.set({ n: i, one: 1 }, { n: i })
    : (i) => map.set(i & 0xffff, { n: i, one: 1 });
  await churn(n / 10, put);
  await settle();
  const start = now();
  await churn(n, put);
  return { ns: ((now() - start) * 1e6) / n };
}

async function churn(n, put) {
  for (let from = 0; from < n; from += JOB) {
    for (let i = from; i < Math.min(from + JOB, n); i++) put(i);
    await turn();
  }
}

/** A forced major GC while all n entries live; with `none`, the same without a collection. */
export async function mapGc(contender, n, { times = 7 } = {}) {
  const state = contender.map === undefined ? { targets: makeTargets(n) } : await filled(contender, n);
  await settle();
  const pauses = [];
  for (let i = 0; i < times; i++) pauses.push(await timedMajor());
  if (state.targets.length !== n) throw new Error('unreachable; it keeps the targets to here');
  return { ms: median(pauses) };
}

/** The forced major GC in which what n entries hold weakly dies, and the longest block of the event loop after it. */
export async function mapDie(contender, n) {
  const state = contender.map === undefined ? { targets: makeTargets(n) } : await filled(contender, n);
  await settle();
  state.targets = undefined;
  state.keys = undefined;
  await turn();
  await turn();
  const ms = await timedMajor();
  const start = now();
  let last = start;
  let blockMs = 0;
  while (last < start + 1500) {
    await turn();
    const time = now();
    blockMs = Math.max(blockMs, time - last);
    last = time;
  }
  return { ms, blockMs, left: state.map === undefined ? 0 : 1 };
}

/** Process memory of n entries that stay, as in memory.mjs. */
export async function mapMemory(contender, n) {
  const state = contender.map === undefined ? { targets: makeTargets(n) } : await filled(contender, n);
  state.keys = undefined;
  const bytes = await leastBytes(n);
  if (state.targets.length !== n) throw new Error('unreachable; it keeps the targets to here');
  return { bytes };
}

/** What is in the strong tier, read over and over. */
export async function cacheGet(contender, n, { passes = 100, jobs = 20 } = {}) {
  const cache = contender.cache(4 * n);
  const targets = makeTargets(n);
  for (let i = 0; i < n; i++) cache.set(i, targets[i]);
  const keys = targets.map((_, i) => i);
  const samples = [];
  for (let job = 0; job < jobs; job++) {
    samples.push(readAll(cache, keys, passes));
    await turn();
  }
  return { ns: (median(samples.slice(jobs / 2)) * 1e6) / (n * passes) };
}

/** n values that somebody else holds, a tenth of them in the strong tier: each time, what is read was evicted before. */
export async function cacheGetWeak(contender, n, { passes = 10 } = {}) {
  const cache = contender.cache(n / 10);
  const targets = makeTargets(n);
  await inJobs(n, (i) => cache.set(i, targets[i]));
  const samples = [];
  for (let pass = 0; pass < passes; pass++) {
    samples.push(
      await inJobs(n, (i) => {
        if (cache.get(i) !== targets[i]) throw new Error('lost');
      }),
    );
  }
  return { ns: (median(samples) * 1e6) / n };
}

/** n values that nobody else holds, of 50 000 keys, a fifth of which are in the strong tier. */
export async function cacheChurn(contender, n) {
  const cache = contender.cache(10_000);
  const put = (i) => cache.set(i % 50_000, { n: i, one: 1 });
  await churn(n / 5, put);
  await settle();
  const start = now();
  await churn(n, put);
  return { ns: ((now() - start) * 1e6) / n };
}

/** n equal strings of 100 characters, each made anew, and what stands for them kept. */
export async function equalStrings(contender, n) {
  const kept = new Array(n).fill(undefined);
  const part = 'x'.repeat(90);
  const warm = contender.canonical(text(part));
  const ms = await inJobs(n, (i) => {
    kept[i] = contender.canonical(text(part));
  });
  let bytes = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    await settle(2);
    bytes = Math.min(bytes, process.memoryUsage.rss() / n);
  }
  if (kept.length !== n || warm === undefined) throw new Error('unreachable; it keeps them to here');
  return { bytes, ns: (ms * 1e6) / n };
}

/** A flat string of its own. */
const text = (part) => Buffer.from(`0123456789${part}`, 'latin1').toString('latin1');

/** How maps grow: everything of one size in one process. */
export async function mapGrowth(contender, n) {
  await warmUp(contender);
  await settle();
  // Few calls take too little time to be measured once.
  const samples = [];
  for (let i = 0; i < Math.max(1, Math.min(20, 200_000 / n)); i++)
    samples.push(await use(contender, n, n > 1e5 ? 2 : 3));
  const used = Object.fromEntries(
    Object.entries(samples[0]).map(([metric, value]) => [
      metric,
      value === undefined ? undefined : median(samples.map((sample) => sample[metric])),
    ]),
  );
  const { ns: churnNs } = contender.strong ? {} : await mapReplace(contender, n);
  return { ...used, churnNs };
}

/** Beside n entries that stay, 300 000 others that nobody holds: nanoseconds of one. */
async function mapReplace(contender, n) {
  const { targets, map } = await filled(contender, n);
  const put = contender.weakKeys
    ? (i) => map.set({ n: i, one: 1 }, { n: i })
    : (i) => map.set(n + (i & 0xffff), { n: i, one: 1 });
  await churn(30_000, put);
  await settle();
  const start = now();
  await churn(300_000, put);
  const ns = ((now() - start) * 1e6) / 300_000;
  if (targets.length !== n) throw new Error('unreachable; it keeps the targets to here');
  return { ns };
}
