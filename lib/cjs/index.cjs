'use strict';

/*
 * What require('weakly') gets. Node.js itself could require the ES module; jest without flags cannot: its own module
 * system, which has no ES modules then, answers require(), node:module and (since 30.5) process.getBuiltinModule(). So
 * Node.js's loader is fetched from the main context, where jest's sandbox does not reach. There is one instance per
 * process then, shared with `weakly/testing`, every import and every test file; two would not know each other's pointers.
 */
const { runInThisContext } = require('node:vm');

const { createRequire } = runInThisContext('process').getBuiltinModule('node:module');

module.exports = createRequire(__filename)('../../dist/index.js');
