import { isAborted, offAbort, onAbort, type Patient, reasonOf } from '../aborts.js';
import { plainError } from '../errors.js';

/** What a loader is told, and may say. */
export interface LoadContext<V = unknown> {
  /**
   * Aborted when nobody waits for the value any more, or the cache is disposed of. Never once the loader has ended. Where a value is
   * loaded anew that is given meanwhile (`staleWhileRevalidate`, `refreshAhead`), only when the cache is disposed of.
   */
  readonly signal: AbortSignal;
  /**
   * The value that is being loaded anew, expired or about to; undefined where there is none. Given back, it is as good as new: so
   * the loader may ask whether it has changed (`If-None-Match`). It is held until the loader has ended.
   */
  readonly stale: V | undefined;
  /**
   * How long the value is going to be found, in milliseconds: the `ttl` of the call or the cache. The loader may say otherwise, until it
   * ends: `Infinity` for ever; 0: it is given to all who wait, and not stored.
   */
  ttl: number;
}

/**
 * One call of a loader, and all who wait for it. What comes first decides, once, for the cache, for the loader's signal and
 * for all who wait alike; whatever comes later changes nothing:
 *
 *   pending  -> decided    the loader has ended (decide, then resolve or reject): its signal will not be aborted
 *   pending  -> abandoned  the last one who waited has given up: the value is not stored, the loader's signal is aborted
 *   pending  -> disposed   (abort) so has the cache: the same, and all who wait are rejected
 */
export class Load<V> {
  readonly #controller = new AbortController();
  readonly #waiters = new Set<Waiter<V>>();
  #first: Waiter<V> | undefined;
  /** Who has called the loader, until that returns. */
  #starting: Waiter<V> | undefined;
  readonly #onAbandoned: () => void;
  /** Goes on though nobody waits. */
  readonly isBackground: boolean;
  #pending = true;
  /** Resolved when the loader has come to its end, whatever that was. */
  readonly ended: Promise<void>;
  #end: () => void = () => undefined;

