import { AsyncLocalStorage, AsyncResource, executionAsyncResource } from 'node:async_hooks';
import { types } from 'node:util';
import { binding } from '../binding.js';
import { interrupt } from './records.js';

/*
 * The asynchronous contexts that callbacks run in: none, or that of their registration.
 *
 * The queue works inside of a scope that the native half opens and closes (`binding.outside`, and the one of each wake-up).
 * No scope is ever opened here, as `AsyncResource.runInAsyncScope` does: what `vm`'s timeout terminates runs no `finally`, so
 * that one would stay open, and Node.js ends the process for it ("async hook stack has become corrupted"). What is done here
 * to a context is done to that of the scope, and is gone with it.
 */

type Call<A, R> = (arg: A) => R;
type Stores = Record<symbol, unknown>;

/** The resource of all native scopes. */
let scope: Stores = {};
let prepared = false;
/** Something has been written to it: where contexts are kept by the resource (before Node.js 24), a store. */
let dirty = false;
/**
 * Whether contexts are kept by the resource. Where V8 keeps them, nothing tells what a callback has entered. Not by trial: that has
 * Node.js enable its hooks, and a `vm` timeout in the middle leaves them half enabled, for which the process is ended later.
 */
const told = '_enable' in AsyncLocalStorage.prototype;
/** What a resource has that is no store. */
let plain = new Set<symbol>();
/** Where V8 keeps contexts: the place a resource has for the one it was made in. Hooks may give it others, and Maps in them. */
let places: readonly symbol[] = [];

/** The prototype of the resource: new properties are told, at no cost as long as there are none. */
const watched = new Proxy(Object.prototype, {
  set(_prototype, key, value, receiver) {
    dirty = true;
    interrupt();
    return define(receiver, key, value);
  },
});

function define(resource: object, key: PropertyKey, value: unknown): boolean {
  return Reflect.defineProperty(resource, key, { value, writable: true, enumerable: true, configurable: true });
}

/** Is told the resource of the scope that has just been opened. */
export function noteScope(resource: object): void {
  scope = resource as Stores;
}

/** Before the first callback, and not for those who have none: from then on Node.js has more to do for each of its own. */
function prepare(): void {
  Object.setPrototypeOf(scope, watched);
  // Without a context: it has an empty place for every store in use, or one for all of them.
  const bare = capture() as unknown as Stores;
  const symbols = Object.getOwnPropertySymbols(bare);
  places = symbols.filter((symbol) => isEmptyPlace(bare[symbol]));
  plain = new Set(symbols.filter((symbol) => !places.includes(symbol)));
  prepared = true;
}

/** Node.js 24 has one place for all stores, if it keeps them by the resource (`--no-async-context-frame`). */
function isEmptyPlace(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === undefined;
  return Reflect.ownKeys(value).every((key) => (value as Record<PropertyKey, unknown>)[key] === undefined);
}

/** What has been entered in the scope must not be seen by the next callback. */
function leave(): void {
  if (!told) binding.leaveContext();
  if (!dirty) return;
  for (const symbol of Object.getOwnPropertySymbols(scope)) Reflect.deleteProperty(scope, symbol);
  dirty = false;
}

/**
 * What is called between two calls in one `callOutside`, if nothing has interrupted it: no context gets from one to the
 * next.
 */
export function between(): void {
  if (!told) binding.leaveContext();
}

/** Whether what is running is in the queue's scope, and in no other inside of that. Tells the truth after a termination, too. */
export function isInScope(): boolean {
  return executionAsyncResource() === scope;
}

/** What was entered by what was terminated. */
export function forgetStores(): void {
  if (dirty) leave();
}

/** What the scope around has been entered with: not for those that are called now. `putBack` ends that. */
export function setAside(): Stores | undefined {
  if (!dirty) return undefined;
  const stores = Object.fromEntries(Object.getOwnPropertySymbols(scope).map((symbol) => [symbol, scope[symbol]]));
  leave();
  return stores;
}

export function putBack(stores: Stores | undefined): void {
  leave();
  if (stores === undefined) return;
  dirty = true;
  for (const symbol of Object.getOwnPropertySymbols(stores)) define(scope, symbol, stores[symbol]);
}

/** Before a call in no context; `leaveContext` after it. */
export function beOutside(): void {
  if (!prepared) prepare();
}

/** Before a call in `context`; `leaveContext` after it. */
export function enterContext(context: AsyncResource): void {
  if (!prepared) prepare();
  enter(context as unknown as Stores);
}

export function leaveContext(context?: AsyncResource): void {
  leave();
  context?.emitDestroy();
}

/** Calls in no context. For who works in the queue's scope: everything that it calls. */
export function callOutside<A, R>(callback: Call<A, R>, arg: A): R {
  if (!prepared) prepare();
  try {
    return callback(arg);
  } finally {
    leave();
  }
}

/** The context that is entered now, for one call; `release` when there will be none. */
export function capture(): AsyncResource {
  // Destroyed by hand: else Node.js would watch each for its own death, with what this library is there to replace.
  return new AsyncResource('WeaklyCleanup', { requireManualDestroy: true });
}

export function release(context: AsyncResource): void {
  context.emitDestroy();
}

const { enterWith } = AsyncLocalStorage.prototype;
const { forEach } = Map.prototype;

/** Enters in the scope what has been entered where `context` was captured. */
function enter(context: Stores): void {
  for (const symbol of told ? Object.getOwnPropertySymbols(context) : places) {
    const value = context[symbol];
    if (plain.has(symbol) || value === undefined) continue;
    if (told) {
      dirty = true;
      define(scope, symbol, value);
    } else if (types.isMap(value)) {
      // V8's frame: from each storage to its store. Node.js's own kind of Map has no methods.
      Reflect.apply(forEach, value, [
        (store: unknown, storage: AsyncLocalStorage<unknown>) => Reflect.apply(enterWith, storage, [store]),
      ]);
    }
  }
}
