import { EventEmitter, getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import { MessageChannel } from 'node:worker_threads';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { binding } from '../../lib/binding.js';
import { WeakCache } from '../../lib/collections/index.js';
import { addWeakListener, WeakListener } from '../../lib/events/index.js';
import { addCleanup, type Cleanup, finalizable, keepAlive, make, queue } from '../../lib/index.js';
import { away, gcUntil, majorGc, turn, verify } from '../support/gc.js';

afterEach(verify);

class Owner {
  readonly heard: unknown[] = [];
}

type Target = EventEmitter | EventTarget;

interface Source {
  readonly create: () => Target;
  readonly fire: (target: Target, type?: string) => void;
  readonly count: (target: Target, type?: string) => number;
}

const emitter: Source = {
  create: () => new EventEmitter(),
  fire: (target, type = 'event') => void (target as EventEmitter).emit(type, 1, 2),
  count: (target, type = 'event') => (target as EventEmitter).listenerCount(type),
};
const eventTarget: Source = {
  create: () => new EventTarget(),
  fire: (target, type = 'event') => void (target as EventTarget).dispatchEvent(new Event(type)),
  count: (target, type = 'event') => getEventListeners(target as EventTarget, type).length,
};

function add(target: Target, owner: object, options?: object, listener = hear, type = 'event'): WeakListener {
  return addWeakListener(target as EventEmitter, type, owner, listener as never, options as never);
}

function hear(owner: Owner, ...args: unknown[]): void {
  owner.heard.push(args.length);
}

/** Nothing has been left. What earlier tests have left may have died since. */
function expectNoMore(armed: number): void {
  expect(binding.stats().armed).toBeLessThanOrEqual(armed);
}

describe.each([
  ['an EventEmitter', emitter],
  ['an EventTarget', eventTarget],
])('a weak listener of %s', (name, { create, fire, count }) => {
  it('is called with its owner, what the event has, and the `this` of any listener', () => {
    const [target, owner] = [create(), new Owner()];
    const seen: unknown[] = [];
    add(target, owner, undefined, function (this: unknown, ...args: unknown[]) {
      seen.push(this, ...args);
    } as never);
    fire(target);
    expect(seen.slice(0, 2)).toEqual([target, owner]);
    expect(seen[1]).toBe(owner);
    expect(seen.slice(2)).toEqual(name === 'an EventEmitter' ? [1, 2] : [expect.any(Event)]);
  });

  it('is called again and again, in the order of listeners', () => {
    const [target, owner] = [create(), new Owner()];
    const order: number[] = [];
    for (const n of [1, 2, 3]) add(target, owner, undefined, () => void order.push(n));
    fire(target);
    fire(target);
    fire(target, 'other');
    expect(order).toEqual([1, 2, 3, 1, 2, 3]);
  });

  it('goes when its owner dies, and keeps it not alive', async () => {
    const target = create();
    // No spy, which would hold what it was called with.
    let called = 0;
    const owner = away(() => {
      const made = new Owner();
      add(target, made, undefined, () => void called++);
      fire(target);
      return make(made);
    });
    expect(called).toBe(1);
    await gcUntil(() => !owner.alive, 'dead');
    // Not yet removed, perhaps: and not called.
    fire(target);
    expect(called).toBe(1);
    await queue.settled();
    expect(count(target)).toBe(0);
  });

  it('does not keep its target alive, nor what is left of it on a long-lived owner', async () => {
    const owner = new Owner();
    const { armed, live } = binding.stats();
    const targets = away(() =>
      Array.from({ length: 100 }, () => {
        const target = create();
        add(target, owner);
        return make(target);
      }),
    );
    await gcUntil(() => targets.every((target) => !target.alive), 'dead');
    await gcUntil(() => binding.stats().armed <= armed && binding.stats().live <= live + 10, 'nothing is left');
    keepAlive(owner);
  });

  it('does not keep its owner alive by its own handle, or the target by that', async () => {
    const listeners: WeakListener[] = [];
    const pointers = away(() => {
      const [target, owner] = [create(), new Owner()];
      listeners.push(add(target, owner));
      return [make(target), make(owner)];
    });
    await gcUntil(() => pointers.every((pointer) => !pointer.alive), 'dead');
    await queue.settled();
    expect(listeners.map((listener) => inspect(listener))).toEqual(['WeakListener { removed }']);
    listeners[0]?.remove();
  });

  it('stays as long as its owner lives', async () => {
    const [target, owner] = [create(), new Owner()];
    add(target, owner);
    for (let i = 0; i < 5; i++) {
      majorGc();
      await turn();
    }
    fire(target);
    expect(owner.heard.length).toBe(1);
  });

  it('may belong to its target', async () => {
    const pointer = away(() => {
      const target = create();
      let called = 0;
      add(target, target, undefined, () => void called++);
      fire(target);
      expect(called).toBe(1);
      return make(target);
    });
    await gcUntil(() => !pointer.alive, 'dead');
    await queue.settled();
  });

  it('once: is removed before its first call', () => {
    const [target, owner] = [create(), new Owner()];
    let called = 0;
    const listener = add(target, owner, { once: true }, () => {
      called++;
      expect(count(target)).toBe(0);
      if (called < 5) fire(target);
    });
    expect(inspect(listener)).toBe('WeakListener { added }');
    fire(target);
    fire(target);
    expect(called).toBe(1);
    expect(inspect(listener)).toBe('WeakListener { removed }');
  });

  it('once: is called once, whoever emits in the middle', () => {
    const [target, owner] = [create(), new Owner()];
    let depth = 0;
    add(target, owner, undefined, () => {
      if (depth++ === 0) fire(target);
    });
    add(target, owner, { once: true });
    fire(target);
    fire(target);
    expect([owner.heard.length, count(target)]).toEqual([1, 1]);
  });

  it('signal: one that is aborted while it is added, by what the target calls, leaves nothing', () => {
    const [target, owner] = [create(), new Owner()];
    const { armed } = binding.stats();
    const controller = new AbortController();
    const name = target instanceof EventEmitter ? 'on' : 'addEventListener';
    const original = Reflect.get(target, name) as (...args: unknown[]) => unknown;
    Object.assign(target, {
      [name](...args: unknown[]) {
        controller.abort();
        return Reflect.apply(original, target, args);
      },
    });
    const listener = add(target, owner, { signal: controller.signal });
    fire(target);
    expect([owner.heard, count(target), inspect(listener)]).toEqual([[], 0, 'WeakListener { removed }']);
    expectNoMore(armed);
  });

  it('signal: what the removal of one throws keeps no other from being told', async () => {
    const [target, other, owner] = [create(), create(), new Owner()];
    const error = new Error('thrown on purpose');
    const failing = (): never => {
      throw error;
    };
    Object.assign(target, { removeListener: failing, removeEventListener: failing });
    const controller = new AbortController();
    const { signal } = controller;
    add(target, owner, { signal });
    add(other, owner, { signal });
    const waiting = new WeakCache<string, object>({ max: 1 }).fetch('a', () => new Promise(() => undefined), {
      signal,
    });
    const uncaught = vi.fn();
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', uncaught);
    controller.abort(new Error('given up'));
    await expect(waiting).rejects.toThrow('given up');
    await turn();
    for (const listener of listeners) process.on('uncaughtException', listener);
    expect([count(other), uncaught.mock.calls.length]).toEqual([0, 1]);
  });

  it('signal: is removed when that is aborted, and leaves nothing on it when it goes before', async () => {
    const [target, owner] = [create(), new Owner()];
    const controller = new AbortController();
    const { signal } = controller;
    const first = add(target, owner, { signal });
    add(target, owner, { signal });
    expect(getEventListeners(signal, 'abort').length).toBe(1);
    first.remove();
    expect([count(target), getEventListeners(signal, 'abort').length]).toEqual([1, 1]);
    controller.abort();
    expect(count(target)).toBe(0);
    fire(target);
    expect(owner.heard).toEqual([]);
    const other = new AbortController();
    add(target, owner, { signal: other.signal }).remove();
    add(target, owner, { signal: other.signal, once: true });
    fire(target);
    away(() => add(target, new Owner(), { signal: other.signal }));
    await gcUntil(() => getEventListeners(other.signal, 'abort').length === 0, 'nothing is left');
    expect(count(target)).toBe(0);
  });

  it('signal: one that is aborted already adds nothing', () => {
    const [target, owner] = [create(), new Owner()];
    const { armed } = binding.stats();
    const listener = add(target, owner, { signal: AbortSignal.abort() });
    expect([count(target), inspect(listener)]).toEqual([0, 'WeakListener { removed }']);
    expectNoMore(armed);
    listener.remove();
  });

  it('signal: is not kept alive', async () => {
    const [target, owner] = [create(), new Owner()];
    const signal = away(() => {
      const controller = new AbortController();
      add(target, owner, { signal: controller.signal });
      return make(controller.signal);
    });
    await gcUntil(() => !signal.alive, 'dead');
    fire(target);
    expect(owner.heard.length).toBe(1);
  });

  it('remove(): at once, more than once, and by `using`', () => {
    const [target, owner] = [create(), new Owner()];
    const { armed } = binding.stats();
    const listener = add(target, owner);
    const other = add(target, owner);
    listener.remove();
    listener.remove();
    expect([count(target), inspect(listener), inspect(other)]).toEqual([1, 'WeakListener { removed }', 'WeakListener { added }']); // biome-ignore format: one line
    other[Symbol.dispose]();
    expect(count(target)).toBe(0);
    expectNoMore(armed);
    fire(target);
    expect(owner.heard).toEqual([]);
  });

  it('what it throws is no other’s', () => {
    const [target, owner] = [create(), new Owner()];
    const error = new Error('thrown on purpose');
    const failing = (): never => {
      throw error;
    };
    add(target, owner, undefined, failing);
    if (name === 'an EventEmitter') expect(() => fire(target)).toThrow(error);
    else {
      const uncaught = vi.fn();
      const listeners = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      process.once('uncaughtException', uncaught);
      fire(target);
      return turn().then(() => {
        for (const listener of listeners) process.on('uncaughtException', listener);
        expect(uncaught).toHaveBeenCalledWith(error, 'uncaughtException');
      });
    }
    return undefined;
  });

  it('a target whose own methods throw adds nothing, and says so', () => {
    const [target, owner] = [create(), new Owner()];
    const error = new Error('thrown on purpose');
    const failing = (): never => {
      throw error;
    };
    Object.assign(target, name === 'an EventEmitter' ? { on: failing } : { addEventListener: failing });
    const { armed } = binding.stats();
    const { signal } = new AbortController();
    expect(() => add(target, owner, { signal })).toThrow(error);
    expect(getEventListeners(signal, 'abort').length).toBe(0);
    expectNoMore(armed);
  });

  it('a target that throws when it has added it is left without it', () => {
    const [target, owner] = [create(), new Owner()];
    const error = new Error('thrown on purpose');
    const name = target instanceof EventEmitter ? 'on' : 'addEventListener';
    const original = Reflect.get(target, name) as (...args: unknown[]) => unknown;
    Object.assign(target, {
      [name](...args: unknown[]) {
        Reflect.apply(original, target, args);
        throw error;
      },
    });
    expect(() => add(target, owner)).toThrow(error);
    expect(count(target)).toBe(0);
  });

  it('without memory adds nothing, and says so', () => {
    const [target, owner] = [create(), new Owner()];
    const { armed } = binding.stats();
    binding.testing.refuseCells(true);
    try {
      expect(() => add(target, owner)).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_MEMORY' }));
    } finally {
      binding.testing.refuseCells(false);
    }
    expect(count(target)).toBe(0);
    expectNoMore(armed);
    add(target, owner);
    expect(count(target)).toBe(1);
  });

  it('without memory for the second of its cleanups leaves nothing of the first', () => {
    const [target, owner] = [create(), new Owner()];
    const others: Cleanup[] = [];
    binding.testing.refuseMemory(1e6);
    try {
      // All cells but one are in use.
      expect(() => {
        for (;;) others.push(addCleanup(target, () => undefined));
      }).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_MEMORY' }));
      others.pop()?.stop();
      const { armed } = binding.stats();
      expect(() => add(target, owner)).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_MEMORY' }));
      expectNoMore(armed);
    } finally {
      binding.testing.refuseMemory(0);
      for (const other of others) other.stop();
    }
    expect(count(target)).toBe(0);
  });

  it('takes owners of every kind', () => {
    const target = create();
    const owners: object[] = [() => undefined, class {}, [], new Proxy({}, {}), Object.freeze({}), finalizable({}, () => undefined)];
    const seen: unknown[] = [];
    for (const owner of owners) add(target, owner, undefined, (its: unknown) => void seen.push(its));
    const symbol = Symbol('owner');
    add(target, symbol as never, undefined, (its: unknown) => void seen.push(its));
    fire(target);
    expect(seen.length).toBe(owners.length + 1);
    for (const [i, owner] of [...owners, symbol].entries()) expect(seen[i] === owner).toBe(true);
  }); // biome-ignore format: one line each
});

describe('of an EventEmitter', () => {
  it('off() removes it by what was passed, and listeners() has that', async () => {
    const [target, owner] = [new EventEmitter(), new Owner()];
    const { armed } = binding.stats();
    add(target, owner);
    expect(target.listeners('event')).toEqual([hear]);
    target.off('event', hear);
    expect(target.listenerCount('event')).toBe(0);
    await gcUntil(() => binding.stats().armed <= armed, 'nothing is left');
    add(target, owner);
    target.removeAllListeners();
    await gcUntil(() => binding.stats().armed <= armed, 'nothing is left');
    keepAlive(owner);
  });

  it('newListener and removeListener tell of what was passed', () => {
    const [target, owner] = [new EventEmitter(), new Owner()];
    const told: unknown[] = [];
    target.on('newListener', (type, listener) => told.push(['new', type, listener]));
    target.on('removeListener', (type, listener) => told.push(['removed', type, listener]));
    add(target, owner).remove();
    expect(told).toEqual([
      ['new', 'removeListener', expect.any(Function)],
      ['new', 'event', hear],
      ['removed', 'event', hear],
    ]);
  });

  it('symbols are types, too; what it returns is what the emitter gets', async () => {
    const [target, owner, type] = [new EventEmitter({ captureRejections: true }), new Owner(), Symbol('type')];
    const error = new Error('thrown on purpose');
    const errors: unknown[] = [];
    target.on('error', (caught) => errors.push(caught));
    addWeakListener(target, type, owner, async () => {
      throw error;
    });
    target.emit(type);
    await turn();
    expect(errors).toEqual([error]);
  });

  it('has no capture phase', () => {
    expect(() => add(new EventEmitter(), {}, { capture: true })).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_OPTION', message: expect.stringContaining('no capture phase') }),
    );
    expect(inspect(add(new EventEmitter(), {}, { capture: false }))).toBe('WeakListener { added }');
  });

  it('is what has `on`, also if it is an EventTarget', async () => {
    const { port1, port2 } = new MessageChannel();
    const owner = new Owner();
    const heard = new Promise((resolve) => addWeakListener(port1, 'message', owner, (_owner, value) => resolve(value)));
    port2.postMessage('text');
    expect(await heard).toBe('text');
    port1.close();
    await turn();
  });
});

