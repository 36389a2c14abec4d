'use strict';

// What the examples react, vue and angular have to show, each with its own page: the built one in Chromium, behind a server
// of this process, so that a test sees both ends.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const express = require('express');
const cafe = require('../../../examples/shared/orders');
const { open } = require('../../../lib/testing');
const { when } = require('../../js/support/stage');
const { openPage, startExample, useBrowser } = require('./example-page');
const { looks } = require('./looks');

const EXAMPLES = path.join(__dirname, '..', '..', '..', 'examples');

/** A café that serves a folder, and notes how streams are asked for. */
class Cafe {
  constructor(folder) {
    this._folder = folder;
    this._port = 0;
    this.pin = '1234';
    this.hold = null; // a promise: streams are answered after it
    this.anew();
  }

  /** What was is forgotten, as by a new process. */
  anew() {
    this.asked = []; // { url, cursor, authorization } of each stream
    const { hub, router } = cafe((authorization) => authorization === `Bearer ${this.pin}`);
    this.hub = hub;
    this._app = express();
    this._app.use('/events', async (req, _res, next) => {
      const { authorization, 'last-event-id': cursor } = req.headers;
      this.asked.push({ url: req.originalUrl, cursor, authorization });
      await this.hold;
      next();
    });
    this._app.use(express.static(this._folder), router);
  }

  async listen() {
    this._server = http.createServer(this._app).listen(this._port, '127.0.0.1');
    await once(this._server, 'listening');
    this._port = this._server.address().port;
    this.url = `http://localhost:${this._port}`;
  }

  /** Cuts every connection and is gone. */
  async fall() {
    const closed = once(this._server, 'close');
    this._server.close();
    this._server.closeAllConnections();
    await closed;
    await when(() => this.hub.size === 0, 'nobody left');
  }

  async close() {
    if (this._server.listening) await this.fall();
    await this.hub.close({ grace: 0 });
  }

  async order(room, table, what) {
    const headers = { 'Content-Type': 'application/json' };
    const body = JSON.stringify({ room, table, what });
    const answer = await fetch(`${this.url}/orders`, { method: 'POST', headers, body });
    return answer.json();
  }
}

/** Why the page of an example is not what its sources say; an empty string: it is. */
function unbuilt(name) {
  const dir = path.join(EXAMPLES, name);
  const page = path.join(dir, 'dist', 'index.html');
  if (!fs.existsSync(page)) return `examples/${name} is not built`;
  const sources = fs.readdirSync(path.join(dir, 'src')).map((file) => path.join(dir, 'src', file));
  const changed = sources.some((file) => fs.statSync(file).mtimeMs > fs.statSync(page).mtimeMs);
  return changed ? `examples/${name} has changed since it was built` : '';
}

const orders = (page) => page.locator('.orders li:not(.soft) > .grow').allTextContents();
const stateOf = (page) => page.locator('.state').textContent();

/** Resolves when the page shows what is expected; says what it shows when it does not. */
async function shows(page, read, expected, ms = 10_000) {
  const limit = Date.now() + ms;
  for (;;) {
    const shown = (await read(page)).valueOf();
    try {
      return assert.deepEqual(typeof shown === 'string' ? shown.trim() : shown, expected);
    } catch (err) {
      if (Date.now() > limit) throw err;
    }
    await page.waitForTimeout(10);
  }
}

const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

