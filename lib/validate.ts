import { rangeError, typeError } from './errors.js';

/** Its beginning, if it is long. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 24 ? `${text.slice(0, 24)}...` : text);
}

/** What was passed, in a few words and without running any of its code. */
export function received(value: unknown): string {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'undefined':
      return 'undefined';
    case 'string':
      return `the string ${quoted(value)}`;
    case 'symbol': {
      const registered = Symbol.keyFor(value);
      return registered === undefined ? 'a symbol' : `the registered symbol Symbol.for(${quoted(registered)})`;
    }
    case 'function':
      return 'a function';
    case 'object':
      return 'an object';
    case 'bigint':
      return `the bigint ${value}n`;
    default:
      return `the ${typeof value} ${String(value)}`;
  }
}

/** An own property name or symbol, the way the language itself would read it as a key: `3` and `'3'` are one place. */
export function propertyKey(key: unknown, where: string): string | symbol {
  switch (typeof key) {
    case 'string':
    case 'symbol':
      return key;
    case 'number':
      return String(key);
    default:
      throw typeError(
        'ERR_WEAKLY_KEY',
        `${where}: expected argument "key" to be a string, a number or a symbol, got ${received(key)}`,
      );
  }
}

/** An Object in the language's sense: functions are. */
export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** What can be pointed to: objects, functions, and symbols that are not registered. */
export function isWeakKey(value: unknown): value is WeakKey {
  switch (typeof value) {
    case 'object':
      return value !== null;
    case 'function':
      return true;
    case 'symbol':
      return Symbol.keyFor(value) === undefined;
    default:
      return false;
  }
}

export function checkCallback(
  value: unknown,
  name: string,
  where: string,
  or = '',
): asserts value is (...args: never) => unknown {
  if (typeof value === 'function') return;
  throw typeError(
    'ERR_WEAKLY_CALLBACK',
    `${where}: expected argument "${name}" to be a function${or}, got ${received(value)}`,
  );
}

/** A misspelt option would be silently without effect, so an unknown one is an error. */
export function checkOptions(value: unknown, known: readonly string[], where: string): asserts value is object {
  if (typeof value !== 'object' || value === null)
    throw typeError(
      'ERR_WEAKLY_OPTION',
      `${where}: expected argument "options" to be an object, got ${received(value)}`,
    );
  for (const key of Reflect.ownKeys(value)) {
    if (typeof key === 'string' && known.includes(key)) continue;
    throw typeError(
      'ERR_WEAKLY_OPTION',
      `${where}: expected options to be of ${known.join(', ')}, got the unknown option ${String(key)}`,
    );
  }
}

export function optionError(name: string, where: string, expected: string, value: unknown): TypeError {
  return typeError(
    'ERR_WEAKLY_OPTION',
    `${where}: expected option "${name}" to be ${expected}, got ${received(value)}`,
  );
}

export function booleanOption(options: object, name: string, where: string): boolean {
  const value = (options as Record<string, unknown>)[name];
  if (value === undefined || typeof value === 'boolean') return value === true;
  throw optionError(name, where, 'a boolean', value);
}

/** A positive number; `undefined` gives the default. */
export function positiveOption(options: object, name: string, where: string, fallback: number): number {
  const value = (options as Record<string, unknown>)[name];
  if (value === undefined) return fallback;
  if (typeof value !== 'number') throw optionError(name, where, 'a number', value);
  if (value > 0 && value < Number.POSITIVE_INFINITY) return value;
  throw rangeError('ERR_WEAKLY_RANGE', `${where}: expected option "${name}" to be positive and finite, got ${value}`);
}

export function targetError(target: unknown, where: string, expected: string, name = 'argument "target"'): TypeError {
  return typeError('ERR_WEAKLY_TARGET', `${where}: expected ${name} to be ${expected}, got ${received(target)}`);
}

/** `name`: which argument, or what of it. */
export function checkWeakKey(value: unknown, name: string, where: string): asserts value is WeakKey {
  if (!isWeakKey(value)) throw targetError(value, where, 'an object, a function or a non-registered symbol', name);
}

export function argumentError(value: unknown, where: string, expected: string, name: string): TypeError {
  return typeError(
    'ERR_WEAKLY_ARGUMENT',
    `${where}: expected argument "${name}" to be ${expected}, got ${received(value)}`,
  );
}

export function receiverError(receiver: unknown, where: string, expected: string): TypeError {
  return typeError('ERR_WEAKLY_RECEIVER', `${where}: expected \`this\` to be a ${expected}, got ${received(receiver)}`);
}

export function constructorError(name: string, maker: string): TypeError {
  return typeError('ERR_WEAKLY_CONSTRUCTOR', `new ${name}(): a ${name} is made by ${maker}, not by its constructor`);
}
