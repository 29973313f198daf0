// What is done between the steps of doors, and what makes the doors.

import { setTimeout as later, setImmediate as nextTurn } from 'node:timers/promises';
import { getHeapSnapshot } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { make, queue } from '../../dist/index.js';
import { binding } from '../../dist/internals.js';
import { collected, gcUntil } from '../../dist/testing/index.js';
import { caches } from './doors/caches.mjs';
import { cleanupDoor } from './doors/cleanups.mjs';
import { finalizerDoor } from './doors/finalizers.mjs';
import { pointers } from './doors/pointers.mjs';
import { realms } from './doors/realms.mjs';
import { reportDoor } from './doors/reports.mjs';
import { refs, registries } from './doors/spec.mjs';
import { timedCaches } from './doors/timed.mjs';
import { uniqueDoor } from './doors/uniques.mjs';
import { valueMaps } from './doors/value-map.mjs';
import { keyMaps, keySets } from './doors/weak-keys.mjs';
import { globals, IMPORT } from './global.mjs';
import { mix } from './random.mjs';
import { testing } from './waits.mjs';
import { Thrown } from './world.mjs';

function drop(world, rng) {
  const percent = rng.pick([1, 10, 50, 100]);
  let count = 0;
  for (const id of [...world.held.keys()]) {
    if (!rng.chance(percent)) continue;
    world.drop(id);
    count++;
  }
  return `drop ${count}`;
}

async function collectLater(_, rng) {
  await globalThis.gc({ type: rng.pick(['minor', 'major']), execution: 'async' });
  return 'gc, asynchronously';
}

async function turns(_, rng) {
  const count = rng.size(20);
  for (let i = 0; i < count; i++) await nextTurn();
  return `${count} turns`;
}

/** Collections that V8 asks for itself. */
function allocate(_, rng) {
  const count = rng.size(100_000);
  let kept = [];
  for (let i = 0; i < count; i++) if (kept.push({ i, text: `x${i}` }) > 1000) kept = [];
  return `${count} objects`;
}

/** A collection that is garbage, with entries whose targets live. */
function orphan(world, rng) {
  if (world.subjects.length < 3) return 'too few';
  const at = rng.below(world.subjects.length);
  // Callbacks of these are called, whoever has made them.
  if (!world.subjects[at].droppable) return 'it stays';
  const [{ name }] = world.subjects.splice(at, 1);
  return `${name} is dropped`;
}

async function wait(world, rng) {
  if (rng.chance(60)) {
    await queue.settled();
    return 'settled';
  }
  if (rng.chance(70)) {
    let asked = 0;
    await gcUntil(() => ++asked > 1);
    return 'gcUntil';
  }
  if (!world.exact) return 'nothing to wait for';
  await (rng.chance(50) ? collected(() => ({})) : collected((() => make({}))()));
  return 'collected';
}

/** Another thread, doing the same, that comes to its end or is terminated anywhere. */
function work(world, rng) {
  if (!world.does('workers') || world.inWorker) return 'no worker';
  const seed = mix(world.seed, rng.next());
  const steps = rng.between(5, 60);
  // What the process was started with, they are as well.
  const global = world.options.global || rng.chance(30);
  const worker = new Worker(new URL('child.mjs', import.meta.url), {
    workerData: { ...world.options, seed, steps, global },
    ...(global ? { execArgv: ['--import', IMPORT] } : {}),
  });
  const how = rng.pick(['to its end', 'terminated at once', 'terminated']);
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  worker.once('error', (error) => world.fault(`worker ${seed}: ${error?.stack}`));
  world.pending.push(
    (async () => {
      if (how === 'terminated at once') await worker.terminate();
      if (how === 'terminated') await later(rng.below(200));
      if (how === 'terminated') await worker.terminate();
      const code = await exited;
      if (how === 'to its end' && code !== 0) world.fault(`worker ${seed} has ended with ${code}`);
    })(),
  );
  return `worker ${seed}, ${how}`;
}

async function snapshot(_, rng) {
  if (!rng.chance(10)) return 'no snapshot';
  const stream = getHeapSnapshot();
  for await (const _part of stream);
  return 'snapshot';
}

/** Collections whose callbacks V8 skips, as it does where they begin inside those of another one: right after it. */
function skip(world, rng) {
  if (!world.does('skipped-gc')) return 'none is skipped';
  const times = rng.between(1, 3);
  world.gc(rng);
  binding.testing.skipEpilogues(times);
  for (let i = 0; i < times; i++) world.gc(rng);
  binding.testing.skipEpilogues(0);
  return `${times} collections that were not seen`;
}

function throwLater() {
  process.nextTick(() => {
    throw new Thrown('of the program');
  });
  return 'an uncaught exception';
}

export const ACTIONS = [
  [6, (world, rng) => `gc ${world.gc(rng)}`],
  [2, collectLater],
  [4, drop],
  [2, turns],
  [2, allocate],
  [2, () => `drain: ${queue.drain()}`],
  [1, wait],
  [1, testing],
  [1, globals],
  [1, orphan],
  [1, work],
  [1, snapshot],
  [1, skip],
  [1, throwLater],
  [5, valueMaps],
  [2, keyMaps],
  [2, keySets],
  [2, caches],
  [2, uniqueDoor],
  [2, pointers],
  [2, cleanupDoor],
  [1, finalizerDoor],
  [2, reportDoor],
  [2, timedCaches],
  [1, realms],
  [1, refs],
  [1, registries],
];
