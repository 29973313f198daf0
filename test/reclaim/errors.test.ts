import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { addCleanup, finalizable, make, queue, setFinalizer } from '../../lib/index.js';
import { away, gcNowUntil, gcUntil } from '../support/gc.js';

/* What a callback throws carries where it was registered, if that is asked for. */

const errors: unknown[] = [];

function due(register: () => void): void {
  const { pending } = queue.stats();
  away(register);
  gcNowUntil(() => queue.stats().pending > pending, 'dead');
  queue.drain();
}

function registerHere(fn: (arg: unknown) => unknown, arg?: unknown, options?: { asyncContext: boolean }): void {
  due(() => void addCleanup({}, fn, arg, options));
}

const thrower = (error: unknown): never => {
  throw error;
};

interface Traced extends Error {
  readonly code?: string;
  readonly registeredAt: Error;
}

function trace(on = true): void {
  queue.configure({ traceRegistrations: on, onError: (error) => errors.push(error) });
}

afterEach(() => {
  queue.configure({ traceRegistrations: false, onError: null });
  errors.length = 0;
});

describe('queue.configure({ traceRegistrations: true })', () => {
  it.each([[undefined], [{ asyncContext: true }]])(
    'an error carries where its cleanup was registered (%j)',
    (options) => {
      trace();
      const error = new Error('thrown on purpose');
      registerHere(thrower, error, options);
      expect(errors).toEqual([error]);
      const { registeredAt } = errors[0] as Traced;
      expect(registeredAt).toBeInstanceOf(Error);
      // From there on: no frame of this package comes before it.
      expect(registeredAt.stack).toMatch(/registered here\n.*errors\.test[\s\S]*registerHere/);
      expect(inspect(error)).toContain('registerHere');
    },
  );

  it('so does an error of a finalizer, replaced or not', () => {
    trace();
    const error = new Error('thrown on purpose');
    due(() => void finalizable({}, () => thrower(error)));
    expect((error as Traced).registeredAt.stack).toMatch(/registered here\n.*errors\.test/);
    const other = new Error('another one');
    due(() =>
      setFinalizer(
        finalizable({}, () => thrower(error)),
        () => thrower(other),
      ),
    );
    expect(errors).toEqual([error, other]);
    expect((other as Traced).registeredAt.stack).toMatch(/registered here\n.*errors\.test/);
  });

  it.each([
    ['a string', 'thrown on purpose'],
    ['undefined', undefined],
    ['null', null],
    ['a number', 0],
    ['a function', thrower],
    ['a frozen error', Object.freeze(new Error('frozen'))],
    ['an error that has such a property', Object.assign(new Error('has it'), { registeredAt: 'mine' })],
    ['a proxy that refuses', new Proxy({}, { defineProperty: () => false })],
    ['a proxy that throws', new Proxy({}, { getOwnPropertyDescriptor: () => thrower(new Error('no')) })],
  ])('what cannot carry it (%s) is the cause of an error that does', (_what, thrown) => {
    trace();
    registerHere(() => thrower(thrown));
    expect(errors.length).toBe(1);
    const error = errors[0] as Traced;
    expect(error).toMatchObject({ name: 'Error', code: 'ERR_WEAKLY_CLEANUP' });
    expect(error.cause).toBe(thrown);
    expect(error.registeredAt.stack).toContain('registerHere');
  });

  it('an error that several cleanups throw keeps the place of the first', () => {
    trace();
    const error = new Error('thrown on purpose');
    registerHere(thrower, error);
    registerHere(thrower, error);
    expect(errors[0]).toBe(error);
    expect(errors[1]).toMatchObject({ code: 'ERR_WEAKLY_CLEANUP', cause: error });
    expect((errors[1] as Traced).registeredAt).not.toBe((error as Traced).registeredAt);
  });

  it('keeps no target alive that registers itself', async () => {
    trace();
    class Resource {
      constructor() {
        addCleanup(this, thrower, 1);
      }
    }
    const pointer = away(() => make(new Resource()));
    await gcUntil(() => !pointer.alive, 'dead');
    await gcUntil(() => errors.length === 1, 'called');
  });

  it('is left out where Error.prepareStackTrace throws, and the cleanup is registered', () => {
    trace();
    const error = new Error('thrown on purpose');
    const { prepareStackTrace } = Error;
    Error.prepareStackTrace = () => thrower(new Error('no trace'));
    try {
      registerHere(thrower, error);
    } finally {
      Error.prepareStackTrace = prepareStackTrace;
    }
    expect(errors).toEqual([error]);
  });

  it('is off unless asked for: errors are as they were thrown', () => {
    trace(false);
    const error = new Error('thrown on purpose');
    registerHere(thrower, error);
    registerHere(thrower, 'a string');
    expect(errors).toEqual([error, 'a string']);
    expect(Object.keys(error)).toEqual([]);
  });

  it('is refused with another type, and nothing is changed', () => {
    trace();
    expect(() => queue.configure({ onError: null, traceRegistrations: 1 as never })).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_OPTION', name: 'TypeError' }),
    );
    registerHere(thrower, new Error('thrown on purpose'));
    expect((errors[0] as Traced).registeredAt).toBeInstanceOf(Error);
  });
});
