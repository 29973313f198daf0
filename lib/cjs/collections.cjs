'use strict';

/* What require('weakly/collections') gets: see index.cjs. */
const { runInThisContext } = require('node:vm');

const { createRequire } = runInThisContext('process').getBuiltinModule('node:module');

module.exports = createRequire(__filename)('../../dist/collections/index.js');
