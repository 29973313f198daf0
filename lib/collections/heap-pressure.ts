import { binding } from '../binding.js';
import { addLane } from '../reclaim/queue.js';
import { WeakKeySet } from './weak-key-set.js';

/*
 * Tells who can give memory back when the heap is nearly full after a major GC. The native half looks at V8's figures in the
 * epilogue and wakes the event loop; what is to be given back is given back from there, bit by bit.
 */

export interface Shrinkable {
  /** Of the heap's limit, from which on it has to shrink. */
  readonly ratio: number;
  /** Once for each major GC after which the heap is that full. */
  startShrinking(): void;
  /** A bit of it, less than a millisecond; whether there is more to do. */
  shrinkMore(): boolean;
}

const USED_RATIO = 0;
const MAJOR_GCS = 1;

const watchers = new WeakKeySet<Shrinkable>();
let seen = 0;
let shrinking = false;

export function watchHeap(watcher: Shrinkable): void {
  if (watchers.size === 0) seen = binding.heapState[MAJOR_GCS] as number;
  watchers.add(watcher);
  setThreshold();
}

export function unwatchHeap(watcher: Shrinkable): void {
  watchers.delete(watcher);
  setThreshold();
}

/** The lowest of all: at this one the event loop is woken. */
function setThreshold(): void {
  let lowest = 0;
  for (const { ratio } of watchers) lowest = lowest === 0 ? ratio : Math.min(lowest, ratio);
  binding.watchHeap(lowest);
}

addLane(() => {
  const gcs = binding.heapState[MAJOR_GCS] as number;
  if (gcs !== seen) {
    seen = gcs;
    const used = binding.heapState[USED_RATIO] as number;
    for (const watcher of watchers) {
      if (used < watcher.ratio) continue;
      watcher.startShrinking();
      shrinking = true;
    }
  }
  if (!shrinking) return false;
  shrinking = false;
  for (const watcher of watchers) if (watcher.shrinkMore()) shrinking = true;
  return true;
});
