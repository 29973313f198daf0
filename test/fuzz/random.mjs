// Numbers that look random and come again with the same seed.

/** Two numbers into one, well mixed. */
export function mix(a, b) {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** mulberry32: 32 bits. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** 0 to n - 1. A small integer for V8 as well: the rest of a number that is none would be a boxed one. */
  below(n) {
    return (this.next() % n) | 0;
  }

  /** Both included. */
  between(least, most) {
    return least + this.below(most - least + 1);
  }

  /** Mostly few, now and then many. */
  size(most) {
    return this.between(1, Math.max(1, most >>> this.below(8)));
  }

  chance(percent) {
    return this.below(100) < percent;
  }

  /** One of a list; undefined of an empty one. */
  pick(list) {
    return list[this.below(list.length)];
  }

  /** One of `[weight, choice]`. */
  weighted(choices) {
    let at = this.below(choices.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, choice] of choices) {
      if (at < weight) return choice;
      at -= weight;
    }
    throw new Error('no choice');
  }
}
