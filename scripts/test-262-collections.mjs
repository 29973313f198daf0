// Runs other people's tests of Map and Set on the weak collections: ECMAScript's own (test262), and if there is a checkout of
// them, those of core-js:
//   node scripts/test-262-collections.mjs <checkout of github.com/tc39/test262> [<of github.com/zloirock/core-js>]
// The tests of Map run on WeakKeyMap and on WeakValueMap, those of Set on WeakKeySet; see collections-adapter.mjs for how. What
// differs has to be in the lists below, and what is there has to differ. With --files: one line for each file of test262.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { WeakKeyMap, WeakKeySet, WeakValueMap } from '../dist/collections/index.js';
import { adapt, keeper } from './collections-adapter.mjs';
import { list } from './test262.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { files: { type: 'boolean', default: false } },
});
const [test262, coreJs] = positionals;
if (test262 === undefined || !existsSync(join(test262, 'harness', 'assert.js')))
  throw new Error('test-262-collections: expected a checkout of github.com/tc39/test262 as the first argument');
if (coreJs !== undefined && !existsSync(join(coreJs, 'tests', 'unit-global')))
  throw new Error('test-262-collections: expected a checkout of github.com/zloirock/core-js as the second argument');

/* What differs from Map and Set, all of it; docs/ecmascript-differences.md says it to users. */

/** Files of test262, as `WeakKeySet: built-ins/Set/name.js`, and why. */
const DIFFERENCES = new Map([]);

