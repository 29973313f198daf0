/* The types for CommonJS: see index.d.cts. */
import type * as collections from '../../dist/collections/index.js' with { 'resolution-mode': 'import' };

export type * from '../../dist/collections/index.js' with { 'resolution-mode': 'import' };

export declare const unique: typeof collections.unique;

export declare const Handle: typeof collections.Handle;
export type Handle<T = unknown> = collections.Handle<T>;
export declare const Unique: typeof collections.Unique;
export type Unique<T> = collections.Unique<T>;
export declare const WeakCache: typeof collections.WeakCache;
export type WeakCache<K extends {}, V extends object> = collections.WeakCache<K, V>;
export declare const WeakKeyMap: typeof collections.WeakKeyMap;
export type WeakKeyMap<K extends WeakKey, V> = collections.WeakKeyMap<K, V>;
export declare const WeakKeySet: typeof collections.WeakKeySet;
export type WeakKeySet<T extends WeakKey> = collections.WeakKeySet<T>;
export declare const WeakValueMap: typeof collections.WeakValueMap;
export type WeakValueMap<K, V extends WeakKey> = collections.WeakValueMap<K, V>;
