// The benchmarks. Tables go to stdout, progress to stderr.
//   npm run bench                        the running Node.js
//   npm run bench -- --all-majors        every supported major, each with its own binary
//   npm run bench -- --quick             small sizes, few rounds: whether the suite works, no more; not saved
//   npm run bench -- --write             also writes docs/performance.md, and the table and chart of README.md
//   npm run bench -- --from-saved        measures nothing; takes the results of earlier runs (bench/results/)
//   npm run bench -- --only=read,memory  some measurements only; nothing is saved
//   npm run bench -- --update=WeakCache  the tables of some groups only, put into the saved results; also with --write

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { document } from '../bench/document.mjs';
import { idsOf } from '../bench/groups.mjs';
import { chartOf, withTable } from '../bench/readme.mjs';
import { runMajor } from '../bench/run.mjs';
import { prepareMajor, prepareRoot } from '../bench/setup.mjs';
import { collectionGrowthTables, grossTable, growthTable, mainTables, summary } from '../bench/table.mjs';
import { MAJORS, nodeMajor, ownNodedir } from './majors.mjs';

const { values: options } = parseArgs({
  options: {
    'all-majors': { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    'from-saved': { type: 'boolean', default: false },
    only: { type: 'string' },
    update: { type: 'string' },
  },
});

if (options.only !== undefined && options.write)
  throw new Error('bench: --write needs every measurement, not --only some');

const root = fileURLToPath(new URL('..', import.meta.url));
const resultsDir = join(root, 'bench', 'results');
const log = (text) => console.error(`bench: ${text}`);

function targets() {
  if (options['all-majors']) return MAJORS.map((major) => nodeMajor(major));
  const major = Number(process.versions.node.split('.')[0]);
  return [{ major, node: process.execPath, nodedir: ownNodedir(), version: process.versions.node }];
}

function measure() {
  const results = [];
  prepareRoot();
  // All built before the first is measured: a compiler beside a measurement would show in it.
  const list = targets();
  for (const target of list) prepareMajor(target, log);
  for (const target of list) {
    const v8 = execFileSync(target.node, ['-p', 'process.versions.v8'], { encoding: 'utf8' }).trim();
    const only = options.update === undefined ? options.only?.split(',') : idsOf(options.update.split(','));
    const result = runMajor({ ...target, v8 }, { quick: options.quick, only, log });
    // Part of a measurement, or a small one, must not take the place of a whole one.
    if (options.update !== undefined) update(result);
    else if (only === undefined && !options.quick) save(result);
    results.push(result);
  }
  return results;
}

function save(result) {
  mkdirSync(resultsDir, { recursive: true });
  writeFileSync(join(resultsDir, `${result.major}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
}

/** Each table stays that of one run. */
function update(result) {
  const whole = saved().find(({ major }) => major === result.major);
  if (whole === undefined || options.quick) throw new Error('bench: --update needs the saved results of a full run');
  if (result.growth.length === 0) result.growth = whole.growth;
  result.measured = { ...whole.measured, ...result.measured };
  result.collectionGrowth = { ...whole.collectionGrowth, ...result.collectionGrowth };
  save(result);
}

function saved() {
  const files = existsSync(resultsDir) ? readdirSync(resultsDir).filter((file) => file.endsWith('.json')) : [];
  if (files.length === 0) throw new Error('bench: no saved results; run npm run bench first');
  return files
    .map((file) => JSON.parse(readFileSync(join(resultsDir, file), 'utf8')))
    .sort((a, b) => a.major - b.major);
}

function print(result) {
  console.log(`\nNode.js ${result.version} (V8 ${result.v8}), ${result.machine.cpu}, ${result.machine.cores} cores`);
  console.log('Figures in ns are net of an empty loop; "added" and memory are net of the targets. Before that:\n');
  for (const { title, table } of mainTables(result)) {
    const gross = grossTable(result, title);
    console.log(`${title}\n\n${gross === undefined ? '' : `${gross}\n\n`}${table}\n`);
  }
  if (result.growth.length > 0) console.log(`${growthTable(result)}\n`);
  for (const { title, table } of collectionGrowthTables(result)) console.log(`${title}\n\n${table}\n`);
  const { met, missed } = summary(result);
  console.log(`${met} of ${met + missed.length} targets met${missed.map((text) => `\n  NOT MET  ${text}`).join('')}`);
  if (result.quick) console.log('A quick run: sizes are small and rounds few, so the figures mean little.');
}

const results = options['from-saved'] ? saved() : measure();
for (const result of results) print(result);
if (options.write) {
  const file = join(root, 'docs', 'performance.md');
  writeFileSync(file, document(results));
  log(`wrote ${file}`);
  const readme = join(root, 'README.md');
  writeFileSync(readme, withTable(readFileSync(readme, 'utf8'), results));
  writeFileSync(join(root, 'docs', 'figures.svg'), chartOf(results));
  log(`brought ${readme} and its chart up to date`);
}
