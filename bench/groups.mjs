// The tables of a run: what is in each, and who.

import { PLAN } from './plan.mjs';
import { CLEANUPS, STAND_INS } from './plan-cleanups.mjs';
import { CACHE, CANONICAL, DROP_INS, KEYS, MEMBERS, VALUES } from './plan-collections.mjs';

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
