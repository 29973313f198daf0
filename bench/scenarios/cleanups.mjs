// Functions called when targets die: registering, stopping and calling them, and what they add to collections and memory.

import { liveGc } from './collections.mjs';
import { hold, JOB, makeTargets, median, now, point, settle, timedMajor, turn } from './common.mjs';
import { memory } from './memory.mjs';

/** The function that is called, and how often it was. */
export function tally() {
  const counts = { calls: 0, keys: 0 };
  counts.fn = (key) => {
    counts.calls++;
    counts.keys += key;
  };
  return counts;
}

/** So many of `n` must have been called; a few targets may be held by a register or a stack slot. */
const nearly = (n) => Math.floor(n * 0.999);

/** Waits for the calls that are to come, else throws: who does not call is fast at everything else. */
export async function checkCalled(api, counts, n) {
  if (api.silent) return;
  const end = now() + 30_000;
  while (counts.calls < nearly(n) && now() < end) {
    await timedMajor();
    for (let i = 0; i < 200 && counts.calls < nearly(n); i++) await turn();
  }
  if (counts.calls < nearly(n) || counts.calls > n) throw new Error(`${counts.calls} of ${n} callbacks were called`);
}

/** A callback while its target lives is none. */
function checkNotCalled(counts, n = 0) {
  if (counts.calls > n) throw new Error(`${counts.calls - n} callbacks were called that should not`);
}

async function checkStopped(counts) {
  for (let i = 0; i < 3; i++) {
    await timedMajor();
    for (let j = 0; j < 50; j++) await turn();
  }
  checkNotCalled(counts);
}

/** n registrations on targets that stay, in jobs. What they return is kept. */
export async function register(contender, n) {
  const counts = tally();
  const api = contender.cleanups(counts.fn);
  const warmed = await warmUp(api);
  await settle();
  const ms = await registerAll(api, n, () => checkNotCalled(counts, warmed));
  await checkCalled(api, counts, warmed + n);
  return { ns: (ms * 1e6) / n };
}

/** Compiled before it is timed. */
async function warmUp(api) {
  const targets = makeTargets(20_000);
  await point(api, targets, new Array(targets.length).fill(undefined));
  return targets.length;
}

// Apart from register(): its targets can die when it is done.
async function registerAll(api, n, check) {
  const targets = makeTargets(n);
  const ms = await point(api, targets, new Array(n).fill(undefined));
  check();
  if (targets.length !== n) throw new Error('unreachable; it keeps the targets to here');
  return ms;
}

export let sink;

/** Object and registration, both dropped, n times, the event loop turning; and the same until the last is called. */
export async function registerShortLived(contender, n) {
  const counts = tally();
  const api = contender.cleanups(counts.fn);
  await churn(api.create, n / 10);
  await checkCalled(api, counts, n / 10);
  await settle();
  counts.calls = 0;
  const start = now();
  await churn(api.create, n);
  const ns = ((now() - start) * 1e6) / n;
  await checkCalled(api, counts, n);
  return { ns, calledNs: ((now() - start) * 1e6) / n };
}

async function churn(create, n) {
  for (let done = 0; done < n; done += JOB) {
    spin(create, done, Math.min(done + JOB, n));
    await turn();
  }
}

function spin(create, from, to) {
  for (let i = from; i < to; i++) sink = create({ n: i, one: 1 });
}

/** All n stopped, in jobs; none is called. */
export async function stopAll(contender, n) {
  const counts = tally();
  const api = contender.cleanups(counts.fn);
  const ms = await stopHeld(api, n);
  await checkStopped(counts);
  return { ns: (ms * 1e6) / n };
}

async function stopHeld(api, n) {
  // Compiled before it is timed.
  const warm = await hold(api, 20_000);
  for (let from = 0; from < warm.targets.length; from += JOB) stopRange(api.stop, warm, from, from + JOB);
  const state = await hold(api, n);
  await settle();
  const start = now();
  let stopped = 0;
  for (let from = 0; from < n; from += JOB) {
    stopped += stopRange(api.stop, state, from, Math.min(from + JOB, n));
    await turn();
  }
  const ms = now() - start;
  if (stopped !== n) throw new Error(`${stopped} of ${n} were stopped`);
  return ms;
}

