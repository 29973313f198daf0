import { expect, it } from 'vitest';
import { example, expectLines, packagesOf } from './run.js';

/*
 * What the examples print is checked to the letter; what they claim about files is checked by a witness that they do not
 * know of.
 */

const FILES = [
  'before a garbage collection',
  '  used: its descriptor is open, its cleanup is armed',
  '  forgotten: its descriptor is open, its cleanup is armed',
  '  closed by hand: its descriptor is closed, its cleanup is stopped',
  'after it',
  '  used: its descriptor is open, its cleanup is armed',
  '  forgotten: its descriptor is closed, its cleanup is done',
  '  closed by hand: its descriptor is closed, its cleanup is stopped',
  'at exit, what is still in use is closed as well: the cleanup has the option atExit',
  '  used: its descriptor is closed, its cleanup is done',
];

it('close-file-handles prints what it says', async () => {
  expectLines(await example('cleanups/close-file-handles'), FILES);
});

/** Tells which of the files that the example has opened it closed, in the order of the closing. */
const WITNESS = `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  import { basename } from 'node:path';
  const { openSync, closeSync } = fs;
  const open = new Map();
  fs.openSync = (path, ...rest) => {
    const fd = openSync(path, ...rest);
    if (String(path).endsWith('.log')) open.set(fd, basename(path));
    return fd;
  };
  fs.closeSync = (fd) => {
    closeSync(fd);
    if (open.has(fd)) console.log('closed ' + open.get(fd));
    open.delete(fd);
  };
  syncBuiltinESMExports();
`;

it('close-file-handles closes each file once, and only those that are not in use', async () => {
  const before = FILES.indexOf('after it');
  expectLines(await example('cleanups/close-file-handles', WITNESS), [
    'closed closed by hand.log',
    ...FILES.slice(0, before),
    'closed forgotten.log',
    ...FILES.slice(before, -1),
    'closed used.log',
    ...FILES.slice(-1),
  ]);
});

it('release-native-buffers gives all blocks back', async () => {
  expectLines(await example('cleanups/release-native-buffers'), [
    'round 1: 10 images drawn, 8 blocks left behind, 0 after the cleanups',
    'round 2: 10 images drawn, 8 blocks left behind, 0 after the cleanups',
    'round 10: 10 images drawn, 8 blocks left behind, 0 after the cleanups',
    '100 images of 64 KiB have passed through 512 KiB of native memory',
    '20 were disposed of by hand, 80 by their cleanups',
  ]);
});

it('unsubscribe-listeners removes the listeners of the dead, and no others', async () => {
  expectLines(await example('cleanups/unsubscribe-listeners'), [
    'at the start: 0 listen to prices, 0 to the clock, 0 to the shutdown signal',
    '5 sessions, 4 of them dropped: 5 listen to prices, 5 to the clock, 5 to the shutdown signal',
    'after a garbage collection: 1 listen to prices, 1 to the clock, 1 to the shutdown signal',
    '3 events were heard 3 times, all by the session that is left: 3',
  ]);
});

it('the examples use the package as a user would', () => {
  for (const name of ['close-file-handles', 'release-native-buffers', 'unsubscribe-listeners'])
    expect(packagesOf(`cleanups/${name}`)).toEqual(['weakly', 'weakly/testing']);
});
