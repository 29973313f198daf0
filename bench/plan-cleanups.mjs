// Cleanups, finalizers and stand-ins: as plan.mjs, and
//   ours   the figure that a target is asked of, where that is not weakly's
//   quick  false: left out of quick runs

const MANY = { n: 1_000_000, quickN: 20_000, rounds: 3 };
const NS = { unit: 'ns', metric: 'ns' };
const ALL = ['weakly', 'weakly-dropped', 'fr', 'fr-token', 'fr-own'];

const atMost = (max, of) => [
  { ours: 'weakly-dropped', of, max },
  { ours: 'weakly', of, max },
];

export const CLEANUPS = [
  {
    ...MANY,
    ...NS,
    id: 'register',
    title: 'register {n}, the targets stay',
    scenario: 'register',
    contenders: ALL,
    targets: atMost(0.5, 'fr-token'),
  },
  {
    ...MANY,
    id: 'register-short',
    title: 'the same, each target dropped at once',
    scenario: 'registerShortLived',
    ...NS,
    rounds: 1,
    contenders: ALL,
    targets: atMost(0.5, 'fr-token'),
  },
  {
    id: 'register-short-called',
    from: 'register-short',
    title: 'the same, until the last is called',
    ...MANY,
    ...NS,
    metric: 'calledNs',
    contenders: ALL,
  },
  {
    ...MANY,
    ...NS,
    id: 'stop',
    title: 'stop all of {n}',
    scenario: 'stopAll',
    rounds: 1,
    contenders: ['weakly', 'fr-token', 'fr-own'],
  },
  {
    ...MANY,
    ...NS,
    id: 'stop-some',
    title: 'stop a few, anywhere among {n}',
    scenario: 'stopSome',
    rounds: 1,
    contenders: ['weakly', 'fr-token', 'fr-own'],
  },
  {
    ...MANY,
    id: 'run',
    title: '{n} die in one GC, each call deletes a key of a Map: the GC',
    scenario: 'run',
    unit: 'ms',
    metric: 'gcMs',
    contenders: ALL,
  },
  {
    ...MANY,
    id: 'run-total',
    from: 'run',
    title: 'from there to the last call',
    unit: 'ms',
    metric: 'totalMs',
    contenders: ALL,
    targets: [
      { of: 'fr', max: 1.5 },
      { of: 'fr-token', max: 1.5 },
      { of: 'fr-own', max: 1.5 },
    ],
  },
  {
    ...MANY,
    id: 'run-all',
    from: 'run',
    title: 'GC and calls together',
    unit: 'ms',
    metric: 'allMs',
    contenders: ALL,
  },
  {
    ...MANY,
    id: 'run-block',
    from: 'run',
    title: 'longest block of the event loop by the calls',
    unit: 'ms',
    metric: 'blockMs',
    contenders: ALL,
    targets: [{ max: 10 }],
  },
  {
    ...MANY,
    id: 'drain',
    title: 'meanwhile, the slowest answer to an HTTP request',
    scenario: 'drain',
    unit: 'ms',
    metric: 'requestMs',
    quickOptions: { atLeastMs: 50 },
    contenders: ['none', 'weakly', 'fr'],
  },
  {
    ...MANY,
    id: 'drain-timer',
    from: 'drain',
    title: 'meanwhile, the latest timer of 1 ms, late by',
    unit: 'ms',
    metric: 'timerMs',
    contenders: ['none', 'weakly', 'fr'],
  },
  {
    ...MANY,
    id: 'cleanup-gc',
    title: 'forced major GC, {n} registered: added',
    scenario: 'cleanupGc',
    unit: 'ms',
    metric: 'ms',
    minus: 'none',
    contenders: ALL,
    targets: atMost(0.4, 'fr-token'),
  },
  {
    ...MANY,
    id: 'cleanup-memory',
    title: 'process memory per registration, {n} registered',
    scenario: 'cleanupMemory',
    unit: 'bytes',
    metric: 'bytes',
    minus: 'none',
    flags: ['--min-semi-space-size=16', '--max-semi-space-size=16'],
    least: true,
    rounds: 5,
    contenders: ALL,
    targets: [...atMost(0.8, 'fr-token'), { of: 'fr-own', max: 0.8 }],
  },
  ...['p50', 'p99'].map((quantile, i) => ({
    id: `latency-${quantile}`,
    from: i === 0 ? undefined : 'latency-p50',
    title: `from letting go to the call, in a service that allocates: ${quantile}`,
    scenario: 'latency',
    unit: 'ms',
    metric: quantile,
    bound: `${quantile}AtLeast`,
    n: 0,
    quickN: 0,
    rounds: 3,
    quick: false,
    contenders: ['weakly-dropped', 'fr'],
  })),
];

const CALLS = { ...NS, n: 10_000, quickN: 1000, rounds: 3, contenders: ['raw', 'weakly', 'proxy'] };

export const STAND_INS = [
  { ...CALLS, id: 'property', title: 'read a property', scenario: 'property' },
  { ...CALLS, id: 'method', title: 'call a method', scenario: 'method' },
];
