'use strict';

/*
 * What require('weakly') gets: the ES module, which Node.js can require, and bundlers can follow. jest without flags can do neither: its
 * own module system, which has no ES modules then, answers require(), node:module and (since 30.5) process.getBuiltinModule(). So
 * where `process` is not that of the main context, Node.js's loader is fetched from there, where jest's sandbox does not reach. There is
 * one instance per process then, shared with `weakly/testing`, every import and every test file; two would not know each other's
 * pointers.
 */
const main = process.getBuiltinModule('node:vm').runInThisContext('process');

module.exports =
  main === process
    ? require('../../dist/index.js')
    : main.getBuiltinModule('node:module').createRequire(__filename)('../../dist/index.js');
