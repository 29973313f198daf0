// docs/performance.md from the results. It has no dates, so that only figures change from one run to the next.

import { readFileSync } from 'node:fs';
import { summaryTables } from './readme.mjs';
import { collectionGrowthTables, grossTable, growthTable, mainTables, summary } from './table.mjs';

const METHOD = `Every figure comes from a fresh process
(\`node --expose-gc bench/child.mjs <scenario> <contender> <n>\`) that runs one contender only. Contenders take turns (A B C A B C ...) over several rounds; a figure is the median over the rounds of
the medians within a process, a ratio is that of two such figures. Between repetitions the event loop turns, since a
\`WeakRef\` keeps its target to the end of the job.

- Nanoseconds of calls are net of an empty loop of the same shape; 10 000 pointers to live targets, 10 passes per job,
  whose results are summed up and checked.
- What a GC adds, and memory, are net of a process with the same targets, and the same array for pointers, but none in it.
  The gross figures are in the second table. Of memory the least of all rounds is taken: pages that V8 has freed and keeps
  for a while make some 60 MB more in some processes, whoever runs in them, and never less.
- Making is timed with its share of the collections. weakly's pointers are canonical, as are those of WeakRef + WeakMap;
  a bare WeakRef is a new one each time. weak-napi is measured with 100 000 pointers where others have a million.
- The Node-API reference is at its cheapest: count 0, named by a number, no wrapper object, never deleted.
- "A busy service" allocates objects that live long enough to be promoted, so V8 marks incrementally and concurrently;
  figures are the major GCs' durations as \`perf_hooks\` reports them. They are information, not a target: few samples.
- Growth of process memory compares the highest of the last 20 of 200 samples with the highest of 20 in a warm-up a tenth
  as long as the run.
- Cleanups: "Cleanup not kept" drops what \`addCleanup\` returns, so the cleanup cannot be stopped, which is what a
  FinalizationRegistry offers without a token. "token = target" can be stopped by who has the target; "own token" is an
  object, kept, as a Cleanup is. Calls are counted and checked in every measurement, after its end.
- The Map keeps as many other keys as it loses: one that empties is rebuilt by V8 in one block of its own.
- HTTP requests come from another thread, one after the other.
- Collections: "by hand" is a Map of WeakRefs with a FinalizationRegistry (for weak keys, a WeakMap and a Set of them), as
  people write it; its source is in \`bench/contenders-collections.mjs\`. \`weakref\`, \`@cspell/strong-weak-map\` and
  \`weak-lru-cache\` are the npm packages. Entries are used in jobs of 10 000, so caches are cold and WeakRefs
  enter what they read into the set of kept objects; "get, 1 000 entries" is the opposite, many times per job. WeakMap,
  WeakSet, Map and lru-cache lack a feature, and are there to show what it costs.
- Short-lived entries: made and dropped, with the GCs and the callbacks that follow. With weak values, 65 536 keys recur.
- "private property" keeps values on their keys by V8's API for that, through the same kind of calls as ours; it is built
  from \`bench/native-v8\`, and was one of two ways to keep WeakKeyMap's values (the other, which won, is a WeakMap).
- From letting go to the call: 5000 targets a second that live 20 ms each, beside objects that live long enough to be
  promoted; no GC is forced. ">=": that share had not been called at the end.
- Each table is of one run. Those of single groups can be measured anew (\`--update=<groups>\`), so two tables need not be of
  the same run.
- The service, stopping, short-lived pointers and cleanups, the GC in which entries die, and growth are measured in one
  round each, everything else in three or five.`;

function section(result) {
  const { met, missed } = summary(result);
  const verdict = missed.length === 0 ? `All ${met} targets met.` : `${met} of ${met + missed.length} targets met.`;
  const parts = [`## Node.js ${result.major}`, `Node.js ${result.version}, V8 ${result.v8}. ${verdict}`];
  for (const { title, table } of mainTables(result)) {
    parts.push(`### ${title}`, table);
    const gross = grossTable(result, title);
    if (gross !== undefined) parts.push(gross);
  }
  if (result.growth.length > 0) parts.push('### How pointers grow', growthTable(result));
  for (const { title, table } of collectionGrowthTables(result)) parts.push(`### ${title}`, table);
  return parts.join('\n\n');
}

export function document(results) {
  const { machine, platform } = results[0];
  const versions = results.map(({ version, v8 }) => `Node.js ${version} (V8 ${v8})`).join(', ');
  const notes = readFileSync(new URL('notes.md', import.meta.url), 'utf8').trim();
  const quick = results.some((result) => result.quick)
    ? ['**These are figures of a quick run, which says nothing but that the suite works.**']
    : [];
  return `${[
    '<!-- Generated by `npm run bench -- --all-majors --write`. Edit bench/ instead. -->',
    '# Performance',
    ...quick,
    'Generated by `npm run bench -- --all-majors --write`. `npm run bench` measures the running Node.js and prints the same tables.',
    `Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.gigabytes} GB; ${platform}. Versions: ${versions}.`,
    '## Method',
    METHOD,
    '## Summary',
    'Ratios, each against what one would use instead; a million of each where numbers matter. "Asked" is the most that the figure was to be when the work on it began; in bold what misses it.',
    ...summaryTables(results),
    ...results.map(section),
    '## What was measured about V8',
    notes,
  ].join('\n\n')}\n`;
}
