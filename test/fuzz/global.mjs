// weakly/spec/global, in rounds and workers that were started with `--import` of it: what any code finds is this package's.

import { runInNewContext, runInThisContext } from 'node:vm';
import * as own from '../../dist/spec/index.js';
import { anyValue, idOf, show } from './things.mjs';

const spec = { WeakRef: own.WeakRef, FinalizationRegistry: own.FinalizationRegistry };
const NAMES = Object.keys(spec);
export const IMPORT = new URL('../../dist/spec/global.js', import.meta.url).href;

/** Whether it is installed, or nothing of it is. */
function look(world) {
  const { global = false } = world.options;
  for (const name of NAMES) {
    const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(globalThis, name);
    const right = (value === spec[name]) === global && writable && !enumerable && configurable;
    world.expect(right, () => `the global ${name}, installed: ${global}, is ${value === spec[name] ? 'ours' : "V8's"}`);
    world.expect(runInThisContext(name) === value, `another ${name} for code`);
    world.expect(runInNewContext(name) !== value, `${name} is that of another realm, too`);
  }
  return global;
}

/** Whoever's they are, they do what ECMAScript says. */
function use(world, rng) {
  const { id, thing } = world.some(rng);
  const ref = new globalThis.WeakRef(thing);
  world.gc(rng);
  const target = ref.deref();
  world.expect(target === thing && idOf(target) === id, () => `the global WeakRef of ${id} gives ${show(target)}`);
  const ours = ref instanceof spec.WeakRef;
  world.expect(ours === (world.options.global ?? false), `a global WeakRef, ours: ${ours}`);

  const token = {};
  const registry = new globalThis.FinalizationRegistry(() => world.fault('what was taken back is called'));
  registry.register(thing, anyValue(rng), token);
  world.expect(registry.unregister(token) === true && registry.unregister(token) === false, 'unregister differs');
}

/** Node.js has taken V8's before, and goes on with those. */
function node(world, rng) {
  const controllers = Array.from({ length: rng.between(1, 4) }, () => new AbortController());
  const any = AbortSignal.any(controllers.map(({ signal }) => signal));
  let told = 0;
  any.addEventListener('abort', () => told++);
  world.gc(rng);
  const reason = anyValue(rng) ?? 'reason';
  rng.pick(controllers).abort(reason);
  for (const controller of controllers) controller.abort('too late');
  world.expect(any.aborted && Object.is(any.reason, reason) && told === 1, () => `AbortSignal.any: told ${told} times`);
}

export async function globals(world, rng) {
  const installed = look(world);
  use(world, rng);
  node(world, rng);
  if (!installed) return "V8's";
  const made = rng.chance(50) ? await import(IMPORT).then(() => spec) : own.installInto(globalThis);
  for (const name of NAMES) world.expect(made[name] === spec[name], `${name} was installed twice`);
  look(world);
  return 'installed';
}
