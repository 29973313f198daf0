import { binding } from '../binding.js';
import { CHUNK_MASK, CHUNK_SHIFT, CHUNK_SIZE, isSlotAlive, onRelease } from '../weak/slots.js';

/*
 * What is to be called when a target dies. Records are numbers into flat tables: no object, no closure, no WeakMap for
 * each. A million of them are a few arrays to the collector.
 *
 * The life of a record:
 *   armed    in the ring of its slot, in the order of registration
 *   queued   its target is dead: in the queue, in the order of deaths
 *   stopped  was queued, and must not be called any more; stays in the queue until its turn comes, with nothing to hold
 *   free     in the free list
 * A record's serial number changes whenever it becomes free, so (record, serial) names one registration.
 */

/** `arg` is the raw target of a stand-in, and gets a new one: a finalizer. */
export const FINALIZER = 1;
/** Is called at exit, if it has not been by then. */
export const AT_EXIT = 2;
/** Has an AsyncResource to run in. */
export const IN_CONTEXT = 4;

export const NONE = -1;

export type Callback = (arg: unknown) => unknown;
export type State = 'armed' | 'queued' | 'stopped' | 'free';

// Four words a record.
const NEXT = 0;
const PREV = 1; // in the ring; of other records their state:
const QUEUED = -1;
const STOPPED = -2;
const FREE = -3;
const HOME = 2; // the slot, and above it the flags
const SERIAL = 3;

const FLAG_SHIFT = 28; // as many bits as slots have
const SLOT_MASK = 2 ** FLAG_SHIFT - 1;

const links: Int32Array[] = [];
/** Two entries a record: callback and argument. */
const payloads: unknown[][] = [];
/** For each slot its first record, plus one; 0 for none. */
const heads: (Int32Array | undefined)[] = [];

let freeHead = NONE;
let armed = 0;
let stopped = 0;

let queueHead = NONE;
let queueTail = NONE;
/** Queued and not stopped. */
let pending = 0;
let queued = 0;
/** Leaves of the queue so far, stopped ones included; `entered` likewise. What is between them is in the queue. */
let left = 0;
let entered = 0;

/** When the targets of queued records died: runs of records with the same time, oldest first. */
let times: number[] = [];
let runs: number[] = [];
let firstRun = 0;

function word(record: number, which: number): number {
  return (links[record >>> CHUNK_SHIFT] as Int32Array)[((record & CHUNK_MASK) << 2) + which] as number;
}

function setWord(record: number, which: number, value: number): void {
  (links[record >>> CHUNK_SHIFT] as Int32Array)[((record & CHUNK_MASK) << 2) + which] = value;
}

function grow(): void {
  const first = links.length << CHUNK_SHIFT;
  payloads.push(new Array<unknown>(2 * CHUNK_SIZE).fill(undefined));
  links.push(new Int32Array(4 * CHUNK_SIZE));
  for (let record = first + CHUNK_SIZE - 1; record >= first; record--) {
    setWord(record, PREV, FREE);
    setWord(record, NEXT, freeHead);
    freeHead = record;
  }
}

function headsOf(slot: number): Int32Array {
  const index = slot >>> CHUNK_SHIFT;
  while (heads.length <= index) heads.push(undefined);
  let chunk = heads[index];
  if (chunk === undefined) {
    chunk = new Int32Array(CHUNK_SIZE);
    heads[index] = chunk;
  }
  return chunk;
}

/** One more record for the target of `slot`, which must be a live one's. */
export function add(slot: number, callback: Callback, arg: unknown, flags: number): number {
  const chunk = headsOf(slot);
  if (freeHead === NONE) grow();
  const record = freeHead;
  freeHead = word(record, NEXT);
  setPayload(record, callback, arg);
  setWord(record, HOME, slot | (flags << FLAG_SHIFT));
  const place = slot & CHUNK_MASK;
  const head = (chunk[place] as number) - 1;
  if (head === NONE) {
    setWord(record, NEXT, record);
    setWord(record, PREV, record);
    chunk[place] = record + 1;
  } else {
    const tail = word(head, PREV);
    setWord(record, NEXT, head);
    setWord(record, PREV, tail);
    setWord(tail, NEXT, record);
    setWord(head, PREV, record);
  }
  armed++;
  return record;
}

function setPayload(record: number, callback: Callback | undefined, arg: unknown): void {
  const payload = payloads[record >>> CHUNK_SHIFT] as unknown[];
  const place = (record & CHUNK_MASK) << 1;
  payload[place] = callback;
  payload[place + 1] = arg;
}

export function callbackOf(record: number): Callback {
  return (payloads[record >>> CHUNK_SHIFT] as unknown[])[(record & CHUNK_MASK) << 1] as Callback;
}

export function argOf(record: number): unknown {
  return (payloads[record >>> CHUNK_SHIFT] as unknown[])[((record & CHUNK_MASK) << 1) + 1];
}

export function replaceCallback(record: number, callback: Callback): void {
  setPayload(record, callback, argOf(record));
}

export function serialOf(record: number): number {
  return word(record, SERIAL);
}

export function flagsOf(record: number): number {
  return word(record, HOME) >>> FLAG_SHIFT;
}

export function stateOf(record: number): State {
  const prev = word(record, PREV);
  if (prev === QUEUED) return 'queued';
  if (prev === STOPPED) return 'stopped';
  if (prev === FREE) return 'free';
  // Between the death and the drain it is in its ring still.
  return isSlotAlive(word(record, HOME) & SLOT_MASK) ? 'armed' : 'queued';
}

/** Back into the free list; the record must be in no ring and not in the queue. */
export function free(record: number): void {
  setPayload(record, undefined, undefined);
  setWord(record, SERIAL, (word(record, SERIAL) + 1) | 0);
  setWord(record, PREV, FREE);
  setWord(record, NEXT, freeHead);
  freeHead = record;
}

