import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { expectEnd, facts, run } from './child.js';

const CLOSED = [{ closed: true, handles: 0, bytes: 0 }];

describe.each(['main', 'worker'])('collections and registries, in the %s thread,', (way) => {
  it('leave nothing behind when it ends, and call nobody at exit', async () => {
    const ended = await run('collections.mjs', ['end', way]);
    expect(facts(ended)).toMatchObject({ sizes: [true, true, true] });
    expect(facts(ended)).not.toHaveProperty('called');
    expectEnd(ended, 0, 1);
  });

  it('call nobody in process.exit()', async () => {
    const ended = await run('collections.mjs', ['exit', way]);
    expect(facts(ended)).not.toHaveProperty('called');
    if (way === 'worker') {
      expect(facts(ended).workerExit).toBe(7);
      expect(ended.closed).toEqual(CLOSED);
    } else {
      expect(ended.code).toBe(7);
    }
  });

  it('call from the event loop', async () => {
    const ended = await run('collections.mjs', ['called', way]);
    expect(facts(ended)).toMatchObject({ called: 10 });
    expectEnd(ended, 0, 1);
  });
});

it('a worker that is terminated in the middle of using collections leaves nothing behind', async () => {
  const ended = await run('collections.mjs', ['churn', 'worker']);
  expect(facts(ended)).toMatchObject({ workerExit: 1 });
  expectEnd(ended, 0, 1);
});

describe('a WeakCache under memory pressure', () => {
  const flags = ['--max-old-space-size=100', '--max-semi-space-size=2'];

  it('shrinks its strong tier, and still finds what is in use', async () => {
    const ended = await run('heap-pressure.mjs', ['0.5'], { flags });
    const { most, left, found } = facts(ended) as { most: number; left: number; found: boolean };
    expect(found).toBe(true);
    expect(most).toBeLessThan(1_000);
    expect(left).toBeGreaterThan(0);
    expectEnd(ended, 0, 1);
  });

  it('that was not asked to does not, and the process runs out of memory', async () => {
    const ended = await run('heap-pressure.mjs', ['none'], { flags });
    expect(ended.stderr).toContain('heap out of memory');
    expect(ended.code).not.toBe(0);
  });
});

describe('node --import weakly/spec/global', () => {
  it('installs the drop-ins, and Node.js goes on working', async () => {
    // The package's own name is known from within it.
    const flags = ['--import', fileURLToPath(new URL('../../dist/spec/global.js', import.meta.url))];
    for (const way of [flags, ['--import', 'weakly/spec/global']]) {
      const ended = await run('global.mjs', [], { flags: way });
      expect(facts(ended)).toEqual({ ours: true, deref: true, answer: 'hello', called: 1 });
      expectEnd(ended, 0, 1);
    }
  });
});

describe('a collection survives', () => {
  it('the end of the stack, at any point of a change, and of reclaiming', async () => {
    const ended = await run('interrupted.mjs', ['stack']);
    expect(facts(ended)).toEqual({ broken: 0, foreign: 0, of: 100_000 });
    expectEnd(ended, 0, 1);
  });

  it('timeouts of vm in the middle of reclaiming, which goes on', async () => {
    const ended = await run('interrupted.mjs', ['timeout']);
    expect(facts(ended)).toEqual({ timedOut: 30, broken: 0 });
    expectEnd(ended, 0, 1);
  });

  it.each([
    ['stack', 60],
    ['timeout', 300],
  ])('what cuts a WeakCache short, and lru-cache in it: %s', async (way, rounds) => {
    const ended = await run('cache-interrupted.mjs', [way]);
    expect(facts(ended)).toEqual({ rounds, wrong: 0 });
    expectEnd(ended, 0, 1);
  });

  it('heap snapshots that are taken of a busy worker', async () => {
    const ended = await run('interrupted.mjs', ['snapshots']);
    expect(facts(ended)).toEqual({ values: 10, cleanups: 10 });
    expect([ended.code, ended.signal]).toEqual([0, null]);
  });
});
