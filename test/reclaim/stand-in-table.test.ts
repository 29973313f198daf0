import { writeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { finalizable, make } from '../../lib/index.js';
import { away, gcUntil } from '../support/gc.js';

/*
 * "What a stand-in cannot do" (docs/cleanups.md), the rows that stand-in-limits.test.ts does not have: what happens, and the line
 * to write instead.
 */

const idle = (): void => undefined;

describe('what looks at internal slots refuses a stand-in', () => {
  it.each<[string, () => unknown]>([
    ['structuredClone', () => structuredClone(finalizable(new Map([[1, 2]]), idle))],
    ['Buffer.concat', () => Buffer.concat([finalizable(Buffer.from('a'), idle)])],
    ['fs.write', () => writeSync(1, finalizable(new Uint8Array([1]), idle))],
    ['a method of Map', () => Map.prototype.get.call(finalizable(new Map([[1, 2]]), idle), 1)],
    ['a method of Date', () => Date.prototype.getTime.call(finalizable(new Date(1), idle))],
  ])('%s', (_what, attempt) => {
    expect(attempt).toThrow();
  });

  it('and its own methods do not', () => {
    expect(finalizable(new Map([[1, 2]]), idle).get(1)).toBe(2);
    expect(finalizable(new Date(1), idle).getTime()).toBe(1);
    expect(finalizable(Buffer.from('a'), idle).toString()).toBe('a');
  });
});

describe('the target is given away', () => {
  class Owner {
    secret = 1;
    listed(): unknown[] {
      return [this];
    }
    within(): { me: Owner } {
      return { me: this };
    }
    get accessor(): { me: Owner } {
      return { me: this };
    }
    fail(): never {
      throw Object.assign(new Error('with its owner'), { who: this });
    }
    tell(callback: (owner: Owner) => void): void {
      callback(this);
    }
    later(): Promise<Owner> {
      return new Promise((resolve) => resolve(this));
    }
    direct(): Owner {
      return this;
    }
    async waiting(): Promise<Owner> {
      return this;
    }
  }
  const raw = new Owner();
  const standIn = finalizable(raw, idle);

  it.each<[string, () => unknown]>([
    ['inside of an array', () => standIn.listed()[0]],
    ['inside of an object', () => standIn.within().me],
    ['inside of what an accessor gives', () => standIn.accessor.me],
    ['to a callback of its own', () => { let told: unknown; standIn.tell((owner) => { told = owner; }); return told; }],
    ['by an ordinary promise', () => standIn.later()],
    ['as a property of what is thrown', () => { try { return standIn.fail(); } catch (error) { return (error as { who: Owner }).who; } }],
  ])('%s, as the docs say', async (_how, give) => {
    expect((await give()) === raw).toBe(true);
  }); // biome-ignore format: a table

  it('not by what returns it itself, nor by an async method', async () => {
    expect(standIn.direct() === standIn).toBe(true);
    expect((await standIn.waiting()) === standIn).toBe(true);
  });

  it('by a class or function: as the constructor of what it makes, and of its prototype', () => {
    class Made {}
    const Standing = finalizable(Made, idle);
    expect(new Standing().constructor === Made).toBe(true);
    expect(Standing.prototype.constructor === Made).toBe(true);
    expect(new Standing()).toBeInstanceOf(Standing);
  });

  it('to what keeps this: the stand-in dies, and is finalized, while that is in use', async () => {
    const registry = new Set<object>();
    class Kept {
      constructor() {
        registry.add(this);
      }
    }
    let finalized = 0;
    const pointer = away(() => make(finalizable(new Kept(), () => finalized++)));
    await gcUntil(() => finalized === 1, 'finalized');
    expect(pointer.alive).toBe(false);
    expect(registry.size).toBe(1);
  });
});

it('a boxed primitive is no such thing to JSON.stringify', () => {
  const standIn = finalizable(Object(7) as number & object, idle);
  expect(JSON.stringify({ standIn })).toBe('{"standIn":{}}');
  expect(JSON.stringify({ standIn: Number(standIn) })).toBe('{"standIn":7}');
});
