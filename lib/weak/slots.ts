import { binding } from '../binding.js';
import { plainError } from '../errors.js';

/*
 * The JavaScript half of the slots. The native half (native/slot_table.h) owns 16-byte cells that never move; here they
 * are read as four words each, so that asking whether a target is alive takes no call:
 *   words 0, 1  the weak handle; the collector zeroes it, in the middle of a job if it likes
 *   word 2      the generation: odd while the slot is live, counted up at death
 *   word 3      the identity hash
 * (slot, generation) names one target for ever.
 */

// Constants of this module: V8 compiles a call of a function that it knows into a fraction of one that it has to look up.
const { acquire: acquireSlot, get } = binding;

/** A slot's place in tables of the same shape as the cells: `table[slot >>> CHUNK_SHIFT][slot & CHUNK_MASK]`. */
export const CHUNK_SHIFT = 12; // literals: an optimiser folds them, an import from the binding it has to load
export const CHUNK_SIZE = 4096;
export const CHUNK_MASK = 4095;
if (binding.chunkShift !== CHUNK_SHIFT)
  throw plainError('ERR_WEAKLY_BINARY', 'weakly: the native binary is of another version than its JavaScript');

/** Lets go of what a room holds for the first `count` slots of `batch`. Must not throw and must run no user code. */
export type ReleaseHook = (batch: Int32Array, count: number) => void;

/** @internal Words of all cells, for the tests that break some. */
export const cells: Int32Array[] = [];
const releaseHooks: ReleaseHook[] = [];
let reclaiming = false;
let reclaimedSlots = 0;

/** As `endInterruptedReclaim` of entries. */
export function endInterruptedBatch(): void {
  reclaiming = false;
}

/** How many dead slots have been freed so far. */
export function reclaimed(): number {
  return reclaimedSlots;
}

/** Lets go of what a room has for all of a chunk, none of whose slots is in use. As `ReleaseHook`. */
export type GiveBackHook = (chunk: number) => void;

const giveBackHooks: GiveBackHook[] = [];

export function onGiveBack(hook: GiveBackHook): void {
  giveBackHooks.push(hook);
}

/** Gives the memory of one chunk of slots back that a peak has left behind; false when there is none. */
export function giveBackSlots(): boolean {
  const chunk = binding.giveBackSlots();
  if (chunk < 0) return false;
  for (let i = 0; i < giveBackHooks.length; i++) (giveBackHooks[i] as GiveBackHook)(chunk);
  return true;
}

export function onRelease(hook: ReleaseHook): void {
  releaseHooks.push(hook);
}

// Slot 0 exists from the start, so that the nil pointer can be asked like any other.
if (!binding.grow(cells)) throw plainError('ERR_WEAKLY_MEMORY', 'weakly: no memory for the first slots');

/** The slot of `target`, which must be a valid one; made if there is none. */
export function acquire(target: WeakKey): number {
  const slot = acquireSlot(target);
  return slot >= 0 ? slot : acquireAfterMakingRoom(target);
}

/**
 * Dead slots come first: a loop that makes pointers without ever yielding to the event loop would otherwise grow for as
 * long as it runs.
 */
function acquireAfterMakingRoom(target: WeakKey): number {
  for (;;) {
    // A batch may free nothing, if all of its slots retire.
    const freed = reclaimBatch();
    // What waits for its dead refuses one in so many, and takes the next; only what is full refuses twice. Where the reclaiming
    // cannot be done (it was terminated, or is under way), the table would grow for each of those.
    const again = freed === 0 ? acquireSlot(target) : -1;
    if (again >= 0) return again;
    if (freed === 0 && !binding.grow(cells)) {
      const { live } = binding.stats();
      throw plainError(
        'ERR_WEAKLY_MEMORY',
        `weakly: no memory or no slot number for one more target; ${live} are pointed to`,
      );
    }
    const slot = acquireSlot(target);
    if (slot >= 0) return slot;
  }
}

/**
 * The generation of a slot that was live when it was acquired. Whoever holds it now cannot be sure that the compiler still
 * keeps the target: if it died in between, the count went up by one, and this is the one before.
 */
export function liveGenerationOf(slot: number): number {
  return (generationOf(slot) - 1) | 1;
}

/** The generation of a slot, as it is now. */
function generationOf(slot: number): number {
  return (cells[slot >>> 12] as Int32Array)[((slot & 4095) << 2) + 2] as number;
}

/** Whether the target that (slot, generation) names is still there. The generation alone would miss a death that no GC epilogue has seen. */
export function isAlive(slot: number, generation: number): boolean {
  const words = cells[slot >>> 12] as Int32Array;
  const word = (slot & 4095) << 2;
  return words[word + 2] === generation && (words[word] !== 0 || words[word + 1] !== 0);
}

/** The target that (slot, generation) names, or undefined. */
export function read(slot: number, generation: number): unknown {
  return get(slot, generation);
}

/** The class name of the target that (slot, generation) names, or null; pins nothing and runs no code of the target's. */
export function describe(slot: number, generation: number): string | null {
  return isAlive(slot, generation) ? binding.describe(slot, generation) : null;
}

/**
 * Frees up to one batch of dead slots; their number, 0 when there are none, or -1 when the search for them goes on. Runs
 * no user code, so it may be called from anywhere.
 */
export function reclaimBatch(): number {
  // A hook that got here again (through a patched built-in that makes pointers) would free the batch under the outer one.
  if (reclaiming) return 0;
  reclaiming = true;
  try {
    const count = binding.takeDead();
    if (count <= 0) return count;
    for (let i = 0; i < releaseHooks.length; i++) (releaseHooks[i] as ReleaseHook)(binding.batch, count);
    binding.release();
    reclaimedSlots += count;
    return count;
  } finally {
    reclaiming = false;
  }
}
