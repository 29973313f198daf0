import { types } from 'node:util';
import { Script } from 'node:vm';

/*
 * What the text of a function tells: whether it is a class, whether it may read private fields, which built-in it is. It runs none
 * of the function's code, and says the same in every realm.
 */

export type Fn = (...args: unknown[]) => unknown;

const sourceOf = Function.prototype.toString;

function textOf(fn: Fn): string {
  return Reflect.apply(sourceOf, fn, []) as string;
}

/** What is built in has the text `function name() { [native code] }`, in every realm. */
const FUNCTION = 'function ';
const NATIVE = '() { [native code] }';

/**
 * A class has a prototype that cannot be replaced; so has a built-in constructor. And so has any function that was frozen, which
 * its text tells from those.
 */
export function isConstructor(fn: Fn): boolean {
  if (Reflect.getOwnPropertyDescriptor(fn, 'prototype')?.writable !== false) return false;
  const source = textOf(fn);
  return source.startsWith('class') || source.endsWith(NATIVE);
}

/** No regular expression: V8 may compile it where the stack is about to end, and calls that a SyntaxError. */
export function nativeName(fn: Fn): string | undefined {
  const text = textOf(fn);
  const end = text.length - NATIVE.length;
  return end > FUNCTION.length && text.startsWith(FUNCTION) && text.endsWith(NATIVE)
    ? text.slice(FUNCTION.length, end)
    : undefined;
}

const ARROW = /^(?:\(|[\p{ID_Start}$_][\p{ID_Continue}$]*\s*=>)/u;
const ASYNC_ARROW = /^async\s*(?:\(|[\p{ID_Start}$_][\p{ID_Continue}$]*\s*=>)/u;
const PRIVATE_NAME = /#[\p{ID_Start}$_]/u;
const reading = new WeakMap<Fn, boolean>();

/** By text: each instance of a class may have a function of its own, and to compile one in vain takes 0.2 ms. */
const wholes = new Map<string, boolean>();
const MOST_WHOLES = 256;

/** Private names are an error of syntax outside of their class, whose text this is not. Compiles, and runs nothing. */
function isWhole(source: string): boolean {
  let whole = wholes.get(source);
  if (whole === undefined) {
    whole = compiles(source);
    if (wholes.size >= MOST_WHOLES) wholes.clear();
    wholes.set(source, whole);
  }
  return whole;
}

function compiles(source: string): boolean {
  for (const text of [`(${source})`, `({${source}})`]) {
    try {
      new Script(text);
      return true;
    } catch (error) {
      // Not at the end of the stack: it has said nothing then. By name: where test runners evaluate this package in a realm of
      // its own, the error is of another.
      if ((error as Error).name !== 'SyntaxError') throw error;
    }
  }
  return false;
}

/** `async(x) {}` may also be a method of that name. */
function isArrow(fn: Fn, source: string): boolean {
  return ARROW.test(source) || (ASYNC_ARROW.test(source) && types.isAsyncFunction(fn));
}

/**
 * Whether a function may read private fields of its `this`: with a stand-in for it, that would fail. Only code within a class
 * can, and it has to name them, and not in a comment or a string only. An arrow function has its `this` already.
 */
export function readsPrivateFields(fn: Fn): boolean {
  let reads = reading.get(fn);
  if (reads === undefined) {
    const source = textOf(fn);
    // What a direct eval() names is in none of its text.
    reads = PRIVATE_NAME.test(source) && !isArrow(fn, source) && (source.includes('eval') || !isWhole(source));
    reading.set(fn, reads);
  }
  return reads;
}
