import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { plainError } from './errors.js';

/** The native module, as `native/environment_calls.cc` exports it. JavaScript validates; these calls trust their caller. */
export interface Binding {
  /** The slot of an object or function, made if there is none; -1 when dead ones must be freed first, or the table has to grow. */
  acquire(target: object): number;
  /** The same for a non-registered symbol. */
  acquireSymbol(target: symbol): number;
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
  /** Class name of a slot's target; null when it is gone. */
  describe(slot: number): string | null;
  /** Called from the event loop once per GC that found deaths, and after `wake`. */
  onDeaths(callback: () => void): void;
  /** A cell for one more registration; -1 when the table has to grow. */
  register(target: object | symbol): number;
  /** Frees the cell of a registration; false when its target has been found dead: it waits for its turn. */
  discard(record: number): boolean;
  /** Moves registrations that are due into `due`; their number. -1: the search goes on. */
  takeDue(): number;
  /** Frees the cells of those in `due`. */
  releaseDue(): void;
  /** Like `grow`, for registrations. */
  growCleanups(cells: Int32Array[]): boolean;
  /** An owner of entries; -1 when dead ones must be freed first, or the table has to grow. So do all that add. */
  addOwner(owner: object): number;
  addEntry(target: object | symbol, owner: number, place: number): number;
  /** A new entry, or the one that the owner has for the key. */
  addKey(key: object, owner: number): number;
  addSymbolKey(key: symbol, owner: number): number;
  /** The entry of a key; -1: the owner has none. */
  findKey(key: object, owner: number): number;
  findSymbolKey(key: symbol, owner: number): number;
  /** The target of an entry, or the owner of that number; undefined when it is gone. */
  entry(entry: number): unknown;
  /** Gives another target to an entry; false when its own is dead. */
  retarget(entry: number, target: object | symbol): boolean;
  /** Frees an entry: its place, times two, plus one if its target was there. -1 when it has been found dead, and waits. */
  discardEntry(entry: number): number;
  /** How many of the owner's entries are alive, exactly. */
  countEntries(owner: number): number;
  /** Moves dead entries into `deadEntries`; their number. -1: to be asked again. */
  takeEntries(): number;
  /** Frees those in `deadEntries`. */
  releaseEntries(): void;
  /** Like `grow`, for entries. */
  growEntries(cells: Int32Array[]): boolean;
  /** Three numbers for each: entry, owner, place. */
  readonly deadEntries: Int32Array;
  /** Asks for one more call of the `onDeaths` callback, in a later turn of the event loop. */
  wake(): void;
  stats(): BindingStats;
  /** Whether due wake-ups keep the process alive. */
  hold(hold: boolean): void;
  /** Calls `callback` in no asynchronous context; throws what it throws. */
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

const require = createRequire(import.meta.url);

/** Refuses runtimes that have another engine or only imitate V8's C++ API, before their loader crashes or misleads. */
export function assertRuntime(versions: Readonly<Record<string, string | undefined>>): void {
  const other = versions.bun !== undefined ? 'Bun' : versions.deno !== undefined ? 'Deno' : undefined;
  if (other === undefined) return;
  throw plainError(
    'ERR_WEAKLY_RUNTIME',
    `weakly: ${other} is not supported. It needs V8's own C++ API, which only Node.js offers; run this with Node.js 20.19 or later.`,
  );
}

/** Loads the binary that fits, or says which one was looked for and what to do. */
export function loadBinding(root: string, resolve: (root: string) => string, load: (path: string) => unknown): Binding {
  let path: string | undefined;
  try {
    path = resolve(root);
    return (load(path) as { open(): Binding }).open();
  } catch (cause) {
    const wanted = `${process.platform}-${process.arch}, Node.js ${process.versions.node} (ABI ${process.versions.modules})`;
    const what =
      path === undefined ? `no native binary for ${wanted}` : `the native binary ${path} does not load on ${wanted}`;
    throw plainError(
      'ERR_WEAKLY_BINARY',
      `weakly: ${what}. Prebuilt binaries exist for linux-x64 (glibc) with Node.js 20, 22, 24 and 26. ` +
        'Elsewhere, install a C++20 compiler, make and Python 3, and run "npm rebuild weakly --foreground-scripts"; ' +
        'after a change of Node.js version, the same command builds the binary anew.',
      cause,
    );
  }
}

assertRuntime(process.versions);

const nodeGypBuild = require('node-gyp-build') as { resolve(root: string): string };

export const binding: Binding = loadBinding(
  fileURLToPath(new URL('..', import.meta.url)),
  nodeGypBuild.resolve,
  require,
);
