import { describe, expect, it } from 'vitest';
import { expectEnd, facts, run } from '../lifecycle/child.js';

/*
 * Keys that V8 keeps as doubles: ids above 2^31, timestamps, fractions. What belongs to an entry was once found by a number
 * that went through an array of such keys, and came back as a boxed one, whose address the native half took for a place:
 * another collection's values were given out. In a process of its own, which may not survive it.
 */

describe('a WeakValueMap that dies and is filled again', () => {
  it.each([
    ['ids above 2^31', 'values'],
    ['small integers that are the result of a calculation with larger numbers', 'boxed'],
  ])('with %s for keys gives none of the values of another', async (_, what) => {
    const ended = await run('number-keys.mjs', [what]);
    expect(facts(ended)).toEqual({ right: true, left: [], size: 0, others: 20 });
    expectEnd(ended, 0, 1);
  });
});

describe('handles of fractions that come and go', () => {
  it.each([
    ['unique', 'unique'],
    ['Unique by key', 'key'],
    ['Unique by hash', 'hash'],
  ])('each have their own value, by %s', async (_, what) => {
    const ended = await run('number-keys.mjs', [what]);
    expect(facts(ended)).toEqual({ wrong: 0 });
    expectEnd(ended, 0, 1);
  });
});

it('a registry beside maps of fractions registers again where its callbacks have been called', async () => {
  const ended = await run('number-keys.mjs', ['registry']);
  expect(facts(ended)).toEqual({ called: 200, maps: 200 });
  expectEnd(ended, 0, 1);
});
