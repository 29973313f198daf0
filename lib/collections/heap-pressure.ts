import { getHeapStatistics } from 'node:v8';
import { isMainThread, resourceLimits } from 'node:worker_threads';
import { binding } from '../binding.js';
import { addLane } from '../reclaim/queue.js';
import { WeakKeySet } from './weak-key-set.js';

/*
 * Tells who can give memory back when the heap is nearly full after a major GC. The native half looks at V8's figures in the
 * epilogue and wakes the event loop; what is to be given back is given back from there, bit by bit.
 */

export interface Shrinkable {
  /** Of the limit, from which on it has to shrink. */
  readonly ratio: number;
  /** Once for each major GC after which the heap is that full. */
  startShrinking(): void;
  /** A bit of it, less than a millisecond; whether there is more to do. */
  shrinkMore(): boolean;
}

const USED = 0;
const MAJOR_GCS = 1;

const FLAG = /--max[-_]old[-_]space[-_]size[= ](\d+)/g;

/**
 * What V8 dies of is the limit of the old generation, which it does not tell; `heap_size_limit` is that and the young
 * generation's, 50 to 200 MB more. So it is asked for where it can have been set, and is nearly the same where it has not.
 */
function oldGenerationLimit(): number {
  const flags = [...[process.env.NODE_OPTIONS ?? '', ...process.execArgv].join(' ').matchAll(FLAG)];
  const megabytes = isMainThread ? Number(flags.at(-1)?.[1] ?? 0) : (resourceLimits.maxOldGenerationSizeMb ?? 0);
  return megabytes > 0 ? megabytes * 2 ** 20 : getHeapStatistics().heap_size_limit;
}

const limit = oldGenerationLimit();

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
  binding.watchHeap(lowest * limit);
}

addLane(() => {
  const gcs = binding.heapState[MAJOR_GCS] as number;
  if (gcs !== seen) {
    seen = gcs;
    const used = (binding.heapState[USED] as number) / limit;
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
