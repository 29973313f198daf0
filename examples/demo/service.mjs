// The service of the demo: `service.mjs <side>`, started by main.mjs. It keeps a cart per user while the user is active,
// makes a context per request, and watches both kinds of object become unreachable. Only the way to watch differs
// between the sides.

import fastify from 'fastify';
import { Clock, Observer, Pauses, SIDES } from './observe.mjs';

const SESSION_TTL_MS = 1000;
const MAX_SESSIONS = 5000;

class RequestContext {
  constructor(request) {
    this.url = request.url;
    this.started = performance.now();
    this.trace = Array.from({ length: 16 }, (_, i) => ({ span: i, at: this.started + i / 100 }));
    this.record = undefined;
  }
}

class Session {
  constructor(user) {
    this.user = user;
    this.lastUse = 0;
    this.cart = [];
    // A few KB of the kind that sessions gather: read rarely, kept all the same.
    this.seen = Array.from({ length: 64 }, (_, i) => ({ item: i, name: `${user}/${i}`, at: i }));
    this.record = undefined;
  }
}

class Sessions {
  /** In the order of their last use, the oldest first. */
  #byUser = new Map();
  #observer;
  #clock;

  constructor(observer, clock) {
    this.#observer = observer;
    this.#clock = clock;
    setInterval(() => clock.running && this.#expire(), 20).unref();
  }

  of(user) {
    let session = this.#byUser.get(user);
    if (session === undefined) {
      session = new Session(user);
      session.record = this.#observer.observe('session', session);
      if (this.#byUser.size >= MAX_SESSIONS) this.#drop(this.#byUser.values().next().value);
    } else {
      this.#byUser.delete(user);
    }
    session.lastUse = this.#clock.now();
    this.#byUser.set(user, session);
    return session;
  }

  #expire() {
    const oldest = this.#clock.now() - SESSION_TTL_MS;
    for (const session of this.#byUser.values()) {
      if (session.lastUse > oldest) return;
      this.#drop(session);
    }
  }

  #drop(session) {
    this.#byUser.delete(session.user);
    this.#observer.died(session.record);
  }
}

function createService(observer, sessions) {
  const app = fastify();
  const catalogue = JSON.stringify(
    Array.from({ length: 40 }, (_, id) => ({ id, name: `item ${id}`, price: 100 + id, tags: ['new', 'sale', 'blue'] })),
  );

  app.decorateRequest('ctx', null);
  app.addHook('onRequest', (request, _reply, done) => {
    request.ctx = new RequestContext(request);
    request.ctx.record = observer.observe('request', request.ctx);
    done();
  });
  app.addHook('onResponse', (request, _reply, done) => {
    served++;
    const { record } = request.ctx;
    // The last use. A connection that is kept alive may hold on to its latest request; to its context it may not.
    request.ctx = null;
    observer.died(record);
    done();
  });

  app.post('/cart/:user', (request) => {
    const { ctx } = request;
    const { cart } = sessions.of(request.params.user);
    const { item } = request.body;
    cart.push(item);
    const items = JSON.parse(catalogue);
    const prices = new Map(items.map(({ id, price }) => [id, price]));
    return {
      total: cart.reduce((sum, id) => sum + prices.get(id), 0),
      offers: items.filter(({ id }) => id % 4 === item % 4),
      spans: ctx.trace.length,
    };
  });
  return app;
}

let served = 0;
const clock = new Clock();
const { every, load } = SIDES[process.argv[2]];
const side = await load();
const pauses = new Pauses(clock);
const observer = new Observer(side, every, clock, pauses);
const app = createService(observer, new Sessions(observer, clock));

const commands = {
  /** The end of the warm-up: everything so far is forgotten. */
  reset() {
    pauses.reset();
    observer.reset();
  },
  start: () => clock.start(),
  stop() {
    // The collections of the load that has just ended are reported late, and belong to it.
    pauses.flush();
    clock.stop();
  },
  status: () => ({ served, unknown: observer.unknown }),
  summary() {
    clock.start();
    const kinds = observer.summary();
    clock.stop();
    return {
      kinds,
      every,
      asking: observer.asking,
      minor: pauses.minor,
      major: pauses.major,
      rss: process.memoryUsage.rss(),
    };
  },
};

// Without its parent, nobody wants it.
process.on('disconnect', () => process.exit());
process.on('message', ({ id, command }) => process.send({ id, result: commands[command]() ?? null }));
await app.listen({ host: '127.0.0.1', port: 0 });
clock.stop();
process.send({ ready: app.server.address().port });
