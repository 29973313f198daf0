// What holds for WeakRefs of ECMAScript, whatever realm they are of. `subject` has `refs` by the number of their targets, and `dead`.

import { idOf, show } from './things.mjs';

/** Each gives its own target, as long as that is held, and none that has died. */
export function checkRefs({ world, refs, dead }) {
  for (const [id, ref] of refs) {
    const target = ref.deref();
    const held = world.held.get(id);
    world.expect(target === undefined || idOf(target) === id, () => `the WeakRef of ${id} gives ${show(target)}`);
    world.expect(held === undefined || target === held, () => `the WeakRef of ${id}, held, gives ${show(target)}`);
    world.expect(target === undefined || !dead.has(id), () => `${id} was dead`);
    if (target === undefined) dead.add(id);
  }
}

/** How many targets live that nobody holds any more. Asking keeps them, to the end of the job. */
export function living(refs) {
  return refs.filter((ref) => ref.deref() !== undefined).length;
}
