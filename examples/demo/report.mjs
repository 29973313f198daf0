// What the demo says. No figure and no verdict is written down here: all are computed from the run.

import { SAMPLE, SIDES } from './observe.mjs';

/** With a ratio below this, two figures of so short a run are the same. */
const ALIKE = 1.5;

const COLUMNS = 96;

export function introduction({ phases, seconds }) {
  const [often, rarely] = [SIDES.WeakRef.every, SIDES['WeakRef, rarely asked'].every];
  const text = [
    `A shop's HTTP service under load, on Node.js ${process.version} (V8 ${process.versions.v8}). It watches its own objects to`,
    `learn when they are gone: every ${ordinal(SAMPLE.request)} request context (dropped when the response is sent) and every`,
    "session (dropped 1 s after the user's last request). It runs three times, each in a process of its own:",
    `with weakly's pointers asked every ${SIDES.weakly.every} ms, with WeakRefs asked every ${often} ms, and with WeakRefs asked`,
    `every ${rarely} ms. They take turns: ${phases} phases of ${seconds} s.`,
  ];
  return `\n${wrap(text.join(' '))}\n`;
}

function ordinal(n) {
  return `${n}${['th', 'st', 'nd', 'rd'][n] ?? 'th'}`;
}

const ESTIMATE = '* of all that died, those still unknown included (a Kaplan-Meier estimate)';

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
    row('  known without a major GC', ({ kinds }) => withShare(kinds[name].byMinor, kinds[name].known)),
    row('  last use to knowledge, p50 *', ({ kinds }) => wait(kinds[name].p50)),
    row('  last use to knowledge, p99 *', ({ kinds }) => wait(kinds[name].p99)),
  ];
  const pause = (title, name) => [
    row(`  ${title}: number, total`, (side) => `${count(side[name].count)}, ${ms(side[name].total)}`),
    row(`  ${title}: longest pause`, (side) => ms(side[name].longest)),
  ];
  const rows = [
    ['', ...names],
    row('Asked every', ({ every }) => ms(every)),
    ...kind('Request contexts', 'request'),
    ...kind('Sessions', 'session'),
    ['Garbage collection'],
    ...pause('minor', 'minor'),
    ...pause('major', 'major'),
    row('  pauses per 10,000 requests', (side) =>
      ms((side.minor.total + side.major.total) / (side.kinds.request.made / 1e4)),
    ),
    ['Service'],
    row('  requests/s', ({ load }) => count(mean(load.rates))),
    row('  latency p99', ({ load }) => ms(load.p99)),
    row('  time spent asking', ({ asking }) => ms(asking)),
    row('  memory (RSS) at the end', ({ rss }) => `${count(rss / 2 ** 20)} MB`),
  ];
  const widths = ['', ...names].map((_, i) => Math.max(...rows.map((cells) => (cells[i] ?? '').length)));
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  const text = rows.map((cells) => {
    return cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd();
  });
  return [text[0], rule, ...text.slice(1), rule, ESTIMATE].join('\n');
}

export function conclusion({ weakly, WeakRef: often, 'WeakRef, rarely asked': rarely }) {
  const paragraphs = [
    requests(weakly, often, rarely),
    sessions(weakly, often, rarely),
    asking(weakly, often, rarely),
    service(weakly, often, rarely),
  ];
  return `\n${paragraphs.map((text) => wrap(`- ${text}`, '  ')).join('\n')}`;
}

function requests(weakly, often, rarely) {
  const [mine, best] = [weakly.kinds.request, better('request', often, rarely)];
  const [mineMinor, bestMinor] = [mine, best.kinds.request].map(({ byMinor, known }) =>
    known === 0 ? 0 : byMinor / known,
  );
  const facts =
    `Request contexts: after their last use, half were known to be dead ${within(mine.p50)} with weakly, and ` +
    `${within(best.kinds.request.p50)} with WeakRefs (asked every ${best.every} ms, the better of the two).`;
  if (mineMinor > 0.5 && bestMinor > 0.5) {
    return `${facts} On this Node.js, minor collections clear WeakRefs as well, so ${verdict(mine.p50, best.kinds.request.p50)}.`;
  }
  if (mineMinor > 0.5 && bestMinor < 0.05) {
    return `${facts} On this Node.js, minor collections, which are frequent, let go of what only a weakly pointer refers to; what a WeakRef refers to was kept for a major one.`;
  }
  return `${facts} Here ${verdict(mine.p50, best.kinds.request.p50)}.`;
}

