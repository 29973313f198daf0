import { describe, expect, it } from 'vitest';
import { expectEnd, facts, run } from './child.js';

describe('the reclaim queue', () => {
  it.each([
    ['timer', 'main'],
    ['timer', 'worker'],
    ['socket', 'main'],
    ['socket', 'worker'],
  ])('drains while nothing but a %s keeps the %s thread alive', async (holder, way) => {
    const ended = await run('idle.mjs', [holder, way], { onSaid: (said) => ('drained' in said ? '' : undefined) });
    expectEnd(ended, 0, way === 'worker' ? 2 : 1);
    expect(facts(ended)).toMatchObject({ drained: 5000, alive: 0, live: 0, dead: 0 });
  });

  it('keeps no process alive', async () => {
    const nothing = await run('run.mjs', ['load', 'main']);
    const pending = await run('run.mjs', ['queued', 'main']);
    expectEnd(pending, 0, 1);
    expect(facts(pending).dead).toBeGreaterThan(9_900);
    // Making 10,000 pointers takes milliseconds; a queue that held the loop would hold it for good.
    expect(pending.ms - nothing.ms).toBeLessThan(10_000);
  });

  it('runs to its end only as far as other work lets the process live', async () => {
    // As many deaths as take several slices, each of which asks for the next turn of the loop: none may be waited for.
    const ended = await run('run.mjs', ['half drained', 'main']);
    expectEnd(ended, 0, 1);
    const { all, dead } = facts(ended) as { all: number; dead: number };
    expect(dead).toBeGreaterThan(0);
    expect(dead).toBeLessThan(all);
  });
});
