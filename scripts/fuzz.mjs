// Uses all of the public API at random, in rounds, each in a process of its own, against models (test/fuzz).
//   node scripts/fuzz.mjs [--seconds 60] [--seed N] [--rounds N] [--node PATH] [--keys int] [--skip word,word] [--flags '...']
//                         [--steps N] [--only 1,2,3] [--setters 'Array kept'] [--minimise] [--verbose]
// Everything a round does comes from its seed, its flags included: `--seed N --rounds 1` does it again. What V8 and the
// system do at the same time does not, so a fault may need several goes. `--only` leaves out all other steps.
// `--skip`: timeout, stack, workers, cache-cut, many-waiters, nested-drain, deep-drain, vm-drain, stack-drain, skipped-gc, setters,
// global.
//
// At commit 5dc10f4 it found that one collection gives out another's values: in its first round from seed 1 on Node.js 20, in
// its sixth (seed 6) on 26. docs/fuzzing.md says more.

import { execFileSync, spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { mix, Random } from '../test/fuzz/random.mjs';

const { values: given } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    rounds: { type: 'string' },
    node: { type: 'string', default: process.execPath },
    keys: { type: 'string', default: 'all' },
    skip: { type: 'string', default: '' },
    flags: { type: 'string' },
    steps: { type: 'string' },
    only: { type: 'string' },
    wait: { type: 'string' },
    setters: { type: 'string' },
    minimise: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});

/** Without a step for so long, a round hangs. */
const HANG_MS = 60_000;
const MINIMISE_MS = 60_000;
const child = fileURLToPath(new URL('../test/fuzz/child.mjs', import.meta.url));
/** For rounds in which WeakRef and FinalizationRegistry are global. */
const GLOBAL = new URL('../dist/spec/global.js', import.meta.url).href;
const skip = given.skip.split(',').filter((word) => word !== '');

const FLAGS = [
  [10, ''],
  [2, '--stress-compaction'],
  [2, '--stress-incremental-marking'],
  [2, '--single-threaded-gc'],
  [1, '--stress-scavenge=20'],
  [2, '--gc-global --max-semi-space-size=1'],
  [2, '--max-semi-space-size=1'],
  [1, '--gc-interval=500'],
  [1, '--random-gc-interval=500'],
  [1, '--stress-marking=20 --max-semi-space-size=1'],
  [1, '--minor-ms'],
  [1, '--minor-mc'],
  [1, '--scavenger-max-new-space-capacity-mb=1'],
  [1, '--scavenger-conservative-object-pinning --stress-scavenger-conservative-object-pinning-random'],
  [1, '--scavenger-chaos-mode --max-semi-space-size=1'],
  [1, '--always-sparkplug'],
  [1, '--maglev'],
  [1, '--no-opt'],
  // Each read of a property is a call: a timeout comes where it hardly ever does else.
  [1, '--no-use-ic'],
  [1, '--jitless'],
  [1, '--interrupt-budget=1000'],
  [1, '--stack-size=300'],
  [1, '--predictable-gc-schedule'],
  [1, '--stress-flush-code --flush-bytecode'],
  [1, '--no-async-context-frame'],
];
/** With these, something that nobody holds may stay. */
const INEXACT = /conservative|chaos/;

const known = new Set(
  ['--v8-options', '--help'].flatMap((what) => {
    const text = execFileSync(given.node, [what], { encoding: 'utf8', maxBuffer: 2 ** 26 });
    return [...text.matchAll(/^\s+(--[\w-]+)/gm)].map((match) => match[1].replace('--no-', '--'));
  }),
);
const isKnown = (flag) => known.has(flag.split('=')[0].replace('--no-', '--'));

/** Everything about a round but its steps. */
function planOf(seed) {
  const rng = new Random(mix(seed, 0x5eed));
  const usable = FLAGS.filter(([, flags]) => flags.split(' ').every((flag) => flag === '' || isKnown(flag)));
  const flags = given.flags ?? rng.weighted(usable);
  const steps = Number(given.steps ?? rng.weighted([[5, 60], [3, 150], [1, 400]])); // biome-ignore format: a list
  const setters = rng.chance(8) ? rng.pick(['Array kept', 'Object kept']) : undefined;
  const global = rng.chance(25) && !skip.includes('global');
  return {
    flags,
    options: {
      seed,
      steps,
      skip,
      tame: given.keys === 'int',
      exact: !INEXACT.test(flags),
      global,
      setters: given.setters ?? (skip.includes('setters') ? undefined : setters),
      log: true,
      wait: given.wait === undefined ? undefined : Number(given.wait),
    },
  };
}

const work = mkdtempSync(join(tmpdir(), 'weakly-fuzz-'));

