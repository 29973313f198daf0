// node examples/collections/request-contexts.mjs
//
// A context for each request, kept beside it: the map tells which requests there still are, and what they are doing. No
// handler has to delete anything, in whatever way it ends; and what is still listed long after its answer is a leak.

import { WeakKeyMap } from 'weakly/collections';
import { gcUntil } from 'weakly/testing';

class Request {
  constructor(line) {
    this.line = line;
  }
}

const contexts = new WeakKeyMap();

/** Points back to its request, and does not keep it alive: as in a WeakMap, which however could not be listed. */
class Context {
  step = 'received';

  constructor(request) {
    this.request = request;
  }

  static of(request) {
    return contexts.getOrInsertComputed(request, (key) => new Context(key));
  }
}

/** Answers when it is told to. */
class Database {
  #queries = [];

  query() {
    return new Promise((resolve, reject) => this.#queries.push({ resolve, reject }));
  }

  answer() {
    this.#queries.shift().resolve();
  }

  fail() {
    this.#queries.shift().reject(new Error('deadlock'));
  }
}

const database = new Database();
const audit = [];

async function handle(request) {
  const context = Context.of(request);
  context.step = 'waiting for the database';
  await database.query();
  if (request.line.startsWith('DELETE')) audit.push(request); // a bug: its line would have done
  context.step = 'answered';
}

/** Knows nothing of contexts. */
const serve = (line) => handle(new Request(line)).catch((error) => console.log(`${line} failed: ${error.message}`));

function report(when) {
  console.log(`${when}; in memory there are ${contexts.size}:`);
  for (const { request, step } of contexts.values()) console.log(`  ${request.line}: ${step}`);
}

for (const line of ['GET /orders/1', 'PUT /orders/2', 'DELETE /orders/3', 'GET /orders/4']) serve(line);
report('4 requests have come');

database.answer();
database.fail();
database.answer();
// A server would go on serving, and the collector would come by itself.
await gcUntil(() => contexts.size === 2);
report('3 of them have ended');

database.answer();
await gcUntil(() => contexts.size === 1);
report('all have ended');
console.log(`the audit log holds it: ${contexts.has(audit[0])}`);
