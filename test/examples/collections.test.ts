import { expect, it } from 'vitest';
import { example, expectLines, packagesOf } from './run.js';

/* What the examples print is checked to the letter. */

it('canonical-config has one copy of each configuration in use, and none of others', async () => {
  expectLines(await example('collections/canonical-config'), [
    'all have loaded theirs: 90 tenants, 3 configurations',
    '  {"plan":"team","limits":{"seats":50},"regions":["eu","us"]}',
    '  {"regions":["eu","us"],"limits":{"seats":50},"plan":"team"}',
    '  are equal: true; the tenants share one object: true',
    '  changing it is a TypeError: for all others there still are 50 seats',
    'one has left the us: 90 tenants, 4 configurations',
    '  it serves eu, others of its plan eu and us',
    'all trials and 29 of 30 enterprises have gone: 31 tenants, 3 configurations',
    '  the one that is left has its 5000 seats',
  ]);
});

it('request-contexts lists the requests that are alive, and no others', async () => {
  expectLines(await example('collections/request-contexts'), [
    '4 requests have come; in memory there are 4:',
    '  GET /orders/1: waiting for the database',
    '  PUT /orders/2: waiting for the database',
    '  DELETE /orders/3: waiting for the database',
    '  GET /orders/4: waiting for the database',
    'PUT /orders/2 failed: deadlock',
    '3 of them have ended; in memory there are 2:',
    '  DELETE /orders/3: answered',
    '  GET /orders/4: waiting for the database',
    'all have ended; in memory there are 1:',
    '  DELETE /orders/3: answered',
    'the audit log holds it: true',
  ]);
});

it('image-cache decodes nothing that is in use, and keeps nothing else beyond its limit', async () => {
  expectLines(await example('collections/image-cache'), [
    'three pages show the logo at once: 1 decoded so far',
    '  1 held by the cache, 0 by their users only, 0 gone',
    '  asked for: 0 found in the cache, 0 with their users, 2 while being decoded, 1 not found',
    'three more images have been looked at: 4 decoded so far',
    '  2 held by the cache, 1 by their users only, 1 gone',
    '  asked for: 1 found in the cache, 0 with their users, 2 while being decoded, 4 not found',
    'a fourth page shows the logo, and gets the very same image: true',
    'it is in the cache again, in place of the dog: 4 decoded so far',
    '  2 held by the cache, 0 by their users only, 2 gone',
    '  asked for: 1 found in the cache, 1 with their users, 2 while being decoded, 4 not found',
    'the cat has to be decoded again: 5 decoded so far',
    '  2 held by the cache, 0 by their users only, 3 gone',
    '  asked for: 1 found in the cache, 1 with their users, 2 while being decoded, 5 not found',
    'nobody waits for the elephant any more: scrolled past',
    'so it was not decoded: 5 decoded so far',
    '  2 held by the cache, 0 by their users only, 3 gone',
    '  asked for: 1 found in the cache, 1 with their users, 2 while being decoded, 6 not found',
  ]);
});

it('observer-registry tells and counts the living only', async () => {
  expectLines(await example('collections/observer-registry'), [
    '4 displays: 4 observe',
    '  20°: told hall, kitchen, cellar, attic',
    '2 were taken away, and the collector has come: 2 observe',
    '  21°: told hall, kitchen',
    'the one in the hall was switched off: 1 observes',
    '  22°: told kitchen',
    '  and the hall goes on showing 21°',
    'one that nobody but the thermometer knew, a mistake, is gone as well: 1 observes',
    '  23°: told kitchen',
  ]);
});

it('the examples use the package as a user would', () => {
  for (const name of ['canonical-config', 'image-cache', 'observer-registry', 'request-contexts'])
    expect(packagesOf(`collections/${name}`)).toEqual(['weakly/collections', 'weakly/testing']);
});