function stopRange(stop, { targets, pointers }, from, to) {
  let stopped = 0;
  for (let i = from; i < to; i++) if (stop(pointers[i], targets[i])) stopped++;
  return stopped;
}

/** A few at a time, anywhere among n that stay; each is registered anew before the next ones are stopped. */
export async function stopSome(contender, n, { few = 10, times = 2000 } = {}) {
  const counts = tally();
  const api = contender.cleanups(counts.fn);
  const ns = await stopFew(api, n, few, times);
  checkNotCalled(counts);
  await checkCalled(api, counts, n);
  return { ns };
}

async function stopFew({ create, stop }, n, few, times) {
  const { targets, pointers } = await hold({ create }, n);
  await settle();
  const samples = [];
  const chosen = new Array(few).fill(0);
  let seed = 1;
  for (let i = 0; i < times; i++) {
    for (let j = 0; j < few; j++) {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      chosen[j] = Math.floor((seed / 2 ** 32) * n);
    }
    const different = new Set(chosen);
    let stopped = 0;
    const start = now();
    for (let j = 0; j < few; j++) if (stop(pointers[chosen[j]], targets[chosen[j]])) stopped++;
    samples.push(((now() - start) * 1e6) / few);
    if (stopped !== different.size) throw new Error(`${stopped} of ${different.size} were stopped`);
    for (const index of different) pointers[index] = create(targets[index]);
    await turn();
  }
  return median(samples.slice(times / 10));
}

/**
 * n fall due in one GC, and each deletes its key from a Map. `living`: as many other keys stay in it; without them it
 * empties, and V8 blocks the event loop to shrink it.
 */
export async function run(contender, n, { living = true } = {}) {
  const map = new Map();
  let calls = 0;
  let warmCalls = 0;
  const api = contender.cleanups((key) => {
    if (key < n) calls++;
    else warmCalls++;
    map.delete(key);
  });
  for (let i = 0; i < n; i++) {
    map.set(i, i);
    if (living) map.set(-1 - i, i);
  }
  // Compiled before it is timed, as everywhere here; these have no key in the Map.
  for (let i = 1; i <= 3; i++) {
    await dropAll(api, 20_000, n);
    while (warmCalls < nearly(20_000 * i)) await timedMajor();
  }
  await settle();
  const state = await hold(api, n);
  await settle();
  if (calls > 0) throw new Error(`${calls} callbacks were called that should not`);
  state.targets = undefined;
  await turn();
  await turn();
  const gcMs = await timedMajor();
  const result = await watch(
    () => calls,
    () => calls >= nearly(n),
  );
  if (calls < nearly(n) || map.size !== n - calls + (living ? n : 0))
    throw new Error(`${calls} of ${n} callbacks were called, and the Map is left with ${map.size} keys`);
  return { gcMs, totalMs: result.ms, allMs: gcMs + result.ms, blockMs: result.blockMs };
}

async function dropAll(api, n, firstKey) {
  for (let i = 0; i < n; i++) api.create({ n: firstKey + i, one: 1 });
  await turn();
}

/**
 * Turns of the event loop until a while after the calls are `done`: the longest of them, and how long it was to the last
 * call.
 */
async function watch(calls, done) {
  const start = now();
  let last = start;
  let ms = 0;
  let seen = calls();
  let blockMs = 0;
  while (done() ? last < start + ms + 200 : last < start + 30_000) {
    await turn();
    const time = now();
    blockMs = Math.max(blockMs, time - last);
    last = time;
    if (calls() === seen) continue;
    seen = calls();
    ms = time - start;
  }
  return { ms, blockMs };
}

/** As the pointers' own; afterwards, everything has to be called. */
export const cleanupGc = (contender, n) => thenCalled(contender, n, (api) => liveGc(api, n, { times: 11 }));

export const cleanupMemory = (contender, n) => thenCalled(contender, n, (api) => memory(api, n));

async function thenCalled(contender, n, measure) {
  const counts = tally();
  const api = contender.cleanups(counts.fn);
  const result = await measure(api);
  checkNotCalled(counts);
  await checkCalled(api, counts, n);
  return result;
}
