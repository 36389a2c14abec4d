'use strict';

// Chromium's EventSource comes back by itself: through cuts at random moments, and through the death of the server.

const assert = require('node:assert/strict');
const { CuttingProxy } = require('../js/support/cutting-proxy');
const { NumberServer } = require('../js/support/resume-server');
const { launch, missing } = require('./support/browser');
const { eventually } = require('./support/app');

const PAGES = 2;
const SETTLED = 15_000; // ms

const rising = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** In the page: an EventSource, and what it gets, numbers as numbers. */
function listen() {
  window.log = [];
  window.source = new EventSource('/events');
  for (const name of ['message', 'state', 'fanline:reset']) {
    window.source.addEventListener(name, ({ type, data }) =>
      window.log.push(type === 'message' ? Number(data) : `${type} ${data}`),
    );
  }
}

describe('resuming', () => {
  let browser;
  let server;
  let proxy;
  let pages;

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

  afterEach(async () => {
    for (const page of pages) await page.close();
    await proxy.close();
    await server.kill();
  });

  async function start(how) {
    server = new NumberServer(how);
    await server.start();
    proxy = new CuttingProxy(() => server.port);
    await proxy.listen();
    pages = [];
    for (let i = 0; i < PAGES; i++) {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${proxy.port}/`);
      await page.evaluate(listen);
      pages.push(page);
    }
    await eventually(() => server.size(), PAGES, SETTLED);
  }

  const logs = () => Promise.all(pages.map((page) => page.evaluate(() => window.log)));
  const each = (value) => pages.map(() => value);
  const upTo = (last) =>
    eventually(async () => (await logs()).map((log) => log.at(-1)), each(last), SETTLED);

  async function restart() {
    await server.kill();
    await server.start();
    await eventually(() => server.size(), PAGES, SETTLED);
  }

  for (const transport of ['auto', 'relay']) {
    it(`cut at random moments, each page gets every number once and in order: ${transport}`, async () => {
      await start({ transport });
      await upTo(await server.say(1)); // now each has a cursor
      await server.begin(2);
      proxy.cutEach(100);
      await eventually(() => proxy.cuts >= PAGES * 10, true, SETTLED);
      proxy.cutEach(0);
      const last = await server.end();
      await upTo(last);
      assert.deepEqual(await logs(), each(rising(1, last)));
      assert.equal(await server.resets(), 0);
    });
  }

  it('through a restart: one fanline:reset, whose id is a cursor, then live', async () => {
    await start();
    await upTo(await server.say(3));
    await restart();
    await upTo('fanline:reset restart');
    proxy.cutAll(); // before anything else has come
    const last = await server.say(5); // and while they are away
    await upTo(last);
    const expected = [...rising(1, 3), 'fanline:reset restart', ...rising(4, last)];
    assert.deepEqual(await logs(), each(expected));
    assert.equal(await server.resets(), PAGES);
  });

  it('through a restart with a snapshot: one reset, the snapshot, then live, cut at random moments', async () => {
    await start({ hasSnapshot: true });
    await upTo('state 0');
    await upTo(await server.say(3));
    await restart();
    await server.begin(2);
    await eventually(async () => (await logs()).every((log) => log.at(-1) > 3), true, SETTLED);
    proxy.cutEach(100);
    await eventually(() => proxy.cuts >= PAGES * 5, true, SETTLED);
    proxy.cutEach(0);
    const last = await server.end();
    await upTo(last);
    for (const log of await logs()) {
      const state = Number(log[7].split(' ')[1]); // of the numbers, when it came back
      assert.deepEqual(log, [
        ...['state begin', 'state 0', ...rising(1, 3)],
        ...['fanline:reset restart', 'state begin', `state ${state}`],
        ...rising(state + 1, last),
      ]);
    }
    assert.equal(await server.resets(), PAGES);
  });

  it('a page that is loaded anew begins anew, and its snapshot is the new one', async () => {
    await start({ hasSnapshot: true });
    await upTo(await server.say(4));
    await pages[0].reload();
    await pages[0].evaluate(listen);
    await eventually(async () => (await logs())[0].at(-1), 'state 4', SETTLED);
    await upTo(await server.say(1));
    const [loaded, stayed] = await logs();
    assert.deepEqual(loaded, ['state begin', 'state 4', 5]);
    assert.deepEqual(stayed, ['state begin', 'state 0', ...rising(1, 5)]);
    assert.equal(await server.resets(), 0);
  });
});
