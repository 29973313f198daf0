// What is measured, with whom, and what is asked of it.
//   title    with {n} for the number of pointers that the run really had
//   minus    whose figure is subtracted from everybody's: the empty loop, or the targets alone
//   targets  weakly's figure is at most `max` times that of `of`; without `of`, at most `max` itself

const CALLS = { unit: 'ns', metric: 'ns', minus: 'loop', n: 10_000, quickN: 1000, rounds: 5 };
const MANY = { n: 1_000_000, quickN: 20_000, rounds: 3 };
const ALL = ['weakly', 'weakref', 'weakmap', 'registry', 'napi', 'weak-napi'];

export const PLAN = [
  {
    ...CALLS,
    id: 'read',
    title: 'read a live target',
    scenario: 'read',
    contenders: ['weakly', 'weakref', 'napi', 'weak-napi'],
    targets: [{ of: 'weakref', max: 0.4 }],
  },
  {
    ...CALLS,
    id: 'read-first',
    title: 'the same, each target once per job',
    scenario: 'read',
    options: { passes: 1 },
    contenders: ['weakly', 'weakref', 'napi', 'weak-napi'],
  },
  {
    ...CALLS,
    id: 'alive',
    title: 'ask whether a target is alive',
    scenario: 'alive',
    contenders: ['weakly', 'weakref', 'napi', 'weak-napi'],
    targets: [{ of: 'weakref', max: 0.2 }],
  },
  {
    ...CALLS,
    id: 'known',
    title: 'find the pointer of a known target (WeakMap: `get`)',
    scenario: 'known',
    contenders: ['weakly', 'weakmap'],
    targets: [{ of: 'weakmap', max: 2 }],
  },
  ...[
    ['known-many', 100_000, 2],
    ['known-million', 1_000_000, 4],
  ].map(([id, n, max]) => ({
    ...CALLS,
    id,
    n,
    rounds: 3,
    title: 'the same, of {n}',
    scenario: 'known',
    options: { passes: 1 },
    contenders: ['weakly', 'weakmap'],
    targets: [{ of: 'weakmap', max }],
  })),
  {
    ...MANY,
    id: 'create',
    title: 'make a pointer, {n} of them in one job',
    scenario: 'create',
    options: { oneJob: true },
    unit: 'ns',
    metric: 'ns',
    contenders: ALL,
    // Several times slower than the others; fewer of them keep the run short.
    sizes: { 'weak-napi': 100_000 },
    targets: [
      { of: 'weakmap', max: 0.5 },
      { of: 'weakref', max: 1 },
    ],
  },
  {
    ...MANY,
    id: 'create-jobs',
    title: 'the same, in jobs of 10 000',
    scenario: 'create',
    unit: 'ns',
    metric: 'ns',
    contenders: ['weakly', 'weakref', 'weakmap'],
  },
  {
    ...MANY,
    id: 'live-gc',
    title: 'forced major GC, {n} live: added',
    scenario: 'liveGc',
    unit: 'ms',
    metric: 'ms',
    minus: 'none',
    contenders: ['weakly', 'weakref', 'weakmap', 'registry', 'napi'],
    targets: [{ of: 'weakmap', max: 0.5 }],
  },
  {
    ...MANY,
    id: 'service-gc',
    title: 'major GC pause in a busy service, {n} live: median',
    scenario: 'service',
    rounds: 1,
    quickOptions: { seconds: 1.5, enough: 3 },
    unit: 'ms',
    metric: 'ms',
    contenders: ['none', 'weakly', 'weakref', 'weakmap'],
  },
  {
    ...MANY,
    id: 'service-gc-max',
    title: 'major GC pause in a busy service, {n} live: longest',
    from: 'service-gc',
    unit: 'ms',
    metric: 'max',
    contenders: ['none', 'weakly', 'weakref', 'weakmap'],
  },
  {
    ...MANY,
    id: 'die',
    title: 'forced major GC in which {n} targets die',
    scenario: 'die',
    unit: 'ms',
    metric: 'ms',
    contenders: ['none', 'weakly', 'weakref', 'weakmap', 'registry', 'napi'],
    targets: [{ of: 'weakref', max: 1.3 }],
  },
  {
    ...MANY,
    id: 'die-block',
    title: 'longest block of the event loop after it',
    from: 'die',
    unit: 'ms',
    metric: 'blockMs',
    contenders: ['none', 'weakly', 'weakref', 'weakmap', 'registry', 'napi'],
  },
  {
    ...MANY,
    id: 'memory',
    title: 'process memory per pointer, {n} live',
    scenario: 'memory',
    unit: 'bytes',
    metric: 'bytes',
    minus: 'none',
    // A young generation that keeps its size, so that it is no part of the difference.
    flags: ['--min-semi-space-size=16', '--max-semi-space-size=16'],
    least: true,
    contenders: ['weakly', 'weakref', 'weakmap', 'registry', 'napi'],
    targets: [{ max: 125 }],
  },
  {
    id: 'short',
    title: 'a short-lived pointer: object, pointer, both dropped',
    scenario: 'shortLived',
    unit: 'ns',
    metric: 'ns',
    n: 5_000_000,
    quickN: 200_000,
    rounds: 1,
    // The registry's callbacks are part of its price.
    contenders: ['loop', 'weakly', 'weakref', 'weakmap', 'registry'],
  },
  ...['never yielding to the event loop', 'yielding every 10 000'].map((how, i) => ({
    id: i === 0 ? 'flat-one-job' : 'flat',
    title: `growth of process memory over {n} short-lived pointers, ${how}`,
    scenario: 'shortLived',
    options: { yielding: i === 1 },
    unit: 'MB',
    metric: 'megabytes',
    n: 100_000_000,
    quickN: 400_000,
    rounds: 1,
    contenders: ['weakly'],
    // A leak of one byte for each would be 95 MB. What there is comes in steps of some 8 MB when V8 resizes its heap, and
    // a loop without yielding goes through 90 million before the first major GC.
    targets: [{ max: 16, orPercent: 5 }],
  })),
];

export const GROWTH = {
  id: 'growth',
  scenario: 'growth',
  sizes: [10_000, 100_000, 1_000_000, 5_000_000],
  quickSizes: [1000, 10_000],
  contenders: ['none', 'weakly', 'weakmap'],
  flags: ['--max-old-space-size=6144', '--min-semi-space-size=16', '--max-semi-space-size=16'],
};
