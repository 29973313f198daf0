import { dirname, join } from 'node:path';
import { plainError } from './errors.js';
import { forgetUnpacked, type Located, locate } from './locate.js';

/**
 * The native module, as `native/environment_calls.cc` exports it. JavaScript validates what users pass, with words. These calls
 * check what they are given once more: whatever is not of the kind, out of bounds, or another's throws `ERR_WEAKLY_INTERNAL`, and
 * nothing is read or changed.
 */
export interface Binding {
  /** The slot of a target, made if there is none; -1 when dead ones must be freed first, or the table has to grow. */
  acquire(target: WeakKey): number;
  /** The target that (slot, generation) names; `undefined` when it is gone. */
  get(slot: number, generation: number): unknown;
  /** Does nothing, opaquely. */
  keepAlive(value: unknown): void;
  /** Moves dead slots into `batch`; their number. -1: none was found yet, and the search goes on. */
  takeDead(): number;
  /** Frees the slots of the batch. */
  release(): void;
  /** Adds one more chunk of cells, as words, to the list of them; false when memory or the limit refuses it. */
  grow(cells: Int32Array[]): boolean;
  /** Class name of the target that (slot, generation) names; null when it is gone. */
  describe(slot: number, generation: number): string | null;
  /** Called from the event loop once per GC that found deaths, and after `wake`. */
  onDeaths(callback: () => void): void;
  /** A cell for one more registration; -1 when the table has to grow. */
  register(target: WeakKey): number;
  /** Frees the cell of a registration; false when its target has been found dead: it waits for its turn. */
  discard(record: number, generation: number): boolean;
  /** Moves registrations that are due into `due`; their number. -1: the search goes on. */
  takeDue(): number;
  /** Frees the cells of those in `due`. */
  releaseDue(): void;
  /** Like `grow`, for registrations. */
  growCleanups(cells: Int32Array[]): boolean;
  /** The chunk of registrations that `growCleanups` would open; -1 when memory or the limit refuses it. */
  reserveCleanups(): number;
  /**
   * Gives the memory of one chunk back to the system that has been of no use since before the last major GC: its number, or -1 when
   * there is none. Takes some 20 microseconds. None of its cells is live, now and until it is opened again.
   */
  giveBackSlots(): number;
  giveBackCleanups(): number;
  giveBackEntries(): number;
  /** An owner of entries; -1 when dead ones must be freed first, or the table has to grow. So do all that add. */
  addOwner(owner: object): number;
  addEntry(target: WeakKey, owner: number, ownerGeneration: number, place: number): number;
  /** The same, for an entry that is found again by its target. */
  addKey(key: WeakKey, owner: number, ownerGeneration: number, place: number): number;
  /** The place of the entry of a key; -1: the owner has none. */
  findKey(key: WeakKey, owner: number, ownerGeneration: number): number;
  /** The target of an entry, or an owner; undefined when it is gone. */
  entry(entry: number, generation: number): unknown;
  /** Gives another target to an entry; false when its own is dead. */
  retarget(entry: number, generation: number, target: WeakKey): boolean;
  /** Frees an entry: 1 if its target was there, 0 if not. -1 when it has been found dead, and waits. */
  discardEntry(entry: number, generation: number): number;
  /** How many of the owner's entries are alive, exactly. */
  countEntries(owner: number, ownerGeneration: number): number;
  /** Moves dead entries into `deadEntries`; their number. -1: to be asked again. */
  takeEntries(): number;
  /** Frees those in `deadEntries`. */
  releaseEntries(): void;
  /** Like `grow`, for entries. */
  growEntries(cells: Int32Array[]): boolean;
  /** Five numbers for each: entry, its generation, owner, its generation, place. */
  readonly deadEntries: Int32Array;
  /** Asks for one more call of the `onDeaths` callback, in a later turn of the event loop. */
  wake(): void;
  stats(): BindingStats;
  /** Whether due wake-ups keep the process alive. */
  hold(hold: boolean): void;
  /** Calls `callback` in no asynchronous context. That had better catch what it throws: V8 takes it for uncaught. */
  outside(callback: () => void): void;
  /** Leaves the asynchronous context that what was called has entered, where V8 keeps it (Node.js 24). */
  leaveContext(): void;
  /** From now on the first element of `keeper` is cleared at the end of each job in which `jobs[1]` was set. */
  trackJobs(keeper: unknown[]): void;
  /** Two numbers: which job this is, and whether `keeper` is to be cleared at its end. */
  readonly jobs: Int32Array;
  /** Wakes the event loop after major GCs that leave so many bytes in use; 0: never. */
  watchHeap(bytes: number): void;
  /** Two numbers: the bytes that the last major GC has left in use, and how many there were, while watched. */
  readonly heapState: Float64Array;
  /**
   * Finds what a GC has left to find. Dead slots that are not freed, and deaths of slots so far; the same of entries;
   * registrations that live.
   */
  pending(): {
    readonly dead: number;
    readonly deaths: number;
    readonly deadEntries: number;
    readonly entryDeaths: number;
    readonly armed: number;
    /** How many registrations have become due so far. */
    readonly queued: number;
  };
  /** A full collection of garbage, as thorough as V8 can. */
  collect(): void;
  readonly batch: Int32Array;
  readonly due: Int32Array;
  /**
   * Three numbers: when the deaths in `due` were found; registrations that have become due so far; when the oldest was
   * found that is not in `due`, or 0. Times are nanoseconds of `process.hrtime`.
   */
  readonly dueState: Float64Array;
  readonly chunkShift: number;
  readonly testing: BindingTesting;
}

