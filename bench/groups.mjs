// The tables of a run: what is in each, and who.

import { PLAN } from './plan.mjs';
import { CLEANUPS, STAND_INS } from './plan-cleanups.mjs';
import { CACHE, CANONICAL, COLLECTION_GROWTH, DROP_INS, KEYS, MEMBERS, VALUES } from './plan-collections.mjs';

export const GROUPS = [
  {
    title: 'Pointers',
    plan: PLAN,
    columns: ['weakly', 'weakref', 'weakmap', 'registry', 'napi', 'weak-napi', 'none'],
    rivals: ['weakmap', 'weakref'],
  },
  {
    title: 'Cleanups',
    plan: CLEANUPS,
    columns: ['weakly', 'weakly-dropped', 'fr', 'fr-token', 'fr-own', 'none'],
    rivals: ['fr-token', 'fr'],
  },
  { title: 'Stand-ins', plan: STAND_INS, columns: ['weakly', 'proxy', 'raw'], rivals: ['proxy'] },
  {
    title: 'WeakValueMap',
    plan: VALUES,
    columns: ['wvm', 'hand-values', 'weakref-values', 'strong-weak-map', 'map', 'none'],
    rivals: ['hand-values'],
  },
  {
    title: 'WeakKeyMap',
    plan: KEYS,
    columns: ['wkm', 'hand-keys', 'weakref-keys', 'native-weakmap', 'private', 'none'],
    rivals: ['hand-keys'],
  },
  {
    title: 'WeakKeySet',
    plan: MEMBERS,
    columns: ['wks', 'hand-members', 'weakref-members', 'native-weakset', 'none'],
    rivals: ['hand-members'],
  },
  {
    title: 'WeakCache',
    plan: CACHE,
    columns: ['weak-cache', 'weak-lru-cache', 'lru-cache'],
    rivals: ['weak-lru-cache'],
  },
  { title: 'unique', plan: CANONICAL, columns: ['unique', 'strings'], rivals: ['strings'] },
  {
    title: 'weakly/spec',
    plan: DROP_INS,
    columns: ['spec-ref', 'weakref', 'spec-fr', 'fr', 'spec-fr-token', 'fr-token'],
    rivals: ['weakref', 'fr', 'fr-token'],
  },
];

export const ENTRIES = GROUPS.flatMap(({ plan }) => plan);

/** What the tables of these groups need. */
export function idsOf(titles) {
  return titles.flatMap((title) => {
    const group = GROUPS.find((known) => known.title === title);
    if (group === undefined)
      throw new Error(`bench: no group ${title}; there are ${GROUPS.map((known) => known.title)}`);
    const grown = Object.keys(COLLECTION_GROWTH).filter((id) =>
      COLLECTION_GROWTH[id].title.endsWith(`a ${title} grows`),
    );
    const own = title === 'Pointers' ? ['growth'] : [];
    return [...group.plan.map(({ id }) => id), ...grown, ...own];
  });
}
