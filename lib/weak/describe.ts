import { types } from 'node:util';
import { describe, read } from './slots.js';

/*
 * How `util.inspect` names what is weak, without running any code of the target's: no getter, no static `name()`, no trap.
 */

const sourceOf = Function.prototype.toString;

/** An own property that is a string and no accessor. */
function ownString(object: object, key: PropertyKey): string | undefined {
  const value: unknown = Reflect.getOwnPropertyDescriptor(object, key)?.value;
  return typeof value === 'string' ? value : undefined;
}

/** The name of the class that an object is an instance of, as `util.inspect` finds it. */
export function classNameOf(object: object): string | undefined {
  let prototype = Reflect.getPrototypeOf(object);
  for (; prototype !== null && !types.isProxy(prototype); prototype = Reflect.getPrototypeOf(prototype)) {
    const made: unknown = Reflect.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
    if (typeof made !== 'function' || types.isProxy(made)) continue;
    const name = ownString(made, 'name');
    if (name !== undefined && name !== '') return name;
  }
  return undefined;
}

/** Not by its text alone: an object may have a method that is called `class`. */
function isClass(target: object): boolean {
  return (
    Reflect.getOwnPropertyDescriptor(target, 'prototype')?.writable === false &&
    /^class\b/.test(Reflect.apply(sourceOf, target, []))
  );
}

function describeClass(target: object): string {
  // A static member may have taken the place of the name.
  const written = (): string | undefined =>
    /^class\s+(?!extends\b)([\p{ID_Start}$_][\p{ID_Continue}$]*)/u.exec(Reflect.apply(sourceOf, target, []))?.[1];
  const name = ownString(target, 'name') || written() || '(anonymous)';
  const base = Reflect.getPrototypeOf(target);
  const baseName = base === null || types.isProxy(base) ? undefined : ownString(base, 'name');
  return `class ${name}${baseName ? ` extends ${baseName}` : ''}`;
}

/** What `util.inspect` puts between brackets: `Function: f`, `AsyncFunction (anonymous)`, `class A extends B`. */
function describeFunction(target: object): string {
  if (isClass(target)) return describeClass(target);
  const generator = types.isGeneratorFunction(target) ? 'Generator' : '';
  const type = `${types.isAsyncFunction(target) ? 'Async' : ''}${generator}Function`;
  const name = ownString(target, 'name');
  return name === undefined || name === '' ? `${type} (anonymous)` : `${type}: ${name}`;
}

/** What the target is that (slot, generation) names, or null when it is dead. Nothing is pinned beyond the call. */
export function describeTarget(slot: number, generation: number): string | null {
  const target = read(slot, generation);
  if (typeof target === 'function' && !types.isProxy(target)) return describeFunction(target);
  return describe(slot, generation) || (target === undefined ? null : '(anonymous)');
}

/** Of what `util.inspect` hands to `[inspect.custom]`. */
export interface Inspection {
  stylize?(text: string, style: string): string;
}

/** In colour, where that is asked for. */
export function styled(state: string, options: Inspection | undefined): string {
  return options?.stylize?.(state, 'special') ?? state;
}

/** `Name { state }`, for what has nothing inside that could be shown. */
export function leaf(name: string, state: string, options: Inspection | undefined): string {
  return `${name} { ${styled(state, options)} }`;
}

/** A weak reference of class `name` to what (slot, generation) names. */
export function inspectWeak(
  name: string,
  slot: number,
  generation: number,
  options: Inspection | undefined,
  place = '',
): string {
  const target = describeTarget(slot, generation);
  if (target === null) return leaf(place === '' ? name : `${name}<${place}>`, 'dead', options);
  return leaf(`${name}<${target}${place}>`, 'alive', options);
}
