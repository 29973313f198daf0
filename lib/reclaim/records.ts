import type { AsyncResource } from 'node:async_hooks';
import { binding } from '../binding.js';
import { plainError } from '../errors.js';
import { filledList, ownList } from '../own-list.js';
import { type Callback, Extra, realmOf } from './extra.js';

export type { Callback } from './extra.js';

/*
 * What is to be called when a target dies. Records are numbers into flat tables: no object, no closure, no WeakMap for
 * each. The native half (native/cleanup_queue.h) has a cell for each, with the weak handle and a generation, which is
 * read here as the slots' are (weak/slots.ts); here are the callback, its argument, and what kind of record it is.
 *
 * The life of a record:
 *   armed   the target is not known to be dead
 *   queued  the target is dead; the native queue has it, or the batch
 *   over    called or stopped; nothing is held for it. Its cell may have to wait for its turn in the queue
 * and then its cell is used again, in its next generation. So (record, generation) names one registration for ever.
 */

/** `arg` is the raw target of a stand-in, and gets a new one: a finalizer. */
export const FINALIZER = 1;
/** Is called at exit, if it has not been by then. */
export const AT_EXIT = 2;
/** Callback and argument are in an `Extra`, with more, which has the argument's place. */
export const EXTRA = 4;
export const OVER = 8;

export const NONE = -1;
/** Nothing is due yet, but not everything has been looked at. */
export const SEARCHING = -2;

export const SHIFT = 12; // as slots have it
const SIZE = 4096;
export const MASK = 4095;

/** Where a callback was registered, which an error carries (`queue.configure({ traceRegistrations: true })`). */
export class Registration extends Error {
  static {
    Object.defineProperty(Registration.prototype, 'name', { value: 'Registration', configurable: true });
  }

  constructor() {
    super('the callback was registered here');
  }
}

const cells: Int32Array[] = [];
/** Two entries a record: callback and argument. */
export const payloads = ownList<unknown[]>();
/** @internal Not in the declarations: older compilers know no type of it. */
export const kinds = ownList<Uint8Array>();

/** Of a chunk whose memory was given back: none of its records is in use. */
const NO_PAYLOADS = ownList<unknown>();
const NO_KINDS = new Uint8Array(SIZE).fill(OVER);

/*
 * The stack may end at any call, and `vm`'s timeout may come at any call or turn of a loop. So what belongs together is
 * written in one go, after the last call: a record is never half taken, half stopped, or counted twice.
 */

/**
 * Due records at hand: positions in `binding.due`. Those from `from` to `at` have been called, and are still in the tables.
 * `interruptions`: how often something has happened because of which the next one needs another look before it is called.
 * `calling`: so many calls have begun that have not returned, one inside the other. What was terminated is still counted:
 * who called around it finds that out.
 */
export const batch = { from: 0, at: 0, count: 0, calling: 0, interruptions: 0 };

export function interrupt(): void {
  batch.interruptions = (batch.interruptions + 1) | 0;
}

/** @internal Those that want to run at exit, in the order of registration: record and generation, which may be long gone. */
export const atExit = { list: new Int32Array(0), count: 0 };
let compactAt = 2048;

/** There is room for one more: nothing can fail after that. */
function makeRoomAtExit(): void {
  if (atExit.count >= compactAt) compactAtExit();
  if (atExit.count < atExit.list.length) return;
  const grown = new Int32Array(Math.max(2048, 2 * atExit.count));
  // Not set(), which somebody may have replaced: what that registers at exit would be lost.
  for (let i = 0; i < atExit.count; i++) grown[i] = atExit.list[i] as number;
  atExit.list = grown;
}

/** Forgets the ones that have run or were stopped. The limit doubles with what is left: constant time per registration. */
function compactAtExit(): void {
  let living = 0;
  for (let i = 0; i < atExit.count; i += 2)
    if (isPending(atExit.list[i] as number, atExit.list[i + 1] as number)) living++;
  const kept = new Int32Array(Math.max(2048, 4 * living));
  const { list } = atExit;
  let count = 0;
  for (let i = 0; i < atExit.count; i += 2) {
    if (!isPending(list[i] as number, list[i + 1] as number)) continue;
    kept[count++] = list[i] as number;
    kept[count++] = list[i + 1] as number;
  }
  compactAt = Math.max(2048, 2 * count);
  atExit.list = kept;
  atExit.count = count;
}

