import { types } from 'node:util';
import { typeError } from '../errors.js';
import { numberOf } from '../identity.js';
import { received } from '../validate.js';
import { classNameOf } from '../weak/describe.js';
import { isHandle } from './handle.js';

/*
 * Values that are equal if they look the same: primitives, handles, plain objects, and arrays. `signature` gives the same string for
 * equal ones, and for no others; `frozenCopy` is what stands for all of them.
 */

/** For messages: the way from the value to what is wrong in it. */
interface Path {
  readonly up: Path | undefined;
  readonly key: string | symbol | number;
}

/** As one would write it. */
function written(path: Path | undefined): string {
  if (path === undefined) return '"value';
  const { up, key } = path;
  return written(up) + (typeof key === 'string' ? `.${key}` : `[${String(key)}]`);
}

function refuse(what: string, path: Path | undefined, where: string): TypeError {
  const place = path === undefined ? 'argument "value"' : `${written(path)}"`;
  return typeError(
    'ERR_WEAKLY_VALUE',
    `${where}: expected ${place} to be a primitive, a handle, a plain object or an array of such, got ${what}`,
  );
}

/** A symbol is equal to itself only; a registered one, whoever has it. */
function symbolSignature(symbol: symbol): string {
  const registered = Symbol.keyFor(symbol);
  return registered === undefined ? `@${numberOf(symbol)}` : `@${inPieces(registered, JSON.stringify)}`;
}

export function isPrimitive(value: unknown): boolean {
  return value === null || (typeof value !== 'object' && typeof value !== 'function');
}

/** V8 14 (Node.js 26) ends the process where JSON.stringify is given a string of 2^28 characters. */
const PIECE = 2 ** 24;

/** What `make` gives for the pieces of a long string, one after the other. */
function inPieces(text: string, make: (piece: string) => string): string {
  if (text.length <= PIECE) return make(text);
  let made = '';
  for (let at = 0; at < text.length; at += PIECE) made += make(text.slice(at, at + PIECE));
  return made;
}

function primitiveSignature(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return inPieces(value, JSON.stringify);
    case 'bigint':
      return `${value}n`;
    case 'symbol':
      return symbolSignature(value);
    default:
      return String(value); // -0 as 0
  }
}

