'use strict';

// examples/shared-worker: one stream for all tabs, and who has gone is noticed.

const assert = require('node:assert/strict');
const { open } = require('../js/support/open');
const { openPage, startExample, useExample } = require('./support/example-page');
const { launchWithCache } = require('./support/cached-pages');
const { looks } = require('./support/looks');

const TABS = 8; // two more than there are connections

describe('examples/shared-worker', () => {
  const example = useExample('shared-worker');

  const shows = (page, id, text) =>
    page.waitForFunction(
      ([name, words]) => document.getElementById(name).textContent === words,
      [id, String(text)],
    );
  const hasNote = (page, text) => page.waitForSelector(`#notes li:has-text("${text}")`);
  const post = (text) =>
    fetch(`${example.server.url}/notes`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ text }),
    });

  /** How many streams the server has: one more listens to ask. */
  async function streams() {
    const stream = await open(`${example.server.url}/events`);
    await stream.until(({ events }) => events.some(({ event }) => event === 'streams'));
    const { data } = stream.events.findLast(({ event }) => event === 'streams');
    await stream.close();
    return Number(data) - 1;
  }

  async function until(count) {
    for (const end = Date.now() + 5_000; ; ) {
      const now = await streams();
      if (now === count) return;
      assert.ok(Date.now() < end, `${now} streams, not ${count}`);
    }
  }

  async function tabs(count, context) {
    const first = context
      ? await openPage(null, example.server.url, { context })
      : await example.open();
    const pages = [first];
    while (pages.length < count) {
      pages.push(await openPage(null, example.server.url, { context: first.context() }));
    }
    for (const page of pages) await shows(page, 'tabs', count);
    return pages;
  }

  it('sends the last notes first, then each new one', async () => {
    assert.equal((await post('before')).status, 201);
    const stream = await open(`${example.server.url}/events`);
    await stream.until(({ events }) => events.some(({ event }) => event === 'notes'));
    await post('after');
    await stream.until(({ events }) => events.some(({ event }) => event === 'note'));
    const text = (name) => JSON.parse(stream.events.find(({ event }) => event === name).data);
    assert.deepEqual(
      text('notes').map((note) => note.text),
      ['before'],
    );
    assert.equal(text('note').text, 'after');
    await stream.close();
  });

  it('refuses a note without text, and what is no JSON', async () => {
    assert.equal((await post('  ')).status, 400);
    assert.equal((await post(5)).status, 400);
    const headers = { 'Content-Type': 'application/json' };
    const broken = await fetch(`${example.server.url}/notes`, {
      method: 'POST',
      headers,
      body: '{',
    });
    assert.deepEqual([broken.status, typeof (await broken.json()).error], [400, 'string']);
  });

  it('eight tabs have one stream, and each shows a note that one of them sends', async () => {
    const pages = await tabs(TABS);
    await until(1);
    await pages[TABS - 1].fill('#text', 'from the eighth');
    await pages[TABS - 1].press('#text', 'Enter');
    for (const page of pages) await hasNote(page, 'from the eighth');
  });

  it('a tab that comes later shows what the others have seen', async () => {
    const [page] = await tabs(1);
    await post('early');
    await hasNote(page, 'early');
    const later = await openPage(null, example.server.url, { context: page.context() });
    await hasNote(later, 'early');
    await shows(later, 'state', 'Live');
  });

  it('a tab that is closed is noticed, and so is one that crashes', async () => {
    const [page, closing, crashing] = await tabs(3);
    await closing.close();
    await shows(page, 'tabs', 2);
    const crashed = new Promise((resolve) => crashing.on('crash', resolve));
    crashing.goto('chrome://crash').catch(() => {});
    await crashed;
    await shows(page, 'tabs', 1);
    await post('still here');
    await hasNote(page, 'still here');
  });

  it('the stream ends with the last tab', async () => {
    const pages = await tabs(2);
    await until(1);
    for (const page of pages) await page.close();
    await until(0);
  });

  it('all tabs say that the server is away, and go on when it is back', async () => {
    const pages = await tabs(2);
    await post('before');
    for (const page of pages) await hasNote(page, 'before');
    const { port } = example.server;
    await example.server.close();
    for (const page of pages) await shows(page, 'state', 'Connecting');
    example.server = await startExample('shared-worker', { PORT: String(port) });
    for (const page of pages)
      await page.waitForSelector('#state[data-state="live"]', { timeout: 15_000 });
    await post('after');
    for (const page of pages) await hasNote(page, 'after');
  }).timeout(40_000);

  it('without SharedWorker a tab has a stream of its own', async () => {
    const page = await example.open('/does-not-exist');
    await page.addInitScript(() => delete globalThis.SharedWorker);
    await page.goto(example.server.url);
    await shows(page, 'state', 'Live');
    await post('alone');
    await hasNote(page, 'alone');
  });

  describe('with the browser’s cache of pages for the way back', () => {
    let browser;
    before(async () => {
      browser = await launchWithCache();
    });
    after(() => browser?.close());

    it('a tab that has gone to another page is not counted, and is again, with what it missed, when it returns', async () => {
      const [page, leaving] = await tabs(2, await browser.newContext());
      await leaving.goto('about:blank');
      await shows(page, 'tabs', 1);
      await post('meanwhile');
      await hasNote(page, 'meanwhile');
      await leaving.goBack({ waitUntil: 'commit' });
      await shows(leaving, 'tabs', 2);
      await hasNote(leaving, 'meanwhile');
      await until(1);
    });
  });

  it('looks right, with notes and without', async () => {
    const [page] = await tabs(1);
    await looks(page, { name: 'shared-worker-empty' });
    for (const text of [
      'Tea is ready',
      'a'.repeat(200),
      'The meeting is at ten, in the room next to the kitchen',
    ])
      await post(text);
    await hasNote(page, 'The meeting');
    await looks(page, { name: 'shared-worker' });
  });

  it('ends by itself at SIGTERM', async () => {
    await tabs(2);
    example.server.signal('SIGTERM');
    assert.deepEqual(await example.server.exit, { code: 0, signal: null });
    assert.equal(example.server.err, '');
  });
});
