'use strict';

// Promise 9, for servers of the Fetch API: hub.response() means the same as connect() and handler().

const { FETCH, overMatrix } = require('../js/suite/world');

const BEHAVIOURS = [
  require('../js/suite/opening'),
  require('../js/suite/sending'),
  require('../js/suite/addressing'),
  require('../js/suite/presence'),
  require('../js/suite/leaving'),
  require('../js/suite/closing'),
  require('../js/suite/heartbeats'),
  require('../js/suite/pressure'),
  require('../js/suite/deciding'),
];

describe('behaviour of hub.response()', () => overMatrix(BEHAVIOURS, [FETCH]));
