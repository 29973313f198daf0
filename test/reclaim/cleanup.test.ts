import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { binding } from '../../lib/binding.js';
import {
  addCleanup,
  type Cleanup,
  finalizable,
  keepAlive,
  make,
  makeField,
  queue,
  setFinalizer,
} from '../../lib/index.js';
import * as records from '../../lib/reclaim/records.js';
import { away, gcNowUntil, gcUntil, majorGc, minorGc, turn, until, verify } from '../support/gc.js';
import { stressed } from '../support/stress.js';

class Resource {
  readonly id: number;
  constructor(id = 0) {
    this.id = id;
  }
}

const called: unknown[] = [];
const note = (arg: unknown): unknown => called.push(arg);
let errors: unknown[] = [];

beforeEach(async () => {
  await gcUntil(() => queue.stats().armed === 0 && queue.stats().pending === 0, 'nothing registered');
  called.length = 0;
  errors = [];
  queue.configure({ onError: (error) => errors.push(error) });
});

afterEach(() => {
  queue.configure({ onError: null, sliceMs: 2 });
  verify();
  expect(records.verify()).toBe(null);
});

/** Registers `count` cleanups, each for a target of its own that is garbage when this returns. */
function register(count: number, fn: (arg: number) => unknown = note): Cleanup[] {
  return away(() => {
    const targets = Array.from({ length: count }, (_, id) => new Resource(id));
    return targets.map((target, id) => addCleanup(target, fn, id));
  });
}

/** Finds them dead within this job: none has run when this returns. */
function die(cleanups: Cleanup[]): void {
  gcNowUntil(() => cleanups.every((cleanup) => cleanup.state !== 'armed'), 'all dead');
}

