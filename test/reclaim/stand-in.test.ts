import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { finalizable, isPointer, make, makeField } from '../../lib/index.js';

const idle = (): void => undefined;

class Base {
  protected kind = 'base';
  describe(): string {
    return this.kind;
  }
}

class Account extends Base {
  #balance = 0;
  static #count = 0;
  owner: string;
  self: Account | undefined;
  constructor(owner: string) {
    super();
    this.owner = owner;
    Account.#count++;
  }
  static get count(): number {
    return Account.#count;
  }
  get balance(): number {
    return this.#balance;
  }
  set balance(value: number) {
    this.#balance = value;
  }
  deposit(amount: number): this {
    this.#balance += amount;
    return this;
  }
  isAccount(): boolean {
    return #balance in this;
  }
  async later(): Promise<number> {
    await Promise.resolve();
    return this.#balance;
  }
  *[Symbol.iterator](): Generator<number> {
    yield this.#balance;
  }
  toJSON(): object {
    return { owner: this.owner, balance: this.#balance };
  }
  [inspect.custom](): string {
    return `Account<${this.owner}: ${this.#balance}>`;
  }
}

describe('a stand-in of a class instance', () => {
  it('has private fields, accessors, and methods that return this', async () => {
    const raw = new Account('ann');
    const account = finalizable(raw, idle);
    expect(account.deposit(3).deposit(4)).toBe(account);
    expect(account.balance).toBe(7);
    account.balance = 10;
    expect(raw.balance).toBe(10);
    expect(account.isAccount()).toBe(true);
    expect(account.describe()).toBe('base');
    expect(await account.later()).toBe(10);
    expect([...account]).toEqual([10]);
  });

  it('is an instance of its class, with its constructor and prototype', () => {
    const account = finalizable(new Account('ann'), idle);
    expect(account instanceof Account).toBe(true);
    expect(account instanceof Base).toBe(true);
    expect(account.constructor).toBe(Account);
    expect(Object.getPrototypeOf(account)).toBe(Account.prototype);
  });

  it('has methods that can be passed around: stable, and bound by their receiver', () => {
    const account = finalizable(new Account('ann'), idle);
    expect(account.deposit).toBe(account.deposit);
    const { deposit } = account;
    deposit.call(account, 5);
    [1, 2].forEach(account.deposit, account);
    expect(account.balance).toBe(8);
    const other = new Account('bob');
    deposit.call(other, 2);
    expect(other.balance).toBe(2);
    expect(account.deposit.name).toBe('deposit');
    expect(account.deposit.length).toBe(1);
  });

  it('shows in inspect and JSON as its target does', () => {
    const account = finalizable(new Account('ann'), idle);
    expect(inspect(account)).toBe('Account<ann: 0>');
    expect(inspect({ account })).toBe('{ account: Account<ann: 0> }');
    expect(JSON.stringify(account)).toBe('{"owner":"ann","balance":0}');
    expect(inspect(finalizable({ a: { b: [1] } }, idle))).toBe('{ a: { b: [ 1 ] } }');
  });

  it('has the properties of its target, and changes them there', () => {
    const raw = new Account('ann');
    const account = finalizable(raw, idle) as Account & { extra?: number };
    expect(Object.keys(account)).toEqual(['kind', 'owner', 'self']);
    expect('owner' in account).toBe(true);
    account.extra = 1;
    expect(Object.hasOwn(raw, 'extra')).toBe(true);
    expect(delete account.extra).toBe(true);
    expect('extra' in raw).toBe(false);
    Object.defineProperty(account, 'fixed', { value: 1 });
    expect(Object.getOwnPropertyDescriptor(account, 'fixed')).toEqual(Object.getOwnPropertyDescriptor(raw, 'fixed'));
    raw.self = raw;
    expect(account.self).toBe(account);
  });

  it('gives functions stored in own properties as they are', () => {
    const stored = (): number => 1;
    expect(finalizable({ stored }, idle).stored).toBe(stored);
  });

  it('as a prototype hands the receiver on', () => {
    const heir = Object.create(
      finalizable(
        {
          get me(): unknown {
            return this;
          },
        },
        idle,
      ),
    ) as { me: unknown; own: number };
    expect(heir.me).toBe(heir);
    heir.own = 1;
    expect(Object.keys(heir)).toEqual(['own']);
  });

  it('can be frozen, sealed and made inextensible', () => {
    const frozen = finalizable(Object.freeze({ a: 1, b: () => 2 }), idle);
    expect(Object.isFrozen(frozen)).toBe(true);
    expect(frozen.b()).toBe(2);
    expect(() => {
      (frozen as { a: number }).a = 2;
    }).toThrow(TypeError);
    expect(Object.getOwnPropertyNames(frozen)).toEqual(['a', 'b']);
    const raw = { a: 1 };
    const later = finalizable(raw, idle) as { a: number; z?: number };
    Object.freeze(later);
    expect(Object.isFrozen(raw)).toBe(true);
    expect(Object.isFrozen(later)).toBe(true);
    expect(() => {
      later.z = 1;
    }).toThrow(TypeError);
    // Node.js 26 says that it is a proxy; of one that is not frozen it cannot tell.
    expect(inspect(later)).toContain('{ a: 1 }');
  });

  it('can be pointed to', () => {
    const account = finalizable(new Account('ann'), idle);
    expect(make(account).value()).toBe(account);
    expect(makeField(account, 'owner').value()?.get()).toBe('ann');
    expect(isPointer(account)).toBe(false);
  });
});

describe('a stand-in of a built-in', () => {
  it('Map', () => {
    const map = finalizable(new Map([['a', 1]]), idle);
    expect(map.set('b', 2)).toBe(map);
    expect([...map]).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
    expect(map.size).toBe(2);
    expect(inspect(map)).toBe("Map(2) { 'a' => 1, 'b' => 2 }");
  });

  it('Set', () => {
    const set = finalizable(new Set([1]), idle);
    expect(set.add(2)).toBe(set);
    expect(set.has(2)).toBe(true);
    expect([...set.values()]).toEqual([1, 2]);
  });

  it('Date', () => {
    const date = finalizable(new Date(0), idle);
    expect(date.getTime()).toBe(0);
    expect(date.toISOString()).toBe('1970-01-01T00:00:00.000Z');
    expect(`${date}`).toContain('1970');
    expect(+date).toBe(0);
    expect(JSON.stringify({ date })).toBe('{"date":"1970-01-01T00:00:00.000Z"}');
  });

  it('Buffer and typed arrays', () => {
    const buffer = finalizable(Buffer.from('abc'), idle);
    expect(buffer.toString('hex')).toBe('616263');
    expect(buffer[0]).toBe(97);
    buffer[0] = 65;
    expect(buffer.toString()).toBe('Abc');
    expect(buffer.length).toBe(3);
    expect(Buffer.isBuffer(buffer)).toBe(true);
    expect([...buffer.subarray(1)]).toEqual([98, 99]);
  });

  it('arrays', () => {
    const array = finalizable([3, 1, 2], idle);
    expect(Array.isArray(array)).toBe(true);
    array.push(0);
    expect(array.sort()).toBe(array);
    expect(array).toEqual([0, 1, 2, 3]);
    array.length = 1;
    expect([...array]).toEqual([0]);
    expect(JSON.stringify(array)).toBe('[0]');
    expect(inspect(array)).toBe('[ 0 ]');
  });

  it('functions and classes', () => {
    const f = finalizable(function add(a: number, b: number): number {
      return a + b;
    }, idle);
    expect(f(1, 2)).toBe(3);
    expect(f.name).toBe('add');
    expect(f.bind(null, 1)(1)).toBe(2);
    const Class = finalizable(Account, idle);
    const made = new Class('ann');
    expect(made instanceof Account).toBe(true);
    expect(made instanceof Class).toBe(true);
    expect(Class.count).toBeGreaterThan(0);
    class Sub extends Class {}
    expect(new Sub('x').deposit(1).balance).toBe(1);
    expect(() => Reflect.construct(finalizable(() => 1, idle) as never, [])).toThrow(TypeError);
  });

  it('promises and errors', async () => {
    expect(await finalizable(Promise.resolve(1), idle)).toBe(1);
    const error = finalizable(new TypeError('x'), idle);
    expect(error instanceof TypeError).toBe(true);
    expect(error.message).toBe('x');
  });
});
