// The tables of a run: what is in each, and who.

import { PLAN } from './plan.mjs';
import { CLEANUPS, STAND_INS } from './plan-cleanups.mjs';

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
];

export const ENTRIES = GROUPS.flatMap(({ plan }) => plan);
