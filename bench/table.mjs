// From samples to Markdown tables.

import { TITLES } from './contenders.mjs';
import { ENTRIES, GROUPS } from './groups.mjs';
import { COLLECTION_GROWTH } from './plan-collections.mjs';

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function number(value) {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en').replaceAll(',', ' ');
  return value.toFixed(size >= 10 ? 1 : 2);
}

/** Numbers to the right, words to the left; columns are padded, so that the source reads as a table too. */
export function markdown(header, rows, left = 1) {
  const all = [header, ...rows];
  const widths = header.map((_, i) => Math.max(3, ...all.map((row) => row[i].length)));
  const pad = (text, i) => (i < left ? text.padEnd(widths[i]) : text.padStart(widths[i]));
  const line = (row) => `| ${row.map(pad).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i < left ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(header), rule, ...rows.map(line)].join('\n');
}

const count = (n) => n.toLocaleString('en').replaceAll(',', ' ');

/** A quick run must not claim the sizes of a full one. */
const title = (entry, result) => entry.title.replace('{n}', count(result.quick ? entry.quickN : entry.n));

/** The figures of one entry: net of what is to be subtracted, and gross. */
export function figures(entry, measured) {
  const results = measured[entry.from ?? entry.id];
  if (results === undefined) return undefined;
  const of = (name) => {
    const samples = results[name]?.samples ?? [];
    const values = samples.map((sample) => sample[entry.metric]);
    if (values.length === 0) return undefined;
    return entry.least ? Math.min(...values) : median(values);
  };
  const base = entry.minus === undefined ? 0 : of(entry.minus);
  const figure = { base, results };
  figure.gross = Object.fromEntries(entry.contenders.map((name) => [name, of(name)]));
  figure.net = Object.fromEntries(
    Object.entries(figure.gross).map(([name, value]) => [name, value === undefined ? undefined : value - base]),
  );
  return figure;
}

/** One target: what is asked, what was measured, whether that is enough. */
function judge(entry, target, figure) {
  const name = target.ours ?? 'weakly';
  const ours = figure.net[name];
  const whose = target.ours === undefined ? '' : `${TITLES[name]}: `;
  if (target.of === undefined) {
    const percent = figure.results.weakly.samples[0]?.percent;
    const met = ours <= target.max || (target.orPercent !== undefined && percent <= target.orPercent);
    const share = target.orPercent === undefined ? '' : ` or ${target.orPercent} %`;
    const measuredShare = target.orPercent === undefined ? '' : ` (${number(percent)} %)`;
    return [`${number(ours)} ${entry.unit}${measuredShare}`, `<= ${target.max} ${entry.unit}${share}`, met];
  }
  const theirs = figure.net[target.of];
  if (theirs === undefined) return [`${whose}not measured`, `<= ${target.max}x ${TITLES[target.of]}`, false];
  // Noise can make what was subtracted more than the whole; a ratio would then mean nothing.
  const ratio = Math.max(ours, 0) / Math.max(theirs, 1e-9);
  return [`${whose}${number(ratio)}x ${TITLES[target.of]}`, `<= ${target.max}x`, theirs > 0 && ratio <= target.max];
}

const cell = (entry, figure, name) => {
  if (!entry.contenders.includes(name)) return '';
  const value = figure.net[name];
  // Of those that were not called by the end, it is known only how long they have waited at least.
  const atLeast = entry.bound !== undefined && figure.results[name].samples.some((sample) => sample[entry.bound]);
  if (value !== undefined) return `${atLeast ? '>= ' : ''}${number(value)}`;
  return ['napi', 'weak-napi', 'private'].includes(name) ? 'does not build here' : 'failed';
};

const isMeasured = (result, entry) => result.measured[entry.from ?? entry.id] !== undefined;

/** The tables of one major, by group: a row per measurement, every ratio beside its target. */
export function mainTables(result) {
  return GROUPS.filter(({ plan }) => plan.some((entry) => isMeasured(result, entry))).map((group) => ({
    title: group.title,
    table: mainTable(result, group),
  }));
}

function mainTable(result, { plan, columns, rivals }) {
  const header = ['measurement', 'unit', ...columns.map((name) => TITLES[name]), 'ratio', 'target', ''];
  const rows = [];
  for (const entry of plan) {
    const figure = figures(entry, result.measured);
    if (figure === undefined) continue;
    const verdicts = (entry.targets ?? []).map((target) => judge(entry, target, figure));
    if (verdicts.length === 0) verdicts.push([freeRatio(figure, columns, rivals), '', undefined]);
    verdicts.forEach(([ratio, target, met], i) => {
      const values = columns.map((name) => (i === 0 ? cell(entry, figure, name) : ''));
      const verdict = met === undefined ? '' : (met ? 'met' : 'NOT MET') + (result.quick ? ' (quick)' : '');
      rows.push([i === 0 ? title(entry, result) : '', i === 0 ? entry.unit : '', ...values, ratio, target, verdict]);
    });
  }
  return markdown(header, rows, 2);
}

/** Where nothing is asked: the first column that was measured is ours. */
function freeRatio(figure, columns, rivals) {
  const rival = rivals.find((name) => figure.net[name] > 0);
  const ours = columns.find((name) => figure.net[name] !== undefined);
  if (rival === undefined || ours === rival) return '';
  return `${number(figure.net[ours] / figure.net[rival])}x ${TITLES[rival]}`;
}

/** What the net figures were before the subtraction; undefined for a group without such. */
export function grossTable(result, groupTitle) {
  const { plan, columns } = GROUPS.find((group) => group.title === groupTitle);
  const entries = plan.filter((entry) => entry.minus !== undefined && isMeasured(result, entry));
  if (entries.length === 0) return undefined;
  const names = columns.filter((name) => name !== 'none');
  const header = ['gross', 'unit', 'subtracted', ...names.map((name) => TITLES[name])];
  const rows = entries.map((entry) => {
    const figure = figures(entry, result.measured);
    const values = names.map((name) => (figure.gross[name] === undefined ? '' : number(figure.gross[name])));
    return [title(entry, result), entry.unit, `${number(figure.base)} (${TITLES[entry.minus]})`, ...values];
  });
  return markdown(header, rows, 2);
}

export function growthTable(result) {
  const header = [
    'pointers',
    'contender',
    'ns per make',
    'bytes per pointer',
    'major GC added, ms',
    'minor GC, ms',
    'GC in which all die, ms',
  ];
  const rows = [];
  for (const { n, contenders } of result.growth) {
    const { none, ...others } = contenders;
    rows.push([count(n), TITLES.none, '', '', '', number(none.minorMs), number(none.dieMs)]);
    for (const [name, r] of Object.entries(others)) {
      const cells =
        r.unavailable !== undefined
          ? ['failed', '', '', '', '']
          : [r.ns, r.bytes - none.bytes, r.majorMs - none.majorMs, r.minorMs, r.dieMs].map(number);
      rows.push(['', TITLES[name], ...cells]);
    }
  }
  return markdown(header, rows, 2);
}

const GROWN = [
  ['set, ns', 'setNs'],
  ['get, ns', 'getNs'],
  ['has, ns', 'hasNs'],
  ['iterate, ns', 'iterateNs'],
  ['delete, ns', 'deleteNs'],
  ['set a short-lived one, ns', 'churnNs'],
];

/** Titles and tables of how collections grow. */
export function collectionGrowthTables(result) {
  return Object.entries(COLLECTION_GROWTH)
    .filter(([id]) => result.collectionGrowth?.[id] !== undefined)
    .map(([id, { title }]) => ({ title, table: collectionGrowthTable(result.collectionGrowth[id]) }));
}

function collectionGrowthTable(grown) {
  const rows = grown.flatMap(({ n, contenders }) =>
    Object.entries(contenders).map(([name, sample], i) => [
      i === 0 ? count(n) : '',
      TITLES[name],
      ...GROWN.map(([, metric]) => (sample[metric] === undefined ? '' : number(sample[metric]))),
    ]),
  );
  return markdown(['entries', 'contender', ...GROWN.map(([header]) => header)], rows, 2);
}

/** How many targets were met, and those that were not. */
export function summary(result) {
  const missed = [];
  let met = 0;
  for (const entry of ENTRIES) {
    const figure = figures(entry, result.measured);
    if (figure === undefined) continue;
    for (const target of entry.targets ?? []) {
      const [ratio, asked, good] = judge(entry, target, figure);
      if (good) met++;
      else missed.push(`${title(entry, result)}: ${ratio}, target ${asked}`);
    }
  }
  return { met, missed };
}
