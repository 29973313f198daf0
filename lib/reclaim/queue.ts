import { performance } from 'node:perf_hooks';
import { binding } from '../binding.js';
import { reclaimBatch } from '../weak/slots.js';

/** How long one turn of the event loop may spend on dead slots, in milliseconds; the rest waits for later turns. */
const SLICE_MS = 2;

// Taken now: fake timers replace the method later, and a clock that stands still would make one slice of everything.
const now = performance.now.bind(performance);

function drainSlice(): void {
  const end = now() + SLICE_MS;
  let more = true;
  try {
    while (more && now() < end) more = reclaimBatch() !== 0;
  } finally {
    if (more) binding.wake();
  }
}

binding.onDeaths(drainSlice);
