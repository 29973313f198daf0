// dist/: a file for each door, and those that they share, and the declarations. What TypeScript makes of lib/ goes to .build/ before.

import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rollup } from 'rollup';

const root = fileURLToPath(new URL('..', import.meta.url));
const built = join(root, '.build');
const dist = join(root, 'dist');
const DOORS = ['index', 'collections/index', 'events/index', 'spec/index', 'spec/global', 'testing/index', 'internals'];

for (const dir of [built, dist]) rmSync(dir, { recursive: true, force: true });
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
execFileSync(process.execPath, [tsc, '-p', root, '--outDir', built], { stdio: 'inherit' });
cpSync(built, dist, { recursive: true, filter: (path) => !path.endsWith('.js') });

const bundle = await rollup({
  input: Object.fromEntries(DOORS.map((door) => [door, join(built, `${door}.js`)])),
  external: (id) => !id.startsWith('.') && !isAbsolute(id),
  // What a module does when it is evaluated, it does for a reason.
  treeshake: false,
  onwarn(warning) {
    throw new Error(warning.message);
  },
});
await bundle.write({
  dir: dist,
  format: 'es',
  entryFileNames: '[name].js',
  // Beside the doors: the binary is looked for from there (lib/locate.ts).
  chunkFileNames: 'shared-[hash].js',
  // By itself: ncc looks for files that are named in what it can parse, which is not all of the others.
  manualChunks: { locate: [join(built, 'locate.js')] },
  // No look-up of what is another door's, and no file for a few lines.
  hoistTransitiveImports: false,
  generatedCode: { constBindings: true },
});
await bundle.close();
rmSync(built, { recursive: true, force: true });
