import { binding } from '../../lib/binding.js';
import * as records from '../../lib/reclaim/records.js';
import { verifyEntries } from '../../lib/weak/entries.js';
import { verifyPointers } from '../../lib/weak/pointer.js';

type Collect = (options?: { type?: 'major' | 'minor'; execution?: 'sync' | 'async' }) => void;

function exposed(): Collect {
  const collect = (globalThis as { gc?: Collect }).gc;
  if (collect === undefined) throw new Error('these tests need --expose-gc');
  return collect;
}

export function majorGc(): void {
  exposed()();
}

export function minorGc(): void {
  exposed()({ type: 'minor' });
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Collects until `predicate` holds; a GC may need several goes, and jobs in between, to let go of everything. */
export async function gcUntil(predicate: () => boolean, what: string, timeoutMs = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!predicate()) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await turn();
    majorGc();
  }
}

/**
 * Collects within the running job until `predicate` holds. Not once: a compilation in the background, or a register of
 * the interpreter, may hold one last target through a GC or two.
 */
export function gcNowUntil(predicate: () => boolean, what: string): void {
  for (let i = 0; !predicate(); i++) {
    if (i === 50) throw new Error(`not after ${i} GCs: ${what}`);
    majorGc();
  }
}

/** Waits, collecting nothing, until `predicate` holds. */
export async function until(predicate: () => boolean, what: string, timeoutMs = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!predicate()) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await turn();
  }
}

/** Both halves of the tables' own view of themselves and of each other: throws when an invariant is broken. */
export function verify(): void {
  const broken = binding.testing.verify() ?? verifyEntries() ?? verifyPointers() ?? records.verify();
  if (broken !== null) throw new Error(`a table is broken: ${broken}`);
}

/** Calls `fn` in a frame of its own, so that nothing it names stays on the caller's stack. */
export function away<T>(fn: () => T): T {
  return fn();
}
