import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { plainError, typeError } from '../lib/errors.js';
import { propertyKey, received } from '../lib/validate.js';

describe('coded errors', () => {
  it('look like those of Node.js: the class name as name, the code in stack and in a property', () => {
    const error = typeError('ERR_WEAKLY_TARGET', 'words');
    expect(error).toBeInstanceOf(TypeError);
    expect(error.name).toBe('TypeError');
    expect(error.code).toBe('ERR_WEAKLY_TARGET');
    expect(error.message).toBe('words');
    expect(error.stack?.split('\n')[0]).toBe('TypeError [ERR_WEAKLY_TARGET]: words');
    expect(inspect(error)).toContain("code: 'ERR_WEAKLY_TARGET'");
  });

  it('carry a cause only if there is one', () => {
    expect('cause' in plainError('ERR_WEAKLY_MEMORY', 'words')).toBe(false);
    expect(plainError('ERR_WEAKLY_BINARY', 'words', 1).cause).toBe(1);
  });
});

describe('received', () => {
  it.each([
    [null, 'null'],
    [undefined, 'undefined'],
    ['a"b', 'the string "a\\"b"'],
    [Symbol('x'), 'a symbol'],
    [Symbol.for('y'), 'the registered symbol Symbol.for("y")'],
    [() => 1, 'a function'],
    [[], 'an object'],
    [7n, 'the bigint 7n'],
    [-0.5, 'the number -0.5'],
    [false, 'the boolean false'],
  ])('%s', (value, words) => {
    expect(received(value)).toBe(words);
  });
});

describe('propertyKey', () => {
  it.each([
    [3, '3'],
    [-0, '0'],
    [1e21, '1e+21'],
    [Number.NaN, 'NaN'],
    ['a', 'a'],
    ['', ''],
    [Symbol.iterator, Symbol.iterator],
  ])('%s is what the language would read', (key, expected) => {
    expect(propertyKey(key, 'test')).toBe(expected);
  });
});
