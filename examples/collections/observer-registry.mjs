// node examples/collections/observer-registry.mjs
//
// A subject that holds its observers weakly. Nobody has to unsubscribe: an observer that has died is no longer told
// anything and no longer counted. Until the collector has come it is; one that has to stop at once can.

import { WeakKeySet } from 'weakly/collections';
import { gcUntil } from 'weakly/testing';

/** Lives as long as the process. */
class Thermometer {
  #observers = new WeakKeySet();

  /** Keeps nobody alive: whoever wants an observer has to hold it. */
  observe(observer) {
    this.#observers.add(observer);
  }

  unobserve(observer) {
    this.#observers.delete(observer);
  }

  get observers() {
    return this.#observers.size;
  }

  measure(degrees) {
    // In the order in which they came. What an observer adds or removes meanwhile is treated as by a Set.
    for (const observer of this.#observers) observer.measured(degrees);
  }
}

const thermometer = new Thermometer();
let told = [];

class Display {
  text = 'nothing';

  constructor(room) {
    this.room = room;
    thermometer.observe(this);
  }

  measured(degrees) {
    this.text = `${degrees}°`;
    told.push(this.room);
  }
}

function measure(degrees) {
  told = [];
  thermometer.measure(degrees);
  console.log(`  ${degrees}°: told ${told.join(', ')}`);
}

const rooms = new Map();

/** In a function of its own, as all that makes garbage here: a local variable of the module would be kept. */
function furnish(...names) {
  for (const name of names) rooms.set(name, new Display(name));
}

furnish('hall', 'kitchen', 'cellar', 'attic');
console.log(`4 displays: ${thermometer.observers} observe`);
measure(20);

for (const room of ['cellar', 'attic']) rooms.delete(room);
// A server would go on serving, and the collector would come by itself.
await gcUntil(() => thermometer.observers === 2);
console.log(`2 were taken away, and the collector has come: ${thermometer.observers} observe`);
measure(21);

thermometer.unobserve(rooms.get('hall'));
console.log(`the one in the hall was switched off: ${thermometer.observers} observes`);
measure(22);
console.log(`  and the hall goes on showing ${rooms.get('hall').text}`);

thermometer.observe({ measured: () => console.log('  never printed') });
await gcUntil(() => thermometer.observers === 1);
console.log(`one that nobody but the thermometer knew, a mistake, is gone as well: ${thermometer.observers} observes`);
measure(23);
