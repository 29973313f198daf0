import { performance } from 'node:perf_hooks';
import { binding } from '../binding.js';
import { reclaimBatch } from '../weak/slots.js';

/** How long one turn of the event loop may spend on dead slots, in milliseconds; the rest waits for later turns. */
const SLICE_MS = 2;

function drainSlice(): void {
  const end = performance.now() + SLICE_MS;
  while (reclaimBatch() > 0) {
    if (performance.now() >= end) {
      binding.wake();
      return;
    }
  }
}

binding.onDeaths(drainSlice);
