// Runs the suite under V8's own GC stress flags, on the running Node.js, or with --all-majors on every supported one.
//   node scripts/test-stress.mjs [--all-majors] [words of a flag set's name ...]
// The flags go to the processes that run tests (and from there to the children that lifecycle tests start), not to
// vitest itself: that would be slow and test nothing of ours. test/lifecycle/flags.test.ts proves that they arrive.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MAJORS, nodeMajor } from './majors.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');

/** What has to do with garbage. How things are shown, compared and run by others' tools is not tested anew under each set. */
const FILES = ['weak', 'reclaim', 'collections', 'spec', 'property', 'lifecycle'].map((room) => `test/${room}`);

/**
 * `more`: the set is meant to provoke more collections, so it is skipped where it does not. `long`: properties, models
 * against the real thing, are tested under it once more, for seconds each.
 */
const SETS = [
  { flags: ['--stress-scavenge=20'], more: true, long: true },
  { flags: ['--stress-compaction'], more: true, long: true },
  // Every collection is a major one, and there are many of them.
  { flags: ['--gc-global', '--max-semi-space-size=1'], more: true, long: true },
  // Most release builds of V8 know the next two and ignore them (they are compiled without an allocation timeout).
  { flags: ['--gc-interval=2000'], more: true },
  { flags: ['--random-gc-interval=2000'], more: true },
  { flags: ['--stress-incremental-marking'] },
  { flags: ['--stress-marking=20', '--max-semi-space-size=1'] },
  { flags: ['--single-threaded-gc'] },
  { flags: ['--minor-ms'] },
  { flags: ['--minor-mc'] },
  { flags: ['--scavenger-conservative-object-pinning', '--stress-scavenger-conservative-object-pinning-random'] },
  { flags: ['--scavenger-chaos-mode', '--max-semi-space-size=1'] },
];

const LIMIT_MS = 20 * 60_000;
const LONG_MS = 8_000;

function knownFlags(node) {
  const text = execFileSync(node, ['--v8-options'], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  return new Set([...text.matchAll(/^\s+(--[\w-]+) \(/gm)].map((match) => match[1]));
}

/** Collections in a short run of ordinary allocation. */
function collections(node, flags) {
  const script = `
    const { PerformanceObserver } = require('node:perf_hooks');
    let count = 0;
    const observer = new PerformanceObserver((list) => { count += list.getEntries().length; });
    observer.observe({ entryTypes: ['gc'] });
    for (let i = 0, kept = []; i < 3e5; i++) if (kept.push({ i, text: 'x' + i }) > 1000) kept = [];
    setTimeout(() => console.log(count), 50);`;
  return Number(execFileSync(node, [...flags, '-e', script], { encoding: 'utf8' }));
}

/** Why a set makes no sense on this Node.js, or undefined. */
function reasonToSkip(node, { flags, more }, known, ordinary) {
  const unknown = flags.filter((flag) => !known.has(flag.split('=')[0]));
  if (unknown.length > 0) return `this V8 does not know ${unknown.join(' ')}`;
  if (more && collections(node, flags) < 1.5 * ordinary) return 'this build of V8 ignores it';
  return undefined;
}

function test(node, version, { flags }, long) {
  const dir = mkdtempSync(join(tmpdir(), 'weakly-stress-'));
  const report = join(dir, 'report.json');
  const all = ['--expose-gc', ...flags];
  const args = [
    vitest,
    'run',
    ...(long ? ['test/property'] : FILES),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  args.push(...all.map((flag) => `--execArgv=${flag}`), '--testTimeout=120000');
  const env = { ...process.env, WEAKLY_STRESS: '1', WEAKLY_STRESS_FLAGS: all.join(' ') };
  if (long) env.WEAKLY_LONG_MS = String(LONG_MS);
  const began = Date.now();
  const { status, stdout, stderr, error } = spawnSync(node, args, {
    cwd: root,
    encoding: 'utf8',
    env,
    maxBuffer: 2 ** 28,
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  const result = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
  rmSync(dir, { recursive: true, force: true });
  const { numPassedTests = 0, numTotalTests = 0 } = result;
  const passed = status === 0 && numTotalTests > 0 && numPassedTests === numTotalTests;
  if (!passed) console.log(stdout, stderr, error ?? '');
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  const verdict = passed ? 'passed' : 'FAILED';
  console.log(
    `Node.js ${version} ${flags.join(' ')}${long ? ', properties, long' : ''}: ${verdict}, ${numPassedTests} of ${numTotalTests} tests in ${seconds} s`,
  );
  return passed;
}

const words = process.argv.slice(2).filter((word) => word !== '--all-majors');
const wanted =
  words.length === 0 ? SETS : SETS.filter(({ flags }) => words.some((word) => flags.join(' ').includes(word)));
if (wanted.length === 0) throw new Error(`test-stress: no flag set has ${words.join(' or ')} in it`);
const nodes = process.argv.includes('--all-majors')
  ? MAJORS.map((major) => nodeMajor(major))
  : [{ node: process.execPath, version: process.versions.node }];

let failed = 0;
let run = 0;
for (const { node, version } of nodes) {
  const known = knownFlags(node);
  const ordinary = collections(node, []);
  for (const set of wanted) {
    const reason = reasonToSkip(node, set, known, ordinary);
    if (reason !== undefined) {
      console.log(`Node.js ${version} ${set.flags.join(' ')}: does not apply, ${reason}`);
      continue;
    }
    for (const long of set.long ? [false, true] : [false]) {
      run++;
      if (!test(node, version, set, long)) failed++;
    }
  }
}
console.log(`test-stress: ${run - failed} of ${run} runs passed`);
if (failed > 0 || run === 0) process.exit(1);