/** One round: how it has ended, and undefined if that was well. */
function round(seed, only) {
  const { flags, options } = planOf(seed);
  const [log, closed] = ['log', 'closed'].map((name) => openSync(join(work, name), 'w+'));
  const args = ['--expose-gc', ...flags.split(' ').filter((flag) => flag !== '')];
  args.push(...(options.global ? ['--import', GLOBAL] : []), child);
  args.push(JSON.stringify({ ...options, ...(only === undefined ? {} : { only }) }));
  const began = Date.now();
  return new Promise((resolve) => {
    let stderr = '';
    const running = spawn(given.node, args, { stdio: ['ignore', 'inherit', 'pipe', log, closed] });
    running.stderr.setEncoding('utf8').on('data', (text) => {
      if (stderr.length < 20_000) stderr += text;
    });
    let size = -1;
    let hangs = false;
    const watch = setInterval(() => {
      const now = fstatSync(log).size;
      if (now === size) {
        hangs = true;
        running.kill('SIGKILL');
      }
      size = now;
    }, HANG_MS);
    running.on('error', (error) => {
      stderr += error.message;
    });
    running.on('close', (code, signal) => {
      clearInterval(watch);
      for (const file of [log, closed]) closeSync(file);
      const steps = readFileSync(join(work, 'log'), 'utf8').trim().split('\n');
      const left = readFileSync(join(work, 'closed'), 'utf8').trim().split('\n');
      const leaks = left.filter((line) => line !== '{"closed":true,"handles":0,"bytes":0}');
      let fault;
      if (hangs) fault = 'it hangs';
      else if (signal !== null) fault = `it was ended by ${signal}`;
      else if (code !== 0) fault = `it has ended with ${code}`;
      else if (steps.at(-1) !== 'done') fault = 'it has ended too early';
      else if (leaks.length > 0) fault = `environments have closed with ${leaks}`;
      resolve({ seed, flags, options, fault, steps, stderr, ms: Date.now() - began });
    });
  });
}

/** What was said, without numbers and names: by which one fault is told from another. */
function kindOf({ fault, stderr }) {
  const said = stderr.split('\n').find((line) => /Error|Fault|FATAL|fatal/.test(line)) ?? '';
  return `${fault}: ${said.replace(/"[^"]*"|thing \d+|-?[\d.]+n?|an object|a function/g, '*').slice(0, 60)}`;
}

/** The steps that are needed for a fault, as far as half a minute and luck allow. */
async function minimise(seed, only, kind) {
  const end = Date.now() + MINIMISE_MS;
  let needed = only;
  for (let part = Math.ceil(needed.length / 2); part >= 1; part = part === 1 ? 0 : Math.ceil(part / 2)) {
    for (let at = 0; at < needed.length && Date.now() < end; ) {
      const fewer = [...needed.slice(0, at), ...needed.slice(at + part)];
      if (kindOf(await round(seed, fewer)) === kind) needed = fewer;
      else at += part;
    }
  }
  return needed;
}

async function tell(ended) {
  const { seed, flags, options, fault, steps, stderr } = ended;
  console.log(
    `\nfuzz: seed ${seed} on Node.js ${version}, flags [${flags}], setters [${options.setters ?? 'none'}]: ${fault}`,
  );
  console.log(
    `the last of ${steps.length} lines of its steps:\n  ${steps
      .slice(-30)
      .map((line) => line.slice(0, 300))
      .join('\n  ')}`,
  );
  console.log(`stderr:\n${stderr.trim().split('\n').slice(0, 40).join('\n')}`);
  const same = process.argv
    .slice(2)
    .filter(
      (arg, i, all) =>
        !/^--(seed|rounds|seconds|minimise|keep-going)/.test(arg) &&
        !/^--(seed|rounds|seconds)$/.test(all[i - 1] ?? ''),
    );
  const again = [
    'node scripts/fuzz.mjs',
    '--seed',
    seed,
    '--rounds',
    '1',
    ...same.map((arg) => (/\s/.test(arg) ? `'${arg}'` : arg)),
  ].join(' ');
  console.log(`to do it again: ${again}`);
  if (!given.minimise) return;
  const last = Number(/^\d+/.exec(steps.at(-1))?.[0] ?? options.steps - 1);
  const needed = await minimise(
    seed,
    Array.from({ length: last + 1 }, (_, i) => i),
    kindOf(ended),
  );
  const once = await round(seed, needed);
  console.log(`with fewer steps: ${again} --only ${needed.join(',')}\n  ${once.fault}`);
  console.log(`  ${once.steps.join('\n  ')}\n${once.stderr.trim().split('\n').slice(0, 12).join('\n')}`);
}

const version = execFileSync(given.node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim();
const first = given.seed === undefined ? (Date.now() ^ (process.pid << 12)) >>> 0 : Number(given.seed);
const rounds = given.rounds === undefined ? Number.POSITIVE_INFINITY : Number(given.rounds);
const end = given.rounds === undefined ? Date.now() + 1000 * Number(given.seconds) : Number.POSITIVE_INFINITY;
const only = given.only?.split(',').map(Number);
console.log(`fuzz: Node.js ${version}, from seed ${first}`);

let done = 0;
let failed = 0;
try {
  for (let i = 0; i < rounds && Date.now() < end; i++) {
    const ended = await round((first + i) >>> 0, only);
    done++;
    if (given.verbose)
      console.log(
        `${ended.seed} [${ended.flags}] ${ended.steps.length} lines, ${ended.ms} ms: ${ended.fault ?? 'well'}`,
      );
    if (ended.fault === undefined) continue;
    failed++;
    await tell(ended);
    if (!given['keep-going']) break;
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(`fuzz: ${done} rounds, ${failed} with a fault`);
if (failed > 0 || done === 0) process.exitCode = 1;