function sessions(weakly, often, rarely) {
  const [mine, best] = [weakly.kinds.session, better('session', often, rarely)];
  const all = [weakly, often, rarely];
  const facts = `Sessions: half were known to be dead ${within(mine.p50)} with weakly, and ${within(best.kinds.session.p50)} with WeakRefs (asked every ${best.every} ms).`;
  const byMajor = all.every(({ kinds }) => kinds.session.byMinor <= kinds.session.known / 2);
  if (!byMajor) return `${facts} So ${verdict(mine.p50, best.kinds.session.p50)}.`;
  return (
    `${facts} Objects that live this long wait for a major collection whoever watches them, and these were few ` +
    `(${all.map(({ major }) => major.count).join(', ')}): take this for what the collector did in this run, not for a property of either.`
  );
}

function asking(weakly, often, rarely) {
  const share = ({ kinds }) => (kinds.request.known + kinds.session.known) / (kinds.request.died + kinds.session.died);
  const session = ({ kinds, major, every }) =>
    `${percent(kinds.session.known, kinds.session.died)} (every ${every} ms, ${major.count} major)`;
  const price = `Asking took weakly ${ms(weakly.asking)} in all, and WeakRefs ${ms(often.asking)} when asked as often.`;
  const held = ({ kinds }) => kinds.session.known / kinds.session.died;
  const suffers = held(often) * ALIKE < held(rarely) || share(often) * ALIKE < share(rarely);
  if (!suffers) return `${price} Asking WeakRefs often did not keep their targets from being collected in this run.`;
  return (
    `${price} And deref() holds what it returns: a WeakRef that is asked while the collector marks keeps its target for ` +
    'another round. Dead sessions known by the end, by how often was asked and how many major collections there were: ' +
    `WeakRef ${session(often)} and ${session(rarely)}; weakly ${session(weakly)}.`
  );
}

function service(...all) {
  const rates = all.map(({ load }) => mean(load.rates));
  const between = Math.max(...rates) / Math.min(...rates) - 1;
  const inside = Math.max(...all.map(({ load }) => Math.max(...load.rates) / Math.min(...load.rates) - 1));
  const facts =
    `The service: requests/s differ by up to ${percent(between, 1)} between the sides, and by up to ${percent(inside, 1)} ` +
    'between the two phases of one side';
  return between > ALIKE * inside
    ? `${facts}. Run it again before you believe in a difference.`
    : `${facts}: too little to tell them apart.`;
}

/** WeakRefs at their best: the lower median or, where none is known, the larger share of deaths known. */
function better(kind, ...sides) {
  const rank = ({ kinds: { [kind]: side } }) =>
    side.p50.atLeast ? 1e9 - side.known / Math.max(side.died, 1) : side.p50.ms;
  return sides.reduce((best, side) => (rank(side) < rank(best) ? side : best));
}

function verdict(mine, other) {
  if (mine.atLeast && other.atLeast) return 'neither is known to be faster';
  if (mine.atLeast) return 'WeakRefs knew sooner';
  if (other.atLeast || other.ms > mine.ms * ALIKE) return 'weakly knew sooner';
  return mine.ms > other.ms * ALIKE ? 'WeakRefs knew sooner' : 'there is no real difference';
}

function within(quantile) {
  return `${quantile.atLeast ? 'only after ' : 'within '}${plain(quantile)}`;
}

function plain({ ms: n, atLeast }) {
  return atLeast ? `more than ${ms(n)}` : ms(n);
}

function wrap(text, indent = '') {
  const lines = [''];
  // A number stays with its unit.
  for (const word of text.split(/ (?!ms\b|s\b)/)) {
    const last = lines.at(-1);
    if (last.length + word.length >= COLUMNS) lines.push(`${indent}${word}`);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join('\n');
}

function mean(numbers) {
  return numbers.reduce((sum, n) => sum + n, 0) / numbers.length;
}

function percent(n, of) {
  return `${Math.round((100 * n) / Math.max(of, 1))}%`;
}

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
