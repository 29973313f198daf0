'use strict';

/*
 * require('weakly/testing/jest'), in a test or in `setupFilesAfterEnv`: `expect` has the matchers, and TypeScript knows it, with the types
 * of `@types/jest`; those of `@jest/globals` know it by 'weakly/testing/jest-globals'. It is the same `expect`.
 */
const { matchers } = require('../cjs/testing.cjs');

// Without `injectGlobals` there is none.
const expect = globalThis.expect ?? require('@jest/globals').expect;

expect.extend(matchers);
