import { make } from 'weakly';
import { WeakCache } from 'weakly/collections';

const cache = new WeakCache({ max: 10, loader: async (id) => ({ id }) });
cache.fetch('a').then((value) => console.log('works', make(value).alive, cache.stats().loads));
