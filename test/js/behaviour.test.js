'use strict';

// Promise 9: the same meaning on every path. One suite over every transport and framework, read byte for byte.

const { overMatrix } = require('./suite/world');

const BEHAVIOURS = [
  require('./suite/opening'),
  require('./suite/sending'),
  require('./suite/addressing'),
  require('./suite/presence'),
  require('./suite/leaving'),
  require('./suite/closing'),
  require('./suite/ownwrites'),
  require('./suite/wrappers'),
  require('./suite/heartbeats'),
  require('./suite/pressure'),
  require('./suite/replay'),
  require('./suite/deciding'),
];

describe('behaviour', () => overMatrix(BEHAVIOURS));
