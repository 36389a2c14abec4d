'use strict';

// For links in workers (test/adapters/support/remote.js).

module.exports = require('fanline/cluster').clusterAdapter;
