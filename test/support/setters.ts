/*
 * Accessors on the prototypes that everybody's objects have: what is assigned to a place that an object or an array does not
 * have goes to them.
 */

/** Whether what is assigned is passed on, and a program goes on as before, or is lost. */
export type Way = 'kept' | 'lost';

const INDICES = Array.from({ length: 10 }, (_, i) => String(i));
/** No index, though it looks like one; and what things of the house, or of others, may be called. */
const ODD = ['-1', '1.5', '4294967295', 'NaN', '', 'undefined', 'entries', 'place', 'owner', 'arg', 'held', 'callback'];

/** Of these prototypes, so that nobody has to look for them meanwhile. */
const { defineProperty, prototype } = Object;

/**
 * Calls `fn` with accessors for indices on `indexed`, and for odd names on `Object.prototype`; which were assigned to. `fn`
 * must not wait: test runners assign as well.
 */
export function withSetters(way: Way, indexed: object, fn: () => void): ReadonlySet<string> {
  const asked = new Set<string>();
  const install = (on: object, name: string): void => {
    defineProperty(on, name, {
      configurable: true,
      get: () => undefined,
      set(this: object, value: unknown) {
        asked.add(name);
        if (way === 'kept') defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
      },
    });
  };
  try {
    for (const name of ODD) install(prototype, name);
    for (const name of INDICES) install(indexed, name);
    fn();
  } finally {
    for (const name of ODD) Reflect.deleteProperty(prototype, name);
    for (const name of INDICES) Reflect.deleteProperty(indexed, name);
  }
  return asked;
}
