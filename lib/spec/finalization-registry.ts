import { binding } from '../binding.js';
import { callOutside } from '../reclaim/call.js';
import { addLane } from '../reclaim/queue.js';
import { raiseLater } from '../reclaim/report.js';
import { generationOf, makeRoom, Owner } from '../weak/entries.js';
import { Returned } from './returned.js';

/*
 * What a FinalizationRegistry does, whatever realm its constructor is of (intrinsics.ts). Each registration is an entry; the
 * registry is their owner. What it holds is held by itself alone: a registry that is garbage is so with all that it holds,
 * and calls nobody, even for what had died before.
 */

type Callback = (held: unknown) => unknown;

/** In place of what is held: the registration was taken back, and its place waits for the queue. */
const NOTHING = Symbol('nothing');

/** A token's list of registrations is looked through when it has so many that have gone. */
const FEW = 16;

class Registrations extends Owner {
  readonly #callback: Callback;
  /** By place: what is held, the entry, and how often the place has been given away. */
  readonly #held: unknown[] = [];
  readonly #entries: number[] = [];
  readonly #serials: number[] = [];
  readonly #free: number[] = [];
  /** For each token, place and serial of what was registered with it. */
  #tokens: WeakMap<WeakKey, number[]> | undefined;
  /** Places of the dead, whose callbacks are due: a queue from `#next` on. */
  #due: number[] = [];
  #next = 0;

  constructor(callback: Callback) {
    super();
    this.#callback = callback;
  }

  register(target: WeakKey, held: unknown, token: WeakKey | undefined): void {
    const place = this.#add(target);
    const serial = ((this.#serials[place] ?? 0) + 1) & 0x3fffffff;
    this.#serials[place] = serial;
    if (token !== undefined) this.#note(token, place, serial);
    // Last: what could not be noted calls nobody.
    this.#held[place] = held;
  }

  /** A new entry; its place. */
  #add(target: WeakKey): number {
    for (;;) {
      // Taken before anybody has it: should the stack end in between, it stays unused.
      const place = this.#free.pop() ?? this.#held.length;
      const entry = binding.addEntry(target, this.number, place);
      if (entry >= 0) {
        this.#held[place] = NOTHING;
        this.#entries[place] = entry;
        return place;
      }
      if (place < this.#held.length) this.#free.push(place);
      makeRoom(); // may free places
    }
  }

  #note(token: WeakKey, place: number, serial: number): void {
    this.#tokens ??= new WeakMap();
    const list = this.#tokens.get(token);
    if (list === undefined) {
      this.#tokens.set(token, [place, serial]);
      return;
    }
    list.push(place, serial);
    // A token that outlives most of what it was given for must not remember it for ever.
    if (list.length < 4 * FEW || (list.length & (list.length - 1)) !== 0) return;
    const left = list.filter((_, i) => this.#serials[list[i & ~1] as number] === list[i | 1]);
    if (left.length <= list.length / 2) this.#tokens.set(token, left);
  }

  unregister(token: WeakKey): boolean {
    const list = this.#tokens?.get(token);
    if (list === undefined) return false;
    let removed = false;
    for (let i = 0; i < list.length; i += 2) {
      const place = list[i] as number;
      if (this.#serials[place] !== list[i + 1] || this.#held[place] === NOTHING) continue;
      removed = true;
      const entry = this.#entries[place] as number;
      // Not freed before it is nobody's: should the stack end in between, it stays unused.
      this.#held[place] = NOTHING;
      if (entry !== DEAD && binding.discardEntry(entry) >= 0) this.#freePlace(place);
    }
    // Last: should the stack end before, those that are left can still be taken back.
    this.#tokens?.delete(token);
    return removed;
  }

  override died(place: number): void {
    if (this.#held[place] === NOTHING) {
      this.#freePlace(place);
      return;
    }
    if (this.#due.length === 0) {
      const generation = generationOf(this.number);
      due.push(this.number, generation);
    }
    this.#due.push(place);
    this.#entries[place] = DEAD;
  }

  /** Calls the next callback that is due; false when none is. */
  callNext(): boolean {
    while (this.#next < this.#due.length) {
      const place = this.#due[this.#next++] as number;
      const held = this.#held[place];
      this.#freePlace(place);
      if (held === NOTHING) continue;
      callOutside(this.#callback, held);
      return true;
    }
    this.#due = [];
    this.#next = 0;
    return false;
  }

  #freePlace(place: number): void {
    this.#held[place] = undefined;
    this.#serials[place] = ((this.#serials[place] as number) + 1) & 0x3fffffff;
    this.#free.push(place);
  }
}

/** In place of an entry that is not its any more. */
const DEAD = -1;

/** Owner numbers and generations of registries that have callbacks due. Not the registries: they may die meanwhile. */
let due: number[] = [];
let next = 0;

addLane(() => {
  while (next < due.length) {
    const number = due[next] as number;
    const registry =
      generationOf(number) === due[next + 1] ? (binding.entry(number) as Registrations | undefined) : undefined;
    try {
      if (registry?.callNext() === true) return true;
    } catch (error) {
      raiseLater(error);
      return true;
    }
    next += 2;
  }
  due = [];
  next = 0;
  return false;
});

/** The internal slots of a FinalizationRegistry, on an object of any realm. */
class Registry extends Returned {
  readonly #registrations: Registrations;

  constructor(object: object, callback: Callback) {
    super(object);
    this.#registrations = new Registrations(callback);
  }

  static of(value: unknown): Registrations | undefined {
    const object = Object(value) as object;
    return #registrations in object ? object.#registrations : undefined;
  }
}

/** Makes `object` a FinalizationRegistry. */
export function makeRegistry(object: object, callback: Callback): object {
  new Registry(object, callback);
  return object;
}

/** Undefined: `value` is no FinalizationRegistry. */
export function registrationsOf(value: unknown): Pick<Registrations, 'register' | 'unregister'> | undefined {
  return Registry.of(value);
}
