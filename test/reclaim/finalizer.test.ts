import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addCleanup, finalizable, make, type Pointer, queue, setFinalizer } from '../../lib/index.js';
import * as records from '../../lib/reclaim/records.js';
import { away, gcNowUntil, gcUntil, majorGc, turn, verify } from '../support/gc.js';

class Node {
  readonly name: string;
  next: object | undefined;
  constructor(name: string) {
    this.name = name;
  }
}

let log: string[] = [];

beforeEach(async () => {
  await gcUntil(() => queue.stats().armed === 0 && queue.stats().pending === 0, 'nothing registered');
  log = [];
});

afterEach(() => {
  verify();
  expect(records.verify()).toBe(null);
});

const noteName = (standIn: Node): unknown => log.push(standIn.name);

describe('finalizable', () => {
  it('calls the finalizer once after the stand-in has died, with a new stand-in', async () => {
    const seen: { same: boolean; name: string }[] = [];
    const pointer = away(() => {
      const target = new Node('a');
      const standIn: Node = finalizable(target, (again) => seen.push({ same: make(again) === weak, name: again.name }));
      const weak: Pointer = make(standIn);
      return weak;
    });
    await gcUntil(() => seen.length > 0, 'finalized');
    expect(seen).toEqual([{ same: false, name: 'a' }]);
    majorGc();
    await turn();
    majorGc();
    await turn();
    expect(seen.length).toBe(1);
    expect(pointer.value()).toBe(undefined);
  });

  it('does not call it while the stand-in lives', async () => {
    const standIn = finalizable(new Node('a'), noteName);
    majorGc();
    await turn();
    majorGc();
    await turn();
    expect(log).toEqual([]);
    expect(standIn.name).toBe('a');
    setFinalizer(standIn, null);
  });

  it('keeps the target alive to its finalizer, and not longer', async () => {
    const raw = away(() => {
      const target = new Node('a');
      finalizable(target, noteName);
      return make(target);
    });
    gcNowUntil(() => queue.stats().armed === 0 || queue.stats().pending > 0, 'stand-in dead');
    expect(raw.alive).toBe(true);
    await gcUntil(() => log.length > 0, 'finalized');
    await gcUntil(() => !raw.alive, 'target dead');
  });

  it('lets the finalizer bring the target back, once for each time it is set', async () => {
    let kept: Node | undefined;
    const pointers: Pointer[] = [];
    const finalizer = (standIn: Node): void => {
      log.push(standIn.name);
      kept = standIn;
      pointers.push(make(standIn));
    };
    away(() => pointers.push(make(finalizable(new Node('phoenix'), finalizer))));
    await gcUntil(() => kept !== undefined, 'back');
    away(() => setFinalizer(kept as Node, finalizer));
    kept = undefined;
    await gcUntil(() => kept !== undefined, 'back again');
    expect(log).toEqual(['phoenix', 'phoenix']);
    expect(new Set(pointers).size).toBe(3);
    expect(pointers.map((pointer) => pointer.alive)).toEqual([false, false, true]);
    kept = undefined;
    await gcUntil(() => !pointers.some((pointer) => pointer.alive), 'dead at last');
    majorGc();
    await turn();
    expect(log.length).toBe(2);
  });

  it('pointers of the dead one are undefined once the finalizer is queued', () => {
    const pointer: Pointer = away(() => make(finalizable(new Node('a'), () => log.push(String(pointer.value())))));
    gcNowUntil(() => !pointer.alive, 'dead');
    expect(pointer.value()).toBe(undefined);
    queue.drain();
    expect(log).toEqual(['undefined']);
  });

  it('A -> B: calls that of A first, and that of B when A is gone', async () => {
    away(() => {
      const b = finalizable(new Node('b'), noteName);
      const a = new Node('a');
      a.next = b;
      finalizable(a, noteName);
    });
    await gcUntil(() => log.length > 0, 'a finalized');
    expect(log).toEqual(['a']);
    await gcUntil(() => log.length > 1, 'b finalized');
    expect(log).toEqual(['a', 'b']);
  });

  it('a ring of finalizable objects is never collected', async () => {
    const pointers = away(() => {
      const a = new Node('a');
      const b = new Node('b');
      a.next = finalizable(b, noteName);
      b.next = finalizable(a, noteName);
      return [make(a), make(b)];
    });
    for (let i = 0; i < 5; i++) {
      majorGc();
      await turn();
    }
    expect(log).toEqual([]);
    // Taken apart, so that the next test finds nothing registered.
    for (const pointer of pointers) away(() => setFinalizer(pointer.value()?.next as Node, null));
    await gcUntil(() => !pointers.some((pointer) => pointer.alive), 'dead');
    expect(log).toEqual([]);
  });

  it('a cleanup on an object that has a finalizer runs when it is dead with no finalizer left', async () => {
    let kept: Node | undefined;
    away(() => {
      const standIn = finalizable(new Node('a'), (again) => {
        log.push('finalizer');
        kept = again;
      });
      addCleanup(standIn, () => log.push('cleanup'));
    });
    await gcUntil(() => kept !== undefined, 'finalized');
    majorGc();
    await turn();
    expect(log).toEqual(['finalizer']);
    kept = undefined;
    await gcUntil(() => log.length > 1, 'cleaned up');
    expect(log).toEqual(['finalizer', 'cleanup']);
  });

  it('is counted in the stats', async () => {
    const before = queue.stats();
    away(() => finalizable(new Node('a'), noteName));
    await gcUntil(() => log.length > 0, 'finalized');
    expect(queue.stats().run - before.run).toBe(1);
  });
});

