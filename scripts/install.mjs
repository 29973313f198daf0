// The package's install script: nothing to do where a prebuilt binary fits; else compile one. Where install scripts are
// switched off, the prebuilt binary is found just the same, and a missing one is reported when the package is imported.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

function fits() {
  let path;
  try {
    path = require('node-gyp-build').resolve(root);
  } catch {
    return false;
  }
  try {
    // In a process of its own: a binary of the wrong kind may do worse than throw.
    execFileSync(process.execPath, ['-e', 'require(process.argv[1])', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function compile() {
  console.log(
    `weakly: no prebuilt binary for ${process.platform}-${process.arch}, Node.js ${process.versions.node} (ABI ${process.versions.modules}); compiling`,
  );
  const env = { ...process.env };
  const nodedir = await headers();
  if (nodedir !== undefined) {
    // npm hands its own setting on to scripts, in any case of letters.
    for (const key of Object.keys(env)) if (key.toLowerCase() === 'npm_config_nodedir') delete env[key];
    env.npm_config_nodedir = nodedir;
  }
  const windows = process.platform === 'win32';
  execFileSync(windows ? 'node-gyp.cmd' : 'node-gyp', ['rebuild', '--release'], {
    cwd: root,
    env,
    stdio: 'inherit',
    shell: windows,
  });

  // Stored under its ABI, beside the prebuilt ones: a binary in build/Release would be tried first by every other Node.js.
  const dir = join(root, 'prebuilds', `${process.platform}-${process.arch}`);
  mkdirSync(dir, { recursive: true });
  renameSync(
    join(root, 'build', 'Release', 'weakly.node'),
    join(dir, `weakly.abi${process.versions.modules}${libcTag()}.node`),
  );
  rmSync(join(root, 'build'), { recursive: true, force: true });
}

/** Where headers are that spare node-gyp a download; undefined: node-gyp decides. */
async function headers() {
  const prefix = resolve(dirname(process.execPath), '..');
  if (headersFit(prefix)) return prefix;
  const majors = join(root, 'scripts', 'majors.mjs'); // in a checkout; the published package has no such file
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(majors)) return undefined;
  const { nodeMajor } = await import(pathToFileURL(majors).href);
  return nodeMajor(Number(process.versions.node.split('.')[0])).nodedir;
}

function libcTag() {
  if (process.platform !== 'linux') return '';
  return existsSync('/etc/alpine-release') ? '.musl' : '.glibc';
}

function headersFit(prefix) {
  const header = join(prefix, 'include', 'node', 'node_version.h');
  if (!existsSync(header)) return false;
  const text = readFileSync(header, 'utf8');
  const part = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1];
  return `${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}` === process.versions.node;
}

if (!fits()) await compile();
