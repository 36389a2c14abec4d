'use strict';

// What docs/recipes/many-tabs.md says of browsers, in Chromium: six connections to a host over HTTP/1.1, the ways around them, and
// what becomes of the stream of a page that is left. (HTTP/2 and SharedWorker: http2.test.js and shared-worker.test.js.)

const assert = require('node:assert/strict');
const express = require('express');
const { createHub } = require('../..');
const { serve } = require('../js/support/serve');
const { when } = require('../js/support/stage');
const { launchWithCache } = require('./support/cached-pages');
const { useBrowser } = require('./support/example-page');
const { blocksOf } = require('./support/nginx');

const [WAY_BACK] = blocksOf('recipes/many-tabs.md', 'html');
const SIX = 6;
const WAITS = 500; // ms after which what has not happened is waiting; it takes some 50
const SOON = 2_000; // ms in which a page that has gone is noticed, on a busy machine
const head = '<!doctype html><title>tab</title><link rel="icon" href="data:,">';

/** What a page does, by the path that it is at. */
const PAGES = {
  '/one': '<script>const source = new EventSource("/events")</script>',
  '/six':
    '<script>const sources = Array.from({ length: 6 }, () => new EventSource("/events"))</script>',
  '/empty': '',
  '/way-back': WAY_BACK,
};
const CLOSES = {
  beforeunload:
    'addEventListener("beforeunload", () => { for (const each of sources) each.close(); })',
  pagehide: 'addEventListener("pagehide", () => { for (const each of sources) each.close(); })',
};
for (const [when, script] of Object.entries(CLOSES)) {
  PAGES[`/six-${when}`] = `${PAGES['/six']}<script>${script}</script>`;
}

describe('six connections to a host', () => {
  const own = useBrowser();
  let hub;
  let server;
  let context;

  beforeEach(async () => {
    hub = createHub({ heartbeat: false, retry: 50 });
    const app = express();
    // As the page has it.
    app.get('/events', (req, res) =>
      hub.connect(req, res, {
        rooms: 'news',
        lastEventId: req.get('Last-Event-ID') ?? req.query.after,
        headers: { 'Access-Control-Allow-Origin': '*' },
      }),
    );
    app.get('/ping', (_req, res) => res.send('pong'));
    app.use((req, res) => res.type('html').send(head + PAGES[req.path]));
    server = await serve(app);
    context = await own.browser.newContext();
  });
  afterEach(async () => {
    await context.close();
    await hub.close({ grace: 0 });
    await server.close();
  });

  async function tab(path, where = context) {
    const page = await where.newPage();
    await page.goto(server.url + path);
    return page;
  }

  /** 'waits', if a promise is not settled after a moment. */
  const orWaits = (promise) => {
    const moment = new Promise((resolve) => setTimeout(resolve, WAITS, 'waits'));
    return Promise.race([promise.then(() => 'done'), moment]);
  };
  const ping = (page) => page.evaluate(() => fetch('/ping').then((answer) => answer.text()));

  it('six tabs with a stream each are all there is: the seventh does not load, until one is closed', async () => {
    const tabs = [];
    for (let i = 0; i < SIX; i++) tabs.push(await tab('/one'));
    await when(() => hub.size === SIX);
    const seventh = await context.newPage();
    const loaded = seventh.goto(`${server.url}/empty`);
    assert.equal(await orWaits(loaded), 'waits');
    await tabs[3].close();
    await loaded;
    assert.equal(await seventh.title(), 'tab');
  });

  it('an ordinary fetch of a page waits as well, without an error', async () => {
    for (let i = 0; i < SIX - 1; i++) await tab('/one');
    const page = await tab('/one');
    await when(() => hub.size === SIX);
    const answer = ping(page);
    assert.equal(await orWaits(answer), 'waits');
    await page.evaluate(() => source.close());
    assert.equal(await answer, 'pong');
  });

  it('other host names of the same server have six each', async () => {
    const page = await tab('/empty');
    const { port } = server;
    await page.evaluate((to) => {
      for (const host of ['a.localhost', 'b.localhost']) {
        for (let i = 0; i < 7; i++) new EventSource(`http://${host}:${to}/events`);
      }
    }, port);
    await when(() => hub.size === 2 * SIX);
    assert.equal(await ping(page), 'pong', 'the page’s own host is free');
    assert.equal(hub.size, 2 * SIX, 'the seventh of each waits');
  });

  it('the stream of a page that is gone ends at once: closed, or left for another', async () => {
    const closing = await tab('/one');
    const leaving = await tab('/one');
    await when(() => hub.size === 2);
    await closing.close();
    await when(() => hub.size === 1, 'the closed tab is noticed', SOON);
    await leaving.goto('about:blank'); // playwright has switched the cache of pages off
    await when(() => hub.size === 0, 'the page that was left is noticed', SOON);
  });

  it('a page that holds all six cannot be left for another, and closing them on `pagehide` is too late', async () => {
    for (const path of ['/six', '/six-pagehide']) {
      const page = await tab(path);
      await when(() => hub.size === SIX);
      const left = page.goto(`${server.url}/empty`).catch(() => {}); // the test may be over before
      assert.equal(await orWaits(left), 'waits', path);
      await page.close();
      await when(() => hub.size === 0);
    }
  });

  it('… where `beforeunload` is early enough', async () => {
    const page = await tab('/six-beforeunload');
    await when(() => hub.size === SIX);
    await page.goto(`${server.url}/empty`);
    await when(() => hub.size === 0);
  });

  describe('with the browser’s cache of pages for the way back', () => {
    let browser;
    before(async () => {
      browser = await launchWithCache();
    });
    after(() => browser?.close());

    /** Goes from page to page in one tab, six times; answers the tab, and how the seventh page loads. */
    async function seven(path) {
      const page = await (await browser.newContext()).newPage();
      for (let i = 0; i < SIX; i++) {
        await page.goto(`${server.url}${path}?${i}`);
        await when(() => hub.size > 0);
      }
      const last = page.goto(`${server.url}${path}?last`);
      last.catch(() => {}); // the test may be over before
      return { page, last };
    }

    it('pages that were left keep their streams, and the seventh does not load', async () => {
      const { page, last } = await seven('/one');
      assert.equal(await orWaits(last), 'waits');
      assert.equal(hub.size, SIX);
      await page.context().close();
    });

    it('with the recipe’s `pagehide` they do not, and all load', async () => {
      const { page, last } = await seven('/way-back');
      await last;
      await when(() => hub.size === 1);
      await page.context().close();
    });

    it('on the way back the recipe’s page listens again, and has missed nothing', async () => {
      const page = await (await browser.newContext()).newPage();
      await page.goto(`${server.url}/way-back`);
      await when(() => hub.size === 1);
      hub.to('news').send('before');
      await page.waitForFunction(() => /before/.test(document.body.textContent));
      await page.goto('about:blank');
      await when(() => hub.size === 0);
      hub.to('news').send('meanwhile');
      await page.goBack({ waitUntil: 'commit' });
      await when(() => hub.size === 1);
      hub.to('news').send('after');
      await page.waitForFunction(() => /before meanwhile after/.test(document.body.innerText));
      await page.context().close();
    });
  });
});