/** Takes an armed record out of its ring. */
function leaveRing(record: number): void {
  const slot = word(record, HOME) & SLOT_MASK;
  const next = word(record, NEXT);
  const prev = word(record, PREV);
  setWord(prev, NEXT, next);
  setWord(next, PREV, prev);
  const chunk = headsOf(slot);
  const place = slot & CHUNK_MASK;
  if (chunk[place] === record + 1) chunk[place] = next === record ? 0 : next + 1;
  armed--;
}

/** Ends a registration whose callback has not been called: it never will be. */
export function stop(record: number): void {
  stopped++;
  withdraw(record);
}

/** The same for a callback that is about to be called out of turn. */
export function withdraw(record: number): void {
  if (word(record, PREV) >= 0) {
    leaveRing(record);
    free(record);
    return;
  }
  // In the middle of the queue: what it holds is let go now, its place when its turn comes.
  setPayload(record, undefined, undefined);
  setWord(record, SERIAL, (word(record, SERIAL) + 1) | 0);
  setWord(record, PREV, STOPPED);
  pending--;
}

onRelease((batch, count) => {
  if (armed === 0) return;
  const time = binding.times[0] as number;
  for (let i = 0; i < count; i++) {
    const slot = batch[i] as number;
    const chunk = heads[slot >>> CHUNK_SHIFT];
    if (chunk === undefined) continue;
    const place = slot & CHUNK_MASK;
    const head = (chunk[place] as number) - 1;
    if (head === NONE) continue;
    chunk[place] = 0;
    enqueue(head, time);
  }
});

function enqueue(head: number, time: number): void {
  const tail = word(head, PREV);
  let count = 0;
  for (let record = head; ; record = word(record, NEXT)) {
    setWord(record, PREV, QUEUED);
    count++;
    if (record === tail) break;
  }
  setWord(tail, NEXT, NONE);
  if (queueTail === NONE) queueHead = head;
  else setWord(queueTail, NEXT, head);
  queueTail = tail;
  armed -= count;
  queued += count;
  pending += count;
  entered += count;
  const last = times.length - 1;
  if (last >= firstRun && times[last] === time) runs[last] = (runs[last] as number) + count;
  else {
    times.push(time);
    runs.push(count);
  }
}

/** When the target of the record that `shift` returned last died: nanoseconds of `process.hrtime`. */
export let shiftedTime = 0;

/** Takes the next record to be called out of the queue; NONE if there is none. The caller frees it. */
export function shift(): number {
  while (queueHead !== NONE) {
    const record = queueHead;
    queueHead = word(record, NEXT);
    if (queueHead === NONE) queueTail = NONE;
    left++;
    shiftedTime = times[firstRun] as number;
    const rest = (runs[firstRun] as number) - 1;
    if (rest > 0) runs[firstRun] = rest;
    else nextRun();
    if (word(record, PREV) === QUEUED) {
      pending--;
      return record;
    }
    free(record);
  }
  return NONE;
}

function nextRun(): void {
  firstRun++;
  if (firstRun < 1024 && firstRun < times.length) return;
  times = times.slice(firstRun);
  runs = runs.slice(firstRun);
  firstRun = 0;
}

export interface Counts {
  /** Registered for a target that is not known to be dead. */
  readonly armed: number;
  readonly pending: number;
  readonly queued: number;
  readonly stopped: number;
}

export function counts(): Counts {
  return { armed, pending, queued, stopped };
}

export function entries(): number {
  return entered;
}

export function exits(): number {
  return left;
}

/** When the oldest record in the queue lost its target; undefined when the queue is empty. */
export function oldestTime(): number | undefined {
  return pending === 0 ? undefined : times[firstRun];
}

/** For tests: which invariant of the tables is broken, or null. Walks everything. */
export function verify(): string | null {
  const states = new Map<number, string>();
  const mark = (record: number, state: string): boolean => {
    if (states.has(record)) return false;
    states.set(record, state);
    return true;
  };
  for (let record = freeHead; record !== NONE; record = word(record, NEXT))
    if (word(record, PREV) !== FREE || !mark(record, 'free') || callbackOf(record) !== undefined)
      return `free list at ${record}`;
  let waiting = 0;
  for (let record = queueHead; record !== NONE; record = word(record, NEXT)) {
    if (!mark(record, 'queued')) return `queue at ${record}`;
    if (word(record, PREV) === QUEUED) waiting++;
    else if (word(record, PREV) !== STOPPED || callbackOf(record) !== undefined) return `queued record ${record}`;
    if (word(record, NEXT) === NONE && record !== queueTail) return 'the end of the queue';
  }
  if (waiting !== pending) return 'pending records are miscounted';
  let ringed = 0;
  for (const [c, chunk] of heads.entries()) {
    for (let i = 0; chunk !== undefined && i < CHUNK_SIZE; i++) {
      const head = (chunk[i] as number) - 1;
      if (head === NONE) continue;
      let record = head;
      do {
        if (!mark(record, 'armed')) return `ring of slot ${(c << CHUNK_SHIFT) + i}`;
        if ((word(record, HOME) & SLOT_MASK) !== (c << CHUNK_SHIFT) + i) return `home of ${record}`;
        if (word(word(record, NEXT), PREV) !== record) return `links of ${record}`;
        ringed++;
        record = word(record, NEXT);
      } while (record !== head);
    }
  }
  if (ringed !== armed) return 'armed records are miscounted';
  if (states.size !== links.length << CHUNK_SHIFT) return 'a record is in no state at all';
  let timed = 0;
  for (let i = firstRun; i < runs.length; i++) timed += runs[i] as number;
  return timed === entered - left ? null : 'times of death are miscounted';
}
