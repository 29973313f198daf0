// Collections, and what a user would pick instead of them. As in contenders.mjs, each in a process of its own.
//   map()      a collection: { set(key, value), get(key), has(key), delete(key), entries() }; where `weakKeys`, the keys are
//              what is held weakly, and are the objects; else the values are, and the keys are numbers; `strong`: neither
//   cache(max) { get(key), set(key, value) }, of which `max` values are held strongly
//   canonical  (string) => what stands for it
// And as in contenders.mjs create, read, alive, cleanups.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const major = process.versions.node.split('.')[0];
const deps = fileURLToPath(new URL(`.deps/${major}/`, import.meta.url));
const require = createRequire(join(deps, 'package.json'));

const openCollections = () => import('../dist/collections/index.js');
const openSpec = () => import('../dist/spec/index.js');

/** For what is used as it is. */
const plain = (collection) => ({
  set: (key, value) => collection.set(key, value),
  get: (key) => collection.get(key),
  has: (key) => collection.has(key),
  delete: (key) => collection.delete(key),
  entries: () => collection[Symbol.iterator](),
});

const members = (collection) => ({
  set: (key) => collection.add(key),
  get: (key) => (collection.has(key) ? key : undefined),
  has: (key) => collection.has(key),
  delete: (key) => collection.delete(key),
  entries: () => collection[Symbol.iterator](),
});

/** As people write it by hand. */
class HandWrittenValues {
  #refs = new Map();
  #registry = new FinalizationRegistry(({ key, ref }) => {
    if (this.#refs.get(key) === ref) this.#refs.delete(key);
  });
  get(key) {
    return this.#refs.get(key)?.deref();
  }
  has(key) {
    return this.get(key) !== undefined;
  }
  set(key, value) {
    const old = this.#refs.get(key);
    if (old !== undefined) this.#registry.unregister(old);
    const ref = new WeakRef(value);
    this.#refs.set(key, ref);
    this.#registry.register(value, { key, ref }, ref);
  }
  delete(key) {
    const ref = this.#refs.get(key);
    if (ref === undefined) return false;
    this.#registry.unregister(ref);
    return this.#refs.delete(key);
  }
  *[Symbol.iterator]() {
    for (const [key, ref] of this.#refs) {
      const value = ref.deref();
      if (value !== undefined) yield [key, value];
    }
  }
}

/** As in the proposal of WeakRefs, which many have copied. */
class HandWrittenKeys {
  #entries = new WeakMap();
  #refs = new Set();
  #registry = new FinalizationRegistry((ref) => this.#refs.delete(ref));
  get(key) {
    return this.#entries.get(key)?.value;
  }
  has(key) {
    return this.#entries.has(key);
  }
  set(key, value) {
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      entry.value = value;
      return;
    }
    const ref = new WeakRef(key);
    this.#entries.set(key, { value, ref });
    this.#refs.add(ref);
    this.#registry.register(key, ref, ref);
  }
  delete(key) {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#entries.delete(key);
    this.#refs.delete(entry.ref);
    this.#registry.unregister(entry.ref);
    return true;
  }
  *[Symbol.iterator]() {
    for (const ref of this.#refs) {
      const key = ref.deref();
      if (key !== undefined) yield [key, this.#entries.get(key).value];
    }
  }
}

