import { describe, expect, it } from 'vitest';
import { expectEnd, facts, run } from './child.js';

describe('many workers', () => {
  it('load at once, make pointers and all finish', async () => {
    const ended = await run('crowd.mjs', ['16']);
    expectEnd(ended, 0, 17);
    const members = ended.said.filter((said) => 'number' in said);
    expect(members).toHaveLength(16);
    for (const member of members) expect(member).toMatchObject({ right: true, live: 500 });
    expect(facts(ended).exits).toEqual(Array.from({ length: 16 }, () => 0));
  });

  it('are terminated in the middle of making, dropping and collecting', async () => {
    const ended = await run('storm.mjs', ['20', 'turns']);
    expectEnd(ended, 0, 21);
    expect(ended.said).toEqual([
      { ended: Array.from({ length: 20 }, () => 1), started: 20, reporting: 20, rounds: expect.any(Number) },
    ]);
    expect(facts(ended).rounds).toBeGreaterThanOrEqual(20);
  });

  it('are terminated at random moments, also while they load', async () => {
    const ended = await run('storm.mjs', ['8', 'time']);
    expectEnd(ended, 0, ended.closed.length);
    const {
      started,
      reporting,
      ended: exits,
    } = facts(ended) as { started: number; reporting: number; ended: number[] };
    expect(exits).toHaveLength(8);
    // 0: struck before it had begun.
    for (const exit of exits) expect(exit === 0 || exit === 1).toBe(true);
    expect(reporting).toBeGreaterThanOrEqual(1);
    // The main thread's own environment closes too. A worker may be struck before it has asked for a report.
    expect(ended.closed.length).toBeGreaterThanOrEqual(1 + reporting);
    expect(ended.closed.length).toBeLessThanOrEqual(1 + started);
  });

  it('unload the native module and load it again', async () => {
    const ended = await run('reload.mjs');
    expectEnd(ended, 0, 6);
    expect(ended.said).toHaveLength(6);
    for (const said of ended.said) expect(said.deaths).toBeGreaterThan(990);
  });

  it('are ended by V8 when their heap is full', async () => {
    const ended = await run('memory.mjs');
    // V8 reports the last GCs on stderr.
    expect({ ...ended, stderr: '' }).toMatchObject({
      code: 0,
      signal: null,
      said: [{ workerError: 'ERR_WORKER_OUT_OF_MEMORY' }, { workerExit: 1 }],
    });
    expect(ended.closed).toEqual([
      { closed: true, handles: 0, bytes: 0 },
      { closed: true, handles: 0, bytes: 0 },
    ]);
  });
});
