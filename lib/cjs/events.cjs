'use strict';

/* What require('weakly/events') gets: see index.cjs. */
const main = process.getBuiltinModule('node:vm').runInThisContext('process');

module.exports =
  main === process
    ? require('../../dist/events/index.js')
    : main.getBuiltinModule('node:module').createRequire(__filename)('../../dist/events/index.js');
