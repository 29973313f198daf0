import { typeError } from './errors.js';

/** What was passed, in a few words and without running any of its code. */
export function received(value: unknown): string {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'undefined':
      return 'undefined';
    case 'string':
      return `the string ${JSON.stringify(value.length > 24 ? `${value.slice(0, 24)}...` : value)}`;
    case 'symbol':
      return Symbol.keyFor(value) === undefined
        ? 'a symbol'
        : `the registered symbol Symbol.for(${JSON.stringify(Symbol.keyFor(value))})`;
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

export function targetError(target: unknown, where: string, expected: string): TypeError {
  return typeError(
    'ERR_WEAKLY_TARGET',
    `${where}: expected argument "target" to be ${expected}, got ${received(target)}`,
  );
}

export function receiverError(receiver: unknown, where: string, expected: string): TypeError {
  return typeError('ERR_WEAKLY_RECEIVER', `${where}: expected \`this\` to be a ${expected}, got ${received(receiver)}`);
}

export function constructorError(name: string, maker: string): TypeError {
  return typeError('ERR_WEAKLY_CONSTRUCTOR', `new ${name}(): a ${name} is made by ${maker}, not by its constructor`);
}
