// A few measurements, one column a major: six of them and their chart for README.md, where the table stands between
// <!-- bench: figures --> and <!-- /bench -->; the others are the summary of docs/performance.md.

import { chart } from './chart.mjs';
import { ENTRIES } from './groups.mjs';
import { figures, markdown, number } from './table.mjs';

/** [label, measurement, whose figure, over whose, at most]; without `over`, the figure itself. */
const FIGURES = [
  ['reading a weak reference: `value()` : `WeakRef.deref()`', 'read', 'weakly', 'weakref', 0.4],
  ['registering a cleanup : FinalizationRegistry, with a token', 'register', 'weakly-dropped', 'fr-token', 0.5],
  ['longest block while a million are called : the same', 'run-block', 'weakly', 'fr-token', undefined],
  ['WeakValueMap, `get` : a Map of WeakRefs', 'values-get', 'wvm', 'hand-values', 1],
  ['what it adds to a major GC : the same', 'values-gc', 'wvm', 'hand-values', 0.5],
  ['WeakCache, `get` : weak-lru-cache', 'cache-get', 'weak-cache', 'weak-lru-cache', 1],
];

const TABLES = {
  Pointers: [
    ['`value()` : `WeakRef.deref()`', 'read', 'weakly', 'weakref', 0.4],
    ['`alive` : `deref()`', 'alive', 'weakly', 'weakref', 0.2],
    ['`make` of a known target : `WeakMap.get`', 'known', 'weakly', 'weakmap', 2],
    ['the same, of a hundred thousand', 'known-many', 'weakly', 'weakmap', 2],
    ['the same, of a million', 'known-million', 'weakly', 'weakmap', 4],
    ['making a million : WeakRef + WeakMap', 'create', 'weakly', 'weakmap', 0.5],
    ['making a million : bare WeakRefs', 'create', 'weakly', 'weakref', 1],
    ['what they add to a major GC : WeakRef + WeakMap', 'live-gc', 'weakly', 'weakmap', 0.5],
    ['the major GC in which they die : bare WeakRefs', 'die', 'weakly', 'weakref', 1.3],
    ['process memory per pointer, bytes', 'memory', 'weakly', undefined, 125],
    ['growth over 100 million short-lived ones, MB', 'flat-one-job', 'weakly', undefined, 16],
  ],
  'Cleanups, against a FinalizationRegistry (FR)': [
    ['register : FR with the target as token', 'register', 'weakly-dropped', 'fr-token', 0.5],
    ['the same, the `Cleanup` kept : FR with a token of its own, kept', 'register', 'weakly', 'fr-own', 0.5],
    ['stop : `unregister`', 'stop', 'weakly', 'fr-token', undefined],
    ['longest block of the event loop while a million are called, ms', 'run-block', 'weakly', undefined, 10],
    ['the same with FR, ms', 'run-block', 'fr', undefined, undefined],
    ['meanwhile, the slowest answer to an HTTP request, ms', 'drain', 'weakly', undefined, undefined],
    ['the same with FR, ms', 'drain', 'fr', undefined, undefined],
    ['calling a million : FR without tokens', 'run-total', 'weakly', 'fr', 1.5],
    ['the same, and the GC before it : FR with the target as token', 'run-all', 'weakly', 'fr-token', undefined],
    ['what a million add to a major GC : FR with the target as token', 'cleanup-gc', 'weakly-dropped', 'fr-token', 0.4],
    ['the same, the `Cleanup` kept : FR with a token of its own, kept', 'cleanup-gc', 'weakly', 'fr-own', 0.4],
    ['process memory : FR with the target as token', 'cleanup-memory', 'weakly-dropped', 'fr-token', 0.8],
    ['the same, the `Cleanup` kept : FR with a token of its own, kept', 'cleanup-memory', 'weakly', 'fr-own', 0.8],
    ['half of all were called within, ms', 'latency-p50', 'weakly-dropped', undefined, undefined],
    ['the same with FR, ms', 'latency-p50', 'fr', undefined, undefined],
  ],
  'Collections, against what people write by hand and the npm packages that have the feature': [
    ['WeakValueMap : by hand, `get`', 'values-get', 'wvm', 'hand-values', 1],
    ['short-lived values', 'values-churn', 'wvm', 'hand-values', 1],
    ['iterating', 'values-iterate', 'wvm', 'hand-values', undefined],
    ['what they add to a major GC', 'values-gc', 'wvm', 'hand-values', 0.5],
    ['process memory', 'values-memory', 'wvm', 'hand-values', undefined],
    ['WeakValueMap : weakref, `get`', 'values-get', 'wvm', 'weakref-values', 1],
    ['short-lived values', 'values-churn', 'wvm', 'weakref-values', 1],
    ['WeakValueMap : @cspell/strong-weak-map, `get`', 'values-get', 'wvm', 'strong-weak-map', 1],
    ['short-lived values', 'values-churn', 'wvm', 'strong-weak-map', 1],
    ['WeakKeyMap : by hand, `get`', 'keys-get', 'wkm', 'hand-keys', 1],
    ['short-lived keys', 'keys-churn', 'wkm', 'hand-keys', 1],
    ['iterating', 'keys-iterate', 'wkm', 'hand-keys', undefined],
    ['what they add to a major GC', 'keys-gc', 'wkm', 'hand-keys', 0.5],
    ['process memory', 'keys-memory', 'wkm', 'hand-keys', undefined],
    ['WeakKeyMap : weakref, `get`', 'keys-get', 'wkm', 'weakref-keys', 1],
    ['short-lived keys', 'keys-churn', 'wkm', 'weakref-keys', 1],
    ['WeakKeySet : by hand, `has`', 'members-get', 'wks', 'hand-members', 1],
    ['short-lived members', 'members-churn', 'wks', 'hand-members', 1],
    ['what they add to a major GC', 'members-gc', 'wks', 'hand-members', 0.5],
    ['WeakKeySet : weakref, `has`', 'members-get', 'wks', 'weakref-members', 1],
    ['short-lived members', 'members-churn', 'wks', 'weakref-members', 1],
    ['WeakCache : weak-lru-cache, `get` from the strong tier', 'cache-get', 'weak-cache', 'weak-lru-cache', 1],
    ['`get` of what was evicted and is in use', 'cache-get-weak', 'weak-cache', 'weak-lru-cache', undefined],
    ['short-lived values', 'cache-churn', 'weak-cache', 'weak-lru-cache', 1],
    [
      'one handle of a million equal strings : the strings, process memory',
      'equal-strings',
      'unique',
      'strings',
      undefined,
    ],
  ],
};

