// One measurement in a fresh process: node --expose-gc bench/child.mjs <scenario> <contender> <n> [<JSON options>]
// Prints one line of JSON: the result, or why the contender is not there.

import { contenders } from './contenders.mjs';
import * as calls from './scenarios/calls.mjs';
import * as cleanups from './scenarios/cleanups.mjs';
import * as collections from './scenarios/collections.mjs';
import * as creation from './scenarios/creation.mjs';
import * as drain from './scenarios/drain.mjs';
import * as growth from './scenarios/growth.mjs';
import * as latency from './scenarios/latency.mjs';
import * as maps from './scenarios/maps.mjs';
import * as memory from './scenarios/memory.mjs';
import * as service from './scenarios/service.mjs';
import * as standIns from './scenarios/stand-ins.mjs';

const scenarios = {
  ...calls,
  ...cleanups,
  ...collections,
  ...creation,
  ...drain,
  ...growth,
  ...latency,
  ...maps,
  ...memory,
  ...service,
  ...standIns,
};

const [scenario, contender, n, options = '{}'] = process.argv.slice(2);

async function open() {
  try {
    return await contenders[contender]();
  } catch (error) {
    // Only a contender with native code may be missing; weakly itself must not.
    if (!['napi', 'weak-napi', 'private'].includes(contender)) throw error;
    return { unavailable: String(error.message).split('\n')[0] };
  }
}

const api = await open();
const result = api.unavailable === undefined ? await scenarios[scenario](api, Number(n), JSON.parse(options)) : api;
console.log(JSON.stringify(result));
// What a contender leaves behind (timers, finalizers that are still to run) must not hold up the next measurement.
process.exit(0);
