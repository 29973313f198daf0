// The major GCs of a service that V8 marks incrementally and concurrently, beside the program: what is left of them
// as a pause on the main thread. A forced gc() does all the work in one pause, so it says more of the work than of the
// pause.

import { constants, PerformanceObserver } from 'node:perf_hooks';
import { hold, median, now, settle, sleep, turn } from './common.mjs';

const WINDOW = 150_000; // so many requests' objects live at a time: old enough to be promoted before they die
const PER_TURN = 1000;

export async function service(api, n, { seconds = 6, enough = 12 } = {}) {
  const state = await hold(api, n);
  await settle();
  const pauses = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) pauses.push(entry.duration);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  const window = new Array(WINDOW).fill(undefined);
  const end = now() + seconds * 1000;
  for (let i = 0; now() < end && pauses.length < enough; i++) {
    serve(window, i * PER_TURN);
    await turn();
  }
  await sleep(50); // entries arrive later than the collection
  observer.disconnect();
  if (state.targets.length !== n) throw new Error('unreachable; it keeps the targets to here');
  return pauses.length === 0
    ? { unavailable: 'no major GC' }
    : { ms: median(pauses), max: Math.max(...pauses), count: pauses.length };
}

function serve(window, first) {
  for (let i = first; i < first + PER_TURN; i++) {
    window[i % WINDOW] = { id: i, headers: { a: i, b: i }, body: new Array(16).fill(i) };
  }
}
