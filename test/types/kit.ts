// What all type tests share.

/** Exactly the same type, where assignability would let much pass. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
export function type<_T extends true>(): void {}

export class Animal {
  name = '';
}
export class Dog extends Animal {
  bark(): void {}
}
