/** What a loader is told. */
export interface LoadContext {
  /** Aborted when nobody waits for the value any more, or the cache is disposed of. */
  readonly signal: AbortSignal;
}

/** One call of a loader, and all who wait for it. */
export class Load<V> {
  readonly #controller = new AbortController();
  readonly #result: Promise<V>;
  /** Rejected when the load is aborted. One for all who wait: a signal complains about many listeners. */
  readonly #aborted: Promise<never>;
  readonly #onAbandoned: () => void;
  #settle!: (result: V | Promise<V>) => void;
  #waiting = 0;

  /** `onAbandoned`: the last one who waited has given up. */
  constructor(onAbandoned: () => void) {
    this.#onAbandoned = onAbandoned;
    this.#result = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const { signal } = this.#controller;
    this.#aborted = new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    // Who waits is told; if nobody does any more, nobody has to be.
    this.#result.catch(() => undefined);
    this.#aborted.catch(() => undefined);
  }

  /** Not in the constructor: what `load` calls at once may ask for the very same value. */
  start(load: (context: LoadContext) => Promise<V>): void {
    this.#settle(load({ signal: this.#controller.signal }));
  }

  /** Resolved when the loader has come to its end, whatever that was. */
  get ended(): Promise<unknown> {
    return this.#result.catch(() => undefined);
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** The loader's result, for one more caller, who may give up by its own signal. */
  wait(signal: AbortSignal | undefined): Promise<V> {
    this.#waiting++;
    if (signal === undefined) return Promise.race([this.#result, this.#aborted]);
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        reject(signal.reason);
        if (--this.#waiting > 0) return;
        this.#onAbandoned();
        this.abort(signal.reason);
      };
      // The loader may have aborted it, before it returned.
      if (signal.aborted) {
        giveUp();
        return;
      }
      const stop = (): void => signal.removeEventListener('abort', giveUp);
      signal.addEventListener('abort', giveUp, { once: true });
      Promise.race([this.#result, this.#aborted]).then(resolve, reject).finally(stop);
    });
  }
}
