// Runs the demo: one service, run as several that differ only in how they watch their objects, under load in turns. `npm run demo`.

import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SIDES } from './observe.mjs';
import { conclusion, introduction, table } from './report.mjs';

/** Whole seconds: autocannon rounds up. */
const PHASE_S = 4;
// There and back: whatever slowly changes about the machine hits all sides alike.
const PHASES = [...Object.keys(SIDES), ...Object.keys(SIDES).reverse()];
const WARM_UP_S = 1;
/** For anything that should be answered at once, on a machine however busy. */
const PATIENCE_MS = 20_000;

/** A child process that answers commands. */
class Child {
  #process;
  #name;
  #waiting = new Map();
  #next = 0;
  #reportDeath;
  ready;
  /** Rejected when the process ends, or cannot start. */
  died = new Promise((_, reject) => {
    this.#reportDeath = reject;
  });

  constructor(name, script, ...args) {
    this.#name = name;
    this.#process = fork(fileURLToPath(new URL(script, import.meta.url)), args, { execArgv: [] });
    this.died.catch(() => {});
    this.ready = this.#wait('ready', PATIENCE_MS);
    this.#process.on('message', ({ id, ready, result, error }) => {
      if (ready !== undefined) this.#settle('ready', null, ready);
      else this.#settle(id, error && new Error(error), result);
    });
    this.#process.on('error', (error) => this.#fail(error));
    this.#process.on('exit', (code, signal) =>
      this.#fail(new Error(`the ${name} process ended early (${signal ?? `code ${code}`})`)),
    );
  }

  ask(command, options = {}, patience = PATIENCE_MS) {
    const id = this.#next++;
    const answer = this.#wait(id, patience);
    this.#process.send({ id, command, ...options }, (error) => error && this.#settle(id, error));
    return answer;
  }

  end() {
    this.#waiting.clear();
    this.#process.kill();
  }

  #wait(id, patience) {
    const answer = new Promise((resolve, reject) => {
      const late = () =>
        this.#settle(id, new Error(`the ${this.#name} process did not answer "${id}" within ${patience} ms`));
      this.#waiting.set(id, { resolve, reject, timer: setTimeout(late, patience) });
    });
    // Whoever waits for it hears of it; nobody may be waiting yet.
    answer.catch(() => {});
    return answer;
  }

  #settle(id, error, result) {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    if (error) waiting.reject(error);
    else waiting.resolve(result);
  }

  #fail(error) {
    this.#reportDeath(error);
    for (const id of [...this.#waiting.keys()]) this.#settle(id, error);
  }
}

async function run(children) {
  const start = (...args) => {
    const child = new Child(...args);
    children.push(child);
    return child;
  };
  console.log(introduction({ phases: PHASES.length, seconds: PHASE_S }));

  const names = [...new Set(PHASES)];
  const sides = new Map();
  for (const name of names) sides.set(name, { service: start(`${name} service`, './service.mjs', name) });
  const load = start('load', './load.mjs');
  await load.ready;
  for (const side of sides.values()) side.url = `http://127.0.0.1:${await side.service.ready}`;

  progress('warming up');
  for (const side of sides.values()) {
    await phase(side, load, WARM_UP_S, false);
    await side.service.ask('reset');
  }
  for (const [i, name] of PHASES.entries()) {
    await phase(
      sides.get(name),
      load,
      PHASE_S,
      true,
      `phase ${i + 1} of ${PHASES.length}, ${name.padEnd(Math.max(...PHASES.map((other) => other.length)))}`,
    );
  }
  progress('');

  const summaries = {};
  for (const [name, { service, url }] of sides) {
    summaries[name] = { ...(await service.ask('summary')), load: await load.ask('summary', { url }) };
  }
  console.log(table(summaries));
  console.log(conclusion(summaries));
}

async function phase({ service, url }, load, seconds, keep, title) {
  await service.ask('start');
  const began = performance.now();
  const before = await service.ask('status');
  const loading = load.ask('load', { url, seconds, keep }, seconds * 1000 + PATIENCE_MS);
  let over = false;
  // A service that dies is the news, not the requests that fail because of it.
  const done = Promise.race([loading, service.died]).finally(() => {
    over = true;
  });
  done.catch(() => {});
  const line = async () => {
    const elapsed = (performance.now() - began) / 1000;
    const { served, unknown } = await service.ask('status');
    const rate = Math.round((served - before.served) / elapsed).toLocaleString('en');
    return `${title}  ${elapsed.toFixed(1)} s  ${rate} requests/s  ${unknown.toLocaleString('en')} dead objects not known to be dead`;
  };
  while (title && process.stdout.isTTY && !over) {
    progress(await line());
    await Promise.race([done, sleep(250)]);
  }
  await done;
  if (title) progress(await line());
  await service.ask('stop');
}

function progress(text) {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text.slice(0, process.stdout.columns - 1)}`);
  else if (text) console.log(text);
}

const children = [];
try {
  await run(children);
} catch (error) {
  progress('');
  console.error(`The demo failed: ${error.message}`);
  process.exitCode = 1;
} finally {
  for (const child of children) child.end();
}
