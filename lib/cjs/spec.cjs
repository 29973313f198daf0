'use strict';

/* What require('weakly/spec') gets: see index.cjs. */
const { runInThisContext } = require('node:vm');

const { createRequire } = runInThisContext('process').getBuiltinModule('node:module');

module.exports = createRequire(__filename)('../../dist/spec/index.js');
