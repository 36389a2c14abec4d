'use strict';

// The core of the behaviours over the same matrix, with clients that others wrote: npm eventsource, fetch, curl.

const { hasCurl } = require('./suite/readers');
const { COMBOS, overMatrix } = require('./suite/world');

describe('behaviour with other clients', () => {
  it('curl is here to be tested with', function () {
    if (hasCurl()) return;
    if (process.env.CI === 'true') throw new Error('curl is missing');
    this.skip();
  });
  overMatrix(
    [require('./suite/others')],
    COMBOS.map((combo) => ({ ...combo, without: undefined })),
  );
});