/** Lines of core-js's tests. */
const CORE_JS_DIFFERENCES = [
  [/assert\.looksNative\(/, 'the functions are JavaScript, and show their source'],
  [
    /\.(union|intersection|difference|symmetricDifference|is\w+)\((\[[\d, ]*\]|createIterable\(\[[\d, ]*\]\))\)/,
    'core-js takes anything iterable for a set; ECMAScript does not',
  ],
];

const CLASSES = ['expressions', 'statements'].map((kind) => `language/${kind}/class/subclass-builtins`);
/** Directories, and files, of test262 that are about a built-in. */
const places = (name) => [
  `built-ins/${name}`,
  `built-ins/${name}IteratorPrototype`,
  `built-ins/Object/seal/seal-${name.toLowerCase()}.js`,
  ...CLASSES.map((place) => `${place}/subclass-${name}.js`),
  `language/statements/class/subclass/builtin-objects/${name}`,
];
const ROLES = [
  { name: 'WeakKeyMap', Map: WeakKeyMap, places: places('Map'), coreJs: /^es\.map\b/ },
  { name: 'WeakValueMap', Map: WeakValueMap, places: places('Map'), coreJs: /^es\.map\b/ },
  { name: 'WeakKeySet', Map: WeakKeyMap, places: places('Set'), coreJs: /^es\.set\b/ },
];

const ArrayIterator = Object.getPrototypeOf([].values());
const { Map: ownMap, Set: ownSet } = Object.getOwnPropertyDescriptors(globalThis);
const restoreObjects = keeper([
  ...[WeakKeyMap, WeakValueMap].flatMap((Collection) => adapt(Collection, 'Map')),
  ...adapt(WeakKeySet, 'Set'),
  ...[Object, Array, Function, Map, Set, WeakMap, WeakSet, Promise].flatMap((builtIn) => [builtIn, builtIn.prototype]),
  ArrayIterator,
  Object.getPrototypeOf(ArrayIterator),
]);

function restore() {
  Object.defineProperties(globalThis, { Map: ownMap, Set: ownSet });
  restoreObjects();
}

let failures = 0;
function fail(message) {
  failures++;
  console.error(`not ok - ${message}`);
}

const harness = (name) => readFileSync(join(test262, 'harness', name), 'utf8');

/** Those of a place; a partial checkout may have none. */
function filesOf(place) {
  const path = join(test262, 'test', place);
  if (!existsSync(path)) return [];
  if (place.endsWith('.js')) return [place];
  const files = readdirSync(path, { recursive: true }).filter(
    (file) => file.endsWith('.js') && !file.includes('_FIXTURE'),
  );
  return files.sort().map((file) => join(place, file));
}

/** One file, sloppy and strict, as its header allows; the first error. */
function run262(file, role) {
  const text = readFileSync(join(test262, 'test', file), 'utf8');
  const yaml = /\/\*---\n([\s\S]*?)---\*\//.exec(text)?.[1] ?? '';
  const flags = list(yaml, 'flags');
  const includes = ['assert.js', 'sta.js', ...list(yaml, 'includes')].map(harness).join('\n');
  // Another realm has no collections of its own: it is one of these, with another Function.
  const createRealm = () => ({ global: { Function, Map: role.Map, Set: WeakKeySet } });
  for (const strict of [false, true]) {
    if (flags.includes(strict ? 'noStrict' : 'onlyStrict')) continue;
    const body = `${includes}\n(function () {${strict ? '"use strict";' : ''}\n${text}\n}).call(globalThis);`;
    try {
      new Function('Map', 'Set', '$262', body)(role.Map, WeakKeySet, { createRealm });
    } catch (error) {
      return error;
    } finally {
      restore();
    }
  }
  return undefined;
}

const count = () => ({ passed: 0, differ: 0, failed: 0 });
const shown = ({ passed, differ, failed }) => `${passed} pass, ${differ} differ as listed, ${failed} fail`;
const total = count();

function report(title, counts) {
  for (const key of Object.keys(total)) total[key] += counts[key];
  console.log(`${title}: ${shown(counts)}`);
}

for (const role of ROLES) {
  const titles = new Map();
  for (const place of role.places) {
    for (const file of filesOf(place)) {
      const expected = DIFFERENCES.get(`${role.name}: ${file}`);
      const error = run262(file, role);
      const result = error === undefined ? 'passed' : expected === undefined ? 'failed' : 'differ';
      if (result === 'failed') fail(`${role.name}: ${file}: ${error?.message ?? error}`);
      if (result === 'passed' && expected !== undefined)
        fail(`${role.name}: ${file} passes, and is listed as a difference`);
      const title = values.files ? file : dirname(file);
      const counts = titles.get(title) ?? count();
      counts[result]++;
      titles.set(title, counts);
    }
  }
  for (const [title, counts] of titles) report(`test262 ${role.name}: ${title}`, counts);
}

/* core-js: QUnit, and what its helpers import of core-js itself, for which the built-ins are good enough. */

const BUILT_INS = {
  'object/define-property': Object.defineProperty,
  'object/define-properties': Object.defineProperties,
  'object/create': Object.create,
  'object/assign': Object.assign,
  'object/get-own-property-names': Object.getOwnPropertyNames,
  'array/reduce': (array, ...rest) => array.reduce(...rest),
  'is-iterable': (value) => typeof value?.[Symbol.iterator] === 'function',
  'symbol/iterator': Symbol.iterator,
  'symbol/async-iterator': Symbol.asyncIterator,
  promise: Promise,
};

/** The results of one file: each is given the line that it comes from. */
function runCoreJs(file, role) {
  const results = [];
  let line = '';
  const push = ({ result, message }) => results.push({ result, line, message });
  const assert = {
    pushResult: push,
    ok: (value, message) => push({ result: Boolean(value), message }),
    deepEqual: (actual, expected, message) => push({ result: isDeepStrictEqual(actual, expected), message }),
    throws(fn, expected, message) {
      try {
        fn();
      } catch (error) {
        return push({ result: typeof expected !== 'function' || error instanceof expected, message });
      }
      push({ result: false, message });
    },
  };
  const tests = [];
  const globals = { QUnit: { assert, test: (name, fn) => tests.push([name, fn]) }, Map: role.Map, Set: WeakKeySet };

  /** A module, as a function that returns what it exports. */
  const load = (path, scope, change = (text) => text) => {
    const exported = [];
    const text = change(readFileSync(path, 'utf8'))
      .replace(
        /^import (\w+) from 'core-js-pure\/es\/(.*)';$/gm,
        (_, name, from) => `const ${name} = $builtIns['${from}'];`,
      )
      .replace(/^import .*$/gm, '')
      .replace(/^export (const|let|function) ([\w$]+)/gm, (_, kind, name) => {
        exported.push(name);
        return `${kind} ${name}`;
      });
    const names = Object.keys(scope);
    const body = `'use strict';\n${text}\nreturn { ${exported.join(', ')} };`;
    return new Function(...names, '$builtIns', '$line', '$broken', body)(
      ...names.map((name) => scope[name]),
      BUILT_INS,
      (text) => {
        line = text;
      },
      (error) => push({ result: false, message: `${error?.message ?? error}` }),
    );
  };
  const helpers = join(coreJs, 'tests', 'helpers');
  const constants = load(join(helpers, 'constants.js'), globals);
  const shared = { ...globals, ...constants, ...load(join(helpers, 'helpers.js'), { ...globals, ...constants }) };
  load(join(helpers, 'qunit-helpers.js'), shared);
  // They are seen through Proxies here, which look native.
  assert.looksNative = () => push({ result: false, message: 'looks native' });
  // A line that throws is one that fails; what follows is run all the same.
  load(join(coreJs, 'tests', 'unit-global', file), shared, (text) =>
    text.replace(
      /^ +assert\.\w+\(.*\);$/gm,
      (statement) =>
        `try { $line(${JSON.stringify(statement.trim())}); ${statement} } catch (error) { $broken(error); } finally { $line(''); }`,
    ),
  );
  for (const [name, fn] of tests) {
    try {
      fn(assert);
    } catch (error) {
      line = name;
      push({ result: false, message: `${error?.message ?? error}` });
    } finally {
      restore();
    }
  }
  return results;
}

if (coreJs !== undefined) {
  const files = readdirSync(join(coreJs, 'tests', 'unit-global')).sort();
  const used = new Set();
  for (const role of ROLES)
    for (const file of files.filter((name) => role.coreJs.test(name))) {
      const counts = count();
      for (const { result, line, message } of runCoreJs(file, role)) {
        const listed = CORE_JS_DIFFERENCES.find(([pattern]) => pattern.test(line));
        if (result) counts.passed++;
        else if (listed !== undefined) {
          counts.differ++;
          used.add(listed);
        } else {
          counts.failed++;
          fail(`${role.name}: ${file}: ${line} ${message ?? ''}`);
        }
      }
      report(`core-js ${role.name}: ${file}`, counts);
    }
  for (const listed of CORE_JS_DIFFERENCES)
    if (!used.has(listed)) fail(`core-js: nothing differs as listed: ${listed[1]}`);
}

console.log(`Node.js ${process.versions.node}: ${shown(total)}`);
if (failures > 0 || total.passed === 0) process.exit(1);
