import { describe, expect, it } from 'vitest';
import { expectEnd, facts, run } from './child.js';

/** Where Node.js keeps asynchronous contexts: in V8, or in the resources of async_hooks. What it does unasked is one of them. */
const WAYS = ['--experimental-async-context-frame', '--no-async-context-frame'].filter((flag) =>
  process.allowedNodeEnvironmentFlags.has(flag),
);

describe('callbacks run in no asynchronous context', () => {
  it.each([[[]], ...WAYS.map((flag) => [[flag]])])('with flags %j', async (flags) => {
    const ended = await run('async-context.mjs', [], { flags });
    expect(facts(ended)).toMatchObject({
      drained: ['undefined'],
      fromTheLoop: ['undefined'],
      after: 'early, at the top',
      asked: ['asked'],
    });
    expect(facts(ended)).not.toHaveProperty('lost');
    expectEnd(ended, 0, 1);
  });
});
