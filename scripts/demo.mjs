// `npm run demo`: everything the demo needs, and the demo. Node.js alone must do for this file: in a fresh clone there is
// nothing else.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

// What is installed for one Node.js must fit the one that runs the demo, whichever comes first on the PATH.
const pathKey = Object.keys(process.env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
const env = { ...process.env, [pathKey]: `${dirname(process.execPath)}${delimiter}${process.env[pathKey] ?? ''}` };

function npm(...args) {
  const cli = process.env.npm_execpath;
  const options = { cwd: root, env, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 };
  // npm names its own script to what it runs; without it (`node scripts/demo.mjs`), the one on the PATH will do.
  if (cli?.endsWith('.js')) return spawnSync(process.execPath, [cli, ...args], options);
  return spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
}

function step(what, args) {
  const began = performance.now();
  process.stdout.write(`${what} (npm ${args.join(' ')}) ... `);
  const { status, signal, error, stdout, stderr } = npm(...args);
  if (status === 0) {
    console.log(`${((performance.now() - began) / 1000).toFixed(1)} s`);
    return;
  }
  console.log('failed');
  const output = `${stdout ?? ''}${stderr ?? ''}`;
  process.stderr.write(output);
  const reason = error?.message ?? signal ?? `exit code ${status}`;
  console.error(`The demo could not be prepared: npm ${args.join(' ')}: ${reason}`);
  process.exit(1);
}

/** In a process of its own: a binary for another Node.js may do worse than throw. */
function loads() {
  const script = "await import('weakly')";
  return (
    spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root, env, stdio: 'ignore' }).status === 0
  );
}

// npm writes the file last: an installation that was interrupted is not taken for a whole one.
if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) {
  step('Installing and building', ['ci', '--no-audit', '--no-fund']);
}
if (!existsSync(join(root, 'dist', 'index.js'))) step('Building the library', ['run', 'build:ts']);
if (!loads()) step(`Building the native part for Node.js ${process.version}`, ['run', 'build:native']);

const demo = spawnSync(process.execPath, [join(root, 'examples', 'demo', 'main.mjs')], {
  cwd: root,
  env,
  stdio: 'inherit',
});
if (demo.error) console.error(`The demo could not be started: ${demo.error.message}`);
else if (demo.signal) console.error(`The demo was ended by ${demo.signal}`);
process.exitCode = demo.status ?? 1;
