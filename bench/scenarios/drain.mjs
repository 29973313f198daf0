// While the callbacks of n targets run that died in one GC: how long an HTTP client in another thread waits for this one,
// and how late timers are.

import { createServer } from 'node:http';
import { Worker } from 'node:worker_threads';
import { hold, now, settle, sleep, timedMajor, turn } from './common.mjs';

export async function drain(contender, n, { atLeastMs = 300 } = {}) {
  const map = new Map();
  let calls = 0;
  const api = contender.cleanups((key) => {
    calls++;
    map.delete(key);
  });
  for (let i = 0; i < n; i++) map.set(i, i).set(-1 - i, i);
  const state = await hold(api, n);
  const client = await startClient();
  await settle();
  state.targets = undefined;
  await turn();
  await turn();
  await timedMajor();
  client.begin(); // not before: the collection itself is the same to everybody's clients
  const start = now();
  const timers = watchTimers();
  const done = () => api.silent || calls >= n * 0.999;
  let drainMs = 0;
  while (now() < start + atLeastMs || (!done() && now() < start + 30_000)) {
    const before = calls;
    await sleep(1);
    if (calls !== before) drainMs = now() - start;
  }
  const timerMs = timers.stop();
  const { longest, count } = await client.end();
  client.close();
  if (!done()) throw new Error(`${calls} of ${n} callbacks were called`);
  if (count === 0) throw new Error('no request was answered');
  return { requestMs: longest, requests: count, timerMs, drainMs };
}

/** How much later than asked a timer of 1 ms was called, at most. */
function watchTimers() {
  let longest = 0;
  let timer;
  const next = () => {
    const due = now() + 1;
    timer = setTimeout(() => {
      longest = Math.max(longest, now() - due);
      next();
    }, 1);
  };
  next();
  return {
    stop() {
      clearTimeout(timer);
      return longest;
    },
  };
}

/** A server here, a client there that has been served already: what is compiled or connected first is not measured. */
async function startClient() {
  const server = createServer((_request, response) => response.end('hello'));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('drain-client.mjs', import.meta.url), {
    workerData: { port: server.address().port, flag },
  });
  const message = () =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
  await message();
  const set = (value) => {
    Atomics.store(flag, 0, value);
    Atomics.notify(flag, 0);
  };
  return {
    begin: () => set(1),
    end() {
      const result = message();
      set(2);
      return result;
    },
    close: () => worker.terminate(),
  };
}
