import { describe, expect, it } from 'vitest';
import { CONTEXT_FLAGS, expectEnd, facts, run } from './child.js';

describe('callbacks run in no asynchronous context', () => {
  it.each([[[]], ...CONTEXT_FLAGS.map((flag) => [[flag]])])('with flags %j', async (flags) => {
    const ended = await run('async-context.mjs', [], { flags });
    expect(facts(ended)).toMatchObject({
      drained: ['undefined'],
      fromTheLoop: ['undefined'],
      after: 'early, at the top',
      asked: ['asked'],
      hooked: ['undefined'],
    });
    expect(facts(ended)).not.toHaveProperty('lost');
    expectEnd(ended, 0, 1);
  });
});
