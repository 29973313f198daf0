// node examples/cleanups/close-file-handles.mjs
//
// A file that closes itself when its owner forgets to. Closing by hand stays the rule; the cleanup is the net below it.

import { closeSync, fstatSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addCleanup } from 'weakly';
import { gcUntil } from 'weakly/testing';

class LogFile {
  #fd;
  #cleanup;

  constructor(path) {
    this.#fd = openSync(path, 'a');
    // The cleanup gets the descriptor, which is all it needs. It must not have `this`: that would keep the file alive.
    this.#cleanup = addCleanup(this, closeSync, this.#fd, { atExit: true });
  }

  get descriptor() {
    return this.#fd;
  }

  get cleanup() {
    return this.#cleanup;
  }

  write(line) {
    writeSync(this.#fd, `${line}\n`);
  }

  close() {
    // Whoever stops the cleanup closes: so a second close(), or one that comes too late, closes nobody else's descriptor.
    if (this.#cleanup.stop()) closeSync(this.#fd);
  }
}

/** Descriptors are used again: what is open under that number may be another file. */
function isOpen(descriptor, path) {
  try {
    return fstatSync(descriptor).ino === statSync(path).ino;
  } catch {
    return false;
  }
}

const directory = mkdtempSync(join(tmpdir(), 'weakly-example-'));
const pathOf = (name) => join(directory, `${name}.log`);

function report(name, { descriptor, cleanup }) {
  const state = isOpen(descriptor, pathOf(name)) ? 'open' : 'closed';
  console.log(`  ${name}: its descriptor is ${state}, its cleanup is ${cleanup.state}`);
}

/** Files that somebody has. */
const files = new Map();

/** Opens a file and writes to it. What is returned, a number and a cleanup, does not hold it. */
function open(name) {
  const file = new LogFile(pathOf(name));
  file.write(`hello from ${name}`);
  files.set(name, file);
  const { descriptor, cleanup } = file;
  return { descriptor, cleanup };
}

const used = open('used');
const forgotten = open('forgotten');
const closed = open('closed by hand');
files.get('closed by hand').close();

console.log('before a garbage collection');
report('used', used);
report('forgotten', forgotten);
report('closed by hand', closed);

files.delete('forgotten'); // and nobody has closed it
// A program just goes on, and the collection comes when V8 thinks fit. An example cannot wait for that.
await gcUntil(() => forgotten.cleanup.state === 'done');

console.log('after it');
report('used', used);
report('forgotten', forgotten);
report('closed by hand', closed);

files.get('used').write('still here');
console.log('at exit, what is still in use is closed as well: the cleanup has the option atExit');
process.on('exit', () => {
  report('used', used);
  rmSync(directory, { recursive: true });
});
