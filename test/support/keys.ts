/** Every kind of key that a Map takes, and some that are equal to a Map, but not the same. */
export function keysOfEveryKind(): unknown[] {
  const half = 'x'.repeat(20);
  return [
    0,
    -0,
    1,
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 30,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 31 + 1,
    -(2 ** 31) - 1,
    3e9,
    2 ** 53,
    Number.MIN_VALUE,
    10n,
    2n ** 64n,
    '',
    '0',
    'a',
    'ä€😀',
    half + half,
    'y'.repeat(10_000),
    `${half}${Math.random()}`,
    Symbol('key'),
    Symbol.for('weakly.test'),
    Symbol.iterator,
    {},
    [],
    Object.freeze({ frozen: true }),
    Object.create(null),
    () => undefined,
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('a trap was called');
        },
      },
    ),
    new Map(),
    true,
    false,
    null,
    undefined,
  ];
}
