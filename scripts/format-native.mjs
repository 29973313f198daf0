// clang-format over native/ (and the benchmark's own addon); --check only reports.

import { execFileSync } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { clangFormatPath } = createRequire(import.meta.url)('clang-format-node');

// Packed without it; the package's own install script adds it, where install scripts are not switched off.
try {
  accessSync(clangFormatPath, constants.X_OK);
} catch {
  chmodSync(clangFormatPath, 0o755);
}

const files = ['native', join('bench', 'native')]
  .filter((dir) => existsSync(join(root, dir)))
  .flatMap((dir) => readdirSync(join(root, dir)).map((name) => join(dir, name)))
  .filter((path) => /\.(c|cc|h)$/.test(path));
if (files.length === 0) throw new Error('format-native: no sources found');

const check = process.argv.includes('--check');
try {
  execFileSync(clangFormatPath, [...(check ? ['--dry-run', '--Werror'] : ['-i']), ...files], {
    cwd: root,
    stdio: 'inherit',
  });
} catch {
  // clang-format has said which lines.
  console.error(check ? 'format-native: run "npm run format"' : 'format-native: clang-format failed');
  process.exit(1);
}
console.log(`format-native: ${files.length} files ${check ? 'are formatted' : 'formatted'}`);
