'use strict';

/* What require('weakly/spec') gets: see index.cjs. */
const main = process.getBuiltinModule('node:vm').runInThisContext('process');

module.exports =
  main === process
    ? require('../../dist/spec/index.js')
    : main.getBuiltinModule('node:module').createRequire(__filename)('../../dist/spec/index.js');
