/* Objects that hold themselves, and so hand themselves out. */

export const own = (): object => {
  const target: { self?: unknown } = {};
  target.self = target;
  return target;
};

export const selfArray = (): unknown[] => {
  const array: unknown[] = [];
  array.push(array, 1);
  return array;
};

export const selfMap = (): Map<unknown, unknown> => {
  const map = new Map<unknown, unknown>();
  return map.set(map, map);
};

export const selfSet = (): Set<unknown> => {
  const set = new Set<unknown>();
  return set.add(set);
};

export class Chain {
  readonly list: unknown[] = [];
  #own = 1;
  get me(): this {
    return this;
  }
  chain(): this {
    return this;
  }
  fail(): never {
    throw this;
  }
  async later(): Promise<this> {
    await undefined;
    return this;
  }
  async failLater(): Promise<never> {
    await undefined;
    throw this;
  }
  *each(): Generator<this, this, unknown> {
    const given = yield this;
    if (given !== this) throw new Error('not me');
    return this;
  }
  async *pages(): AsyncGenerator<this, this, unknown> {
    yield this;
    return this;
  }
  is(other: unknown): boolean {
    return other === this;
  }
  has(other: object): boolean {
    return #own in other;
  }
  toJSON(): unknown {
    return { me: this.list };
  }
  override(): number {
    return this.#own;
  }
  [Symbol.toPrimitive](): number {
    return this.#own;
  }
}
