// What a user would pick instead of weakly. Each contender is opened in a process of its own, so that the call sites of
// the scenarios see one implementation only and are optimised for it.
//   create(target)  a weak pointer to target, kept by the caller
//   read(pointer)   the target, or undefined
//   alive(pointer)  whether it is still there, by the cheapest means the contender has
//   find(target)    the pointer made for target before, where the contender is canonical
// And those that can do something when a target dies:
//   cleanups(fn)    fn(target.n) is to be called for each target that dies: { create(target), stop(handle, target) }, where
//                   create gives the handle that the caller keeps, if it must keep one to be able to stop
//   standIn(target, finalizer)  what is used in place of the target

import { createRequire } from 'node:module';
import { COLLECTION_TITLES, collectionContenders } from './contenders-collections.mjs';

const require = createRequire(import.meta.url);
const major = process.versions.node.split('.')[0];

const deref = (ref) => ref.deref();
const derefs = (ref) => ref.deref() !== undefined;

const openWeakly = () => import('../dist/index.js');

/** Kept alive by the global object: a registry that dies calls nobody. */
function registryOf(fn) {
  const registry = new FinalizationRegistry(fn);
  globalThis.registries ??= [];
  globalThis.registries.push(registry);
  return registry;
}

export const contenders = {
  ...collectionContenders,

  /** Targets only: what is subtracted from collections and memory. */
  none: () => ({ create: () => undefined, cleanups: () => ({ create: () => undefined, silent: true }) }),

  /** The loop around a call: what is subtracted from nanoseconds. */
  loop: () => ({
    create: (target) => target,
    read: (target) => target,
    alive: (target) => target !== undefined,
    find: (target) => target,
  }),

  weakly: async () => {
    const { make, addCleanup, finalizable } = await openWeakly();
    return {
      create: (target) => make(target),
      read: (p) => p.value(),
      alive: (p) => p.alive,
      find: (t) => make(t),
      cleanups: (fn) => ({ create: (t) => addCleanup(t, fn, t.n), stop: (cleanup) => cleanup.stop() }),
      standIn: (target, finalizer) => finalizable(target, finalizer),
    };
  },

  /** Nothing kept of addCleanup: what cannot be stopped any more. */
  'weakly-dropped': async () => {
    const { addCleanup } = await openWeakly();
    const cleanups = (fn) => ({
      create: (target) => {
        addCleanup(target, fn, target.n);
      },
    });
    return { cleanups };
  },

  /** Without a token: what cannot be stopped. */
  fr: () => ({
    cleanups: (fn) => {
      const registry = registryOf(fn);
      return { create: (target) => registry.register(target, target.n) };
    },
  }),

  /** The target is its own token, so that there is nothing to keep; but to stop takes the target. */
  'fr-token': () => ({
    cleanups: (fn) => {
      const registry = registryOf(fn);
      return {
        create: (target) => registry.register(target, target.n, target),
        stop: (_handle, target) => registry.unregister(target),
      };
    },
  }),

  /** An object for a token, kept by the caller: the usual way where who stops does not have the target. */
  'fr-own': () => ({
    cleanups: (fn) => {
      const registry = registryOf(fn);
      const create = (target) => {
        const token = {};
        registry.register(target, target.n, token);
        return token;
      };
      return { create, stop: (token) => registry.unregister(token) };
    },
  }),

  raw: () => ({ standIn: (target) => target, plain: true }),

  proxy: () => ({ standIn: (target) => new Proxy(target, {}), plain: true }),

  weakref: () => ({ create: (target) => new WeakRef(target), read: deref, alive: derefs }),

  /** One WeakRef per target: what `make(o) === make(o)` takes without weakly. */
  weakmap: () => {
    const refs = new WeakMap();
    const create = (target) => {
      let ref = refs.get(target);
      if (ref === undefined) {
        ref = new WeakRef(target);
        refs.set(target, ref);
      }
      return ref;
    };
    return { create, read: deref, alive: derefs, find: (target) => refs.get(target) };
  },

  /** A WeakRef whose owner is told of the death. */
  registry: () => {
    let finalized = 0;
    const registry = new FinalizationRegistry(() => {
      finalized++;
    });
    const create = (target) => {
      const ref = new WeakRef(target);
      registry.register(target, ref);
      return ref;
    };
    return { create, read: deref, alive: derefs, finalized: () => finalized };
  },

  napi: () => {
    const { create, get } = require('./native/build/Release/napi_reference.node');
    return { create: (target) => create(target), read: (id) => get(id), alive: (id) => get(id) !== undefined };
  },

  'weak-napi': () => {
    const weak = require(`./.deps/${major}/node_modules/weak-napi`);
    const { get, isDead } = weak;
    return { create: (target) => weak(target), read: (ref) => get(ref), alive: (ref) => !isDead(ref) };
  },
};

export const TITLES = {
  ...COLLECTION_TITLES,
  none: 'targets only',
  loop: 'empty loop',
  weakly: 'weakly',
  weakref: 'WeakRef',
  weakmap: 'WeakRef + WeakMap',
  registry: 'WeakRef + FinalizationRegistry',
  napi: 'Node-API reference',
  'weak-napi': 'weak-napi',
  'weakly-dropped': 'weakly, Cleanup not kept',
  fr: 'FinalizationRegistry',
  'fr-token': 'FR, token = target',
  'fr-own': 'FR, own token',
  raw: 'the object itself',
  proxy: 'new Proxy(object, {})',
};
