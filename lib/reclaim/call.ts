import { AsyncResource } from 'node:async_hooks';
import { binding } from '../binding.js';
import { unguard } from './finalizer.js';
import { argOf, type Callback, callbackOf, FINALIZER, flagsOf, IN_CONTEXT } from './records.js';
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
let symbols = 0;

function clean(): AsyncResource {
  if (outside === undefined || Object.getOwnPropertySymbols(outside).length !== symbols) {
    outside?.emitDestroy();
    binding.outside(() => {
      outside = new AsyncResource('WeaklyQueue', { requireManualDestroy: true });
    });
    symbols = dropStores(outside as unknown as AsyncResource);
  }
  return outside as AsyncResource;
}

/** The empty places that a new resource has for every store in use, so that one that is filled can be seen to appear. */
function dropStores(resource: AsyncResource): number {
  const properties = resource as unknown as Record<symbol, unknown>;
  for (const symbol of Object.getOwnPropertySymbols(resource))
    if (properties[symbol] === undefined) Reflect.deleteProperty(resource, symbol);
  return Object.getOwnPropertySymbols(resource).length;
}

/**
 * A store that a callback has entered (`AsyncLocalStorage.enterWith`) must not be seen by the next one. Where contexts are
 * kept by the resource (before Node.js 24), it is a property of it now; a new resource has none.
 */
export function forgetContext(): void {
  if (outside !== undefined) clean();
}

function callOutside(callback: Callback, arg: unknown): void {
  try {
    (outside ?? clean()).runInAsyncScope(callback, undefined, arg);
  } finally {
    clean();
  }
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
