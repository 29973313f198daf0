import { afterAll } from 'vitest';
import { binding } from '../../lib/binding.js';

/* For scripts/coverage.mjs: the counters of the native half are written while there is a process that can. */

interface Counted {
  writeCounters(): void;
}

afterAll(() => {
  (binding.testing as unknown as Counted).writeCounters();
});
