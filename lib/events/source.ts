import { isObject, targetError } from '../validate.js';

/*
 * What can be listened to, whose listeners are called what. Nothing here holds it: a listener must not keep alive what it is of.
 */

export type Listener = (this: unknown, ...args: unknown[]) => unknown;

export interface Kind {
  readonly add: string;
  readonly remove: string;
  /** Whether there is a capture phase. */
  readonly captures: boolean;
}

/** Their names are those that `node:events` asks for, too. */
const EMITTER: Kind = { add: 'on', remove: 'removeListener', captures: false };
const EVENT_TARGET: Kind = { add: 'addEventListener', remove: 'removeEventListener', captures: true };

function has(target: object, name: string): boolean {
  return typeof (target as Record<string, unknown>)[name] === 'function';
}

/** As `node:events` tells them apart: what has `on` is an EventEmitter, also if it is an EventTarget as well (a MessagePort). */
export function kindOf(target: unknown, where: string): Kind {
  if (isObject(target))
    for (const kind of [EMITTER, EVENT_TARGET]) if (has(target, kind.add) && has(target, kind.remove)) return kind;
  throw targetError(target, where, 'an EventEmitter or an EventTarget');
}

export function call(
  target: object,
  method: string,
  { captures }: Kind,
  type: string | symbol,
  listener: Listener,
  capture: boolean,
): void {
  // Not as a boolean: the removeEventListener of Node.js takes that for no options.
  const args: unknown[] = captures ? [type, listener, { capture }] : [type, listener];
  Reflect.apply((target as Record<string, Listener>)[method] as Listener, target, args);
}
