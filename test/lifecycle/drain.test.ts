import { describe, expect, it } from 'vitest';
import { CONTEXT_FLAGS, expectEnd, facts, run } from './child.js';

/*
 * A due cleanup is called once or reported once, wherever the stack ends or `vm`'s timeout comes while queue.drain() is at
 * work; and the process goes on.
 */

const RIGHT = { twice: 0, unreported: 0, failed: 0, run: 0, pending: 0, balance: 0, broken: null };
const TERMINATED = ['ERR_WEAKLY_TERMINATED'];

describe.each([[[]], [['in context']]])('queue.drain() of cleanups registered %j', (context) => {
  it('at the end of the stack loses none', async () => {
    const ended = await run('drain.mjs', ['stack', ...context]);
    expect(facts(ended)).toMatchObject({ ...RIGHT, codes: [], lost: 0 });
    expectEnd(ended, 0, 1);
  });

  it('terminated in a busy one, goes on with the next', async () => {
    const ended = await run('drain.mjs', ['timeout', ...context]);
    expect(facts(ended)).toMatchObject({ ...RIGHT, codes: TERMINATED, lost: 0 });
    expect(facts(ended).times).toBeGreaterThanOrEqual(10);
    expectEnd(ended, 0, 1);
  });

  it('terminated anywhere, calls or reports each once', async () => {
    const ended = await run('drain.mjs', ['storm', ...context]);
    expect(facts(ended)).toMatchObject({ ...RIGHT, lost: 0 });
    expect(facts(ended).times).toBeGreaterThan(5);
    expectEnd(ended, 0, 1);
  });

  it('terminated inside of a cleanup that goes on, calls or reports each once', async () => {
    const ended = await run('drain.mjs', ['nested timeouts', ...context]);
    expect(facts(ended)).toMatchObject({ ...RIGHT, codes: TERMINATED });
    expect(facts(ended).times).toBeGreaterThan(5);
    expectEnd(ended, 0, 1);
  });

  it('goes with stop() at the end of the stack: each is called, or is stopped', async () => {
    const ended = await run('drain.mjs', ['stack of stop', ...context]);
    expect(facts(ended)).toMatchObject({ ...RIGHT, wrong: 0, stopped: 0 });
    expectEnd(ended, 0, 1);
  });

  it('calls what addCleanup() has registered at the end of the stack, and nothing that it has thrown for', async () => {
    const ended = await run('drain.mjs', ['stack of addCleanup', ...context]);
    expect(facts(ended)).toMatchObject({ ...RIGHT, unexpected: 0, missing: 0 });
    expectEnd(ended, 0, 1);
  });
});

describe.each([[[]], ...CONTEXT_FLAGS.map((flag) => [[flag]])])('queue.drain() with %j', (flags) => {
  it.each([[[]], [['in context']]])('leaves a timeout to the script that drains for ever, %j', async (context) => {
    const ended = await run('drain.mjs', ['endless', ...context], { flags });
    expect(facts(ended)).toMatchObject({ ...RIGHT, times: 20 });
    expectEnd(ended, 0, 1);
  });
});

describe('queue.drain() after many that were terminated', () => {
  it('looks at the stack without an array as long as the stack', async () => {
    const ended = await run('drain.mjs', ['allocation']);
    expect(facts(ended)).toMatchObject({ ...RIGHT, codes: TERMINATED, large: false });
    expectEnd(ended, 0, 1);
  });
});

describe('queue.drain() of finalizers', () => {
  it('calls what finalizable() has set at the end of the stack, and nothing that it has thrown for', async () => {
    const ended = await run('drain.mjs', ['stack of finalizable']);
    expect(facts(ended)).toMatchObject({ ...RIGHT, wrong: 0, some: true });
    expectEnd(ended, 0, 1);
  });

  it('terminated anywhere, calls or reports each once', async () => {
    const ended = await run('drain.mjs', ['finalizers']);
    expect(facts(ended)).toMatchObject(RIGHT);
    expect(facts(ended).times).toBeGreaterThan(1);
    expectEnd(ended, 0, 1);
  });
});

it('callbacks of weakly/spec by the 100 000 keep neither a cache from giving memory back nor cleanups from their turn', async () => {
  const ended = await run('lanes.mjs');
  const { shrunk, cleaned, count } = facts(ended) as Record<'shrunk' | 'cleaned' | 'count', number>;
  expect(shrunk).toBeGreaterThan(0);
  expect(shrunk).toBeLessThan(count / 2);
  expect(cleaned).toBeLessThan(count / 2);
  expectEnd(ended, 0, 1);
});
