import { describe, expect, it } from 'vitest';
import { expectEnd, facts, run } from './child.js';

describe('after a GC that is a task of its own', () => {
  it('callbacks come before a timer that is set once it is over, as those of native registries', async () => {
    const ended = await run('async-gc.mjs', ['timer']);
    expectEnd(ended, 0, 1);
    expect(facts(ended)).toEqual({ late: 0, found: true });
  });

  it('cleanups whose GCs find more deaths do not keep the process alive', async () => {
    const ended = await run('async-gc.mjs', ['end']);
    expectEnd(ended, 0, 1);
    expect(facts(ended)).toEqual({ called: 0 });
  });

  it('cleanups wait for the end of a debugger’s pause', async () => {
    const ended = await run('async-gc.mjs', ['debugger']);
    expect(facts(ended)).toEqual({ calledInside: false });
    expect([ended.code, ended.signal]).toEqual([0, null]);
  });
});
