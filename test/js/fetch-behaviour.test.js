'use strict';

// Promise 9, for servers of the Fetch API: hub.response() means the same as connect() and handler().

const { FETCH, overMatrix } = require('./suite/world');

const BEHAVIOURS = [
  require('./suite/opening'),
  require('./suite/sending'),
  require('./suite/addressing'),
  require('./suite/presence'),
  require('./suite/leaving'),
  require('./suite/closing'),
  require('./suite/heartbeats'),
  require('./suite/pressure'),
  require('./suite/deciding'),
];

describe('behaviour of hub.response()', () => overMatrix(BEHAVIOURS, [FETCH]));
