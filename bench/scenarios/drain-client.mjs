// The client of drain.mjs, in a thread of its own: one request after the other, from flag 1 to flag 2.

import { Agent, get } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

const { port, flag } = workerData;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function request() {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', agent }, (response) => {
      response.resume();
      response.once('end', resolve);
    }).once('error', reject);
  });
}

for (let i = 0; i < 200; i++) await request();
parentPort.postMessage('ready');
// Not by a message: the event loop over there may be busy with what is to be measured before it sends any.
Atomics.wait(flag, 0, 0);
let longest = 0;
let count = 0;
while (Atomics.load(flag, 0) === 1) {
  const start = performance.now();
  await request();
  longest = Math.max(longest, performance.now() - start);
  count++;
}
parentPort.postMessage({ longest, count });