/** The generation of what `add` has added last. */
export const added = { generation: 0 };

let stopped = 0;
/** Have left the queue in earlier batches. */
let left = 0;
/** Of those that have left it, how many were not called: they had been stopped. */
let passed = 0;
let calledAtExit = 0;
/** Stopped ones that are in the queue. */
let idle = 0;

const BATCH_TIME = 0;
const DEATHS = 1;
const OLDEST_TIME = 2;

function grow(): boolean {
  // First: built-ins that somebody has replaced may register something themselves, and open the chunk.
  const payload = filledList<unknown>(2 * SIZE, undefined);
  const kind = new Uint8Array(SIZE).fill(OVER);
  const chunk = binding.reserveCleanups();
  if (chunk < 0) return false;
  // Before there are any records for them: what comes next may be more than the stack has room for.
  payloads[chunk] = payload;
  kinds[chunk] = kind;
  return binding.growCleanups(cells);
}

/** Gives the memory of one chunk of records back that a peak has left behind; false when there is none. */
export function giveBackRecords(): boolean {
  const chunk = binding.giveBackCleanups();
  if (chunk < 0) return false;
  payloads[chunk] = NO_PAYLOADS;
  kinds[chunk] = NO_KINDS;
  return true;
}

/** What the program has called, which a trace of its registration leaves out. */
// biome-ignore lint/complexity/noBannedTypes: of any signature
type Callee = Function;

/** Whether registrations note where they are made: off, that costs them nothing but the question. */
export const tracing = { on: false };

/**
 * As text, and at once: the frames that V8 has until then hold their receivers, and so the target, if it registers itself.
 */
function traceHere(called: Callee): string | undefined {
  try {
    const registration = new Registration();
    // From who has called us on: of V8's ten frames, five would be this package's.
    Error.captureStackTrace(registration, called);
    const { stack } = registration;
    return typeof stack === 'string' ? stack : undefined; // Error.prepareStackTrace makes what it likes
  } catch {
    return undefined; // and throws what it likes
  }
}

function registerAfterGrowing(target: object | symbol): number {
  const record = grow() ? binding.register(target) : NONE;
  if (record >= 0) return record;
  const { armed } = binding.pending();
  throw plainError('ERR_WEAKLY_MEMORY', `weakly: no memory or no number for one more cleanup; ${armed} are registered`);
}

/** In the place of a callback that is in an `Extra`. */
const elsewhere: Callback = () => undefined;

/**
 * What a record needs besides. Asks callback and argument for their realm: they may be proxies, and run the user's code. So whatever
 * decides about a record is looked at afterwards.
 */
export function extraFor(callback: Callback, arg: unknown, called: Callee, context?: AsyncResource): Extra | undefined {
  const root = realmOf(callback, arg);
  if (root === undefined && context === undefined && !tracing.on) return undefined;
  return new Extra({ callback, arg, context }, root, tracing.on ? traceHere(called) : undefined);
}

/** One more record for `target`, which must be a valid one. What throws has registered nothing. */
export function add(
  target: object | symbol,
  callback: Callback,
  arg: unknown,
  flags: number,
  called: Callee,
  context?: AsyncResource,
): number {
  return addWith(target, callback, arg, flags, extraFor(callback, arg, called, context));
}

/** The same, with what `extraFor` has given. */
export function addWith(
  target: object | symbol,
  callback: Callback,
  arg: unknown,
  flags: number,
  extra: Extra | undefined,
): number {
  if (extra === undefined) return addRecord(target, callback, arg, flags);
  try {
    return addRecord(target, elsewhere, extra, flags | EXTRA);
  } catch (error) {
    extra.letGo();
    throw error;
  }
}

