// The types of the packed library, as a project sees them: by each version of TypeScript of the range that is supported, in ES modules
// and CommonJS, with `skipLibCheck: false`.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** The oldest that knows `MapIterator`, the last of each line, and the newest. */
const VERSIONS = ['5.6.3', '5.9', '6', 'latest'];
const project = mkdtempSync(join(tmpdir(), 'weakly-types-'));

const USE = `
import { addCleanup, finalizable, make, makeField, queue, type Pointer } from 'weakly';
import { unique, Unique, WeakCache, WeakKeyMap, WeakKeySet, WeakValueMap } from 'weakly/collections';
import { addWeakListener } from 'weakly/events';
import { FinalizationRegistry, WeakRef } from 'weakly/spec';
import { collected, gcUntil, matchers } from 'weakly/testing';
import { EventEmitter } from 'node:events';

const target = { id: 1 };
const pointer: Pointer<{ id: number }> = make(target);
const id: number | undefined = pointer.value()?.id;
const map = new WeakValueMap([['a', target]]);
const entries: [string, { id: number }][] = [...map];
const cache = new WeakCache({ max: 1, loader: async (key: number) => ({ key }) });
const loaded: Promise<{ key: number }> = cache.fetch(1);
addCleanup(target, (n: number) => n, 1).stop();
addWeakListener(new EventEmitter(), 'event', target, (owner, ...args) => [owner.id, args]);
console.log(id, entries, loaded, finalizable, makeField(target, 'id'), queue.stats(), unique([1]).value[0], Unique, WeakKeyMap, WeakKeySet);
console.log(new WeakRef(target), new FinalizationRegistry((n: number) => n), collected, gcUntil, matchers);
`;

const npm = (args) =>
  execFileSync('npm', args, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

try {
  const packed = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], { cwd: root, encoding: 'utf8' }),
  );
  const [{ filename }] = Array.isArray(packed) ? packed : Object.values(packed);
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n');
  const aliases = VERSIONS.map((version) => `typescript-${version.replace(/\W/g, '-')}@npm:typescript@${version}`);
  const rest = ['@types/node@20', 'vitest@^4', '@types/jest@^30', 'expect@^30'];
  npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', join(project, filename), ...aliases, ...rest]);
  mkdirSync(join(project, 'runners'));
  writeFileSync(join(project, 'esm.mts'), USE);
  writeFileSync(join(project, 'commonjs.cts'), USE);
  const assertion = 'export const done: Promise<void> = expect(() => ({})).toBeCollected({ timeoutMs: 5 });\n';
  const runners = {
    'vitest.mts': `import 'weakly/testing/vitest';\nimport { expect } from 'vitest';\n${assertion}`,
    'jest.cts': `import 'weakly/testing/jest';\n${assertion}`,
    'jest-globals.cts': `import 'weakly/testing/jest-globals';\nimport { expect } from 'expect';\n${assertion}`,
  };
  for (const [name, text] of Object.entries(runners)) writeFileSync(join(project, 'runners', name), text);
  const common = { target: 'ES2022', lib: ['ES2023'], strict: true, noEmit: true, exactOptionalPropertyTypes: true };
  const configs = {
    node: { compilerOptions: { ...common, module: 'NodeNext', types: ['node'], skipLibCheck: false }, files: ['esm.mts', 'commonjs.cts'] },
    bundler: { compilerOptions: { ...common, module: 'ESNext', moduleResolution: 'bundler', types: ['node'], skipLibCheck: false }, files: ['esm.mts'] },
    // The libraries of runners are not checked: they are theirs.
    vitest: { compilerOptions: { ...common, module: 'NodeNext', types: ['node'], skipLibCheck: true }, files: ['runners/vitest.mts'] },
    jest: { compilerOptions: { ...common, module: 'NodeNext', types: ['node', 'jest'], skipLibCheck: true }, files: ['runners/jest.cts'] },
    'jest-globals': { compilerOptions: { ...common, module: 'NodeNext', types: ['node'], skipLibCheck: true }, files: ['runners/jest-globals.cts'] },
  };
  for (const [name, config] of Object.entries(configs)) writeFileSync(join(project, `tsconfig.${name}.json`), JSON.stringify(config));
  for (const [i, version] of VERSIONS.entries()) {
    const tsc = join(project, 'node_modules', aliases[i].split('@')[0], 'bin', 'tsc');
    for (const name of Object.keys(configs)) {
      const checked = spawnSync(process.execPath, [tsc, '-p', `tsconfig.${name}.json`], { cwd: project, encoding: 'utf8' });
      assert.equal(checked.status, 0, `TypeScript ${version}, ${name}:\n${checked.stdout}${checked.stderr}`);
      console.log(`ok - TypeScript ${version}, ${name}`);
    }
  }
} finally {
  rmSync(project, { recursive: true, force: true });
} // biome-ignore format: one line each
