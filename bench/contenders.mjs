// What a user would pick instead of weakly. Each contender is opened in a process of its own, so that the call sites of
// the scenarios see one implementation only and are optimised for it.
//   create(target)  a weak pointer to target, kept by the caller
//   read(pointer)   the target, or undefined
//   alive(pointer)  whether it is still there, by the cheapest means the contender has
//   find(target)    the pointer made for target before, where the contender is canonical

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const major = process.versions.node.split('.')[0];

const deref = (ref) => ref.deref();
const derefs = (ref) => ref.deref() !== undefined;

export const contenders = {
  /** Targets only: what is subtracted from collections and memory. */
  none: () => ({ create: () => undefined }),

  /** The loop around a call: what is subtracted from nanoseconds. */
  loop: () => ({
    create: (target) => target,
    read: (target) => target,
    alive: (target) => target !== undefined,
    find: (target) => target,
  }),

  weakly: async () => {
    const { make } = await import('../dist/index.js');
    return { create: (target) => make(target), read: (p) => p.value(), alive: (p) => p.alive, find: (t) => make(t) };
  },

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
  none: 'targets only',
  loop: 'empty loop',
  weakly: 'weakly',
  weakref: 'WeakRef',
  weakmap: 'WeakRef + WeakMap',
  registry: 'WeakRef + FinalizationRegistry',
  napi: 'Node-API reference',
  'weak-napi': 'weak-napi',
};