function addRecord(target: object | symbol, callback: Callback, arg: unknown, flags: number): number {
  // Here, after all that may run the user's code, which may take the room.
  if ((flags & AT_EXIT) !== 0) makeRoomAtExit();
  const registered = binding.register(target);
  const record = registered >= 0 ? registered : registerAfterGrowing(target);
  // Without a call: were that one too many for the stack, a record would be left that is over, and counted as armed.
  const payload = payloads[record >>> SHIFT] as unknown[];
  const place = (record & MASK) << 1;
  payload[place] = callback;
  payload[place + 1] = arg;
  (kinds[record >>> SHIFT] as Uint8Array)[record & MASK] = flags;
  const words = cells[record >>> SHIFT] as Int32Array;
  added.generation = ((words[((record & MASK) << 2) + 2] as number) - 1) | 1; // as generationOf() has it
  if ((flags & AT_EXIT) !== 0) {
    atExit.list[atExit.count++] = record;
    atExit.list[atExit.count++] = added.generation;
  }
  return record;
}

export function callbackOf(record: number): Callback {
  return (payloads[record >>> SHIFT] as unknown[])[(record & MASK) << 1] as Callback;
}

export function argOf(record: number): unknown {
  return (payloads[record >>> SHIFT] as unknown[])[((record & MASK) << 1) + 1];
}

export function extraOf(record: number): Extra | undefined {
  return (flagsOf(record) & EXTRA) === 0 ? undefined : (argOf(record) as Extra);
}

/** False: the registration is over by now, ended by what `extraFor` has run. */
export function replaceCallback(record: number, generation: number, callback: Callback, called: Callee): boolean {
  const known = extraOf(record);
  const arg = known === undefined ? argOf(record) : known.call?.arg;
  const more = extraFor(callback, arg, called, known?.call?.context);
  if (!isPending(record, generation)) {
    more?.letGo();
    return false;
  }
  const extra = extraOf(record);
  const payload = payloads[record >>> SHIFT] as unknown[];
  const place = (record & MASK) << 1;
  const flags = ((kinds[record >>> SHIFT] as Uint8Array)[record & MASK] as number) & ~EXTRA;
  payload[place] = more === undefined ? callback : elsewhere;
  payload[place + 1] = more ?? arg;
  (kinds[record >>> SHIFT] as Uint8Array)[record & MASK] = more === undefined ? flags : flags | EXTRA;
  extra?.letGo();
  return true;
}

export function flagsOf(record: number): number {
  return (kinds[record >>> SHIFT] as Uint8Array)[record & MASK] as number;
}

function currentGeneration(record: number): number {
  return (cells[record >>> SHIFT] as Int32Array)[((record & MASK) << 2) + 2] as number;
}

/** The generation of a record that has just been added. Should its target be dead by now, it is one more already. */
export function generationOf(record: number): number {
  return (currentGeneration(record) - 1) | 1;
}

/** Whether the registration that (record, generation) names has been neither called nor stopped. */
export function isPending(record: number, generation: number): boolean {
  const current = currentGeneration(record);
  if ((current !== generation && current !== generation + 1) || (flagsOf(record) & OVER) !== 0) return false;
  for (let i = batch.from; i < batch.at; i++) if (binding.due[i] === record) return false;
  return true;
}

/** Whether the target of a registration that is pending is dead. */
export function isQueued(record: number): boolean {
  const words = cells[record >>> SHIFT] as Int32Array;
  const word = (record & MASK) << 2;
  // The generation alone would miss a death that no GC epilogue has seen.
  return ((words[word + 2] as number) & 1) === 0 || (words[word] === 0 && words[word + 1] === 0);
}

/** Ends those that have been called. */
export function endCalled(): void {
  while (batch.from < batch.at) {
    const record = binding.due[batch.from] as number;
    const payload = payloads[record >>> SHIFT] as unknown[];
    const place = (record & MASK) << 1;
    payload[place] = undefined;
    payload[place + 1] = undefined;
    (kinds[record >>> SHIFT] as Uint8Array)[record & MASK] = OVER;
    batch.from++;
  }
}

/** Ends a pending registration out of turn. There is no call after the first: what is written next to it is written with it. */
function endAhead(record: number): void {
  const freed = binding.discard(record, generationOf(record));
  const payload = payloads[record >>> SHIFT] as unknown[];
  const place = (record & MASK) << 1;
  payload[place] = undefined;
  payload[place + 1] = undefined;
  (kinds[record >>> SHIFT] as Uint8Array)[record & MASK] = OVER;
  if (freed) return;
  // In the middle of the queue: what it held is let go now, its place when its turn comes.
  idle++;
  batch.interruptions = (batch.interruptions + 1) | 0;
}

