import { expect, it } from 'vitest';
import { facts, run } from './child.js';

/*
 * The checks that every other test ends with: each can fail. What is broken here is broken in a process of its own, from outside
 * of the library: by its native calls, and in the memory that the two halves share.
 */

type Found = Record<'native' | 'entries' | 'pointers' | 'registrations', string | null>;

const WHOLE: Found = { native: null, entries: null, pointers: null, registrations: null };

it.each<[string, Partial<Found>]>([
  ['nothing', {}],
  ['slot', { native: 'live cells of a chunk are miscounted' }],
  [
    'pointer to a slot that was used again',
    { pointers: expect.stringMatching(/^slot \d+ has the pointer of another target$/) },
  ],
  ['entry', { native: 'live cells of a chunk are miscounted' }],
  ['registration', { native: 'live cells of a chunk are miscounted', registrations: 'armed records are miscounted' }],
  ['value of a map', { entries: expect.stringMatching(/^entries: place \d+ has no entry$/) }],
  ['key of a map', { entries: expect.stringMatching(/^entries: place \d+ has no entry$/) }],
  ['callback of a cleanup', { registrations: 'pending records are miscounted' }],
])('where %s is broken, the checks say so', async (what, found) => {
  const { before, after } = facts(await run('verify.mjs', [what]));
  expect(before).toEqual(WHOLE);
  expect(after).toEqual({ ...WHOLE, ...found });
});
