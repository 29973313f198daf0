import { createHistogram, type Histogram } from 'node:perf_hooks';

/*
 * From death to call. One call into the histogram for each callback would cost more than the rest of calling it. So equal
 * latencies are counted here first. The histogram can be told one value at a time only, but can be added to itself: twice
 * what it has so far and once more what is odd makes any count, in as many steps as that has bits.
 */

const SIZE = 1024;
const values = new Float64Array(SIZE);
const times = new Uint32Array(SIZE);
let used = 0;
let total = 0;

const histogram = createHistogram();

/**
 * `count` calls, `ns` after their targets died; equal is what differs by less than a thousandth. Whether time was spent on
 * the histogram.
 */
export function recordLatency(ns: number, count: number): boolean {
  const value = Math.max(1, Math.round(ns));
  total += count;
  const last = used - 1;
  if (used > 0 && Math.abs(value - (values[last] as number)) * 1000 < value && (times[last] as number) < 2 ** 31) {
    times[last] = (times[last] as number) + count;
    return false;
  }
  if (used === SIZE) flush(); // one that was cut short
  values[used] = value;
  times[used++] = count;
  if (used < SIZE) return false;
  flush();
  return true;
}

/** With everything so far. */
export function latencies(): Histogram {
  flush();
  return histogram;
}

function flush(): void {
  // Adding looks at all that a histogram can hold: not for a few.
  if (total <= 8 * SIZE) flushOneByOne();
  else flushByBits();
  used = 0;
  total = 0;
}

function flushOneByOne(): void {
  for (let i = 0; i < used; i++) {
    while ((times[i] as number) > 0) {
      // Before, so that what is cut short here counts none twice.
      times[i] = (times[i] as number) - 1;
      histogram.record(values[i] as number);
    }
  }
}

function flushByBits(): void {
  let most = 0;
  for (let i = 0; i < used; i++) most = Math.max(most, times[i] as number);
  let sum = createHistogram();
  for (let bit = 31 - Math.clz32(most); bit >= 0; bit--) {
    const next = createHistogram();
    next.add(sum);
    next.add(sum);
    for (let i = 0; i < used; i++) if ((((times[i] as number) >>> bit) & 1) === 1) next.record(values[i] as number);
    sum = next;
  }
  histogram.add(sum);
}
