import { describe, expect, it } from 'vitest';
import { type Ended, expectEnd, facts, run } from './child.js';

const ran = (ended: Ended): unknown[] => ended.said.flatMap((said) => ('ran' in said ? [said.ran] : []));
const NEWEST_FIRST = ['third', 'second', 'first'];

/** The environment that had the cleanups has closed, and nothing is left of it; process.exit() closes nothing. */
const CLOSED = [{ closed: true, handles: 0, bytes: 0 }];

describe.each(['main', 'worker'])('at exit, in the %s thread, cleanups that ask for it run', (way) => {
  const worker = way === 'worker';

  /** How the process, or the worker in it, is expected to end. */
  function expectCode(ended: Ended, code: number): void {
    if (worker) expect(facts(ended).workerExit).toBe(code);
    expect({ code: ended.code, signal: ended.signal }).toEqual({ code: worker ? 0 : code, signal: null });
    expect(ended.closed).toEqual(worker || code === 0 ? CLOSED : []);
  }

  it('when the event loop has ended, newest first; others do not', async () => {
    const ended = await run('cleanups.mjs', ['end', way]);
    expect(ran(ended)).toEqual(NEWEST_FIRST);
    expectEnd(ended, 0, 1);
  });

  it('in process.exit()', async () => {
    const ended = await run('cleanups.mjs', ['exit', way]);
    expect(ran(ended)).toEqual(NEWEST_FIRST);
    expectCode(ended, 7);
    expect(ended.stderr).toBe('');
  });

  it('in a process.exit() from inside a cleanup', async () => {
    const ended = await run('cleanups.mjs', ['exit from a cleanup', way]);
    expect(ran(ended)).toEqual(NEWEST_FIRST);
    expectCode(ended, 7);
  });

  it('after an uncaught exception', async () => {
    const ended = await run('cleanups.mjs', ['uncaught exception', way]);
    expect(ran(ended)).toEqual(NEWEST_FIRST);
    expectCode(ended, 1);
    if (worker) expect(facts(ended).workerError).toBe('thrown on purpose');
    else expect(ended.stderr).toContain('Error: thrown on purpose');
  });

  it('all, although one throws: it is printed, and the exit code says so', async () => {
    const ended = await run('cleanups.mjs', ['cleanups throw at exit', way]);
    expect(ran(ended)).toEqual(['newest', 'oldest']);
    expect(ended.stderr).toMatch(/^Uncaught Error: thrown on purpose\n/);
    if (worker) expect(facts(ended).workerExit).toBe(1);
    else expect(ended.code).toBe(1);
  });

  it('all, although one throws: a handler gets it', async () => {
    const ended = await run('cleanups.mjs', ['cleanups throw at exit, with a handler', way]);
    expect(ran(ended)).toEqual(['newest', 'oldest', 'thrown on purpose']);
    expectEnd(ended, 0, 1);
  });

  it('all, although the handler ends the process; it is told of all errors', async () => {
    const ended = await run('cleanups.mjs', ['a handler ends the process at exit', way]);
    expect(ran(ended).slice(0, 2)).toEqual(['newest', 'oldest']);
    expect(ran(ended).slice(2).sort()).toEqual(['first', 'second']);
    expectCode(ended, 5);
  });

  it('all, although onError ends the process; it is told of all errors', async () => {
    const ended = await run('cleanups.mjs', ['onError ends the process at exit', way]);
    expect(ran(ended).slice(0, 2)).toEqual(['newest', 'oldest']);
    expect(ran(ended).slice(2).sort()).toEqual(['first', 'second']);
    expectCode(ended, 5);
  });

  it('all, although the handler throws; and so do other listeners', async () => {
    const ended = await run('cleanups.mjs', ['a handler throws at exit', way]);
    expect(ran(ended)).toEqual(['newest', 'oldest', 'the last listener']);
    expect(ended.stderr).toMatch(/^Uncaught Error: thrown by the handler\n/);
    if (worker) expect(facts(ended).workerExit).toBe(7);
    else expect(ended.code).toBe(7);
  });

  it('all, and a monitor of uncaught exceptions is told of the error', async () => {
    const ended = await run('cleanups.mjs', ['a monitor at exit', way]);
    expect(ran(ended)).toEqual(['newest', 'oldest', 'uncaughtException: thrown on purpose']);
    expect(ended.stderr).toMatch(/^Uncaught Error: thrown on purpose\n/);
  });

  it.each([
    ['one of many exits at exit', 22],
    ['one of many exits in process.exit()', 22],
    ['all exit at exit', 20],
  ])('all, although %s', async (scenario, code) => {
    const ended = await run('cleanups.mjs', [scenario, way]);
    expect(ran(ended)).toEqual([4, 3, 2, 1, 0]);
    expectCode(ended, code);
    expect(ended.stderr).toBe('');
  });

  it('all, although each of thousands calls process.exit()', async () => {
    const ended = await run('cleanups.mjs', ['thousands exit at exit', way]);
    expect(ran(ended)).toEqual([24_000]);
    expectCode(ended, 9);
    expect(ended.stderr).toBe('');
  });

  it('all, although one calls process.exit() after another has thrown: that is printed, and the exit code says so', async () => {
    const ended = await run('cleanups.mjs', ['an exit at exit, after a throw', way]);
    expect(ran(ended)).toEqual(['oldest']);
    expect(ended.stderr).toMatch(/^Uncaught Error: thrown on purpose\n/);
    expectCode(ended, 1);
  });

  it('and may drain the queue', async () => {
    const ended = await run('cleanups.mjs', ['a drain at exit, from a cleanup', way]);
    expect(ran(ended)).toEqual([99, 100]);
    expectCode(ended, 3);
  });

  it('also those that are registered meanwhile', async () => {
    const ended = await run('cleanups.mjs', ['registered while they run', way]);
    expect(ran(ended)).toEqual(['first', 'second']);
  });

  it('never twice, and not when stopped', async () => {
    const ended = await run('cleanups.mjs', ['never twice', way]);
    expect(ran(ended)).toEqual(['by its death', 'once']);
    const stats = { armed: 0, pending: 0, queued: 1, run: 2, stopped: 1, failed: 0 };
    expect(ended.said.find((said) => 'stats' in said)).toEqual({ stats });
  });

  it('if they are due but were not called yet', async () => {
    const ended = await run('cleanups.mjs', ['due, but not called yet', way]);
    expect(ran(ended)).toEqual([1, 0]);
  });

  it('in order among thousands, most of which were stopped', async () => {
    const ended = await run('cleanups.mjs', ['many, some gone', way]);
    expect(ran(ended)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map((n) => n * 1000));
  });
});