function cell(result, [, id, ours, over, most]) {
  const figure = figures(
    ENTRIES.find((entry) => entry.id === id),
    result.measured,
  );
  if (figure?.net[ours] === undefined || (over !== undefined && figure.net[over] === undefined)) return '';
  const value = over === undefined ? figure.net[ours] : figure.net[ours] / figure.net[over];
  const text = over === undefined && value >= 10 ? String(Math.round(value)) : number(value);
  return most !== undefined && value > most ? `**${text}**` : text;
}

function table(rows, results) {
  const header = ['', 'asked', ...results.map(({ major }) => `Node ${major}`)];
  const body = rows.map((row) => [
    row[0],
    row[4] === undefined ? '' : String(row[4]),
    ...results.map((result) => cell(result, row)),
  ]);
  return markdown(header, body);
}

/** The text of README.md with its table brought up to date. */
export function withTable(text, results) {
  const between = /(<!-- bench: figures -->\n)[\s\S]*?(\n<!-- \/bench -->)/;
  if (!between.test(text)) throw new Error('README.md has no place for its table');
  return text.replace(between, (_, start, end) => start + table(FIGURES, results) + end);
}

/** For the top of docs/performance.md. */
export function summaryTables(results) {
  return Object.entries(TABLES).flatMap(([title, rows]) => [`### ${title}`, table(rows, results)]);
}

/** The same six figures, of the newest major that was measured. */
export function chartOf(results) {
  const result = results.at(-1);
  let than;
  const rows = FIGURES.map(([title, id, ours, over]) => {
    const { net } = figures(
      ENTRIES.find((entry) => entry.id === id),
      result.measured,
    );
    const [label, whose] = title.split(' : ');
    if (whose !== 'the same') than = whose;
    return { label, than, share: net[ours] / net[over] };
  });
  return chart(rows, result.major);
}
