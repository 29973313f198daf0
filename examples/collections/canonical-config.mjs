// node examples/collections/canonical-config.mjs
//
// Many tenants, few different configurations. Each tenant parses a text of its own; what it keeps is the handle that
// `unique` gives for all equal objects: one copy, frozen to the bottom, which is forgotten with its last tenant.

import { unique, WeakKeySet } from 'weakly/collections';
import { gcUntil } from 'weakly/testing';

/** Handles that somebody holds. For the figures only: `unique` itself knows which are there. */
const handles = new WeakKeySet();

class Tenant {
  #config;

  constructor(text) {
    this.configure(JSON.parse(text));
  }

  configure(settings) {
    this.#config = unique(settings);
    handles.add(this.#config);
  }

  /** Never changes: it is shared. */
  get config() {
    return this.#config.value;
  }

  /** One comparison, however large the configurations are. */
  isConfiguredLike(other) {
    return this.#config === other.#config;
  }
}

const SEATS = { trial: 3, team: 50, enterprise: 5000 };

/** The configuration of a plan as it comes from a database: a text, with its keys in any order. */
function textOf(plan, reversed) {
  const entries = Object.entries({ plan, limits: { seats: SEATS[plan] }, regions: ['eu', 'us'] });
  return JSON.stringify(Object.fromEntries(reversed ? entries.reverse() : entries));
}

const tenants = new Map();

/** In a function of its own, as all that makes garbage here: a local variable of the module would be kept. */
function load() {
  for (let i = 0; i < 30; i++)
    for (const plan of Object.keys(SEATS)) tenants.set(`${plan} ${i}`, new Tenant(textOf(plan, i % 2 === 1)));
}

function leave(plan, count) {
  for (let i = 0; i < count; i++) tenants.delete(`${plan} ${i}`);
}

const report = (when) => console.log(`${when}: ${tenants.size} tenants, ${handles.size} configurations`);
load();
report('all have loaded theirs');
const [one, other, larger] = ['team 28', 'team 29', 'enterprise 29'].map((name) => tenants.get(name));
for (const reversed of [false, true]) console.log(`  ${textOf('team', reversed)}`);
console.log(
  `  are equal: ${one.isConfiguredLike(other)}; the tenants share one object: ${one.config === other.config}`,
);
try {
  one.config.limits.seats = 1_000_000;
} catch (error) {
  console.log(`  changing it is a ${error.name}: for all others there still are ${other.config.limits.seats} seats`);
}

other.configure({ ...other.config, regions: ['eu'] });
report('one has left the us');
console.log(`  it serves ${other.config.regions}, others of its plan ${one.config.regions.join(' and ')}`);

leave('trial', 30);
leave('enterprise', 29);
// A server would go on serving, and the collector would come by itself.
await gcUntil(() => handles.size === 3);
report('all trials and 29 of 30 enterprises have gone');
console.log(`  the one that is left has its ${larger.config.limits.seats} seats`);
