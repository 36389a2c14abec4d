'use strict';

// Stock clients of a page. Those of Node and the command line: test/clients.

const { behaves } = require('../js/support/client-behaviour');
const { FeedServer } = require('../js/support/feed');
const { CLIENTS, NAMES } = require('./clients/clients');
const { pages } = require('./clients/pages');
const { eventually } = require('./support/app');
const { launch, missing } = require('./support/browser');

describe('stock clients', () => {
  let browser;

  before(async function () {
    const lacks = missing();
    if (lacks) {
      const advice = `the browser tests need ${lacks}. Install with: npm run test:setup`;
      if (process.env.CI === 'true') throw new Error(advice);
      console.log(`  not run: ${advice}`);
      this.skip();
    }
    browser = await launch();
  });
  after(() => browser?.close());

  for (const client of CLIENTS) {
    const { name, start, scripts = [], options } = client;
    describe(name, () => {
      const server = new FeedServer(pages);
      let page;
      let count = 0;

      before(async () => {
        await server.start();
        page = await browser.newPage();
        await page.goto(`${server.origin}/?${scripts.join('&')}`);
        await page.evaluate(() => {
          window.clients = [];
        });
      });
      after(async () => {
        await page.close();
        await server.close();
      });

      async function open({ url }, how) {
        const key = count++;
        await page.evaluate(start, { key, url, names: NAMES, ...options, ...how });
        const get = (what) =>
          page.evaluate(([at, field]) => window.clients[at][field], [key, what]);
        return {
          log: () => get('log'),
          isOver: () => get('isOver'),
          lastEventId: () => get('lastEventId'),
          close: () => page.evaluate((at) => window.clients[at].close(), key),
        };
      }

      behaves(client, { open, server: () => server });

      if (name.startsWith('htmx')) {
        it('shows what the events without a name say, each in the place of the last', async () => {
          const feed = server.feed('fd');
          const client = await open(feed);
          await eventually(() => feed.size, 1);
          await feed.say('<b>one</b>');
          await feed.say('<i>two</i>\n<i>lines</i>');
          await eventually(() => page.innerHTML('pre'), '<i>two</i>\n<i>lines</i>');
          await client.close();
          await feed.close();
        });
      }
    });
  }
});
