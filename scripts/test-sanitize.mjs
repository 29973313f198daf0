// Runs the suite on a build with AddressSanitizer and UndefinedBehaviorSanitizer, and a leak check over the life of some
// workers. Needs Linux and g++ with its sanitizer libraries. The build is made in a directory of its own, which the
// loader is pointed to by WEAKLY_BINARY: an instrumented binary in the checkout could end up in a release.
//   node scripts/test-sanitize.mjs [arguments for vitest ...]
//   node scripts/test-sanitize.mjs --fuzz [arguments for scripts/fuzz.mjs ...]: that, on this build, instead of the suite

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeMajor, ownNodedir } from './majors.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'weakly-sanitize-'));
const name = `weakly.abi${process.versions.modules}.node`;
const binary = join(work, 'prebuilds', `linux-${process.arch}`, name);

function library(file) {
  const path = execFileSync('g++', [`-print-file-name=${file}`], { encoding: 'utf8' }).trim();
  if (!existsSync(path)) throw new Error(`test-sanitize: g++ has no ${file}`);
  return path;
}

const env = {
  ...process.env,
  WEAKLY_BINARY: binary,
  LD_PRELOAD: library('libasan.so'),
  // Node.js never frees much of what it holds at exit: leaks are looked for apart. What the addon asks of the allocator
  // may be refused, as it may be without a sanitizer.
  ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1:strict_string_checks=1:check_initialization_order=1',
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
};

function build() {
  for (const path of ['package.json', 'binding.gyp']) copyFileSync(join(root, path), join(work, path));
  cpSync(join(root, 'native'), join(work, 'native'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(work, 'node_modules'));
  const nodedir = ownNodedir() ?? nodeMajor(Number(process.versions.node.split('.')[0])).nodedir;
  const clean = { ...process.env };
  for (const key of Object.keys(clean)) if (key.toLowerCase() === 'npm_config_nodedir') delete clean[key];
  const nodeGyp = join(root, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const built = spawnSync(process.execPath, [nodeGyp, 'rebuild', '--release', '--sanitize=1', '--jobs=max'], {
    cwd: work,
    env: { ...clean, npm_config_nodedir: nodedir },
    encoding: 'utf8',
  });
  if (built.status !== 0) throw new Error(`test-sanitize: the build failed\n${built.stdout}${built.stderr}`);
  mkdirSync(join(work, 'prebuilds', `linux-${process.arch}`), { recursive: true });
  copyFileSync(join(work, 'build', 'Release', 'weakly.node'), binary);
  rmSync(join(work, 'build'), { recursive: true, force: true });
  const symbols = execFileSync('nm', ['-D', binary], { encoding: 'utf8' });
  for (const symbol of ['__asan_report_load8', '__ubsan_handle_']) {
    if (!symbols.includes(symbol)) throw new Error(`test-sanitize: the binary is not instrumented: no ${symbol}`);
  }
}

/** A child with the environment of the tests; `script` is ESM with `binding` imported. */
function child(script) {
  const url = new URL('../dist/internals.js', import.meta.url).href;
  const source = `import { binding } from ${JSON.stringify(url)};\n${script}`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', source], { env, encoding: 'utf8' });
}

/** Green would mean nothing if another binary were loaded, or if the sanitizer saw nothing. */
function control() {
  const maps = child(
    `import { readFileSync } from 'node:fs'; binding.stats(); console.log(readFileSync('/proc/self/maps', 'utf8'));`,
  );
  if (maps.status !== 0 || !maps.stdout.includes(binary) || !maps.stdout.includes('libasan')) {
    throw new Error(`test-sanitize: a child does not load the instrumented binary\n${maps.stdout}${maps.stderr}`);
  }
  const overflow = child('binding.testing.readOutOfBounds();');
  if (overflow.status === 0 || !/AddressSanitizer: heap-buffer-overflow[\s\S]*weakly/.test(overflow.stderr)) {
    throw new Error(`test-sanitize: a read out of bounds was not caught\n${overflow.stderr}`);
  }
  console.log('test-sanitize: the instrumented binary is loaded, and a read out of bounds is caught');
}

function suite() {
  const began = Date.now();
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--reporter=dot', '--testTimeout=120000', ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' });
  if (status !== 0) throw new Error('test-sanitize: the suite failed under the sanitizers');
  console.log(`test-sanitize: the suite passed in ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

function fuzz(args) {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'fuzz.mjs'), ...args], {
    env,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('test-sanitize: the fuzzer has found something under the sanitizers');
}

/** Reports of LeakSanitizer that have a frame of ours; all others are Node's. */
function leaks(args) {
  const ran = spawnSync(process.execPath, ['--expose-gc', ...args], {
    cwd: root,
    // Only the code is read: with leaks of Node's own, the sanitizer turns it into exitcode=0.
    env: { ...env, ASAN_OPTIONS: `${env.ASAN_OPTIONS.replace('detect_leaks=0', 'detect_leaks=1')}:exitcode=0` },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    maxBuffer: 2 ** 28,
  });
  if (ran.status !== 0) throw new Error(`test-sanitize: ${args.join(' ')} failed\n${ran.stdout}${ran.stderr}`);
  const reports = ran.stderr.split(/\n(?=(?:Direct|Indirect) leak of )/).slice(1);
  const closed = ran.output[3]
    .trim()
    .split('\n')
    .filter((line) => line !== '').length;
  return { closed, ours: reports.filter((report) => /weakly/.test(report.split('\n\n')[0])), text: ran.stderr };
}

function leakCheck() {
  const began = Date.now();
  // A leak on purpose, in a shared object that only leaks, shows that the check can see one at all.
  const source = join(work, 'leak.cc');
  const leaky = join(work, 'leak.node');
  writeFileSync(
    source,
    `#include <cstdlib>
namespace weakly { void* volatile kept; void Leak() { kept = std::malloc(4711); kept = nullptr; } }
__attribute__((constructor)) static void Run() { weakly::Leak(); }
extern "C" __attribute__((visibility("default"))) void* napi_register_module_v1(void*, void* exports) { return exports; }
`,
  );
  execFileSync('g++', ['-shared', '-fPIC', '-g', '-fsanitize=address', '-fno-omit-frame-pointer', source, '-o', leaky]);
  const known = leaks(['-e', `process.dlopen({ exports: {} }, ${JSON.stringify(leaky)})`]);
  if (known.ours.length !== 1) {
    throw new Error(`test-sanitize: LeakSanitizer does not see a leak on purpose here\n${known.text.slice(0, 4000)}`);
  }
  for (const [fixture, ...args] of [
    ['crowd.mjs', '8'],
    ['storm.mjs', '8', 'turns'],
    ['many-opened.mjs', 'main'],
  ]) {
    const { closed, ours } = leaks([join('test', 'lifecycle', 'fixtures', fixture), ...args]);
    if (ours.length > 0) throw new Error(`test-sanitize: ${fixture} leaks\n${ours.join('\n')}`);
    if (closed < 9) throw new Error(`test-sanitize: ${fixture} closed ${closed} environments only`);
  }
  console.log(`test-sanitize: no environment leaks (${((Date.now() - began) / 1000).toFixed(1)} s)`);
}

try {
  const began = Date.now();
  build();
  console.log(`test-sanitize: built in ${((Date.now() - began) / 1000).toFixed(1)} s`);
  control();
  if (process.argv[2] === '--fuzz') {
    fuzz(process.argv.slice(3));
  } else {
    leakCheck();
    suite();
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
