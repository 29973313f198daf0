/* How stand-ins are known: by a private field on the proxy itself, which no trap can see. */

/** What stands behind a stand-in. */
export interface Behind {
  readonly target: object;
  readonly standIn: object;
  /** The registration of its finalizer: records.ts. */
  record: number;
  generation: number;
}

/** Stamps the private fields of its subclass on the object that it "constructs". */
class Returned {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the point of this class
    return object;
  }
}

class Brand extends Returned {
  readonly #behind: Behind;

  constructor(behind: Behind) {
    super(behind.standIn);
    this.#behind = behind;
  }

  static of(value: object): Behind | undefined {
    return #behind in value ? value.#behind : undefined;
  }
}

let inUse = false;

export function brand(behind: Behind): void {
  inUse = true;
  new Brand(behind);
}

/** Undefined: `value` is no stand-in. */
export function handlerOf(value: unknown): Behind | undefined {
  // Programs without stand-ins pay nothing for the possibility.
  if (!inUse) return undefined;
  if (typeof value === 'object' ? value === null : typeof value !== 'function') return undefined;
  return Brand.of(value as object);
}
