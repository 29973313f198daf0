'use strict';

/* What require('weakly/events') gets: see index.cjs. */
const { runInThisContext } = require('node:vm');

const { createRequire } = runInThisContext('process').getBuiltinModule('node:module');

module.exports = createRequire(__filename)('../../dist/events/index.js');
