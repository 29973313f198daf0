import { types } from 'node:util';
import { Script } from 'node:vm';
import { checkStack } from './stack.js';

/*
 * What the text of a function tells: whether it is a class, whether it may read private fields, which built-in it is. None of the
 * function's code is run (the traps of a proxy apart), and every realm says the same.
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

/** No regular expression: see `readsPrivateFields`. */
export function nativeName(fn: Fn): string | undefined {
  const text = textOf(fn);
  const end = text.length - NATIVE.length;
  return end > FUNCTION.length && text.startsWith(FUNCTION) && text.endsWith(NATIVE)
    ? text.slice(FUNCTION.length, end)
    : undefined;
}

const ARROW = /^(?:\(|[\p{ID_Start}$_][\p{ID_Continue}$]*\s*=>)/u;
const ASYNC_ARROW = /^async\s*(?:\(|[\p{ID_Start}$_][\p{ID_Continue}$]*\s*=>)/u;
/** The first letter may be an escape. */
const PRIVATE_NAME = /#(?:[\p{ID_Start}$_]|\\u)/u;
const DIRECT_EVAL = /\beval\s*\(/;
/** No script may have it, whoever reads which fields. What stands in its place is as good an expression, within a string as well. */
const IMPORT_META = /\bimport\s*\.\s*meta\b/g;
const reading = new WeakMap<Fn, boolean>();

/** By text: each instance of a class may have a function of its own, and to compile one in vain takes 0.2 ms. */
const wholes = new Map<string, boolean>();
const MOST_WHOLES = 256;

/** Private names are an error of syntax outside of their class, whose text this is not. Compiles, and runs nothing. */
function isWhole(source: string): boolean {
  let whole = wholes.get(source);
  if (whole === undefined) {
    whole = compiles(source.replace(IMPORT_META, 'this'));
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
    // V8 compiles a regular expression when it is used, and calls it a SyntaxError where the stack is too short for that.
    checkStack();
    // What a direct eval() names need not be in the code.
    reads = PRIVATE_NAME.test(source) && !isArrow(fn, source) && (DIRECT_EVAL.test(source) || !isWhole(source));
    reading.set(fn, reads);
  }
  return reads;
}