describe.each(['main', 'worker'])('in the %s thread', (way) => {
  const worker = way === 'worker';

  it('what a cleanup throws is an uncaught exception', async () => {
    const ended = await run('cleanups.mjs', ['a cleanup throws', way]);
    if (worker) expect(facts(ended)).toMatchObject({ workerExit: 1, workerError: 'thrown on purpose' });
    else expect(ended.code).toBe(1);
    if (!worker) expect(ended.stderr).toContain('Error: thrown on purpose');
    // The error is raised at the end of the slice, so perhaps not all have run.
    expect(ran(ended)[0]).toBe(0);
  });

  it('with a handler for it, everything goes on', async () => {
    const ended = await run('cleanups.mjs', ['a cleanup throws, and a handler goes on', way]);
    expect(ran(ended)).toEqual(['number 0', 'number 1', 'number 2']);
    expectEnd(ended, 0, 1);
  });

  it('what cleanups throw in a drain at exit is reported', async () => {
    const ended = await run('cleanups.mjs', ['cleanups throw in a drain at exit', way]);
    expect(ran(ended)).toEqual(['number 0', 'number 1', 'number 2', 'drained']);
    expectEnd(ended, 0, 1);
  });

  it('due cleanups keep nothing alive', async () => {
    const ended = await run('cleanups.mjs', ['keep nothing alive', way]);
    expect(facts(ended).pending).toBe(true);
    expect(ran(ended)).toEqual([]);
    expectEnd(ended, 0, 1);
  });

  it('due cleanups wake the idle event loop', async () => {
    const ended = await run('cleanups.mjs', ['wake an idle process', way]);
    expect(ran(ended)).toEqual(['woken']);
    expectEnd(ended, 0, 1);
  });

  it('settled() keeps the process alive until they have run', async () => {
    const ended = await run('cleanups.mjs', ['settled keeps alive', way]);
    expect(ran(ended)).toEqual([200_000]);
    expectEnd(ended, 0, 1);
  });
});

describe('a worker that is terminated', () => {
  it('from inside a cleanup runs no more of them, and leaves nothing behind', async () => {
    const ended = await run('cleanups.mjs', ['terminated while they run', 'terminate']);
    expect(ran(ended)).toEqual([]);
    expectEnd(ended, 0, 1);
    expect(facts(ended).workerExit).toBe(1);
  });
});
