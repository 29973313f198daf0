import { expect, it } from 'vitest';
import { expectEnd, facts, run } from './child.js';

/* In words of 8 bytes: what V8 gives each object (map, properties, elements), and the fields. */

it('a Cleanup that is kept takes five words of the heap, a handle four', async () => {
  const ended = await run('sizes.mjs');
  const { cleanup, handle } = facts(ended) as Record<string, number>;
  expect([Math.round((cleanup as number) / 8), Math.round((handle as number) / 8)]).toEqual([5, 4]);
  expectEnd(ended, 0, 1);
});
