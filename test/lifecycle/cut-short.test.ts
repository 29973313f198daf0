import { describe, expect, it } from 'vitest';
import { expectEnd, facts, run } from './child.js';

/*
 * What comes between two steps that belong together: a timeout of `vm`, the end of the stack, or the user's own code, which a
 * proxy or a setter has run.
 */

/** V8 11.3 does not come to an end with these two together, whatever it runs. */
const MORE_SCAVENGES = process.execArgv.some((flag) => flag.startsWith('--minor')) ? [] : ['--stress-scavenge=5'];

const WAYS: readonly [what: string, way: string, right: object, flags?: readonly string[]][] = [
  [
    'a loader that a timeout ends is over: who joined is told, and the next one who asks calls again',
    'load',
    { cut: true, joined: 'ERR_WEAKLY_TERMINATED', same: true, loading: 0 },
  ],
  ['cleanups at exit come after one that throws a revoked proxy', 'exit', { called: [2, 1, 0], uncaught: true }],
  ['a cleanup at exit has its room, whatever the one before it has asked', 'room', { called: 1025, inner: true }],
  [
    'setFinalizer() of a stand-in whose target clears it when asked writes on nobody else',
    'trap',
    { broken: null, called: ['other'] },
  ],
  [
    'a registry calls, and takes back, beside setters for indices of arrays',
    'setters',
    { unregistered: true, called: 20, wrong: 0 },
  ],
  [
    'errors have their codes, and are reported once, beside an Error.prepareStackTrace that throws',
    'traces',
    { code: 'ERR_WEAKLY_TARGET', reported: ['ERR_WEAKLY_TERMINATED'] },
  ],
  [
    'what queue.drain() throws is caught under --abort-on-uncaught-exception',
    'uncaught',
    { done: true, odd: true },
    ['--abort-on-uncaught-exception'],
  ],
  ['queue.stats() that was ended counts no call twice', 'latencies', { twice: false, lost: false }],
  ['deref() that was ended keeps what it gives later', 'kept', { lost: 0, some: true }],
  [
    'the first drain has Node.js enable no hooks, which a timeout could leave half enabled',
    'hooks',
    { called: 2, asked: [] },
  ],
  [
    'queue.stats() counts what is armed and what is due at one moment, though GCs come meanwhile',
    'counted',
    { wrong: 0, seen: true },
    MORE_SCAVENGES,
  ],
  [
    'the text of a function is first read where the stack ends: with an error of the stack, or rightly',
    'texts',
    { errors: [], same: true },
  ],
  [
    'a job in which a reclaim was ended takes no more room than any other',
    'stuck',
    { cut: [true, true, true, true], grown: [false, false] },
  ],
  [
    'pointers are canonical and cleanups are called, whatever a replaced Array.from makes meanwhile',
    'replaced',
    { same: true, errors: 0, lost: 0 },
  ],
  [
    'those run at exit that have asked for it, whatever replaced methods of typed arrays register meanwhile',
    'entered',
    { never: 0, lost: 0 },
  ],
];

describe('cut short', () => {
  it.each(WAYS)('%s', async (_what, way, right, flags) => {
    const ended = await run('cut-short.mjs', [way], { flags: flags ?? [] });
    expect(facts(ended)).toMatchObject(right);
    expectEnd(ended, 0, 1);
  });
});
