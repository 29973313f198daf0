import { describe, expect, it } from 'vitest';
import { type Ended, expectEnd, facts, run, type Said } from './child.js';

/*
 * Every state an environment can be in x every way it can end: main thread, worker that ends by itself, worker that is
 * terminated. Natively nothing may be left, and nothing may be said on stderr, where V8 and Node.js complain.
 */

interface Row {
  readonly step: string;
  /** What holds in all three ways. */
  check?(said: Said): void;
  /** The step calls process.exit(7). The main thread then runs no cleanup hooks, a worker does. */
  readonly exits?: true;
  /** The step throws; the error reaches the process. */
  readonly throws?: true;
  /** Only said when the environment ends by itself: handlers do not run in a terminated worker. */
  readonly saysNothingTerminated?: true;
}

const someDead = (said: Said): void => expect(said.dead).toBeGreaterThan(0);

const rows: readonly Row[] = [
  { step: 'load', check: (said) => expect(said.live).toBe(0) },
  { step: 'alive', check: (said) => expect(said.live).toBe(10_000) },
  // The wake-up of these deaths is still on its way when the loop ends: Node.js runs the loop once more in teardown.
  { step: 'queued', check: (said) => expect(said.dead).toBeGreaterThan(9_900) },
  { step: 'queued, a batch taken', check: (said) => expect(said.taken).toBe(512) },
  { step: 'drained', check: (said) => expect(said.dead).toBe(0) },
  { step: 'half drained', check: halfDrained },
  { step: 'exit, half drained', check: halfDrained, exits: true },
  {
    step: 'exit from inside a drain',
    check: (said) => {
      expect(said.released).toBe(512);
      someDead(said);
    },
    exits: true,
  },
  { step: 'exit from a timer', check: someDead, exits: true },
  {
    step: 'exit from a getter',
    check: (said) => {
      someDead(said);
      expect(said).not.toHaveProperty('returned');
    },
    exits: true,
  },
  { step: 'exit handler', check: usable, saysNothingTerminated: true },
  { step: 'exit with an exit handler', check: usable, exits: true, saysNothingTerminated: true },
  { step: 'beforeExit', check: someDead, saysNothingTerminated: true },
  {
    step: 'beforeExit with more to do',
    check: (said) => expect(said.drained).toBe(true),
    saysNothingTerminated: true,
  },
  { step: 'exit from beforeExit', check: someDead, exits: true, saysNothingTerminated: true },
  { step: 'uncaught exception', check: someDead, throws: true },
  { step: 'unhandled rejection', check: someDead, throws: true },
  { step: 'uncaught exception from inside a drain', check: (said) => expect(said.released).toBe(512), throws: true },
];

function halfDrained(said: Said): void {
  expect(said.dead).toBeGreaterThan(0);
  expect(said.dead).toBeLessThan(said.all as number);
}

function usable(said: Said): void {
  expect(said).toMatchObject({ allDead: true, same: true });
  someDead(said);
}

function checkSaid(row: Row, ended: Ended): Said {
  const said = facts(ended);
  expect(said).not.toHaveProperty('broken');
  row.check?.(said);
  return said;
}

describe.each(rows)('$step', (row) => {
  it('on the main thread', async () => {
    const ended = await run('run.mjs', [row.step, 'main']);
    checkSaid(row, ended);
    if (row.throws) {
      expect(ended.stderr).toContain('Error: thrown on purpose');
      expect(ended).toMatchObject({ code: 1, signal: null, closed: [] });
    } else {
      expectEnd(ended, row.exits ? 7 : 0, row.exits ? 0 : 1);
    }
  });

  it('in a worker that ends', async () => {
    const ended = await run('run.mjs', [row.step, 'worker']);
    const said = checkSaid(row, ended);
    expectEnd(ended, 0, 1);
    expect(said.workerExit).toBe(row.throws ? 1 : row.exits ? 7 : 0);
    expect(said.workerError).toBe(row.throws ? 'thrown on purpose' : undefined);
  });

  it('in a worker that is terminated', async () => {
    const ended = await run('run.mjs', [row.step, 'terminate']);
    expectEnd(ended, 0, 1);
    expect(facts(ended).workerExit).toBe(1);
    if (row.saysNothingTerminated) expect(ended.said).toHaveLength(1);
    else checkSaid(row, ended);
  });
});
