// What the demo says.

import { SAMPLE, SWEEP_MS } from './observe.mjs';

/** Below this ratio two figures of so short a run are the same. */
const ALIKE = 1.5;

export function introduction({ phases, seconds }) {
  return `
A web shop's service, twice, under load on Node.js ${process.version} (V8 ${process.versions.v8}).
Both watch their objects to learn when they are gone: every ${ordinal(SAMPLE.request)} request context (dropped when the response
is sent) and every session (dropped 1 s after the user's last request). One asks weakly's pointers, the other
WeakRefs, every ${SWEEP_MS} ms. Nothing else differs. They take turns: ${phases} phases of ${seconds} s.
`;
}

function ordinal(n) {
  return `${n}${['th', 'st', 'nd', 'rd'][n] ?? 'th'}`;
}

/** @param {Record<string, object>} summaries by side */
export function table(summaries) {
  const names = Object.keys(summaries);
  const sides = Object.values(summaries);
  const row = (title, cell) => [title, ...sides.map(cell)];
  const kind = (title, name) => [
    [title],
    row('  watched (of all made)', ({ kinds }) => `${count(kinds[name].observed)} of ${count(kinds[name].made)}`),
    row('  died', ({ kinds }) => count(kinds[name].died)),
    row('  known to be dead by the end', ({ kinds }) => withShare(kinds[name].known, kinds[name].died)),
    row('  dead, but still unknown', ({ kinds }) => count(kinds[name].died - kinds[name].known)),
    row('  found by a minor GC alone', ({ kinds }) => withShare(kinds[name].byMinor, kinds[name].known)),
    row('  last use to knowledge, p50', ({ kinds }) => wait(kinds[name].p50)),
    row('  last use to knowledge, p99', ({ kinds }) => wait(kinds[name].p99)),
  ];
  const pause = (title, name) => [
    row(`  ${title}: number, total`, (side) => `${count(side[name].count)}, ${ms(side[name].total)}`),
    row(`  ${title}: longest pause`, (side) => ms(side[name].longest)),
  ];
  const rows = [
    ['', ...names],
    ...kind('Request contexts', 'request'),
    ...kind('Sessions', 'session'),
    ['Garbage collection'],
    ...pause('minor', 'minor'),
    ...pause('major', 'major'),
    ['Service'],
    row('  requests/s', ({ load }) => count(load.total / load.duration)),
    row('  latency p99', ({ load }) => ms(load.p99)),
    row('  memory (RSS) at the end', ({ rss }) => `${count(rss / 2 ** 20)} MB`),
  ];
  const widths = ['', ...names].map((_, i) => Math.max(...rows.map((cells) => (cells[i] ?? '').length)));
  const line = widths.map((width) => '-'.repeat(width)).join('  ');
  const text = rows.map((cells) => {
    return cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ').trimEnd();
  });
  return [text[0], line, ...text.slice(1), line].join('\n');
}

export function conclusion(s) { return ''; }

function count(n) {
  return Math.round(n).toLocaleString('en');
}

function ms(n) {
  return n < 10 ? `${n.toFixed(1)} ms` : `${count(n)} ms`;
}

function wait({ ms: n, atLeast }) {
  return `${atLeast ? '> ' : ''}${ms(n)}`;
}

function withShare(n, of) {
  return of === 0 ? count(n) : `${count(n)} (${((100 * n) / of).toFixed(n === of ? 0 : 1)}%)`;
}
