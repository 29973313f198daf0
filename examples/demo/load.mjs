// The load of the demo, in a process of its own: on the service's event loop it would be measuring itself. Started by
// main.mjs, which says when to load which address.

import autocannon from 'autocannon';

const CONNECTIONS = 20;
const REQUESTS_PER_USER = 10;

let requests = 0;
/** By address, so that the phases of one side are summed up as one. */
const results = new Map();

const commands = {
  async load({ url, seconds, keep }) {
    const result = await autocannon({
      url,
      duration: seconds,
      connections: CONNECTIONS,
      // Each result as it is, for aggregateResult: the p99 of two phases is not the mean of their two p99.
      skipAggregateResult: true,
      requests: [{ method: 'POST', headers: { 'content-type': 'application/json' }, setupRequest }],
    });
    const { errors, timeouts, non2xx } = autocannon.aggregateResult([result], { url });
    if (errors + timeouts + non2xx > 0) {
      throw new Error(
        `of the requests to the service, ${errors} failed, ${timeouts} timed out, ${non2xx} had a bad status`,
      );
    }
    if (keep) results.set(url, [...(results.get(url) ?? []), result]);
  },
  summary({ url }) {
    const phases = results.get(url);
    const rates = phases.map((phase) => {
      const { requests, duration } = autocannon.aggregateResult([phase], { url });
      return requests.total / duration;
    });
    return { rates, p99: autocannon.aggregateResult(phases, { url }).latency.p99 };
  },
};

// Users come, make some requests and go, so that sessions expire all the time.
function setupRequest(request) {
  const n = requests++;
  // Some overlap: neighbouring users are active together.
  const user = Math.floor(n / REQUESTS_PER_USER) + ((n * 7) % 20);
  return { ...request, path: `/cart/${user}`, body: JSON.stringify({ item: n % 40 }) };
}

process.on('disconnect', () => process.exit());
process.on('message', async ({ id, command, ...options }) => {
  try {
    process.send({ id, result: (await commands[command](options)) ?? null });
  } catch (error) {
    process.send({ id, error: error.message });
  }
});
process.send({ ready: true });
