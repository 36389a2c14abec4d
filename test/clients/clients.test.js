'use strict';

// Stock clients of Node and the command line. Those of a page: test/browser/clients.test.js.

const { behaves } = require('../js/support/client-behaviour');
const { FeedServer } = require('../js/support/feed');
const { CLIENTS } = require('./clients');

const server = new FeedServer();
before(() => server.start());
after(() => server.close());

for (const client of CLIENTS) {
  describe(client.name, () => {
    const open = async (feed, options) => {
      const opened = await client.open(feed.url, options);
      return {
        log: () => opened.log,
        isOver: () => opened.isOver(),
        lastEventId: () => opened.lastEventId,
        close: () => opened.close(),
      };
    };
    behaves(client, { open, server: () => server });
  });
}