describe('addCleanup', () => {
  it('calls fn(arg) once after the target has died', async () => {
    register(1_000);
    await gcUntil(() => called.length >= 1_000, 'all called');
    majorGc();
    await turn();
    expect([...called].sort((a, b) => (a as number) - (b as number))).toEqual(
      Array.from({ length: 1_000 }, (_, i) => i),
    );
  });

  it('does not call while the target lives', async () => {
    const target = new Resource();
    const cleanup = addCleanup(target, note, 'never');
    for (let i = 0; i < 3; i++) {
      majorGc();
      await turn();
    }
    expect(called).toEqual([]);
    expect(cleanup.state).toBe('armed');
    cleanup.stop();
    expect(target.id).toBe(0);
  });

  it('passes undefined when there is no argument', async () => {
    away(() => addCleanup(new Resource(), (...args) => called.push(args)));
    await gcUntil(() => called.length > 0, 'called');
    expect(called).toEqual([[undefined]]);
  });

  it('needs no pointer, and makes none', async () => {
    away(() => addCleanup(new Resource(), note, 1));
    await gcUntil(() => called.length > 0, 'called');
    expect(called).toEqual([1]);
  });

  it('works for functions, symbols and proxies', async () => {
    away(() => {
      addCleanup(() => 1, note, 'function');
      addCleanup(Symbol('x'), note, 'symbol');
      addCleanup(new Proxy({}, {}), note, 'proxy');
    });
    await gcUntil(() => called.length >= 3, 'called');
    expect([...called].sort()).toEqual(['function', 'proxy', 'symbol']);
  });

  it('holds fn and arg until the call, and not after', async () => {
    const { fn, arg } = away(() => {
      const argument = { payload: 1 };
      const callback = (): unknown => called.push('called');
      addCleanup(new Resource(), callback, argument);
      return { fn: make(callback), arg: make(argument) };
    });
    expect([fn.alive, arg.alive]).toEqual([true, true]);
    await gcUntil(() => called.length > 0, 'called');
    await gcUntil(() => !fn.alive && !arg.alive, 'let go');
  });

  it('has cleared the pointers of the target before, and for ever', async () => {
    const seen: unknown[] = [];
    const { pointer, field } = away(() => {
      const target = new Resource(7);
      const pointers = { pointer: make(target), field: makeField(target, 'id') };
      addCleanup(target, () => seen.push([pointers.pointer.value(), pointers.field.value(), pointers.pointer.alive]));
      return pointers;
    });
    await gcUntil(() => seen.length > 0, 'called');
    expect(seen).toEqual([[undefined, undefined, false]]);
    expect([pointer.value(), field.value()]).toEqual([undefined, undefined]);
  });

  it('runs cleanups of one target in the order of registration', async () => {
    away(() => {
      const target = new Resource();
      for (let i = 0; i < 100; i++) addCleanup(target, note, i);
    });
    await gcUntil(() => called.length >= 100, 'called');
    expect(called).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it('runs those of an earlier GC first', () => {
    const old = away(() => {
      const targets = Array.from({ length: 2_000 }, (_, id) => new Resource(id));
      const cleanups = targets.map((target) => addCleanup(target, note, 'old'));
      minorGc();
      minorGc();
      return cleanups;
    });
    die(old);
    const young = register(2_000, () => note('young'));
    minorGc();
    minorGc();
    die(young);
    queue.drain();
    expect(called.indexOf('young')).toBe(2_000);
    expect(called.lastIndexOf('old')).toBe(1_999);
  });

  it('runs after minor GCs, too', async () => {
    const { majorGcs } = binding.stats();
    const cleanups = register(100);
    minorGc();
    minorGc();
    const dead = cleanups.filter((cleanup) => cleanup.state === 'queued').length;
    await until(() => called.length >= dead, 'called');
    if (!stressed) {
      expect(dead).toBeGreaterThan(90);
      expect(binding.stats().majorGcs).toBe(majorGcs);
    }
  });

  it('reuses records: churn needs no more of them', async () => {
    for (let round = 0; round < 30; round++) {
      register(2_000);
      await gcUntil(() => queue.stats().armed < 100 && queue.stats().pending === 0, 'called');
    }
    expect(called.length).toBeGreaterThanOrEqual(59_000);
  });

  it('may be called from a cleanup', async () => {
    away(() => addCleanup(new Resource(), () => away(() => addCleanup(new Resource(), note, 'second'))));
    await gcUntil(() => called.length > 0, 'second called');
    expect(called).toEqual(['second']);
  });

  it('may force a GC from a cleanup', async () => {
    register(2_000, (id) => {
      if (id % 500 === 0) majorGc();
      note(id);
    });
    await gcUntil(() => called.length >= 2_000, 'called');
    expect(new Set(called).size).toBe(2_000);
  });
});

describe('Cleanup', () => {
  it('goes from armed over queued to done', () => {
    const cleanup: Cleanup = away(() => {
      const resource = new Resource();
      const made = addCleanup(resource, () => called.push(cleanup.state));
      expect(made.state).toBe('armed');
      keepAlive(resource);
      return made;
    });
    die([cleanup]);
    expect(cleanup.state).toBe('queued');
    queue.drain();
    expect(cleanup.state).toBe('done');
    expect(called).toEqual(['done']);
    expect(cleanup.stop()).toBe(false);
    expect(cleanup.state).toBe('done');
  });

  it('stop prevents the call of an armed one, once', async () => {
    const { stopped } = queue.stats();
    const cleanups = register(100);
    expect(cleanups.map((cleanup) => cleanup.stop())).toEqual(cleanups.map(() => true));
    expect(cleanups.map((cleanup) => cleanup.stop())).toEqual(cleanups.map(() => false));
    expect(cleanups.every((cleanup) => cleanup.state === 'stopped')).toBe(true);
    expect(queue.stats().stopped - stopped).toBe(100);
    majorGc();
    await turn();
    queue.drain();
    expect(called).toEqual([]);
  });

  it('stop prevents the call of one that is due already', () => {
    const cleanups = register(1_000);
    die(cleanups);
    const halves = cleanups.map((cleanup, i) => (i % 2 === 0 ? cleanup.stop() : null));
    expect(halves.filter((prevented) => prevented === true).length).toBe(500);
    expect(queue.stats().pending + queue.stats().armed).toBe(500);
    queue.drain();
    expect(called.length).toBe(500);
    expect(called.every((id) => (id as number) % 2 === 1)).toBe(true);
    expect(cleanups[0]?.state).toBe('stopped');
    expect(cleanups[1]?.state).toBe('done');
  });

  it('stop works from inside another cleanup, on those behind it', () => {
    const cleanups = register(100, (id) => {
      note(id);
      for (const other of cleanups) other.stop();
    });
    die(cleanups);
    queue.drain();
    expect(called.length).toBe(1);
    expect(cleanups.filter((cleanup) => cleanup.state === 'stopped').length).toBe(99);
  });

  it('stop lets go of fn and arg at once, armed or due', async () => {
    for (const due of [false, true]) {
      const { cleanup, arg } = away(() => {
        const argument = {};
        return { cleanup: addCleanup(new Resource(), note, argument), arg: make(argument) };
      });
      if (due) die([cleanup]);
      expect(cleanup.stop()).toBe(true);
      await gcUntil(() => !arg.alive, 'let go');
    }
  });

  it('stop in the middle of those of one target keeps the order of the others', async () => {
    away(() => {
      const target = new Resource();
      const cleanups = Array.from({ length: 10 }, (_, i) => addCleanup(target, note, i));
      for (const i of [0, 4, 9, 5]) cleanups[i]?.stop();
      expect(records.verify()).toBe(null);
      addCleanup(target, note, 10);
    });
    await gcUntil(() => called.length >= 7, 'called');
    expect(called).toEqual([1, 2, 3, 6, 7, 8, 10]);
  });

  it('never means another registration, when its record is used again', async () => {
    const first = register(1_000);
    for (const cleanup of first) cleanup.stop();
    const second = register(1_000);
    expect(first.some((cleanup) => cleanup.stop())).toBe(false);
    expect(second.every((cleanup) => cleanup.state === 'armed' || cleanup.state === 'queued')).toBe(true);
    await gcUntil(() => called.length >= 1_000, 'called');
    expect(first.every((cleanup) => cleanup.state === 'stopped')).toBe(true);
    expect(second.every((cleanup) => cleanup.state === 'done')).toBe(true);
  });

  it('is disposable: using stops it', () => {
    const target = new Resource();
    const cleanup = addCleanup(target, note, 1);
    cleanup[Symbol.dispose]();
    expect(cleanup.state).toBe('stopped');
    expect(target.id).toBe(0);
  });

  it('holds neither target nor argument', async () => {
    const cleanups = register(10);
    await gcUntil(() => called.length >= 10, 'called');
    expect(cleanups.every((cleanup) => cleanup.state === 'done')).toBe(true);
  });

  it('cannot be constructed, and its methods refuse foreign receivers', () => {
    const target = {};
    const cleanup = addCleanup(target, note, 1);
    const Constructor = cleanup.constructor as new () => unknown;
    expect(() => new Constructor()).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_CONSTRUCTOR' }));
    const prototype = Object.getPrototypeOf(cleanup) as Cleanup;
    const state = Object.getOwnPropertyDescriptor(prototype, 'state')?.get as () => unknown;
    for (const receiver of [{}, null, 1, Object.create(cleanup)]) {
      expect(() => prototype.stop.call(receiver as never)).toThrow(
        expect.objectContaining({ code: 'ERR_WEAKLY_RECEIVER' }),
      );
      expect(() => prototype[Symbol.dispose].call(Object.assign(Object(receiver), { stop: note }))).toThrow(
        expect.objectContaining({ code: 'ERR_WEAKLY_RECEIVER' }),
      );
      expect(() => state.call(receiver)).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_RECEIVER' }));
    }
    cleanup.stop();
    expect(Object.keys(target)).toEqual([]);
  });
});

describe('errors thrown by cleanups', () => {
  it('are reported each, and the others still run', async () => {
    const { failed } = queue.stats();
    register(100, (id) => {
      if (id % 10 === 0) throw new Error(`no ${id}`);
      note(id);
    });
    await gcUntil(() => called.length >= 90, 'called');
    await until(() => errors.length >= 10, 'reported');
    expect(errors.length).toBe(10);
    expect(queue.stats().failed - failed).toBe(10);
  });

  it('of drain() are reported, not thrown', () => {
    die(
      register(3, () => {
        throw new Error('thrown');
      }),
    );
    expect(queue.drain()).toBe(3);
    expect(errors.length).toBe(3);
  });
});

describe('bad input', () => {
  const target = { a: 1 };
  const standIn = finalizable({ b: 1 }, () => undefined);
  setFinalizer(standIn, null);
  const BOTH = Object.assign(Object.create(null) as object, { atExit: false, asyncContext: true });
  const cases: [string, string, () => unknown][] = [
    ['a primitive target', 'ERR_WEAKLY_TARGET', () => addCleanup(1 as never, note, 1)],
    ['null', 'ERR_WEAKLY_TARGET', () => addCleanup(null as never, note, 1)],
    ['a registered symbol', 'ERR_WEAKLY_TARGET', () => addCleanup(Symbol.for('x'), note, 1)],
    ['no function', 'ERR_WEAKLY_CALLBACK', () => addCleanup(target, undefined as never, 1)],
    ['an object for a function', 'ERR_WEAKLY_CALLBACK', () => addCleanup(target, {} as never, 1)],
    ['arg === target', 'ERR_WEAKLY_CLEANUP_HOLDS_TARGET', () => addCleanup(target, note, target)],
    [
      'arg === target, a symbol',
      'ERR_WEAKLY_CLEANUP_HOLDS_TARGET',
      () => {
        const s = Symbol('s');
        addCleanup(s, note, s);
      },
    ],
    ['fn === target', 'ERR_WEAKLY_CLEANUP_HOLDS_TARGET', () => addCleanup(note, note, 1)],
    [
      'a Field of the target as arg',
      'ERR_WEAKLY_CLEANUP_HOLDS_TARGET',
      () => addCleanup(target, note, makeField(target, 'a').value()),
    ],
    ['a stand-in as its own arg', 'ERR_WEAKLY_CLEANUP_HOLDS_TARGET', () => addCleanup(standIn, note, standIn)],
    ['options as arg', 'ERR_WEAKLY_OPTION', () => addCleanup(target, () => {}, { atExit: true } as never)],
    [
      'the other option as arg',
      'ERR_WEAKLY_OPTION',
      () => addCleanup(target, () => {}, { asyncContext: false } as never),
    ],
    ['both options as arg', 'ERR_WEAKLY_OPTION', () => addCleanup(target, () => {}, BOTH as never)],
    ['options that are no object', 'ERR_WEAKLY_OPTION', () => addCleanup(target, note, 1, true as never)],
    ['options null', 'ERR_WEAKLY_OPTION', () => addCleanup(target, note, 1, null as never)],
    ['an unknown option', 'ERR_WEAKLY_OPTION', () => addCleanup(target, note, 1, { atexit: true } as never)],
    ['an option of the wrong type', 'ERR_WEAKLY_OPTION', () => addCleanup(target, note, 1, { atExit: 1 } as never)],
  ];

  it.each(cases)('%s throws %s and registers nothing', (_what, code, attempt) => {
    const before = queue.stats().armed;
    expect(attempt).toThrow(expect.objectContaining({ name: 'TypeError', code }));
    expect(queue.stats().armed).toBe(before);
    expect(standIn.b + target.a).toBe(2);
  });

  it.each<[string, (...args: never) => unknown, unknown, object?]>([
    ['for a function that takes an argument', (options: unknown) => options, { atExit: true }],
    ['that are none: one is unknown', () => {}, { atExit: true, port: 1 }],
    ['that are none: of another type', () => {}, { atExit: 1 }],
    ['that are empty', () => {}, {}],
    ['of a class', () => {}, Object.assign(new Resource(), { atExit: true })],
    ['with options behind', () => {}, { atExit: true }, {}],
  ])('takes an arg that looks like options %s', (_what, fn, arg, options) => {
    const cleanup = addCleanup(target, fn as never, arg as never, options);
    expect(cleanup.state).toBe('armed');
    expect(cleanup.stop()).toBe(true);
  });

  it('an argument that is a proxy is asked for nothing, and may be revoked', () => {
    const asked: (string | symbol)[] = [];
    const { proxy, revoke } = Proxy.revocable(
      {},
      {
        has: (_, key) => {
          asked.push(key);
          return true;
        },
      },
    );
    const target = {};
    expect(addCleanup(target, () => undefined, proxy).stop()).toBe(true);
    expect(asked).toEqual([]);
    revoke();
    expect(addCleanup(target, () => undefined, proxy).stop()).toBe(true);
  });

  it('out of memory registers nothing', () => {
    const { armed } = queue.stats();
    binding.testing.setLimits(0, 2 ** 30 - 1);
    const kept: Cleanup[] = [];
    const target = {};
    let error: unknown;
    try {
      for (let i = 0; i < 1_000_000; i++) kept.push(addCleanup(target, note, i));
    } catch (thrown) {
      error = thrown;
    } finally {
      binding.testing.setLimits(2 ** 28, 2 ** 30 - 1);
    }
    expect(error).toMatchObject({ code: 'ERR_WEAKLY_MEMORY' });
    expect(queue.stats().armed).toBe(armed + kept.length);
    expect(records.verify()).toBe(null);
    for (const cleanup of kept) expect(cleanup.stop()).toBe(true);
    expect(queue.stats().armed).toBe(armed);
    expect(kept.length).toBeGreaterThan(0);
    keepAlive(target);
  });
});

describe('the asynchronous context', () => {
  const storage = new AsyncLocalStorage<string>();

  it('of the registration is entered when asked for', async () => {
    away(() =>
      storage.run('mine', () =>
        addCleanup(new Resource(), () => note(storage.getStore()), undefined, { asyncContext: true }),
      ),
    );
    await gcUntil(() => called.length > 0, 'called');
    expect(called).toEqual(['mine']);
  });

  it('is none otherwise, also in drain()', async () => {
    const register10 = (): Cleanup[] => storage.run('theirs', () => register(10, () => note(storage.getStore())));
    register10();
    await gcUntil(() => called.length >= 10, 'called');
    const cleanups = register10();
    die(cleanups);
    storage.run('drainer', () => queue.drain());
    expect(called).toEqual(Array.from({ length: 20 }, () => undefined));
  });

  it('does not leak from one cleanup into the next', async () => {
    register(10, (id) => {
      note(storage.getStore());
      storage.enterWith(`left by ${id}`);
    });
    await gcUntil(() => called.length >= 10, 'called');
    die(
      register(10, (id) => {
        note(storage.getStore());
        storage.enterWith(`left by ${id}`);
      }),
    );
    storage.run('drainer', () => {
      queue.drain();
      expect(storage.getStore()).toBe('drainer');
    });
    expect(called).toEqual(Array.from({ length: 20 }, () => undefined));
  });

  it('does not leak between the calls of one fast function, which are timed together', () => {
    // More than it takes until they are: see span.ts.
    die(
      register(600, (id) => {
        note(storage.getStore());
        if (id % 7 === 0) storage.enterWith(`left by ${id}`);
      }),
    );
    storage.run('drainer', () => queue.drain());
    expect(called).toEqual(Array.from({ length: 600 }, () => undefined));
  });

  it('of a stopped cleanup is let go', async () => {
    const store = away(() => {
      const value = { big: true };
      new AsyncLocalStorage<object>().run(value, () => {
        const target = new Resource();
        addCleanup(target, note, 1, { asyncContext: true }).stop();
      });
      return make(value);
    });
    await gcUntil(() => !store.alive, 'let go');
  });
});
