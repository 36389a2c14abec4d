'use strict';

// HTTP/2 in cleartext means the same as over TLS, which is in the matrix of behaviour.test.js.

const { TRANSPORTS, combosOf, overMatrix } = require('../js/suite/world');

const BEHAVIOURS = [
  require('../js/suite/opening'),
  require('../js/suite/leaving'),
  require('../js/suite/closing'),
  require('../js/suite/pressure'),
];

const HTTP2 = TRANSPORTS.find(({ kind }) => kind === 'http2');
const CLEARTEXT = { ...HTTP2, name: 'relay, http2 in cleartext', server: 'h2c' };

describe('behaviour', () => {
  overMatrix(BEHAVIOURS, combosOf([CLEARTEXT], { name: 'http', wrap: (_, listener) => listener }));
});
