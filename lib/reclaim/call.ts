import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { binding } from '../binding.js';
import { unguard } from './finalizer.js';
import { argOf, batch, callbackOf, FINALIZER, flagsOf, IN_CONTEXT } from './records.js';
import { createStandIn } from './stand-in.js';

/** record -> the context of its registration, for the few that ask for it. */
const resources = new Map<number, AsyncResource>();

export function enterContext(record: number): void {
  // Destroyed by hand: else Node.js would watch each for its own death, with what this library is there to replace.
  resources.set(record, new AsyncResource('WeaklyCleanup', { requireManualDestroy: true }));
}

/** The record is not going to be called. */
export function leaveContext(record: number): void {
  takeResource(record)?.emitDestroy();
}

function takeResource(record: number): AsyncResource | undefined {
  const resource = resources.get(record);
  resources.delete(record);
  return resource;
}

/** What callbacks run in that asked for no context: made where there is none. */
let outside: AsyncResource | undefined;
let own: Set<symbol>;
/** Something has been written to it: where contexts are kept by the resource (before Node.js 24), a store. */
let dirty = false;
/** Where they are kept by V8, nothing tells what a callback has entered. */
let told = false;

const { runInAsyncScope } = AsyncResource.prototype;

/** The prototype of the resource: new properties are told, at no cost as long as there are none. */
const watched = new Proxy(AsyncResource.prototype, {
  set(_prototype, key, value, receiver) {
    dirty = true;
    batch.interrupted = true;
    return Reflect.defineProperty(receiver, key, { value, writable: true, enumerable: true, configurable: true });
  },
});

function makeOutside(): AsyncResource {
  let made!: AsyncResource;
  binding.outside(() => {
    made = new AsyncResource('WeaklyQueue', { requireManualDestroy: true });
  });
  // It has an empty place for every store in use, or for all of them. Without, what is entered makes a new property.
  own = new Set();
  forgetStores(made, isEmptyPlace);
  own = new Set(Object.getOwnPropertySymbols(made));
  Object.setPrototypeOf(made, watched);
  told = storesAreTold(made);
  dirty = false;
  return made;
}

/** Node.js 24 has one place for all stores, if it keeps them by the resource (`--no-async-context-frame`). */
function isEmptyPlace(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === undefined;
  return Reflect.ownKeys(value).every((key) => (value as Record<PropertyKey, unknown>)[key] === undefined);
}

function storesAreTold(resource: AsyncResource): boolean {
  dirty = false;
  const probe = new AsyncLocalStorage();
  resource.runInAsyncScope(() => probe.enterWith(true));
  probe.disable();
  forgetStores(resource, all);
  return dirty;
}

const all = (): boolean => true;

function forgetStores(resource: AsyncResource, which: (value: unknown) => boolean): void {
  const properties = resource as unknown as Record<symbol, unknown>;
  for (const symbol of Object.getOwnPropertySymbols(resource))
    if (!own.has(symbol) && which(properties[symbol])) Reflect.deleteProperty(resource, symbol);
}

/**
 * What a callback enters (`AsyncLocalStorage.enterWith`) must not be seen by the next one. Called in the middle of one: its
 * stores stay its own.
 */
export function leaveContexts(): void {
  if (dirty) outside = makeOutside();
}

/**
 * What is called between two calls in one `callOutside`, if nothing has `interrupted` it: no context gets from one to the
 * next.
 */
export function between(): void {
  if (!told) binding.leaveContext();
}

export function callOutside<A, R>(callback: (arg: A) => R, arg: A): R {
  outside ??= makeOutside();
  try {
    return Reflect.apply(runInAsyncScope, outside, [callback, undefined, arg]) as R;
  } finally {
    if (dirty) {
      forgetStores(outside, all);
      dirty = false;
    }
  }
}

/** How many calls have thrown. */
export let failed = 0;

export function countFailure(): void {
  failed++;
}

/** Calls what `record` stands for. `release` takes the record out of the tables before: nothing is ever called twice. */
export function call(record: number, release: (record: number) => void): void {
  const callback = callbackOf(record);
  const arg = argOf(record);
  const flags = flagsOf(record);
  const resource = (flags & IN_CONTEXT) === 0 ? undefined : takeResource(record);
  release(record);
  if (resource !== undefined) {
    try {
      resource.runInAsyncScope(callback, undefined, arg);
    } finally {
      resource.emitDestroy();
    }
  } else if ((flags & FINALIZER) !== 0) {
    unguard(arg as object);
    callOutside(callback, createStandIn(arg as object));
  } else {
    callOutside(callback, arg);
  }
}
