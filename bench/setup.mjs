// Gets everything built that the benchmarks load. Uses nothing from node_modules: there may be none yet.

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bench = join(root, 'bench');

/** Progress goes to stderr; the tables have stdout to themselves. */
function run(command, args, { cwd = root, nodedir, node = process.execPath } = {}) {
  const env = { ...process.env, PATH: dirname(node) + delimiter + process.env.PATH };
  if (nodedir !== undefined) {
    // npm passes its own nodedir setting on to scripts; it would win over ours if it stayed.
    for (const key of Object.keys(env)) if (key.toLowerCase() === 'npm_config_nodedir') delete env[key];
    env.npm_config_nodedir = nodedir;
  }
  execFileSync(command, args, {
    cwd,
    env,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32' && command === 'npm',
  });
}

function newest(dir) {
  let time = 0;
  for (const entry of readdirSync(dir, { recursive: true })) time = Math.max(time, statSync(join(dir, entry)).mtimeMs);
  return time;
}

export function prepareRoot() {
  if (!existsSync(join(root, 'node_modules', 'typescript'))) run('npm', ['ci']);
  const built = join(root, 'dist', 'index.js');
  // An older build would be measured without a word.
  if (!existsSync(built) || statSync(built).mtimeMs < newest(join(root, 'lib'))) run('npm', ['run', 'build:ts']);
}

/** @param target { node, major, nodedir } as scripts/majors.mjs gives it; nodedir is undefined if there are no headers */
export function prepareMajor(target, log) {
  if (!binaryFits(target)) {
    const args = Number(process.versions.node.split('.')[0]) === target.major ? [] : [String(target.major)];
    run(process.execPath, [join(root, 'scripts', 'prebuild.mjs'), ...args]);
  }
  prepareReference(target, log);
  preparePackages(target, log);
  preparePrivate(target, log);
}

function binaryFits({ node }) {
  const abi = execFileSync(node, ['-p', 'process.versions.modules'], { encoding: 'utf8' }).trim();
  const dir = join(root, 'prebuilds', `${process.platform}-${process.arch}`);
  const name = existsSync(dir) ? readdirSync(dir).find((file) => file.includes(`abi${abi}.`)) : undefined;
  if (name === undefined || statSync(join(dir, name)).mtimeMs < newest(join(root, 'native'))) return false;
  return loads(node, `import(${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)})`);
}

function loads(node, expression) {
  try {
    execFileSync(node, ['-e', expression], { cwd: bench, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

// Node-API: one binary serves every major.
function prepareReference({ nodedir }, log) {
  const binary = join(bench, 'native', 'build', 'Release', 'napi_reference.node');
  const source = join(bench, 'native', 'napi_reference.c');
  if (existsSync(binary) && statSync(binary).mtimeMs >= statSync(source).mtimeMs) return;
  try {
    const gyp = join(root, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
    run(process.execPath, [gyp, 'rebuild', '--release', '--loglevel=warn'], { cwd: join(bench, 'native'), nodedir });
  } catch {
    log('the Node-API reference does not build here; its figures will be missing');
  }
}

// A directory per major: weak-napi may be compiled against the headers of that major.
function preparePackages({ node, major, nodedir }, log) {
  const dir = join(bench, '.deps', String(major));
  const load = `const weak = require(${JSON.stringify(join(dir, 'node_modules', 'weak-napi'))}); weak.get(weak({})); process.kill(process.pid, 'SIGTERM')`;
  // It can crash while the process exits, which says nothing about whether it works until then.
  const works = () => {
    try {
      execFileSync(node, ['-e', load], { stdio: 'ignore' });
    } catch (error) {
      return error.signal === 'SIGTERM';
    }
    return true;
  };
  const wanted = readFileSync(join(bench, 'package.json'), 'utf8');
  const installed = join(dir, 'package.json');
  if (existsSync(installed) && readFileSync(installed, 'utf8') === wanted && works()) return;
  mkdirSync(dir, { recursive: true });
  writeFileSync(installed, wanted);
  // Optional ones that do not build are left out; the others must come.
  run('npm', ['install', '--silent', '--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts=false'], {
    cwd: dir,
    node,
    nodedir,
  });
  if (!works()) log(`weak-napi does not build here for Node.js ${major}; its figures will be missing`);
}

// V8's own API: compiled for each major.
function preparePrivate({ node, major, nodedir }, log) {
  const dir = join(bench, '.deps', String(major), 'private');
  const source = join(bench, 'native-v8');
  const binary = join(dir, 'build', 'Release', 'private_property.node');
  if (existsSync(binary) && statSync(binary).mtimeMs >= newest(source)) return;
  mkdirSync(dir, { recursive: true });
  for (const file of readdirSync(source)) copyFileSync(join(source, file), join(dir, file));
  try {
    const gyp = join(root, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
    run(node, [gyp, 'rebuild', '--release', '--loglevel=warn'], { cwd: dir, node, nodedir });
  } catch {
    log(`private properties cannot be measured on Node.js ${major}: they do not build here`);
  }
}