describe('of an EventTarget', () => {
  it('capture: the phase in which it is called, and from which it is removed', () => {
    const calls: unknown[][] = [];
    class Recording extends EventTarget {
      override addEventListener(...args: unknown[]): void {
        calls.push(['add', ...args]);
        Reflect.apply(super.addEventListener, this, args);
      }

      override removeEventListener(...args: unknown[]): void {
        calls.push(['remove', ...args]);
        Reflect.apply(super.removeEventListener, this, args);
      }
    }
    const [target, owner] = [new Recording(), new Owner()];
    for (const capture of [true, false]) {
      const listener = add(target, owner, { capture });
      expect(getEventListeners(target, 'event').length).toBe(1);
      listener.remove();
      expect(getEventListeners(target, 'event').length).toBe(0);
    }
    const wrapper = expect.any(Function);
    expect(calls).toEqual([
      ['add', 'event', wrapper, { capture: true }],
      ['remove', 'event', wrapper, { capture: true }],
      ['add', 'event', wrapper, { capture: false }],
      ['remove', 'event', wrapper, { capture: false }],
    ]);
  });

  it('an AbortSignal is one', () => {
    const controller = new AbortController();
    const owner = new Owner();
    addWeakListener(controller.signal, 'abort', owner, (self, event) => self.heard.push(event.type));
    controller.abort();
    expect(owner.heard).toEqual(['abort']);
  });
});

