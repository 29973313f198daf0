// import 'weakly/testing/vitest', in a test or in `setupFiles`: `expect` has the matchers, and TypeScript knows it.

import { expect } from 'vitest';
import { matchers } from '../../dist/testing/index.js';

expect.extend(matchers);