/** Whether an object is plain, in whatever realm: its prototype is null, or an `Object.prototype`. */
function isPlain(object: object): boolean {
  const prototype = Object.getPrototypeOf(object) as object | null;
  if (prototype === null) return true;
  // A proxy's traps are the user's code, and a revoked one throws.
  if (types.isProxy(prototype)) return false;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

/** An `Array.prototype` is an array itself, in whatever realm. That of a class that extends Array is none. */
function isPlainArray(array: unknown[]): boolean {
  const prototype = Object.getPrototypeOf(array) as unknown;
  return !types.isProxy(prototype) && Array.isArray(prototype) && isPlain(prototype);
}

/** What cannot be a plain object or an array, in words, without running its code; undefined for one that may be. */
function oddity(value: object): string | undefined {
  if (typeof value === 'function') return 'a function';
  if (types.isProxy(value)) return 'a proxy';
  if (Array.isArray(value) ? isPlainArray(value) : isPlain(value)) return undefined;
  const name = classNameOf(value);
  return name === undefined || name === 'Object' ? 'an object that is not plain' : `an instance of ${name}`;
}

function checkData(object: object, key: string | symbol, path: Path | undefined, where: string): void {
  const { value, enumerable, get, set } = Reflect.getOwnPropertyDescriptor(object, key) as PropertyDescriptor;
  if (get !== undefined || set !== undefined) throw refuse('an accessor', { up: path, key }, where);
  if (enumerable !== true) throw refuse(`${received(value)} that is not enumerable`, { up: path, key }, where);
}

function arraySignature(
  array: readonly unknown[],
  ancestors: Set<object>,
  path: Path | undefined,
  where: string,
): string {
  const keys = Reflect.ownKeys(array);
  if (keys.length !== array.length + 1) throw refuse('an array with holes or with other properties', path, where);
  let text = '[';
  for (let i = 0; i < array.length; i++) {
    if (!Object.hasOwn(array, i)) throw refuse('an array with holes and with other properties', path, where);
    checkData(array, String(i), path, where);
    text += `${walk(array[i], ancestors, { up: path, key: i }, where)},`;
  }
  return `${text}]`;
}

/** Strings sorted, before symbols. */
function sortedKeys(object: object): (string | symbol)[] {
  const keys = Reflect.ownKeys(object);
  const strings = keys.filter((key) => typeof key === 'string').sort();
  const symbols = keys.filter((key) => typeof key === 'symbol');
  return [...strings, ...symbols.sort((a, b) => (symbolSignature(a) < symbolSignature(b) ? -1 : 1))];
}

function objectSignature(object: object, ancestors: Set<object>, path: Path | undefined, where: string): string {
  let text = Object.getPrototypeOf(object) === null ? '~{' : '{';
  for (const key of sortedKeys(object)) {
    checkData(object, key, path, where);
    const value = (object as Record<string | symbol, unknown>)[key];
    text += `${primitiveSignature(key)}:${walk(value, ancestors, { up: path, key }, where)},`;
  }
  return `${text}}`;
}

function walk(value: unknown, ancestors: Set<object>, path: Path | undefined, where: string): string {
  if (isPrimitive(value)) return primitiveSignature(value);
  // Whose number it is nobody else's will ever be.
  if (isHandle(value)) return `#${numberOf(value)}`;
  const object = value as object;
  const odd = oddity(object);
  if (odd !== undefined) throw refuse(odd, path, where);
  if (ancestors.has(object)) throw refuse('an object that it is part of (a cycle)', path, where);
  ancestors.add(object);
  const text = Array.isArray(object)
    ? arraySignature(object, ancestors, path, where)
    : objectSignature(object, ancestors, path, where);
  ancestors.delete(object);
  return text;
}

/** Runs what goes through a value, for which the stack, or a string, may be too small. */
function deeply<T>(where: string, walkThrough: () => T): T {
  try {
    return walkThrough();
  } catch (error) {
    if (error instanceof RangeError) throw refuse('something nested too deeply, or too large', undefined, where);
    throw error;
  }
}

/** @throws TypeError `ERR_WEAKLY_VALUE` for what has no equal, is nested too deeply, or too large. */
export function signature(value: object, where: string): string {
  return deeply(where, () => walk(value, new Set(), undefined, where));
}

/** A string of its own: what was cut out of a longer one would keep all of that. */
function ownString(text: string): string {
  return inPieces(text, (piece) => JSON.parse(JSON.stringify(piece)) as string);
}

/**
 * Of a value that has a signature.
 *
 * @throws TypeError `ERR_WEAKLY_VALUE` for what is nested too deeply.
 */
export function frozenCopy<T>(value: T, where: string): T {
  return deeply(where, () => copyOf(value));
}

function copyOf<T>(value: T): T {
  if (typeof value === 'string') return ownString(value) as T;
  if (Object.is(value, -0)) return 0 as T;
  if (isPrimitive(value) || isHandle(value)) return value;
  if (Array.isArray(value)) {
    // By index, as its signature is: its iterator may be the user's. So what is copied from has none.
    const like = { __proto__: null, length: value.length };
    return Object.freeze(Array.from(like as ArrayLike<unknown>, (_, i) => copyOf(value[i] as unknown))) as T;
  }
  const copy = Object.getPrototypeOf(value) === null ? (Object.create(null) as object) : {};
  for (const key of Reflect.ownKeys(value as object)) {
    const part = copyOf((value as Record<string | symbol, unknown>)[key]);
    // `__proto__` is a name like any other.
    Object.defineProperty(copy, key, { value: part, enumerable: true, configurable: true, writable: true });
  }
  return Object.freeze(copy) as T;
}
