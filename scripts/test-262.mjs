// Runs ECMAScript's own tests (test262) of WeakRef and FinalizationRegistry on weakly/spec, or with --native on V8's own:
//   node --expose-gc scripts/test-262.mjs <a checkout of github.com/tc39/test262> [--native]
// Each in a realm of its own, sloppy and strict. There is no package of them, so a checkout has to be at hand.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { list } from './test262.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { native: { type: 'boolean', default: false } },
});
const [checkout] = positionals;
if (checkout === undefined || !existsSync(join(checkout, 'harness', 'assert.js')))
  throw new Error('test-262: expected a checkout of github.com/tc39/test262 as the argument');

const { installInto } = values.native ? { installInto: () => {} } : await import('../dist/spec/index.js');

const PLACES = [
  'built-ins/WeakRef',
  'built-ins/FinalizationRegistry',
  'built-ins/Object/seal/seal-weakref.js',
  'built-ins/Object/seal/seal-finalizationregistry.js',
  'language/expressions/class/subclass-builtins/subclass-WeakRef.js',
  'language/statements/class/subclass-builtins/subclass-WeakRef.js',
];
// Not in ECMAScript yet, and not in Node.js.
const UNSUPPORTED = ['FinalizationRegistry.prototype.cleanupSome'];

const harness = (name) => readFileSync(join(checkout, 'harness', name), 'utf8');

function realm() {
  const context = createContext({ print: () => {} });
  const global = runInContext('globalThis', context);
  installInto(global);
  const host = {
    global,
    createRealm: realm,
    evalScript: (text) => runInContext(text, context),
    gc: () => globalThis.gc(),
    agent: {},
  };
  Object.defineProperty(global, '$262', { value: host, writable: true, configurable: true });
  return host;
}

function run(text, yaml, strict) {
  const { evalScript } = realm();
  for (const name of ['assert.js', 'sta.js', 'doneprintHandle.js', ...list(yaml, 'includes')])
    evalScript(harness(name));
  evalScript(strict ? `'use strict';\n${text}` : text);
}

let passed = 0;
let failed = 0;
let skipped = 0;
/** One file, sloppy and strict, as its header allows. */
function test(file) {
  const text = readFileSync(join(checkout, 'test', file), 'utf8');
  const yaml = /\/\*---\n([\s\S]*?)---\*\//.exec(text)?.[1] ?? '';
  if (list(yaml, 'features').some((feature) => UNSUPPORTED.includes(feature))) {
    skipped++;
    return;
  }
  const flags = list(yaml, 'flags');
  for (const strict of [false, true]) {
    if (flags.includes(strict ? 'noStrict' : 'onlyStrict') || (strict && flags.includes('raw'))) continue;
    try {
      run(text, yaml, strict);
      passed++;
    } catch (error) {
      failed++;
      console.error(`not ok - ${file}${strict ? ' (strict)' : ''}: ${error?.message ?? error}`);
    }
  }
}

for (const place of PLACES) {
  const path = join(checkout, 'test', place);
  if (place.endsWith('.js')) {
    if (existsSync(path)) test(place);
    continue;
  }
  for (const file of readdirSync(path, { recursive: true }).sort())
    if (file.endsWith('.js') && !file.includes('_FIXTURE')) test(join(place, file));
}
console.log(
  `Node.js ${process.versions.node}: ${passed} passed, ${failed} failed, ${skipped} files of proposals left out`,
);
if (failed > 0 || passed === 0) process.exit(1);
