'use strict';

/* What require('weakly/spec/global') gets: see index.cjs. */
const main = process.getBuiltinModule('node:vm').runInThisContext('process');

module.exports =
  main === process
    ? require('../../dist/spec/global.js')
    : main.getBuiltinModule('node:module').createRequire(__filename)('../../dist/spec/global.js');
