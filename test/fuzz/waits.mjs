// weakly/testing, as an action: each of these comes to its end within the step.

import { addCleanup, make } from '../../dist/index.js';
import { collected, gcUntil } from '../../dist/testing/index.js';
import { Thrown } from './world.mjs';

/** How a promise ended: `{ value }` or `{ error }`. */
const ended = (promise) =>
  promise.then(
    (value) => ({ value }),
    (error) => ({ error }),
  );

async function rejects(world, calls) {
  for (const [call, code] of calls) {
    const { error } = await ended(call());
    world.expect(error?.code === code, () => `${call}: ${error?.stack}, not ${code}`);
  }
}

/** Not in a function that waits: its frame would hold the target. */
function dropped(world, rng) {
  const { id, thing } = world.fresh(rng, { holding: 0, object: true });
  const seen = { pointer: make(thing), calls: 0 };
  addCleanup(thing, () => {
    seen.calls++;
  });
  return { id, seen, subject: rng.chance(50) ? seen.pointer : bySome(world, rng) };
}

/** A function that gives what should die, at once or later. */
function bySome(world, rng) {
  const late = rng.chance(50);
  const give = () => world.fresh(rng, { holding: 0, object: true }).thing;
  return late ? async () => give() : give;
}

/** What is not held goes, and what is called for it was called once by the time its pointer was seen dead twice. */
async function goes(world, rng) {
  if (!world.exact) return 'nothing that surely goes';
  const { seen, subject } = dropped(world, rng);
  await collected(subject);
  let dead = 0;
  await gcUntil(() => {
    if (dead > 0 && seen.calls !== 1) world.fault(`a cleanup was called ${seen.calls} times between two collections`);
    if (!seen.pointer.alive) dead++;
    return dead > 1;
  });
  return 'collected';
}

/** What is held does not go. */
async function stays(world, rng) {
  const known = world.pick(rng, true);
  if (known === undefined) return 'nothing is held';
  const pointer = make(known.thing);
  const timeoutMs = rng.pick([0.01, 1, 5]);
  const subject = rng.chance(50) ? pointer : () => known.thing;
  await rejects(world, [[() => collected(subject, { timeoutMs }), 'ERR_WEAKLY_NOT_COLLECTED']]);
  world.expect(pointer.value() === known.thing, () => `${known.id} has gone`);
  return `${known.id} is not collected`;
}

async function until(world, rng) {
  const times = rng.between(1, 3);
  let asked = 0;
  await gcUntil(() => {
    const done = ++asked >= times;
    return rng.chance(50) ? done : Promise.resolve(done);
  });
  world.expect(asked === times, () => `asked ${asked} times, not ${times}`);

  let never = 0;
  await rejects(world, [[() => gcUntil(() => ++never < 0, { timeoutMs: 1 }), 'ERR_WEAKLY_NOT_COLLECTED']]);
  world.expect(never > 0, 'never asked');

  const thrown = rng.pick([undefined, Number.NaN, 'text', new Thrown('predicate'), Object.freeze({})]);
  const { error } = await ended(
    gcUntil(() => {
      if (times === 1) return Promise.reject(thrown);
      throw thrown;
    }),
  );
  world.expect(Object.is(error, thrown), () => `the predicate threw another ${error}`);
  return `gcUntil ${times}`;
}

async function refused(world) {
  const predicate = () => world.fault('a predicate of what was refused is asked');
  const subject = () => ({});
  await rejects(world, [
    [() => gcUntil(5), 'ERR_WEAKLY_CALLBACK'],
    [() => gcUntil(predicate, { timeoutMs: 0 }), 'ERR_WEAKLY_RANGE'],
    [() => gcUntil(predicate, { timeout: 5 }), 'ERR_WEAKLY_OPTION'],
    [() => gcUntil(predicate, 5), 'ERR_WEAKLY_OPTION'],
    [() => collected(5), 'ERR_WEAKLY_TARGET'],
    [() => collected({}), 'ERR_WEAKLY_TARGET'],
    [() => collected(() => 5), 'ERR_WEAKLY_TARGET'],
    [() => collected(async () => Symbol.for('registered')), 'ERR_WEAKLY_TARGET'],
    [() => collected(subject, { timeoutMs: '5' }), 'ERR_WEAKLY_OPTION'],
    [() => collected(subject, { timeoutMs: Number.POSITIVE_INFINITY }), 'ERR_WEAKLY_RANGE'],
  ]);
  return 'nothing to wait for';
}

export const testing = (world, rng) => rng.pick([goes, stays, until, refused])(world, rng);
