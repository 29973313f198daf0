// child.mjs '{"seed":1,...}': one round of the fuzzer, in a process or a worker of its own. scripts/fuzz.mjs says how.

import { writeSync } from 'node:fs';
import { isMainThread, workerData } from 'node:worker_threads';
import { queue } from '../../dist/index.js';
import { binding, entries, pointers, records } from '../../dist/internals.js';
import { Told, UNCAUGHT } from './told.mjs';
import { Fault, World } from './world.mjs';

/** Descriptors that scripts/fuzz.mjs has opened. */
const LOG = 3;
const CLOSED = 4;

const options = isMainThread ? JSON.parse(process.argv[2]) : workerData;
const { seed, steps, only, tame, exact, setters, log } = options;
binding.testing.reportClose(CLOSED);

/** Every half, by its own account; null if nothing is broken. */
function verify() {
  return binding.testing.verify() ?? entries.verifyEntries() ?? pointers.verifyPointers() ?? records.verify();
}

const world = new World({
  seed,
  tame,
  skip: new Set(options.skip),
  log: log && isMainThread ? LOG : undefined,
  verify,
});
Object.assign(world, { exact, options, inWorker: !isMainThread, told: new Told(world) });

function end(error) {
  writeSync(2, `${isMainThread ? '' : `worker ${seed}: `}${error?.stack ?? error}\n`);
  process.exit(1);
}
process.on('uncaughtException', (error) => {
  const before = world.faults.length;
  world.told.tell(error, UNCAUGHT);
  if (world.faults.length > before) end(new Fault(world.faults.at(-1)));
});
process.on('warning', (warning) => {
  if (warning.code === 'ERR_WEAKLY_TERMINATED') world.told.tell(warning, UNCAUGHT);
  else end(warning);
});

const { ACTIONS } = await import('./actions.mjs');
if (setters) (await import('./setters.mjs')).install(setters);
try {
  await world.run(ACTIONS, steps, only && new Set(only));
  queue.configure({ sliceMs: 2 });
  await world.finish(() => globalThis.gc());
} catch (error) {
  end(error);
}
world.ending = true;
if (isMainThread && log) writeSync(LOG, 'done\n');
