// What stands in for an object, used in its place.

import { measure } from './calls.mjs';
import { checkCalled } from './cleanups.mjs';

class Thing {
  constructor(n) {
    this.n = n;
    this.one = 1;
  }

  take() {
    return this.one;
  }
}

const use = (pass) => async (contender, n) => {
  const finalized = { calls: 0 };
  const finalizer = () => {
    finalized.calls++;
  };
  const things = Array.from({ length: n }, (_, i) => new Thing(i));
  const api = { create: (target) => contender.standIn(target, finalizer), silent: contender.plain };
  const result = await measure(api, n, 10, pass, things);
  if (finalized.calls > 0) throw new Error(`${finalized.calls} finalizers were called for stand-ins in use`);
  await checkCalled(api, finalized, n);
  return result;
};

export const property = use((things, standIns) => {
  let sum = 0;
  for (let i = 0; i < things.length; i++) sum += standIns[i].one;
  return sum;
});

export const method = use((things, standIns) => {
  let sum = 0;
  for (let i = 0; i < things.length; i++) sum += standIns[i].take();
  return sum;
});