  /** `onAbandoned`: the last one who waited has given up. Comes before the loader is told. */
  constructor(onAbandoned: () => void, isBackground = false) {
    this.#onAbandoned = onAbandoned;
    this.isBackground = isBackground;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** The loader's. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * The loader's result, for one more who waits, and may give up by a signal. While it is pending. `start` calls the loader,
   * for the first one: who waits already then, but does not give up before the loader has returned, and can listen.
   */
  wait(signal: AbortSignal | undefined, start?: () => void): Promise<V> {
    const waiter = new Waiter(this, signal);
    // First what may fail, at the end of the stack: whoever waits but cannot give up keeps the load from being abandoned.
    if (signal !== undefined) onAbort(signal, waiter);
    if (start !== undefined) this.#first = waiter;
    this.#waiters.add(waiter);
    if (start === undefined) return waiter.promise;
    this.#starting = waiter;
    start();
    this.#starting = undefined;
    if (signal !== undefined && isAborted(signal)) waiter.giveUp(reasonOf(signal));
    return waiter.promise;
  }

  /** One who waits has given up. Runs what listens to the loader's signal, if it was the last. */
  leave(waiter: Waiter<V>, reason: unknown): void {
    // Else it gets what was decided; or it was cut short, and is not waiting.
    if (!this.#pending || this.#starting === waiter || !this.#waiters.has(waiter)) return;
    const last = this.#waiters.size === 1 && !this.isBackground;
    // First: cut short after that, nobody else can come to wait for what is going to be abandoned.
    if (last) this.#onAbandoned();
    waiter.reject(reason);
    this.#waiters.delete(waiter);
    if (!last) return;
    this.#pending = false;
    this.#controller.abort(reason);
  }

  /** The loader has ended: whether that decides. Then nobody can give up any more, and whoever called it says what they get. */
  decide(): boolean {
    const decides = this.#pending;
    this.#pending = false;
    return decides;
  }

  /** Nothing, if something else has decided: nobody waits any more. */
  resolve(value: V): void {
    this.#settle((waiter) => waiter.resolve(value));
  }

  reject(reason: unknown): void {
    this.#settle((waiter) => waiter.reject(reason));
  }

  /** Who has called the loader was cut short before it had a promise: it is not there any more. */
  forgetFirst(): void {
    const first = this.#first;
    if (first === undefined) return;
    this.#waiters.delete(first);
    first.stop();
  }

  end(): void {
    this.#end();
  }

  /** Each in turn, and listens no longer: cut short, the others are still there. */
  #settle(settle: (waiter: Waiter<V>) => void): void {
    this.#pending = false;
    for (const waiter of [...this.#waiters]) {
      settle(waiter);
      waiter.stop();
      this.#waiters.delete(waiter);
    }
  }

  /** The cache is disposed of. Runs what listens to the loader's signal. */
  abort(reason: unknown): void {
    if (!this.#pending) return;
    this.reject(reason);
    this.#controller.abort(reason);
  }
}

class Waiter<V> implements Patient {
  readonly #load: Load<V>;
  readonly #signal: AbortSignal | undefined;
  readonly promise: Promise<V>;
  resolve: (value: V) => void = () => undefined;
  reject: (reason: unknown) => void = () => undefined;

  constructor(load: Load<V>, signal: AbortSignal | undefined) {
    this.#load = load;
    this.#signal = signal;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Who waits has another promise, that of its `fetch`, and hears of it there; who was cut short before it had that never will.
    this.promise.catch(() => undefined);
  }

  giveUp(reason: unknown): void {
    this.#load.leave(this, reason);
  }

  /** Its signal does not matter any more. */
  stop(): void {
    if (this.#signal !== undefined) offAbort(this.#signal, this);
  }
}

const TERMINATED =
  'weakly: a loader was terminated before it had returned, as the timeout of node:vm does; it is called again by the next fetch';

/** What is to be loaded, and what is to be done with what comes of it. All of it may run the user's code. */
export interface Job<K, V> {
  readonly key: K;
  readonly loader: (key: K, context: LoadContext<V>) => V | Promise<V>;
  readonly stale: V | undefined;
  readonly ttl: number;
  /** What stores the value, if it is wanted, and says whether it did. Throws if that cannot be a value. */
  prepare(value: V, isWanted: boolean, context: LoadContext<V>): (() => boolean) | undefined;
  /** What all who wait get in the place of an error; undefined: the error. */
  rescue(): V | undefined;
  /** Once, when the loader has ended. `failure`: that was what has decided. */
  ended(isBackground: boolean, stored: boolean, failure: Failure | undefined): void;
}

export interface Failure {
  readonly error: unknown;
}

/** Should it throw, for the clock or the stack, there is none. */
function rescueOf<K, V>(job: Job<K, V>): V | undefined {
  try {
    return job.rescue();
  } catch {
    return undefined;
  }
}

/** At the end of the stack nobody is told: an error of it would be nobody's. */
function tellEnd<K, V>(job: Job<K, V>, load: Load<V>, stored: boolean, failure: Failure | undefined): void {
  try {
    job.ended(load.isBackground, stored, failure);
  } catch {}
}

/** The loads of a cache. */
export class Loads<K, V> {
  /** Those whose values are going to be stored. */
  readonly #pending: Map<K, Load<V>> = new Map();
  readonly #running: Set<Load<V>> = new Set();

  /** How many loaders have not ended. */
  get running(): number {
    return this.#running.size;
  }

  /** The load that stores the value of a key. */
  get(key: K): Load<V> | undefined {
    return this.#pending.get(key);
  }

  /** The load of this key will not be stored. */
  forget(key: K): void {
    if (this.#pending.size > 0) this.#pending.delete(key);
  }

  forgetAll(): void {
    this.#pending.clear();
  }

  /** Aborts all; resolved when their loaders have ended. */
  async abort(reason: () => unknown): Promise<void> {
    const running = [...this.#running];
    this.#pending.clear();
    for (const load of running) load.abort(reason());
    await Promise.all(running.map((load) => load.ended));
  }

  /** Calls the loader at once, for one who waits. */
  start(job: Job<K, V>, signal: AbortSignal | undefined): Promise<V> {
    const load = new Load<V>(() => this.#take(job.key, load));
    return this.#begin(load, job, (run) => load.wait(signal, run));
  }

  /** The same, for nobody: others may come to wait. */
  startInBackground(job: Job<K, V>): void {
    const load = new Load<V>(() => undefined, true);
    this.#begin(load, job, (run) => run());
  }

  /** `enter` calls what it is given, which calls the loader. */
  #begin<T>(load: Load<V>, job: Job<K, V>, enter: (run: () => void) => T): T {
    // The stack may end before the loader has begun: nobody else may wait for it.
    const fail = (error: unknown): void => {
      this.#end(load, job.key);
      load.reject(error);
    };
    let begun = false;
    let returned = false;
    try {
      // What the timeout of `vm` ends runs no `catch`: without this, whoever asks for the key would wait for ever.
      Promise.resolve().then(() => {
        if (!returned) load.forgetFirst();
        if (!begun) fail(plainError('ERR_WEAKLY_TERMINATED', TERMINATED));
      });
      this.#pending.set(job.key, load);
      this.#running.add(load);
      const entered = enter(() => {
        try {
          this.#run(load, job);
        } catch (error) {
          fail(error);
        }
        begun = true;
      });
      returned = true;
      return entered;
    } catch (error) {
      begun = true;
      returned = true;
      fail(error);
      throw error;
    }
  }

  /** `prepare` and `rescue` may run the user's code, so what comes of the load is decided afterwards. */
  async #run(load: Load<V>, job: Job<K, V>): Promise<void> {
    const { key, loader } = job;
    let decides = false;
    let stored = false;
    let failure: Failure | undefined;
    try {
      const context: LoadContext<V> = { signal: load.signal, stale: job.stale, ttl: job.ttl };
      const value = await loader(key, context);
      const store = job.prepare(value, this.#pending.get(key) === load, context);
      decides = load.decide();
      if (!decides) return;
      if (this.#take(key, load)) stored = store?.() === true;
      load.resolve(value);
    } catch (error) {
      let rescued = this.#pending.get(key) === load ? rescueOf(job) : undefined;
      // That may have run the user's code.
      if (this.#pending.get(key) !== load) rescued = undefined;
      if (decides || load.decide()) failure = { error };
      if (rescued === undefined) load.reject(error);
      else load.resolve(rescued);
    } finally {
      this.#end(load, key);
      tellEnd(job, load, stored, failure);
    }
  }

  /** Its value is not to be stored by anybody else; whether it still was to be stored. */
  #take(key: K, load: Load<V>): boolean {
    return this.#pending.get(key) === load && this.#pending.delete(key);
  }

  #end(load: Load<V>, key: K): void {
    this.#take(key, load);
    this.#running.delete(load);
    load.end();
  }
}
