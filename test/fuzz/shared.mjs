// What several doors do.

import { WeakKeyMap, WeakKeySet, WeakValueMap } from '../../dist/collections/index.js';
import { addCleanup, make } from '../../dist/index.js';

const trash = { values: new WeakValueMap(), keys: new WeakKeyMap(), members: new WeakKeySet(), at: 0 };
const nothing = () => {};

/** Garbage of every kind, so that reclaiming and growing go on where a loop is cut. Nobody looks at it. */
export function churn() {
  const target = { garbage: trash.at };
  trash.values.set(trash.at++ % 500, target);
  trash.keys.set(target, target);
  trash.members.add(target);
  make(target);
  if (trash.at % 8 === 0) addCleanup(target, nothing);
}

/** Actions that cut changes of a collection short. `plan` makes steps. */
export const cuts = (subject) => [
  [
    1,
    (rng) => {
      if (!subject.world.does('timeout')) return 'no timeout';
      const steps = subject.plan(rng, rng.between(1, 30));
      const begun = subject.cut(steps, rng.between(1, 3), rng.chance(50) ? churn : nothing, rng.chance(50));
      return `cut by a timeout after ${begun} steps of ${steps.map((step) => subject.tell(step)).join(', ')}`;
    },
  ],
  [
    1,
    (rng) => {
      if (!subject.world.does('stack')) return 'no end of the stack';
      const [step] = subject.plan(rng, 1);
      const done = subject.cutByStack(step, rng.below(40), rng.between(10, 150));
      return `at the end of the stack, done ${done} times: ${subject.tell(step)}`;
    },
  ],
];