/** Ends a pending registration, and counts it as nothing. */
export function withdraw(record: number): void {
  const extra = extraOf(record);
  endAhead(record);
  extra?.letGo();
}

/** Ends a registration whose callback has not been called: it never will be. What it has besides is for the caller to let go. */
export function stop(record: number): void {
  endAhead(record);
  stopped++;
}

/** Ends the next record, which was not taken: what it is to call has gone with its realm. */
export function passOver(): void {
  batch.at++;
  passed++;
  stopped++;
  endCalled();
}

/** The next record to be called, which is still to be taken (`batch.at++`); else NONE or SEARCHING. */
export function findNext(): number {
  endCalled();
  for (;;) {
    while (batch.at < batch.count) {
      const record = binding.due[batch.at] as number;
      if ((((kinds[record >>> SHIFT] as Uint8Array)[record & MASK] as number) & OVER) === 0) return record;
      batch.from = ++batch.at;
      idle--;
      passed++;
    }
    if (batch.count > 0) {
      binding.releaseDue();
      left += batch.count;
      batch.from = 0;
      batch.at = 0;
      batch.count = 0;
    }
    const taken = binding.takeDue();
    if (taken <= 0) return taken === 0 ? NONE : SEARCHING;
    batch.count = taken;
  }
}

/** Whether the next record to be called is at hand, and is called as it is. */
export function isPlainNext(): boolean {
  return batch.at < batch.count && (flagsOf(binding.due[batch.at] as number) & ~AT_EXIT) === 0;
}

/** Its callback. */
export function nextCallback(): Callback {
  return callbackOf(binding.due[batch.at] as number);
}

/** When the targets died of what is at hand: nanoseconds of `process.hrtime`. */
export function batchTime(): number {
  return binding.dueState[BATCH_TIME] as number;
}

export interface Counts {
  readonly pending: number;
  readonly queued: number;
  readonly stopped: number;
}

/** `queued`: of an earlier moment, for who has counted something else then. */
export function counts(queued = binding.dueState[DEATHS] as number): Counts {
  return { pending: queued - exits() - idle, queued, stopped };
}

/** How many have become due so far, and how many of those have been called or passed over. */
export function entries(): number {
  return binding.dueState[DEATHS] as number;
}

export function exits(): number {
  return left + batch.at;
}

/** How many have been called. Not counted call by call: each store there is felt (span.ts). */
export function runs(): number {
  return exits() - passed + calledAtExit;
}

/** Ends a registration that is called out of turn. */
export function withdrawForExit(record: number): void {
  endAhead(record);
  calledAtExit++;
}

/** When the oldest record in the queue lost its target; undefined when the queue is empty. */
export function oldestTime(): number | undefined {
  if (counts().pending === 0) return undefined;
  return binding.dueState[batch.at < batch.count ? BATCH_TIME : OLDEST_TIME];
}

/** For tests: which invariant of the tables is broken, or null. Walks everything. */
export function verify(): string | null {
  endCalled(); // of a span that was terminated
  for (;;) {
    const { armed, queued } = binding.pending();
    const broken = verifyAgainst(armed, counts(queued).pending);
    // Meanwhile, a GC has found more to be due: what was counted is of two times.
    if (binding.dueState[DEATHS] === queued) return broken;
  }
}

function verifyAgainst(armed: number, pending: number): string | null {
  let alive = 0;
  let due = 0;
  for (let record = 0; record < cells.length << SHIFT; record++) {
    if (kinds[record >>> SHIFT] === NO_KINDS) continue;
    const over = (flagsOf(record) & OVER) !== 0;
    const live = (currentGeneration(record) & 1) === 1;
    if (over !== (callbackOf(record) === undefined)) return `what is held for ${record}`;
    if (over && argOf(record) !== undefined) return `the argument of ${record}`;
    if (over && live) return `record ${record} is over and has a handle`;
    if (live) alive++;
    else if (!over) due++;
  }
  if (alive !== armed) return 'armed records are miscounted';
  return due === pending ? null : 'pending records are miscounted';
}
