// Runs the plan on one Node.js: every measurement in a fresh process, contenders in turn (A B C A B C ...), so that
// what else the machine does falls on all of them.

import { spawnSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ENTRIES } from './groups.mjs';
import { GROWTH } from './plan.mjs';
import { COLLECTION_GROWTH } from './plan-collections.mjs';

const child = fileURLToPath(new URL('child.mjs', import.meta.url));

/** One sample. weak-napi can crash while the process exits, its result printed: exit codes do not count. */
function measure(node, { scenario, contender, n, options = {}, flags = [] }) {
  const args = [
    '--expose-gc',
    '--no-warnings',
    ...flags,
    child,
    scenario,
    contender,
    String(n),
    JSON.stringify(options),
  ];
  const run = spawnSync(node, args, { encoding: 'utf8', maxBuffer: 1 << 24 });
  const line = run.stdout.trim().split('\n').pop();
  try {
    return JSON.parse(line);
  } catch {
    const why =
      run.stderr.split('\n').find((text) => /Error|FATAL/.test(text)) ??
      `exit code ${run.status}, signal ${run.signal}`;
    // Only what has native code of others may be missing.
    if (!['napi', 'weak-napi', 'private'].includes(contender)) {
      throw new Error(`${scenario} of ${contender} failed: ${run.stderr || why}`);
    }
    return { unavailable: why.trim() };
  }
}

/** The samples of each contender; a contender that is not there has `unavailable` instead. */
function rounds(node, entry, quick, log) {
  const base = entry.minus === undefined ? [] : [entry.minus];
  const names = [...base, ...entry.contenders];
  const results = Object.fromEntries(names.map((name) => [name, { samples: [] }]));
  const times = quick ? 1 : entry.rounds;
  for (let round = 0; round < times; round++) {
    for (const contender of names) {
      const into = results[contender];
      if (into.unavailable !== undefined) continue;
      const n = quick ? entry.quickN : (entry.sizes?.[contender] ?? entry.n);
      log(`${entry.id}: ${contender}, round ${round + 1} of ${times}`);
      const options = { ...entry.options, ...(quick ? entry.quickOptions : undefined) };
      const sample = measure(node, { ...entry, contender, n, options });
      if (sample.unavailable !== undefined) into.unavailable = sample.unavailable;
      else into.samples.push(sample);
    }
  }
  return results;
}

/** A row for each size, a sample for each contender. */
function growth(node, id, plan, quick, log) {
  const rows = [];
  for (const n of quick ? plan.quickSizes : plan.sizes) {
    const row = { n, contenders: {} };
    for (const contender of plan.contenders) {
      log(`${id}: ${contender}, ${n}`);
      // A collection of 5 M takes long enough for fewer of them to say the same.
      const options = { times: n > 1_000_000 ? 3 : 5 };
      row.contenders[contender] = measure(node, { ...plan, contender, n, options });
    }
    rows.push(row);
  }
  return rows;
}

/** @returns everything that the tables need, as plain data */
export function runMajor({ node, major, version, v8 }, { quick, only, log }) {
  const start = Date.now();
  const tell = (text) => log(`Node.js ${version} +${Math.round((Date.now() - start) / 1000)} s  ${text}`);
  const wanted = (id) => only === undefined || only.includes(id);
  const measured = {};
  for (const entry of ENTRIES) {
    if (quick && entry.quick === false) continue;
    if (entry.from === undefined && wanted(entry.id)) measured[entry.id] = rounds(node, entry, quick, tell);
  }
  const grown = wanted('growth') ? growth(node, 'growth', GROWTH, quick, tell) : [];
  const collectionGrowth = {};
  for (const [id, plan] of Object.entries(COLLECTION_GROWTH))
    if (wanted(id)) collectionGrowth[id] = growth(node, id, plan, quick, tell);
  const machine = {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    gigabytes: Math.round(totalmem() / 2 ** 30),
  };
  return {
    major,
    version,
    v8,
    quick,
    machine,
    platform: `${process.platform}-${process.arch}`,
    measured,
    growth: grown,
    collectionGrowth,
  };
}
