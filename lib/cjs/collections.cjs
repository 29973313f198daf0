'use strict';

/* What require('weakly/collections') gets: see index.cjs. */
const main = process.getBuiltinModule('node:vm').runInThisContext('process');

module.exports =
  main === process
    ? require('../../dist/collections/index.js')
    : main.getBuiltinModule('node:module').createRequire(__filename)('../../dist/collections/index.js');