describe('setFinalizer', () => {
  it('replaces the finalizer', async () => {
    away(() =>
      setFinalizer(
        finalizable(new Node('a'), () => log.push('first')),
        () => log.push('second'),
      ),
    );
    await gcUntil(() => log.length > 0, 'finalized');
    majorGc();
    await turn();
    expect(log).toEqual(['second']);
  });

  it('null takes it away: the target dies with its stand-in', async () => {
    const raw = away(() => {
      const target = new Node('a');
      const standIn = finalizable(target, noteName);
      setFinalizer(standIn, null);
      setFinalizer(standIn, null);
      return make(target);
    });
    await gcUntil(() => !raw.alive, 'dead');
    expect(log).toEqual([]);
  });

  it('sets one again after null', async () => {
    away(() => {
      const standIn = finalizable(new Node('a'), noteName);
      setFinalizer(standIn, null);
      setFinalizer(standIn, noteName);
    });
    await gcUntil(() => log.length > 0, 'finalized');
    expect(log).toEqual(['a']);
  });
});

describe('a target that is a proxy, and does something when it is asked', () => {
  let asked: (() => void) | undefined;
  const target = (): object =>
    new Proxy(
      {},
      {
        getPrototypeOf: () => {
          const then = asked;
          asked = undefined;
          then?.();
          return Object.prototype;
        },
      },
    );

  it('has one finalizer, if it sets one meanwhile through another stand-in', async () => {
    const raw = target();
    const called: string[] = [];
    let other: object | undefined;
    asked = () => {
      other = finalizable(raw, () => called.push('inner'));
    };
    expect(() => finalizable(raw, () => called.push('outer'))).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_FINALIZER_SET' }),
    );
    expect(other).toBeDefined();
    other = undefined;
    await gcUntil(() => called.length > 0, 'called');
    expect(called).toEqual(['inner']);
  });

  it('has the one that was set last, if its stand-in gets another meanwhile', async () => {
    const called: string[] = [];
    let standIn: object | undefined = finalizable(target(), () => called.push('first'));
    asked = () => {
      setFinalizer(standIn as object, null);
      setFinalizer(standIn as object, () => called.push('inner'));
    };
    setFinalizer(standIn, () => called.push('outer'));
    standIn = undefined;
    await gcUntil(() => called.length > 0, 'called');
    expect(called).toEqual(['outer']);
  });
});

describe('bad input', () => {
  const target = new Node('t');
  const standIn = finalizable(target, noteName);
  setFinalizer(standIn, null);
  const cases: [string, string, () => unknown][] = [
    ['finalizable(1)', 'ERR_WEAKLY_TARGET', () => finalizable(1 as never, noteName)],
    ['finalizable(null)', 'ERR_WEAKLY_TARGET', () => finalizable(null as never, noteName)],
    ['finalizable(symbol)', 'ERR_WEAKLY_TARGET', () => finalizable(Symbol('s') as never, noteName)],
    ['finalizable(stand-in)', 'ERR_WEAKLY_STAND_IN', () => finalizable(standIn, noteName)],
    ['a finalizer that is no function', 'ERR_WEAKLY_CALLBACK', () => finalizable({}, null as never)],
    [
      'a finalizer that is the target',
      'ERR_WEAKLY_CLEANUP_HOLDS_TARGET',
      () => finalizable(noteName, noteName as never),
    ],
    ['setFinalizer(raw)', 'ERR_WEAKLY_STAND_IN', () => setFinalizer(target, noteName)],
    ['setFinalizer(undefined)', 'ERR_WEAKLY_STAND_IN', () => setFinalizer(undefined as never, null)],
    ['setFinalizer(standIn, undefined)', 'ERR_WEAKLY_CALLBACK', () => setFinalizer(standIn, undefined as never)],
  ];

  it.each(cases)('%s throws %s and registers nothing', (_what, code, attempt) => {
    const before = queue.stats().armed;
    expect(attempt).toThrow(expect.objectContaining({ name: 'TypeError', code }));
    expect(queue.stats().armed).toBe(before);
  });

  it('a second finalizer through another stand-in throws ERR_WEAKLY_FINALIZER_SET', () => {
    const raw = new Node('twice');
    const first = finalizable(raw, noteName);
    expect(() => finalizable(raw, noteName)).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_FINALIZER_SET' }));
    setFinalizer(first, null);
    const second = finalizable(raw, noteName);
    expect(() => setFinalizer(first, noteName)).toThrow(expect.objectContaining({ code: 'ERR_WEAKLY_FINALIZER_SET' }));
    setFinalizer(second, null);
  });
});
