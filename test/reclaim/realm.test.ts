import { type Context, createContext, runInContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import {
  addCleanup,
  type Cleanup,
  finalizable,
  keepAlive,
  make,
  type Pointer,
  queue,
  setFinalizer,
} from '../../lib/index.js';
import { verify as verifyRecords } from '../../lib/reclaim/records.js';
import { away, gcUntil, majorGc, turn, verify } from '../support/gc.js';

/* What code of a node:vm context registers is held by that context, and by nothing else. */

const called: unknown[] = [];
const note = (what: unknown): unknown => called.push(what);

afterEach(() => {
  called.length = 0;
  verify();
  expect(verifyRecords()).toBeNull();
});

function contextWith(code: string, more: object = {}): Context {
  const context = createContext({ addCleanup, finalizable, setFinalizer, queue, note, ...more });
  runInContext(code, context);
  return context;
}

const target = {};

const codes: Record<string, string> = {
  'a cleanup of a target that lives in it': 'this.o = {}; addCleanup(o, () => note(o), 1)',
  'a cleanup of a target outside of it': 'addCleanup(target, () => note(1))',
  'a cleanup of its global object': 'addCleanup(globalThis, Date.now)',
  'an argument': 'this.o = {}; addCleanup(o, note, [])',
  options: 'this.o = {}; addCleanup(o, () => note(o), [], { atExit: true, asyncContext: true })',
  'an async cleanup': 'this.o = {}; addCleanup(o, async () => note(o), 1)',
  'a finalizer': 'this.o = finalizable({}, () => note(o))',
  'another finalizer': 'this.o = finalizable({}, note); setFinalizer(o, () => note(o))',
  'a cleanup with a trace':
    'queue.configure({ traceRegistrations: true }); addCleanup(target, () => note(o)); queue.configure({ traceRegistrations: false })',
};

describe('a node:vm context', () => {
  it.each(Object.entries(codes))('is collected, although its code has registered %s', async (_what, code) => {
    const before = queue.stats().armed;
    const pointers = away(() => Array.from({ length: 40 }, () => make(contextWith(code, { target }))));
    await gcUntil(() => pointers.every(({ alive }) => !alive), 'all contexts are dead');
    // A target outside lives on, and has what is registered for it, although that is never called.
    await gcUntil(() => code.includes('target') || queue.stats().armed <= before, 'no more registered');
    expect(called).toEqual([]);
  });

  it('is collected, although it has set onError', async () => {
    const pointer = away(() => make(contextWith('queue.configure({ onError: note })')));
    const other = away(() => make(contextWith('queue.configure({ onError: (error) => note(error) })')));
    await gcUntil(() => !pointer.alive && !other.alive, 'dead');
    queue.configure({ onError: null });
  });

  it('that is held has its cleanups called, whoever holds their targets', async () => {
    const context = contextWith('addCleanup({}, (what) => note(what), "mine"); addCleanup({}, note, ["arg"])');
    await gcUntil(() => called.length === 2, 'called');
    expect(called).toEqual(['mine', ['arg']]);
    keepAlive(context);
  });

  it('of which only a function is held has its cleanups called', async () => {
    const held = away(
      () => runInContext('addCleanup({}, (what) => note(what), "mine"); () => 1', contextWith('')) as () => 1,
    );
    await gcUntil(() => called.length === 1, 'called');
    expect(called).toEqual(['mine']);
    expect(held()).toBe(1);
  });

  it('that is held has its finalizers called, with a stand-in of the same target', async () => {
    const context = contextWith('finalizable({ name: "mine" }, ({ name }) => note(name))');
    await gcUntil(() => called.length === 1, 'called');
    expect(called).toEqual(['mine']);
    keepAlive(context);
  });

  it('that is gone with a finalizer leaves its target, which lives, free for another', async () => {
    const before = queue.stats().armed;
    const target = { name: 'outside' };
    const context = away(() => make(contextWith('this.o = finalizable(target, () => note("gone"))', { target })));
    await gcUntil(() => !context.alive, 'the context is dead');
    await gcUntil(() => queue.stats().pending === 0 && queue.stats().armed <= before, 'nothing is due');
    away(() => finalizable(target, ({ name }) => note(name)));
    await gcUntil(() => called.length > 0, 'called');
    expect(called).toEqual(['outside']);
  });

  it('that is gone with finalizers is in the way of none that is set for others', async () => {
    const before = queue.stats().armed;
    const contexts = away(() =>
      Array.from({ length: 20 }, () =>
        make(contextWith('this.all = Array.from({ length: 50 }, () => finalizable({}, () => note("gone")))')),
      ),
    );
    await gcUntil(() => contexts.every(({ alive }) => !alive), 'all contexts are dead');
    await gcUntil(() => queue.stats().pending === 0 && queue.stats().armed <= before, 'nothing is due');
    const others = Array.from({ length: 2000 }, (_, i) => finalizable({ i }, note));
    expect(others.map(({ i }) => i)).toEqual(others.map((_, i) => i));
    for (const other of others) setFinalizer(other, null);
  });

  it('has what it registered let go of by stop() and by the call', async () => {
    const values: Pointer<object>[] = [];
    const context = contextWith('', {
      value(): object {
        const value = {};
        values.push(make(value));
        return value;
      },
    });
    const cleanup = away(() => runInContext('addCleanup(note, (arg) => arg, { value: value() })', context) as Cleanup);
    away(() => runInContext('addCleanup({}, (arg) => arg, { value: value() })', context));
    expect(cleanup.stop()).toBe(true);
    await gcUntil(() => values.every(({ alive }) => !alive), 'let go');
    keepAlive(context);
  });

  it('that is gone with its registrations leaves the others, in their order', async () => {
    const before = queue.stats();
    let targets: object[] = [];
    const gone = away(() => {
      targets = Array.from({ length: 100 }, () => ({}));
      const pointer = make(contextWith('for (const t of targets) addCleanup(t, () => note("gone"))', { targets }));
      for (const [i, each] of targets.entries()) addCleanup(each, note, i);
      for (const each of targets) expect(addCleanup(each, note, 'stopped').stop()).toBe(true);
      return pointer;
    });
    await gcUntil(() => !gone.alive, 'the context is dead');
    targets = [];
    await gcUntil(() => called.length === 100, 'called');
    expect(called).toEqual(Array.from({ length: 100 }, (_, i) => i));
    await queue.settled();
    const { run, stopped, pending, armed, queued } = queue.stats();
    expect({ run: run - before.run, stopped: stopped - before.stopped, pending }).toEqual({
      run: 100,
      stopped: 200,
      pending: 0,
    });
    expect([armed, queued - before.queued]).toEqual([before.armed, 200]);
  });
});

class WithoutBase {}
Object.setPrototypeOf(WithoutBase.prototype, null);

describe('what is of this realm is held as ever', () => {
  it.each<[string, unknown]>([
    ['an object without a prototype', Object.create(null)],
    ['an object with such a prototype', Object.create(Object.create(null) as object)],
    ['an instance of a class that extends null', Object.create(WithoutBase.prototype)],
    ['a proxy', new Proxy({}, { getPrototypeOf: () => null })],
    ['a proxy that throws', new Proxy({}, { getPrototypeOf: () => note(1) as never })],
    ['an array', []],
  ])('%s as the argument', async (_what, arg) => {
    away(() => addCleanup({}, (got) => note(got === arg), arg));
    called.length = 0;
    majorGc();
    await turn();
    await gcUntil(() => called.length === 1, 'called');
    expect(called).toEqual([true]);
  });
});
