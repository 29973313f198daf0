// Builds prebuilds/<platform>-<arch>/ with prebuildify.
//   node scripts/prebuild.mjs            the running Node.js only
//   node scripts/prebuild.mjs --all      every supported major (linux-x64; elsewhere use the running Node.js of each)
//   node scripts/prebuild.mjs 22 26      these majors
// Headers come from the Node.js packages themselves, passed as nodedir: nothing downloads headers.

import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MAJORS, nodeMajor, ownNodedir } from './majors.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const prebuildify = join(root, 'node_modules', 'prebuildify', 'bin.js');

function build({ version, nodedir }) {
  console.log(`prebuild: Node.js ${version}`);
  const args = [prebuildify, '--target', version, '--strip', '--napi=false', '--quiet'];
  // npm passes its own nodedir setting on to scripts; it would win over ours if it stayed.
  const env = { ...process.env, npm_config_nodedir: nodedir, npm_config_jobs: 'max' };
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
const majors = wanted.includes('--all') ? MAJORS : wanted.map(Number);
for (const target of majors.length > 0 ? majors.map(nodeMajor) : [running()]) build(target);
