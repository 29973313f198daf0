export { type Collectable, collected } from './collected.js';
export { gcUntil, type WaitOptions } from './gc-until.js';
export { type MatcherResult, matchers, type RunnerMatchers } from './matchers.js';