export interface BindingStats {
  /** Slots whose target is alive, as far as the last GC knows. */
  readonly live: number;
  /** Slots whose target is dead and that have not been freed yet. */
  readonly dead: number;
  /** Slots that will never be used again, their generations being exhausted. */
  readonly retired: number;
  readonly capacity: number;
  /** Cells of all three tables whose memory is there. */
  readonly resident: number;
  readonly young: number;
  readonly buckets: number;
  /** Registrations whose target is alive, as far as the last GC knows. */
  readonly armed: number;
  /** Registrations whose target is dead, their cells not freed yet. */
  readonly due: number;
  /** Entries of collections, and their owners, whose targets are alive, as far as the last GC knows. */
  readonly entries: number;
  /** Those whose targets are dead, and that are not freed. */
  readonly deadEntries: number;
  /** Entries that live, of collections that do not. */
  readonly orphans: number;
  readonly entryCapacity: number;
  /** Native memory held, without V8's own 32 bytes per handle. */
  readonly bytes: number;
  readonly deaths: number;
  readonly wakeups: number;
  readonly minorGcs: number;
  readonly majorGcs: number;
}

export interface BindingTesting {
  verify(): string | null;
  /** Six numbers for each entry that is not free: itself, its generation, owner, its generation, place, whether it is live. */
  entries(): Uint32Array;
  unseen(): number;
  setLimits(maxSlots: number, maxGeneration: number): void;
  /** Whether new cells are refused, whatever is free. */
  refuseCells(refuse: boolean): void;
  /** As if V8 had skipped the epilogues of the next GCs. */
  skipEpilogues(times: number): void;
  setNextPlace(place: number): void;
  refuseMemory(times: number): void;
  reportClose(fd: number): void;
}

/** Refuses runtimes that have another engine, only imitate V8's C++ API, or are too old, before their loader crashes or misleads. */
export function assertRuntime(versions: Readonly<Record<string, string | undefined>>, hasSandbox: boolean): void {
  const other = versions.bun !== undefined ? 'Bun' : versions.deno !== undefined ? 'Deno' : undefined;
  if (other !== undefined)
    throw plainError(
      'ERR_WEAKLY_RUNTIME',
      `weakly: ${other} is not supported. It needs V8's own C++ API, which only Node.js offers; run this with Node.js 20.19 or later.`,
    );
  const [major = 0, minor = 0] = (versions.node ?? '').split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    throw plainError(
      'ERR_WEAKLY_RUNTIME',
      `weakly: Node.js ${versions.node} is too old, and no compiler helps; run this with Node.js 20.19 or later.`,
    );
  // It would be given pointers where that build of V8 expects numbers of a table.
  if (versions.electron === undefined && !hasSandbox) return;
  throw plainError(
    'ERR_WEAKLY_RUNTIME',
    `weakly: ${versions.electron === undefined ? 'a Node.js whose V8 has its sandbox, or compressed pointers,' : 'Electron'} is not supported: the memory of its V8 is laid out in another way. Run this in a process of plain Node.js (child_process.fork with its execPath).`,
  );
}