class HandWrittenMembers {
  #keys = new HandWrittenKeys();
  has(key) {
    return this.#keys.has(key);
  }
  add(key) {
    if (!this.#keys.has(key)) this.#keys.set(key, true);
  }
  delete(key) {
    return this.#keys.delete(key);
  }
  *[Symbol.iterator]() {
    for (const [key] of this.#keys) yield key;
  }
}

/** A registry calls as long as it is reachable. */
function keep(registry) {
  globalThis.registries ??= [];
  globalThis.registries.push(registry);
  return registry;
}

export const collectionContenders = {
  wvm: async () => {
    const { WeakValueMap } = await openCollections();
    return { map: () => plain(new WeakValueMap()) };
  },
  'hand-values': () => ({ map: () => plain(new HandWrittenValues()) }),
  'weakref-values': () => ({ map: () => plain(new (require('weakref').WeakValueMap)()) }),
  'strong-weak-map': async () => {
    const { StrongWeakMap } = await import(join(deps, 'node_modules/@cspell/strong-weak-map/dist/esm/index.js'));
    return { map: () => plain(new StrongWeakMap()) };
  },
  map: () => ({ strong: true, map: () => plain(new Map()) }),

  wkm: async () => {
    const { WeakKeyMap } = await openCollections();
    return { weakKeys: true, map: () => plain(new WeakKeyMap()) };
  },
  'hand-keys': () => ({ weakKeys: true, map: () => plain(new HandWrittenKeys()) }),
  'weakref-keys': () => ({ weakKeys: true, map: () => plain(new (require('weakref').IterableWeakMap)()) }),
  'native-weakmap': () => {
    const create = () => {
      const { entries, ...methods } = plain(new WeakMap());
      return methods;
    };
    return { weakKeys: true, map: create };
  },
  /** Not iterable either, and one for the process: WeakKeyMap's values, if they were kept on their keys. */
  private: () => {
    const { get, set, has, delete: remove } = require('./private/build/Release/private_property.node');
    return { weakKeys: true, map: () => ({ get, set, has, delete: remove }) };
  },

  wks: async () => {
    const { WeakKeySet } = await openCollections();
    return { weakKeys: true, map: () => members(new WeakKeySet()) };
  },
  'hand-members': () => ({ weakKeys: true, map: () => members(new HandWrittenMembers()) }),
  'weakref-members': () => ({ weakKeys: true, map: () => members(new (require('weakref').IterableWeakSet)()) }),
  'native-weakset': () => {
    const create = () => {
      const { entries, ...methods } = members(new WeakSet());
      return methods;
    };
    return { weakKeys: true, map: create };
  },

  'weak-cache': async () => {
    const { WeakCache } = await openCollections();
    return {
      cache: (max) => {
        const cache = new WeakCache({ max });
        return { get: (key) => cache.get(key), set: (key, value) => cache.set(key, value) };
      },
    };
  },
  'weak-lru-cache': async () => {
    const { WeakLRUCache } = await import(join(deps, 'node_modules/weak-lru-cache/index.js'));
    return {
      cache: (max) => {
        const cache = new WeakLRUCache({ cacheSize: max });
        return { get: (key) => cache.getValue(key), set: (key, value) => cache.setValue(key, value) };
      },
    };
  },
  /** No weak tier: what is evicted is not found. */
  'lru-cache': async () => {
    const { LRUCache } = await import('lru-cache');
    return {
      cache: (max) => {
        const cache = new LRUCache({ max });
        return { get: (key) => cache.get(key), set: (key, value) => cache.set(key, value) };
      },
    };
  },

  unique: async () => {
    const { unique } = await openCollections();
    return { canonical: (text) => unique(text) };
  },
  strings: () => ({ canonical: (text) => text }),

  'spec-ref': async () => {
    const { WeakRef } = await openSpec();
    return {
      create: (target) => new WeakRef(target),
      read: (ref) => ref.deref(),
      alive: (ref) => ref.deref() !== undefined,
    };
  },
  'spec-fr': async () => {
    const { FinalizationRegistry } = await openSpec();
    const cleanups = (fn) => {
      const registry = keep(new FinalizationRegistry(fn));
      return { create: (target) => registry.register(target, target.n) };
    };
    return { cleanups };
  },
  'spec-fr-token': async () => {
    const { FinalizationRegistry } = await openSpec();
    const cleanups = (fn) => {
      const registry = keep(new FinalizationRegistry(fn));
      return {
        create: (target) => registry.register(target, target.n, target),
        stop: (_handle, target) => registry.unregister(target),
      };
    };
    return { cleanups };
  },
};

export const COLLECTION_TITLES = {
  wvm: 'WeakValueMap',
  'hand-values': 'by hand',
  'weakref-values': 'weakref',
  'strong-weak-map': 'strong-weak-map',
  map: 'Map (strong)',
  wkm: 'WeakKeyMap',
  'hand-keys': 'by hand',
  'weakref-keys': 'weakref',
  'native-weakmap': 'WeakMap (not iterable)',
  private: 'private property (not iterable)',
  wks: 'WeakKeySet',
  'hand-members': 'by hand',
  'weakref-members': 'weakref',
  'native-weakset': 'WeakSet (not iterable)',
  'weak-cache': 'WeakCache',
  'weak-lru-cache': 'weak-lru-cache',
  'lru-cache': 'lru-cache (strong only)',
  unique: 'unique',
  strings: 'strings',
  'spec-ref': 'weakly/spec',
  'spec-fr': 'weakly/spec',
  'spec-fr-token': 'weakly/spec, token = target',
};
