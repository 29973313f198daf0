import { binding } from '../../lib/binding.js';

type Fn = (...args: unknown[]) => unknown;

const places: [object, string[]][] = [
  [
    binding,
    [
      'addOwner',
      'addEntry',
      'addKey',
      'addSymbolKey',
      'findKey',
      'findSymbolKey',
      'discardEntry',
      'retarget',
      'entry',
      'countEntries',
      'takeEntries',
      'releaseEntries',
    ],
  ],
  [Map.prototype, ['get', 'set', 'has', 'delete', 'clear']],
  [Set.prototype, ['add', 'has', 'delete', 'clear']],
  [WeakMap.prototype, ['get', 'set', 'has', 'delete']],
];

/** Runs `op`, whose call number `at` fails; whether there was one. */
export function failingAt(at: number, op: () => unknown): boolean {
  let calls = 0;
  const originals = places.map(([object, names]) => names.map((name) => Reflect.get(object, name) as Fn));
  const put = (fns: readonly Fn[][]): void => {
    for (const [i, [object, names]] of places.entries())
      for (const [j, name] of names.entries()) Object.assign(object, { [name]: fns[i]?.[j] });
  };
  const failing = originals.map((fns) =>
    fns.map(
      (original) =>
        function (this: unknown, ...args: unknown[]): unknown {
          if (calls++ === at) throw new RangeError('Maximum call stack size exceeded');
          return original.apply(this, args);
        },
    ),
  );
  put(failing);
  try {
    op();
    return false;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return true;
  } finally {
    put(originals);
  }
}
