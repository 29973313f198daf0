// Collections, canonical values and drop-ins: as plan.mjs and plan-cleanups.mjs.

const MANY = { n: 1_000_000, quickN: 20_000, rounds: 3 };
const NS = { unit: 'ns' };
const USED = { ...NS, n: 100_000, quickN: 20_000, rounds: 3 };
const HOT = {
  n: 1000,
  quickN: 100,
  rounds: 3,
  unit: 'ns',
  metric: 'ns',
  scenario: 'mapGetHot',
  quickOptions: { passes: 10, jobs: 4 },
};

/** The rows of one kind of collection. `peers` have the feature; the first of them is what people write by hand. */
function rows(kind, ours, peers, others) {
  const all = [ours, ...peers, ...others];
  const each = (max) => peers.map((of) => ({ ours, of, max }));
  const none = { minus: 'none', contenders: all };
  return [
    { ...HOT, id: `${kind}-get-hot`, title: 'get, {n} entries', contenders: all, targets: each(1) },
    { ...USED, id: `${kind}-get`, title: 'get, {n} entries', scenario: 'mapUse', metric: 'getNs', contenders: all, targets: each(1) },
    { ...USED, id: `${kind}-has`, from: `${kind}-get`, title: 'has', metric: 'hasNs', contenders: all },
    { ...USED, id: `${kind}-set`, from: `${kind}-get`, title: 'set a new one', metric: 'setNs', contenders: all },
    { ...USED, id: `${kind}-delete`, from: `${kind}-get`, title: 'delete', metric: 'deleteNs', contenders: all },
    { ...USED, id: `${kind}-iterate`, from: `${kind}-get`, title: 'iterate, per entry', metric: 'iterateNs', contenders: [ours, ...peers] },
    { ...MANY, ...NS, id: `${kind}-churn`, title: 'set short-lived ones', scenario: 'mapChurn', metric: 'ns', contenders: all, targets: each(1) },
    { ...MANY, ...none, id: `${kind}-gc`, title: 'forced major GC, {n} entries live: added', scenario: 'mapGc', unit: 'ms', metric: 'ms', targets: [{ ours, of: peers[0], max: 0.5 }] },
    { ...MANY, id: `${kind}-die`, title: 'forced major GC in which {n} entries die', scenario: 'mapDie', unit: 'ms', metric: 'ms', rounds: 1, contenders: ['none', ...all] },
    { ...MANY, id: `${kind}-die-block`, from: `${kind}-die`, title: 'longest block of the event loop after it', unit: 'ms', metric: 'blockMs', contenders: ['none', ...all] },
    { ...MANY, ...none, id: `${kind}-memory`, title: 'process memory per entry, {n} entries', scenario: 'mapMemory', unit: 'bytes', metric: 'bytes', least: true, rounds: 2, flags: ['--min-semi-space-size=16', '--max-semi-space-size=16'] },
  ]; // biome-ignore format: a table
}

export const VALUES = rows('values', 'wvm', ['hand-values', 'weakref-values', 'strong-weak-map'], ['map']).map(
  (entry) =>
    // A Map holds its values: nothing dies, and nothing churns.
    /-(churn|die|die-block)$/.test(entry.id)
      ? { ...entry, contenders: entry.contenders.filter((name) => name !== 'map') }
      : entry,
);

export const KEYS = rows('keys', 'wkm', ['hand-keys', 'weakref-keys'], ['native-weakmap', 'private']);

export const MEMBERS = rows('members', 'wks', ['hand-members', 'weakref-members'], ['native-weakset']);

const CACHES = ['weak-cache', 'weak-lru-cache'];
const CACHE_TARGET = [{ ours: 'weak-cache', of: 'weak-lru-cache', max: 1 }];

export const CACHE = [
  { ...HOT, id: 'cache-get', title: 'get from the strong tier, {n} entries', scenario: 'cacheGet', contenders: [...CACHES, 'lru-cache'], targets: CACHE_TARGET },
  { ...NS, id: 'cache-get-weak', title: 'get what was evicted and is in use, {n} values', scenario: 'cacheGetWeak', metric: 'ns', n: 10_000, quickN: 1000, rounds: 3, contenders: CACHES },
  { ...MANY, ...NS, id: 'cache-churn', title: 'set short-lived ones', scenario: 'cacheChurn', metric: 'ns', contenders: [...CACHES, 'lru-cache'], targets: CACHE_TARGET },
]; // biome-ignore format: a table

export const CANONICAL = [
  { ...MANY, id: 'equal-strings', title: 'process memory of {n} equal strings of 100 characters, per string', scenario: 'equalStrings', unit: 'bytes', metric: 'bytes', least: true, contenders: ['unique', 'strings'] },
  { ...MANY, ...NS, id: 'equal-strings-time', from: 'equal-strings', title: 'to make one, the string itself included', metric: 'ns', contenders: ['unique', 'strings'] },
]; // biome-ignore format: a table

const CALLS = { unit: 'ns', metric: 'ns', minus: 'loop', n: 10_000, quickN: 1000, rounds: 3 };

export const DROP_INS = [
  { ...CALLS, id: 'spec-deref', title: 'deref()', scenario: 'read', contenders: ['spec-ref', 'weakref'] },
  { ...CALLS, id: 'spec-deref-first', title: 'the same, each target once per job', scenario: 'read', options: { passes: 1 }, contenders: ['spec-ref', 'weakref'] },
  { ...MANY, ...NS, id: 'spec-create', title: 'new WeakRef(), {n} of them in jobs of 10 000', scenario: 'create', metric: 'ns', contenders: ['spec-ref', 'weakref'] },
  { ...MANY, ...NS, id: 'spec-register', title: 'register() without a token, {n} targets that stay', scenario: 'register', metric: 'ns', contenders: ['spec-fr', 'fr'] },
  { ...MANY, ...NS, id: 'spec-register-token', title: 'register(), the target its own token', scenario: 'register', metric: 'ns', contenders: ['spec-fr-token', 'fr-token'] },
  { ...MANY, id: 'spec-run', title: '{n} die in one GC: the GC, and the calls, each of which deletes a key of a Map', scenario: 'run', unit: 'ms', metric: 'allMs', contenders: ['spec-fr', 'fr'] },
  { ...MANY, id: 'spec-run-block', from: 'spec-run', title: 'longest block of the event loop by the calls', unit: 'ms', metric: 'blockMs', contenders: ['spec-fr', 'fr'] },
  { id: 'spec-latency', title: 'from letting go to the call, in a service that allocates: p50', scenario: 'latency', unit: 'ms', metric: 'p50', bound: 'p50AtLeast', n: 0, quickN: 0, rounds: 1, quick: false, contenders: ['spec-fr', 'fr'] },
]; // biome-ignore format: a table

const grown = (title, contenders) => ({
  title,
  scenario: 'mapGrowth',
  sizes: [1000, 10_000, 100_000, 1_000_000],
  quickSizes: [1000],
  contenders,
});

/** Tables of their own, a row for each size and contender: from a handful of entries to a million. */
export const COLLECTION_GROWTH = {
  'grow-values': grown('How a WeakValueMap grows', ['wvm', 'hand-values', 'weakref-values', 'strong-weak-map', 'map']),
  'grow-keys': grown('How a WeakKeyMap grows', ['wkm', 'hand-keys', 'weakref-keys', 'native-weakmap']),
  'grow-members': grown('How a WeakKeySet grows', ['wks', 'hand-members', 'weakref-members', 'native-weakset']),
};
