// node examples/cleanups/unsubscribe-listeners.mjs
//
// The commonest leak of a server: something short-lived listens to something that lives for ever. Here a listener holds its
// owner weakly, and is removed when the owner has died.

import { EventEmitter, getEventListeners } from 'node:events';
import { addCleanup, make } from 'weakly';
import { gcUntil } from 'weakly/testing';

// What a cleanup needs, it gets as its argument; neither function knows the owner.
const removeFromEmitter = ({ source, type, listener }) => source.off(type, listener);
const removeFromTarget = ({ source, type, listener }) => source.removeEventListener(type, listener);

/** Calls `owner[method]` at each event, for as long as somebody else keeps the owner; keeps it no longer than that. */
function listenWeakly(source, type, owner, method) {
  const pointer = make(owner);
  const listener = (event) => pointer.value()?.[method](event);
  const subscription = { source, type, listener };
  if (source instanceof EventEmitter) {
    source.on(type, listener);
    addCleanup(owner, removeFromEmitter, subscription);
  } else {
    source.addEventListener(type, listener);
    addCleanup(owner, removeFromTarget, subscription);
  }
}

// These live as long as the process.
const prices = new EventEmitter();
const clock = new EventTarget();
const shutdown = new AbortController();

class Session {
  static heard = 0;
  heard = 0;

  constructor() {
    listenWeakly(prices, 'change', this, 'onEvent');
    listenWeakly(clock, 'tick', this, 'onEvent');
    listenWeakly(shutdown.signal, 'abort', this, 'onEvent');
  }

  onEvent() {
    this.heard++;
    Session.heard++;
  }
}

const listeners = () => [
  getEventListeners(prices, 'change').length,
  getEventListeners(clock, 'tick').length,
  getEventListeners(shutdown.signal, 'abort').length,
];

function report(when) {
  const [onPrices, onClock, onShutdown] = listeners();
  console.log(`${when}: ${onPrices} listen to prices, ${onClock} to the clock, ${onShutdown} to the shutdown signal`);
}

/** Sessions come and go. One stays. */
function serve() {
  const sessions = Array.from({ length: 5 }, () => new Session());
  return sessions[0];
}

report('at the start');
const session = serve();
report('5 sessions, 4 of them dropped');

// A server would go on serving, and the collector would come by itself.
await gcUntil(() => listeners().every((count) => count === 1));
report('after a garbage collection');

prices.emit('change', 42);
clock.dispatchEvent(new Event('tick'));
shutdown.abort();
console.log(`3 events were heard ${Session.heard} times, all by the session that is left: ${session.heard}`);