/** @param {string} name of the example */
function describeCafe(name) {
  const own = useBrowser();
  let place;

  async function start(path = '/') {
    const page = await openPage(own.browser, place.url + path);
    await shows(page, stateOf, 'Live');
    return page;
  }

  before(function () {
    const advice = `${unbuilt(name)}. Install and build with: npm run test:setup`;
    if (!unbuilt(name)) return;
    if (process.env.CI === 'true') throw new Error(advice);
    console.log(`  not run: ${advice}`);
    this.skip();
  });
  beforeEach(async () => {
    place = new Cafe(path.join(EXAMPLES, name, 'dist'));
    await place.listen();
  });
  afterEach(async () => {
    for (const context of own.browser.contexts()) await context.close();
    await place.close();
  });

  it('shows what is open, then what comes and goes', async () => {
    await place.order('kitchen', '4', 'Soup');
    const page = await start();
    await shows(page, orders, ['Soup']);
    await place.order('kitchen', '7', 'Toast');
    await place.order('bar', '7', 'Tea');
    await shows(page, orders, ['Soup', 'Toast']);
    await page.getByRole('button', { name: 'Done with Soup' }).click();
    await shows(page, orders, ['Toast']);
    assert.deepEqual(page.problems, []);
  });

  it('has one connection, and keeps it however often it is rendered', async () => {
    const page = await start();
    for (let i = 0; i < 5; i += 1) {
      await page.getByLabel('Table').fill(`${i}`);
      await page.getByLabel('What').fill(`Soup ${i}`);
      await press(page, 'Order');
      await shows(page, async () => (await orders(page)).length, i + 1);
    }
    assert.equal(place.asked.length, 1);
    assert.equal(place.hub.size, 1);
  });

  it('misses none of many events that come together', async () => {
    const page = await start();
    const made = Array.from({ length: 500 }, (_, id) => ({
      id: id + 1,
      room: 'kitchen',
      table: '1',
      what: `${id}`,
    }));
    for (const order of made) place.hub.to('kitchen').send(order, { event: 'order' });
    for (const { id } of made.slice(0, 490)) place.hub.to('kitchen').send(id, { event: 'done' });
    await shows(page, orders, [
      '490',
      '491',
      '492',
      '493',
      '494',
      '495',
      '496',
      '497',
      '498',
      '499',
    ]);
  });

  it('closes the stream when it is taken off the page, and opens another when it is back', async () => {
    const page = await start();
    await press(page, 'Hide the list');
    await when(() => place.hub.size === 0, 'the server sees it leave');
    await place.order('kitchen', '4', 'Soup');
    await press(page, 'Show the list');
    await shows(page, orders, ['Soup']);
    assert.deepEqual(
      place.asked.map(({ cursor }) => cursor),
      [undefined, undefined],
    );
    assert.equal(place.hub.size, 1);
  });

  it('changes to another stream with the URL, and shows nothing of the one before', async () => {
    await place.order('kitchen', '4', 'Soup');
    await place.order('bar', '4', 'Tea');
    const page = await start();
    await shows(page, orders, ['Soup']);
    await place.order('kitchen', '4', 'Toast'); // with a cursor, which is no business of the other stream
    await shows(page, orders, ['Soup', 'Toast']);
    let release;
    place.hold = new Promise((resolve) => {
      release = resolve;
    });
    await page.evaluate(() => {
      window.seen = [];
      const note = () => window.seen.push(document.querySelector('section').textContent);
      new MutationObserver(note).observe(document.body, {
        childList: true,
        subtree: true,
        characterData: true,
      });
    });
    await press(page, 'Bar');
    await shows(page, stateOf, 'Connecting');
    assert.deepEqual(await orders(page), []);
    const wrong = (text) => text.includes('Bar') && text.includes('Soup');
    assert.deepEqual((await page.evaluate(() => window.seen)).filter(wrong), []);
    release();
    await shows(page, orders, ['Tea']);
    assert.deepEqual(
      place.asked.map(({ url, cursor }) => [url, cursor]),
      [
        ['/events/kitchen', undefined],
        ['/events/bar', undefined],
      ],
    );
    await when(() => place.hub.size === 1, 'the first stream is closed');
  });

  it('comes back after its connection was cut, with what it missed, once', async () => {
    const page = await start();
    await place.order('kitchen', '4', 'Soup');
    await shows(page, orders, ['Soup']);
    await place.fall();
    await shows(page, stateOf, 'Connecting');
    await place.listen();
    await place.order('kitchen', '4', 'Toast');
    await place.order('kitchen', '5', 'Salad');
    await shows(page, stateOf, 'Live');
    await shows(page, orders, ['Soup', 'Toast', 'Salad']);
    assert.match(place.asked.at(-1).cursor, /^\w{8}-\d+$/);
    assert.equal(place.hub.stats().replays, 1);
  });

  it('shows what there is after a restart that has forgotten all', async () => {
    const page = await start();
    await place.order('kitchen', '4', 'Soup');
    await shows(page, orders, ['Soup']);
    await place.fall();
    await place.hub.close({ grace: 0 });
    place.anew();
    await place.listen();
    await place.order('kitchen', '5', 'Salad');
    await shows(page, orders, ['Salad']);
    assert.equal(place.hub.stats().resets, 1);
  });

  it('stops at a 401, and goes on with the PIN', async () => {
    await place.order('bar', '4', 'Tea');
    const page = await start();
    await press(page, 'Office');
    await shows(page, stateOf, 'Locked');
    await page.getByLabel('PIN').fill('1234');
    await press(page, 'Open');
    await shows(page, stateOf, 'Live');
    await shows(page, orders, ['Tea']);
    const [, ...office] = place.asked.map(({ authorization }) => authorization);
    assert.deepEqual(office, [undefined, 'Bearer 1234']);
  });

  it('goes on where the stream was, after a 401 in its middle', async () => {
    const page = await start();
    await press(page, 'Office');
    await page.getByLabel('PIN').fill('1234');
    await press(page, 'Open');
    await shows(page, stateOf, 'Live');
    await place.order('bar', '4', 'Tea');
    await shows(page, orders, ['Tea']);
    place.pin = '5678';
    await place.fall();
    await place.listen();
    await shows(page, stateOf, 'Locked');
    await place.order('bar', '4', 'Milk');
    await page.getByLabel('PIN').fill('5678');
    await press(page, 'Open');
    await shows(page, orders, ['Tea', 'Milk']);
    assert.match(place.asked.at(-1).cursor, /^\w{8}-\d+$/);
    assert.equal(place.hub.stats().replays, 1);
  });

  it('stays away when the server has ended the stream for good', async () => {
    const page = await start();
    place.hub.to('kitchen').disconnect({ reconnect: false });
    await shows(page, stateOf, 'Ended');
    assert.equal(place.asked.length, 1);
    assert.deepEqual(page.problems, []);
  });

  it('says what the server refuses', async () => {
    const page = await start();
    await page.getByLabel('Table').fill('4');
    await page.getByLabel('What').fill('   ');
    await press(page, 'Order');
    await page.getByRole('alert').waitFor();
    assert.equal(await page.getByRole('alert').textContent(), '"what" has 1 to 60 characters');
  });

  it('looks right', async () => {
    const page = await start();
    await place.order('kitchen', '4', 'Soup of the day, with bread');
    await place.order(
      'bar',
      'Terrace 12',
      'A flat white, a lemonade and two glasses of water, please',
    );
    await place.order('kitchen', '11', 'Omelette');
    await looks(page, {
      name,
      prepare: (_, { size }) => (size === 'narrow' ? undefined : press(page, 'Kitchen')),
    });
    await press(page, 'Office');
    await shows(page, stateOf, 'Locked');
    await looks(page, { name: `${name}-locked`, expected: /401/ });
    await page.getByLabel('PIN').fill('1234');
    await press(page, 'Open');
    await shows(page, async () => (await orders(page)).length, 3);
    await looks(page, { name: `${name}-office`, expected: /401/ });
  });

  it('starts by itself, and ends when it is told to', async () => {
    const server = await startExample(name);
    try {
      const stream = await open(`${server.url}/events/kitchen`);
      assert.deepEqual(await stream.next(), { event: 'orders', data: '[]' });
      server.signal('SIGTERM');
      assert.equal(await stream.end(), 'end');
      assert.deepEqual(await server.exit, { code: 0, signal: null });
    } finally {
      await server.close();
    }
  });
}

module.exports = { Cafe, EXAMPLES, describeCafe };
