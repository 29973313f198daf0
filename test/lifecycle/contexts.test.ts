import { describe, expect, it } from 'vitest';
import { expectEnd, facts, run } from './child.js';

describe('several environments in one thread', () => {
  it.each(['main', 'worker', 'terminate'])('all close (%s)', async (way) => {
    const ended = await run('many-opened.mjs', [way]);
    expectEnd(ended, 0, 20);
    const said = facts(ended);
    expect(said.opened).toBe(19);
    expect(said.dead).toBeGreaterThanOrEqual(19 * 99);
    expect(said.workerExit).toBe(way === 'main' ? undefined : way === 'worker' ? 0 : 1);
  });
});

describe('node:vm contexts', () => {
  it('give targets that die with them', async () => {
    const ended = await run('contexts.mjs');
    expectEnd(ended, 0, 1);
    // 12 targets and a field of each of 100 contexts, 10 of which are held.
    expect(ended.said).toEqual([{ wrong: [], all: 1300, aliveWhileHeld: 1300, alive: 130 }]);
  });

  it.each(['hold', 'drop'])('may load the native module once more (%s the context)', async (way) => {
    const ended = await run('loaded-in-context.mjs', [way]);
    expectEnd(ended, 0, 2);
    const said = facts(ended);
    expect(said).toMatchObject({ distinct: true, right: true, broken: null });
    expect(said.drained).toBeGreaterThanOrEqual(1000);
    expect(said.dead).toBeGreaterThan(990);
  });

  it('that have evaluated the package are freed, with what waits in them for deaths, and close what they have opened', async () => {
    const ended = await run('abandoned.mjs', ['40']);
    expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(facts(ended)).toEqual({ forgotten: true, failed: 'ERR_WEAKLY_INTERNAL', right: true, outside: 'object' });
    expect(ended.closed.length).toBeGreaterThanOrEqual(39 + 5);
    expect(ended.closed.every(({ handles, bytes }) => handles === 0 && bytes === 0)).toBe(true);
  });
});
