// The pages: guides, and the reference from the types, with a search, in site/out. Nothing that is public may be undocumented, and no
// link may be broken: within the pages; others' are not looked at.
//   node scripts/site.mjs

import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const site = join(root, 'site');
const out = join(site, 'out');

function run(command, ...args) {
  execFileSync(command, args, { cwd: site, stdio: 'inherit' });
}

const tool = (...path) => join(site, 'node_modules', ...path);

rmSync(out, { recursive: true, force: true });
run('npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error');
run(process.execPath, tool('typedoc', 'bin', 'typedoc'), '--options', join(site, 'typedoc.json'));
// With a warning TypeDoc makes nothing, and says so.
if (!existsSync(join(out, 'index.html'))) throw new Error('site: no pages were made');
run(
  process.execPath,
  tool('linkinator', 'build', 'src', 'cli.js'),
  'out',
  '--recurse',
  '--skip',
  '^https?://(?!localhost|127)',
  '--verbosity',
  'error',
);
console.log(`site: ${join(out, 'index.html')}`);
