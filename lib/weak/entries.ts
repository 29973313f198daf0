import { binding } from '../binding.js';
import { plainError } from '../errors.js';

/*
 * The JavaScript half of the entries of collections. The native half (native/entry_table.h) has a cell for each, with the
 * weak handle, read here as the slots' are (slots.ts). An entry belongs to an owner, which its collection alone holds, and
 * which is told of its death: when the queue drains, or before the table grows. Until then the number of the entry is not
 * used again. So an owner may note it, without a generation.
 */

const SHIFT = 12; // as slots have it
const MASK = 4095;

const cells: Int32Array[] = [];

/** After an entry was refused: another attempt is worth it, or this throws `ERR_WEAKLY_MEMORY`. */
export function makeRoom(): void {
  if (reclaimEntries() !== 0 || binding.growEntries(cells)) return;
  const { entries } = binding.stats();
  throw plainError('ERR_WEAKLY_MEMORY', `weakly: no memory or no number for one more entry; there are ${entries}`);
}

/** What entries belong to. It lives as long as its collection, and must hold nothing that others should not. */
export abstract class Owner {
  readonly number: number;

  constructor() {
    let number = binding.addOwner(this);
    while (number < 0) {
      makeRoom();
      number = binding.addOwner(this);
    }
    this.number = number;
  }

  /**
   * One of its entries is dead; its number is used again afterwards. Must run no user code. Where the stack ends in the
   * middle it is called once more, so it has to do last what must not be done twice.
   */
  abstract died(place: number, entry: number): void;
}

/** Odd while the entry is not found dead; (entry, generation) names one for ever. */
export function generationOf(entry: number): number {
  return (cells[entry >>> SHIFT] as Int32Array)[((entry & MASK) << 2) + 2] as number;
}

/** Whether the target of an entry is there. Reads memory, calls nothing. */
export function isAlive(entry: number): boolean {
  const words = cells[entry >>> SHIFT] as Int32Array;
  const word = (entry & MASK) << 2;
  return ((words[word + 2] as number) & 1) === 1 && (words[word] !== 0 || words[word + 1] !== 0);
}

let reclaiming = false;

/** An execution that was terminated (by `vm`'s timeout, say) ran no `finally`. Only for who cannot be inside of one. */
export function endInterruptedReclaim(): void {
  reclaiming = false;
}

/** Of the batch at hand, those whose owners have been told; not 0 only if that was cut short. Counted after the fact. */
let told = 0;

/**
 * Tells owners of up to one batch of dead entries, and frees those. Their number, 0 when there is nothing to do, or -1 when
 * there is more. Runs no user code, so it may be called from anywhere.
 */
export function reclaimEntries(): number {
  if (reclaiming) return 0;
  reclaiming = true;
  try {
    const count = binding.takeEntries();
    if (count <= 0) return count;
    tellOwners(binding.deadEntries, count);
    binding.releaseEntries();
    told = 0;
    return count;
  } finally {
    reclaiming = false;
  }
}

function tellOwners(dead: Int32Array, count: number): void {
  let number = -1;
  let owner: Owner | undefined;
  while (told < count) {
    const i = 3 * told;
    if (dead[i + 1] !== number) {
      number = dead[i + 1] as number;
      owner = binding.entry(number) as Owner | undefined;
    }
    owner?.died(dead[i + 2] as number, dead[i] as number);
    told++;
  }
}
