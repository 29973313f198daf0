'use strict';

/* What require('weakly/testing') gets: see index.cjs. */
const main = process.getBuiltinModule('node:vm').runInThisContext('process');

module.exports =
  main === process
    ? require('../../dist/testing/index.js')
    : main.getBuiltinModule('node:module').createRequire(__filename)('../../dist/testing/index.js');