/** Of `process.permission`, where there is one: the process was started with `--permission`. */
interface Permission {
  has(scope: string, reference: string): boolean;
}

/** How this Node.js calls its permission model. */
const PERMISSION = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';

/** What Node.js was told when it was started, if that is why nothing is loaded: then no compiler helps. */
function refusal([first]: readonly string[], cause: unknown): string | undefined {
  const { permission } = process as { permission?: Permission };
  const { code, resource } = Object(cause) as { code?: unknown; resource?: unknown };
  if (permission !== undefined && code === 'ERR_ACCESS_DENIED') return unreadable(String(resource));
  const prebuilds = first === undefined ? undefined : dirname(dirname(first));
  if (permission !== undefined && prebuilds !== undefined && !permission.has('fs.read', prebuilds))
    return unreadable(join(prebuilds, '*'));
  if (code !== 'ERR_DLOPEN_DISABLED') return undefined;
  return permission === undefined
    ? 'it is a native addon, and --no-addons allows none. Start Node.js without that option; NODE_OPTIONS may have it, too, or the execArgv of a worker'
    : `it is a native addon, and the permission model (${PERMISSION}) allows none. Add --allow-addons to the options of Node.js`;
}

function unreadable(path: string): string {
  return `the permission model (${PERMISSION}) does not allow reading ${path}. Add --allow-fs-read=${path} to the options of Node.js`;
}

const BUNDLED =
  'This is part of a bundle, and bundlers do not copy native addons by themselves. Leave the package out of it (esbuild: --external:weakly; ' +
  'rollup, tsup: external; Next.js: serverExternalPackages) and install it where the bundle runs, or copy node_modules/weakly/prebuilds beside the bundle. ' +
  'See "Bundlers and deployment" in the README.';

const COMPILE =
  'Prebuilt binaries exist for linux-x64 and linux-arm64 with Node.js 20, 22, 24 and 26. Elsewhere, install a C++20 compiler, make and Python 3, and run ' +
  '"npx weakly build"; after a change of Node.js version, the same command builds the binary anew.';

/** Loads the binary that fits, or says which one was looked for and what to do. */
export function loadBinding(find: () => Located, load: (path: string) => unknown): Binding {
  let located: Located = { path: undefined, tried: [], isBundled: false };
  try {
    located = find();
    const { path } = located;
    if (path !== undefined) return (load(path) as { open(): Binding }).open();
  } catch (cause) {
    throw binaryError(located, cause);
  }
  throw binaryError(located, undefined);
}

function binaryError({ path, tried, isBundled }: Located, cause: unknown): Error {
  const refused = refusal(tried, cause);
  if (refused !== undefined) return plainError('ERR_WEAKLY_BINARY', `weakly: ${refused}.`, cause);
  const wanted = `${process.platform}-${process.arch}, Node.js ${process.versions.node} (ABI ${process.versions.modules})`;
  const what =
    path === undefined
      ? `no native binary for ${wanted}; it was looked for at ${tried.join(', ')}`
      : `the native binary ${path} does not load on ${wanted}`;
  return plainError('ERR_WEAKLY_BINARY', `weakly: ${what}. ${isBundled ? BUNDLED : COMPILE}`, cause);
}

/**
 * By a `require` of its own, not imported, so that no bundler takes it for its own; and which knows what it has loaded, whoever evaluates this: each
 * `process.dlopen` would have Node-API keep the context of its caller for ever.
 */
function load(path: string): unknown {
  try {
    return process.getBuiltinModule('node:module').createRequire(path)(path);
  } finally {
    forgetUnpacked();
  }
}

interface Variables {
  readonly v8_enable_sandbox?: unknown;
  readonly v8_enable_pointer_compression?: unknown;
}

const { v8_enable_sandbox, v8_enable_pointer_compression } = process.config.variables as Variables;
assertRuntime(process.versions, Boolean(v8_enable_sandbox) || Boolean(v8_enable_pointer_compression));

export const binding: Binding = loadBinding(locate, load);
