import { expect, it } from 'vitest';
import { run } from './child.js';

// Without this, a stress run whose flags are lost on the way to the test processes would be green for nothing.
it('the flags asked for have reached this process, and go on to its children', async () => {
  const asked = (process.env.WEAKLY_STRESS_FLAGS ?? '--expose-gc').split(' ');
  expect(process.execArgv).toEqual(expect.arrayContaining(asked));
  expect(globalThis.gc).toBeTypeOf('function');
  const ended = await run('flags.mjs');
  expect(ended.said[0]?.execArgv).toEqual(expect.arrayContaining(asked));
});