describe('addWeakListener refuses', () => {
  const good = (): unknown[] => [new EventEmitter(), 'event', {}, () => undefined, {}];
  const fn = (): void => undefined;
  const signal = new AbortController();
  it.each<[string, number, unknown, string, string]>([
    ['no target', 0, undefined, 'ERR_WEAKLY_TARGET', '"target" to be an EventEmitter or an EventTarget, got undefined'],
    ['null', 0, null, 'ERR_WEAKLY_TARGET', 'got null'],
    ['a plain object', 0, {}, 'ERR_WEAKLY_TARGET', 'got an object'],
    ['half an emitter', 0, { on: fn }, 'ERR_WEAKLY_TARGET', 'got an object'],
    ['half an EventTarget', 0, { addEventListener: fn, removeEventListener: 1 }, 'ERR_WEAKLY_TARGET', 'got an object'],
    ['a string', 0, 'emitter', 'ERR_WEAKLY_TARGET', 'got the string "emitter"'],
    ['no type', 1, undefined, 'ERR_WEAKLY_ARGUMENT', '"type" to be a string or a symbol, got undefined'],
    ['a number for a type', 1, 5, 'ERR_WEAKLY_ARGUMENT', 'got the number 5'],
    ['no owner', 2, undefined, 'ERR_WEAKLY_TARGET', 'argument "owner" to be an object, a function or a non-registered symbol, got undefined'],
    ['a string for an owner', 2, 'me', 'ERR_WEAKLY_TARGET', '"owner"'],
    ['a registered symbol for an owner', 2, Symbol.for('me'), 'ERR_WEAKLY_TARGET', '"owner"'],
    ['no listener', 3, undefined, 'ERR_WEAKLY_CALLBACK', '"listener" to be a function, got undefined'],
    ['an object for a listener', 3, { handleEvent: fn }, 'ERR_WEAKLY_CALLBACK', 'got an object'],
    ['null for options', 4, null, 'ERR_WEAKLY_OPTION', 'got null'],
    ['true for options', 4, true, 'ERR_WEAKLY_OPTION', 'got the boolean true'],
    ['an unknown option', 4, { passive: true }, 'ERR_WEAKLY_OPTION', 'unknown option passive'],
    ['a number for once', 4, { once: 1 }, 'ERR_WEAKLY_OPTION', '"once" to be a boolean'],
    ['a controller for a signal', 4, { signal }, 'ERR_WEAKLY_OPTION', 'got an AbortController; pass its "signal"'],
    ['a string for a signal', 4, { signal: 'abort' }, 'ERR_WEAKLY_OPTION', '"signal" to be an AbortSignal'],
  ])('%s', (_, place, value, code, message) => {
    const args = good();
    args[place] = value;
    expect(() => Reflect.apply(addWeakListener, undefined, args)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
    expect((good()[0] as EventEmitter).listenerCount('event')).toBe(0);
  }); // biome-ignore format: a table

  it('symbols as types of an EventTarget', () => {
    expect(() => Reflect.apply(addWeakListener, undefined, [new EventTarget(), Symbol('type'), {}, fn])).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_ARGUMENT', message: expect.stringContaining('"type" to be a string, got') }),
    );
  }); // biome-ignore format: one line

  it('a listener that is its owner', () => {
    expect(() => add(new EventEmitter(), fn, {}, fn)).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_CLEANUP_HOLDS_TARGET' }),
    );
  });
});

describe('WeakListener', () => {
  it('cannot be constructed, and refuses foreign receivers', () => {
    expect(() => new (WeakListener as never as new () => unknown)()).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_CONSTRUCTOR' }),
    );
    const { prototype } = WeakListener;
    for (const method of [prototype.remove, prototype[Symbol.dispose]])
      for (const foreign of [undefined, {}, prototype])
        expect(() => Reflect.apply(method, foreign, [])).toThrow(
          expect.objectContaining({ code: 'ERR_WEAKLY_RECEIVER' }),
        );
    expect(String(add(new EventEmitter(), {}))).toMatch(/^\[object WeakListener #\d+\]$/);
  });
});
