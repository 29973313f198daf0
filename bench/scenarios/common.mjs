// What the scenarios share.

import { setImmediate, setTimeout } from 'node:timers/promises';

export const now = () => performance.now();

/** One turn of the event loop: a WeakRef that was made or read keeps its target until the job ends. */
export const turn = () => setImmediate();

export const sleep = (ms) => setTimeout(ms);

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function makeTargets(n) {
  const targets = new Array(n).fill(undefined);
  for (let i = 0; i < n; i++) targets[i] = { n: i, one: 1 };
  return targets;
}

/** So many pointers are made in one job, as in a service that handles one request after the other. */
export const JOB = 10_000;

/** Fills `pointers` in jobs of `job`; the milliseconds it took, the turns of the event loop in between included. */
export async function point(api, targets, pointers, job = JOB) {
  const start = now();
  for (let from = 0; from < targets.length; from += job) {
    fill(api.create, targets, pointers, from, Math.min(from + job, targets.length));
    await turn();
  }
  return now() - start;
}

// Apart from point(): its own frame must not hold the last target.
function fill(create, targets, pointers, from, to) {
  for (let i = from; i < to; i++) pointers[i] = create(targets[i]);
}

/** n targets and the pointers to them, both kept; every contender, `none` too, has the array for the pointers. */
export async function hold(api, n) {
  const state = { targets: makeTargets(n), pointers: new Array(n).fill(undefined) };
  await point(api, state.targets, state.pointers);
  return state;
}

/** Lets objects grow old, and lazily swept or unmapped pages go. */
export async function settle(times = 3) {
  for (let i = 0; i < times; i++) {
    globalThis.gc();
    await sleep(20);
  }
}

/** Milliseconds of one forced major GC. Called without arguments: since Node.js 22, `gc(undefined)` is a minor one. */
export async function timedMajor() {
  await turn();
  const start = now();
  globalThis.gc();
  return now() - start;
}

export async function timedMinor() {
  await turn();
  const start = now();
  globalThis.gc({ type: 'minor' });
  return now() - start;
}

/** A collection in which nothing died is fast, and no measurement. Reading keeps targets, so this comes last. */
export function checkDead(api, pointers) {
  if (api.read === undefined) return;
  let alive = 0;
  for (const pointer of pointers) if (api.read(pointer) !== undefined) alive++;
  if (alive > pointers.length / 100) throw new Error(`${alive} of ${pointers.length} targets survived`);
}
