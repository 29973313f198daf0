// Compiled, never run: `npm run test:types`. Each line that must not compile says so.

import { closeSync } from 'node:fs';
import type { RecordableHistogram } from 'node:perf_hooks';
import {
  addCleanup,
  Cleanup,
  type CleanupOptions,
  type CleanupState,
  finalizable,
  keepAlive,
  make,
  makeField,
  type QueueSlice,
  type QueueStats,
  queue,
  setFinalizer,
} from '../../lib/index.js';
import { collected, gcUntil, type MatcherResult, type matchers } from '../../lib/testing/index.js';
import { type Equal, type } from './kit.js';

class File {
  fd = 1;
  close(): void {}
}
const file = new File();

const cleanup = addCleanup(file, closeSync, file.fd);
type<Equal<typeof cleanup, Cleanup>>();
type<Equal<ReturnType<typeof cleanup.stop>, boolean>>();
type<Equal<typeof cleanup.state, CleanupState>>();
type<Equal<CleanupState, 'armed' | 'queued' | 'done' | 'stopped'>>();
const disposable: Disposable = cleanup;

addCleanup(file, () => 1);
addCleanup(file, () => {}, undefined, { atExit: true });
addCleanup(Symbol('s'), (n: number) => n, 1, { asyncContext: true, atExit: false });
addCleanup(file, (both: number | string) => both, 1);
addCleanup(file, async (n: number) => n, 1);
// The argument gives the parameter its type.
addCleanup(file, (n) => n.toFixed(), 1);
const options: CleanupOptions = {};
addCleanup(file, () => {}, undefined, options);

// @ts-expect-error a string is no number
addCleanup(file, closeSync, 'fd');
// @ts-expect-error closeSync needs an argument
addCleanup(file, closeSync);
// @ts-expect-error a number is no target
addCleanup(1, () => {});
// @ts-expect-error no function
addCleanup(file, 1);
// @ts-expect-error no such option
addCleanup(file, () => {}, undefined, { atexit: true });
// @ts-expect-error a state is read-only
cleanup.state = 'stopped';
// @ts-expect-error cleanups are made by addCleanup()
new Cleanup();

const standIn = finalizable(file, (again) => again.close());
type<Equal<typeof standIn, File>>();
setFinalizer(standIn, null);
setFinalizer(standIn, (again) => type<Equal<typeof again, File>>());
// @ts-expect-error a symbol has no finalizer
finalizable(Symbol('s'), () => {});
// @ts-expect-error a finalizer is a function or null
setFinalizer(standIn, undefined);

const stats: QueueStats = queue.stats();
type<Equal<ReturnType<typeof queue.drain>, number>>();
type<Equal<ReturnType<typeof queue.settled>, Promise<void>>>();
const percentile: number = stats.latency.percentile(99);
// @ts-expect-error the latency is recorded by the queue only
const recordable: RecordableHistogram = stats.latency;
// @ts-expect-error stats are read-only
stats.run = 0;
queue.configure({});
queue.configure({ sliceMs: 1, onError: (error) => type<Equal<typeof error, unknown>>() });
queue.configure({ onError: null });
// @ts-expect-error no such option
queue.configure({ slice: 1 });
// @ts-expect-error no number
queue.configure({ sliceMs: '1' });
// @ts-expect-error the queue is frozen
queue.drain = () => 0;
const slice = {} as QueueSlice;
type<Equal<typeof slice.durationMs, number>>();

type<Equal<ReturnType<typeof collected>, Promise<void>>>();
collected(make(file));
collected(makeField(file, 'fd'), { timeoutMs: 1 });
collected(() => file);
collected(async () => file);
// @ts-expect-error the object itself would be held by the call
collected(file);
// @ts-expect-error a number is never collected
collected(() => 1);
// @ts-expect-error no such option
collected(() => file, { timeout: 1 });
gcUntil(() => true);
gcUntil(async () => true, { timeoutMs: 1 });
// @ts-expect-error no function
gcUntil(true);
type<Equal<ReturnType<typeof matchers.toBeCollected>, Promise<MatcherResult>>>();

keepAlive([disposable, percentile, recordable]);
