// Builds prebuilds/<platform>-<arch>/ with prebuildify.
//   node scripts/prebuild.mjs            the running Node.js only
//   node scripts/prebuild.mjs --all      every supported major, for linux-x64 and, with a cross compiler, for linux-arm64
//   node scripts/prebuild.mjs 22 26      these majors, for linux-x64
//   node scripts/prebuild.mjs --arm64 20 these majors, for linux-arm64: needs Debian's g++-aarch64-linux-gnu
// Headers come from the Node.js packages themselves, passed as nodedir: nothing downloads headers.

import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MAJORS, nodeMajor, ownNodedir } from './majors.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const prebuildify = join(root, 'node_modules', 'prebuildify', 'bin.js');

const CROSS = {
  CC: 'aarch64-linux-gnu-gcc',
  CXX: 'aarch64-linux-gnu-g++',
  PREBUILD_STRIP_BIN: 'aarch64-linux-gnu-strip',
};

function build({ version, nodedir, arch = process.arch }) {
  console.log(`prebuild: Node.js ${version}, ${arch}`);
  const args = [prebuildify, '--target', version, '--arch', arch, '--strip', '--napi=false', '--quiet'];
  // npm passes its own nodedir setting on to scripts; it would win over ours if it stayed.
  const env = { ...process.env, npm_config_nodedir: nodedir, npm_config_jobs: 'max' };
  if (arch !== process.arch) Object.assign(env, CROSS);
  for (const key of Object.keys(env))
    if (key.toLowerCase() === 'npm_config_nodedir' && env[key] !== nodedir) delete env[key];
  try {
    execFileSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' });
  } catch {
    // Quiet builds hide the compiler's words; say them when they matter.
    execFileSync(
      process.execPath,
      args.filter((arg) => arg !== '--quiet'),
      { cwd: root, env, stdio: 'inherit' },
    );
  } finally {
    rmSync(join(root, 'build'), { recursive: true, force: true });
  }
}

function canCross() {
  if (spawnSync(CROSS.CXX, ['--version']).status === 0) return true;
  console.log(`prebuild: no ${CROSS.CXX}, so none for linux-arm64 (apt-get install g++-aarch64-linux-gnu)`);
  return false;
}

function running() {
  const major = Number(process.versions.node.split('.')[0]);
  const nodedir = ownNodedir();
  if (nodedir !== undefined) return { version: process.versions.node, nodedir };
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `Node.js ${process.versions.node} at ${process.execPath} has no headers beside it; use one from an official archive`,
    );
  }
  return nodeMajor(major);
}

const wanted = process.argv.slice(2);
const numbers = wanted.filter((word) => /^\d+$/.test(word)).map(Number);
const majors = wanted.includes('--all') ? MAJORS : numbers;
const targets = [];
if (!wanted.includes('--arm64'))
  targets.push(...(majors.length > 0 ? majors.map((major) => nodeMajor(major)) : [running()]));
if (wanted.includes('--arm64') || (wanted.includes('--all') && canCross()))
  targets.push(...(majors.length > 0 ? majors : MAJORS).map((major) => nodeMajor(major, 'arm64')));
for (const target of targets) build(target);
