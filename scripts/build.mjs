#!/usr/bin/env node
// npx weakly build: compiles the native binary for the Node.js that runs this, where none is in the package. Needs a C++20 compiler, make
// and Python 3. What else it takes (node-gyp, node-addon-api) is what a checkout has, or fetched from the registry for the time being.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { platform, arch, versions } = process;
const binary = join(root, 'prebuilds', `${platform}-${arch}`, `weakly.abi${versions.modules}.node`);
const TOOLS = { 'node-addon-api': '^8.9.2', 'node-gyp': '^12.4.0' };

function fits() {
  if (!existsSync(binary)) return false;
  try {
    // In a process of its own: a binary of the wrong kind may do worse than throw.
    execFileSync(process.execPath, ['-e', 'process.dlopen({ exports: {} }, process.argv[1])', binary], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

function run(command, args, cwd, env = process.env) {
  const windows = platform === 'win32';
  execFileSync(windows ? `${command}.cmd` : command, args, { cwd, env, stdio: 'inherit', shell: windows });
}

/** Where the tools are: those of a checkout, or in `dir` from now on. Not whatever version a project happens to have. */
function tools(dir) {
  if (existsSync(join(root, 'lib', 'binding.ts'))) return createRequire(import.meta.url);
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ private: true, dependencies: TOOLS }));
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], dir);
  return createRequire(join(dir, 'package.json'));
}

/** Where headers are that spare node-gyp a download; undefined: node-gyp decides. */
async function headers() {
  const prefix = resolve(dirname(process.execPath), '..');
  if (headersFit(prefix)) return prefix;
  const majors = join(root, 'scripts', 'majors.mjs'); // in a checkout; the published package has no such file
  if (platform !== 'linux' || arch !== 'x64' || !existsSync(majors)) return undefined;
  const { nodeMajor } = await import(pathToFileURL(majors).href);
  return nodeMajor(Number(versions.node.split('.')[0])).nodedir;
}

function headersFit(prefix) {
  const header = join(prefix, 'include', 'node', 'node_version.h');
  if (!existsSync(header)) return false;
  const text = readFileSync(header, 'utf8');
  const part = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1];
  return `${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}` === versions.node;
}

async function compile() {
  console.log(`weakly: compiling for ${platform}-${arch}, Node.js ${versions.node} (ABI ${versions.modules})`);
  // Aside: what is in the package is whole, or not there.
  const dir = mkdtempSync(join(tmpdir(), 'weakly-build-'));
  try {
    const from = tools(dir);
    for (const part of ['native', 'binding.gyp']) cpSync(join(root, part), join(dir, part), { recursive: true });
    // binding.gyp asks for it there.
    const api = dirname(from.resolve('node-addon-api/package.json'));
    const modules = join(dir, 'node_modules', 'node-addon-api');
    if (!existsSync(modules)) cpSync(api, modules, { recursive: true });
    const nodedir = await headers();
    const env = { ...process.env };
    if (nodedir !== undefined) {
      // npm hands its own setting on to scripts, in any case of letters.
      for (const key of Object.keys(env)) if (key.toLowerCase() === 'npm_config_nodedir') delete env[key];
      env.npm_config_nodedir = nodedir;
    }
    const gyp = join(dirname(from.resolve('node-gyp/package.json')), 'bin', 'node-gyp.js');
    execFileSync(process.execPath, [gyp, 'rebuild', '--release'], { cwd: dir, env, stdio: 'inherit' });
    mkdirSync(dirname(binary), { recursive: true });
    // By way of a name of its own: another process may be loading the one that is there.
    const whole = `${binary}.${process.pid}`;
    cpSync(join(dir, 'build', 'Release', 'weakly.node'), whole);
    renameSync(whole, binary);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  console.log(`weakly: ${binary}`);
}

function usage() {
  console.error(
    'Usage: npx weakly build [--force]\n\nCompiles the native binary for this Node.js, if there is none that fits.',
  );
  process.exit(2);
}

const [command, ...options] = process.argv.slice(2);
const [major, minor] = versions.node.split('.').map(Number);
if (command !== 'build' || options.some((option) => option !== '--force')) usage();
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`weakly: Node.js ${versions.node} is too old: 20.19 or later is needed, and no compiler helps.`);
  process.exit(1);
}
if (fits() && !options.includes('--force')) console.log(`weakly: nothing to do, there is ${binary}`);
else await compile();
