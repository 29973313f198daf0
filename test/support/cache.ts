import { vi } from 'vitest';

export interface Value {
  readonly id: number;
}

/** A clock for the option `perf`, which only moves when it is told to. */
export class ManualClock {
  time = 0;

  now(): number {
    return this.time;
  }
}

/** The clock that a cache has without the option `perf`. It starts at 0. */
export function fakeClock(): (ms: number) => void {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  return (ms) => vi.advanceTimersByTime(ms);
}

/** Resolved by hand. */
export function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: unknown) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
