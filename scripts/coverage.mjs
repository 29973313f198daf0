// npm run coverage [-- arguments for vitest]: which lines of lib/ and native/ no test reaches, on the running Node.js.
//
// TypeScript: vitest's own report, by V8's counts. C++: a build with gcov's counters, in a directory of its own, which the loader is
// pointed to by WEAKLY_BINARY; every process of the suite adds to them, at the end of each test file (test/support/counters.ts)
// or at its own. Needs Linux and g++ with gcov.
//
// The report on lib/ does not count what only the children of test/lifecycle run, which is most of exit.ts.

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeMajor, ownNodedir } from './majors.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'weakly-coverage-'));
const binary = join(work, 'prebuilds', `linux-${process.arch}`, `weakly.abi${process.versions.modules}.node`);

function build() {
  for (const path of ['package.json', 'binding.gyp']) copyFileSync(join(root, path), join(work, path));
  cpSync(join(root, 'native'), join(work, 'native'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(work, 'node_modules'));
  const nodedir = ownNodedir() ?? nodeMajor(Number(process.versions.node.split('.')[0])).nodedir;
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([key]) => key.toLowerCase() !== 'npm_config_nodedir'),
  );
  const nodeGyp = join(root, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const built = spawnSync(process.execPath, [nodeGyp, 'rebuild', '--release', '--coverage=1', '--jobs=max'], {
    cwd: work,
    env: { ...clean, npm_config_nodedir: nodedir },
    encoding: 'utf8',
  });
  if (built.status !== 0) throw new Error(`coverage: the build failed\n${built.stdout}${built.stderr}`);
  // The counters are written beside the objects.
  mkdirSync(dirname(binary), { recursive: true });
  copyFileSync(join(work, 'build', 'Release', 'weakly.node'), binary);
}

/** Lines of a source, and whether each was run: by any instance of a template, and in any file that has included it. */
function linesOf(report) {
  const lines = new Map();
  for (const line of report.split('\n')) {
    const [, count, number, text] = /^\s*([^:]+):\s*(\d+):(.*)$/.exec(line) ?? [];
    if (number === undefined || number === '0' || count.trim() === '-') continue;
    const ran = !count.startsWith('#####') && !count.startsWith('=====');
    lines.set(Number(number), { text: text.trim(), ran: ran || lines.get(Number(number))?.ran === true });
  }
  return lines;
}

function native() {
  const objects = join(work, 'build', 'Release', 'obj.target', 'weakly', 'native');
  const counters = readdirSync(objects).filter((name) => name.endsWith('.gcda'));
  if (counters.length === 0) throw new Error('coverage: no process has written its counters');
  const out = mkdtempSync(join(work, 'gcov-'));
  execFileSync('gcov', ['--preserve-paths', ...counters.map((name) => join(objects, name))], {
    cwd: out,
    stdio: 'ignore',
  });
  const reports = readdirSync(out).filter((name) => /#native#[^#]+\.(cc|h)\.gcov$/.test(name));
  let all = 0;
  let missed = 0;
  for (const name of reports.sort()) {
    const source = name.replace(/^.*#native#/, 'native/').replace(/\.gcov$/, '');
    const lines = linesOf(readFileSync(join(out, name), 'utf8'));
    const left = [...lines].filter(([, { ran }]) => !ran);
    all += lines.size;
    missed += left.length;
    console.log(`${source}: ${lines.size - left.length} of ${lines.size} lines`);
    for (const [number, { text }] of left) console.log(`    ${number}: ${text}`);
  }
  console.log(`native: ${(100 * (1 - missed / all)).toFixed(1)} % of ${all} lines`);
}

try {
  build();
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--reporter=dot', '--coverage', ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    env: { ...process.env, WEAKLY_BINARY: binary, WEAKLY_COVERAGE: '1' },
    stdio: 'inherit',
  });
  native();
  process.exitCode = status ?? 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
