// Runs the suite on the other supported majors, or on those given:
//   node scripts/test-majors.mjs [20 22 ...]
// The majors come from the registry (majors.mjs); the suite of the running one is `npm test`.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MAJORS, nodeMajor } from './majors.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');

const running = Number(process.versions.node.split('.')[0]);
const given = process.argv.slice(2).map(Number);
const unknown = given.filter((major) => !MAJORS.includes(major));
if (unknown.length > 0) throw new Error(`test-majors: supported are ${MAJORS.join(', ')}, not ${unknown.join(', ')}`);

/** A binary that is older than its sources would test yesterday's code. */
function upToDate(binary) {
  if (!existsSync(binary)) return false;
  const { mtimeMs } = statSync(binary);
  const sources = readdirSync(join(root, 'native')).map((name) => join(root, 'native', name));
  return [...sources, join(root, 'binding.gyp')].every((path) => statSync(path).mtimeMs <= mtimeMs);
}

function test(major) {
  const { node, version } = nodeMajor(major);
  const abi = execFileSync(node, ['-p', 'process.versions.modules'], { encoding: 'utf8' }).trim();
  const binary = join(root, 'prebuilds', 'linux-x64', `weakly.abi${abi}.node`);
  if (!upToDate(binary)) {
    execFileSync(process.execPath, [join(root, 'scripts', 'prebuild.mjs'), String(major)], { stdio: 'inherit' });
  }
  const dir = mkdtempSync(join(tmpdir(), 'weakly-majors-'));
  const report = join(dir, 'report.json');
  const began = Date.now();
  const args = [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { status, stdout, stderr } = spawnSync(node, args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 });
  const result = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
  rmSync(dir, { recursive: true, force: true });
  const { numPassedTests = 0, numTotalTests = 0 } = result;
  const passed = status === 0 && numTotalTests > 0 && numPassedTests === numTotalTests;
  if (!passed) console.log(stdout, stderr);
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  const verdict = passed ? 'passed' : 'FAILED';
  console.log(
    `Node.js ${version} (ABI ${abi}): ${verdict}, ${numPassedTests} of ${numTotalTests} tests in ${seconds} s`,
  );
  return passed;
}

const majors = given.length > 0 ? given : MAJORS.filter((major) => major !== running);
if (majors.map(test).includes(false)) process.exit(1);
