// From the moment a program lets go of an object to the call, in a service that allocates steadily. No GC is forced: when
// V8 collects, and what, is the question.

import { Waits } from '../../examples/demo/waits.mjs';
import { now, sleep, turn } from './common.mjs';

const REQUESTS_PER_SECOND = 5000;
const LIFE_MS = 20; // of the target that a request registers
const RECORDS = 5000; // live about a second each: old enough to be promoted before they die
const LISTS = 100; // some 200 bytes each

export let sink;

/** @returns milliseconds, and whether a quantile is at least so long: those not called at the end have waited longer */
export async function latency(contender, _n, { seconds = 12, warmUp = 3 } = {}) {
  const start = now();
  const measured = start + warmUp * 1000;
  const end = measured + seconds * 1000;
  const droppedAt = new Float64Array(Math.ceil((seconds + warmUp + 1) * REQUESTS_PER_SECOND));
  const called = new Uint8Array(droppedAt.length);
  const waits = new Waits();
  let calls = 0;
  const api = contender.cleanups((key) => {
    if (droppedAt[key] === 0 || called[key] !== 0) throw new Error('called for a target that lives, or twice');
    called[key] = 1;
    if (droppedAt[key] < measured) return;
    calls++;
    waits.ended(now() - droppedAt[key]);
  });

  const registered = new Float64Array(droppedAt.length);
  const live = new Array(droppedAt.length).fill(undefined);
  const records = new Array(RECORDS).fill(undefined);
  let served = 0;
  let dropped = 0;
  for (let time = start; time < end; time = now()) {
    for (; dropped < served && registered[dropped] <= time - LIFE_MS; dropped++) {
      live[dropped] = undefined;
      droppedAt[dropped] = time;
    }
    const due = Math.min(Math.floor(((time - start) / 1000) * REQUESTS_PER_SECOND), served + 200);
    if (due === served) await sleep(1);
    for (; served < due; served++) {
      serve(api.create, served, live, records);
      registered[served] = time;
    }
    await turn();
  }
  let observed = 0;
  for (let key = 0; key < dropped; key++) {
    if (droppedAt[key] < measured) continue;
    observed++;
    if (called[key] === 0) waits.open(end - droppedAt[key]);
  }
  const rate = served / REQUESTS_PER_SECOND / (seconds + warmUp);
  if (rate < 0.95) throw new Error(`only ${Math.round(rate * 100)} % of the load could be made`);
  const p50 = waits.quantile(0.5);
  const p99 = waits.quantile(0.99);
  return {
    p50: p50.ms,
    p50AtLeast: p50.atLeast,
    p99: p99.ms,
    p99AtLeast: p99.atLeast,
    observed,
    calledShare: calls / observed,
  };
}

function serve(create, i, live, records) {
  const target = { n: i, one: 1 };
  create(target);
  live[i] = target;
  records[i % RECORDS] = { id: i, headers: { a: i, b: i }, body: new Array(100).fill(i) };
  for (let j = 0; j < LISTS; j++) sink = { j, list: new Array(20).fill(i) };
}
