// Waiting times in a fixed amount of memory, and their quantiles when some of the waits are not over.

const MIN_MS = 0.1;
const STEP = 1.01; // the bins' relative width, and so the error
const BINS = 1500; // up to five minutes

export class Waits {
  #ended = new Uint32Array(BINS);
  #open = new Uint32Array(BINS);
  #count = 0;

  /** A wait that took so long. */
  ended(ms) {
    this.#ended[bin(ms)]++;
    this.#count++;
  }

  /** A wait that has lasted so long, and goes on. */
  open(ms) {
    this.#open[bin(ms)]++;
    this.#count++;
  }

  /**
   * The Kaplan-Meier estimate. To leave out the waits that go on would flatter whoever has kept most waiting, and to
   * count them as over would too. Where too many go on for the quantile to be known, it is at least the longest wait.
   */
  quantile(q) {
    let waiting = this.#count;
    let share = 1;
    let longest = 0;
    for (let i = 0; i < BINS; i++) {
      const ended = this.#ended[i];
      if (ended > 0) share *= 1 - ended / waiting;
      if (ended > 0 && share <= 1 - q) return { ms: upper(i), atLeast: false };
      if (ended > 0 || this.#open[i] > 0) longest = upper(i);
      waiting -= ended + this.#open[i];
    }
    return { ms: longest, atLeast: true };
  }
}

function bin(ms) {
  return Math.min(BINS - 1, Math.max(0, Math.floor(Math.log(ms / MIN_MS) / Math.log(STEP))));
}

function upper(index) {
  return MIN_MS * STEP ** (index + 1);
}
