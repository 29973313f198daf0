import type { Binding } from '../../lib/binding.js';

type Fn = (...args: unknown[]) => unknown;

/** Called before each native call. */
let beforeCall: (() => void) | undefined;

/**
 * `lib/binding.ts`, with native calls that can be made to fail. lib/ takes its calls when it is loaded, so this has to be in its
 * place by then:
 *
 *     vi.mock('../../lib/binding.js', async (original) => (await import('../support/failing.js')).failable(await original()));
 */
export function failable(module: object): object {
  const { binding } = module as { binding: Binding };
  const calls = Object.entries(binding).map(([name, call]) => [
    name,
    typeof call !== 'function'
      ? call
      : (...args: unknown[]): unknown => {
          beforeCall?.();
          return Reflect.apply(call as Fn, binding, args);
        },
  ]);
  return { ...module, binding: Object.fromEntries(calls) };
}

const places: [object, string[]][] = [
  [Map.prototype, ['get', 'set', 'has', 'delete', 'clear']],
  [Set.prototype, ['add', 'has', 'delete', 'clear']],
  [WeakMap.prototype, ['get', 'set', 'has', 'delete']],
];

/** Runs `op`, whose call number `at` fails; whether there was one. */
export function failingAt(at: number, op: () => unknown): boolean {
  let calls = 0;
  const count = (): void => {
    if (calls++ === at) throw new RangeError('Maximum call stack size exceeded');
  };
  const originals = places.map(([object, names]) => names.map((name) => Reflect.get(object, name) as Fn));
  const put = (fns: readonly Fn[][]): void => {
    for (const [i, [object, names]] of places.entries())
      for (const [j, name] of names.entries()) Object.assign(object, { [name]: fns[i]?.[j] });
  };
  const failing = originals.map((fns) =>
    fns.map(
      (original) =>
        function (this: unknown, ...args: unknown[]): unknown {
          count();
          return original.apply(this, args);
        },
    ),
  );
  put(failing);
  beforeCall = count;
  try {
    op();
    return false;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return true;
  } finally {
    beforeCall = undefined;
    put(originals);
  }
}
