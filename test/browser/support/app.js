'use strict';

// What the tests share: one browser, a fresh server for each test, and tabs of people.

const assert = require('node:assert/strict');
const { launch, missing } = require('./browser');
const { startServer } = require('./server');

const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 390, height: 844 };

/** `app.server` is the server of the test that runs; a test may put another in its place. */
const app = { browser: undefined, server: undefined };

/** To be called inside a `describe`. */
function useApp() {
  before(async function () {
    const lacks = missing();
    if (lacks) {
      const advice = `the browser tests need ${lacks}. Install with: npm run test:setup`;
      if (process.env.CI === 'true') throw new Error(advice);
      console.log(`  not run: ${advice}`);
      this.skip();
    }
    app.browser = await launch();
  });
  after(() => app.browser?.close());

  beforeEach(async () => {
    app.server = await startServer();
  });
  afterEach(async () => {
    const contexts = app.browser.contexts();
    const pages = contexts.flatMap((context) => context.pages());
    const problems = pages.flatMap((page) => page.problems ?? []);
    for (const context of contexts) await context.close();
    await app.server?.stop();
    app.server = undefined;
    assert.deepEqual(problems, [], 'a page threw');
  });
}

/** A tab of a person of its own: no storage or connection is shared with the others. */
async function openTab(name, query = '', options = {}) {
  const context = await app.browser.newContext({ viewport: WIDE, ...options });
  await context.addInitScript((own) => {
    if (!localStorage.getItem('name')) localStorage.setItem('name', own);
  }, name);
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(error));
  page.events = []; // what its EventSource received, whatever the page makes of it
  const devtools = await context.newCDPSession(page);
  devtools.on('Network.eventSourceMessageReceived', ({ eventName, data }) => {
    // The library's own say a word.
    page.events.push({
      event: eventName,
      data: eventName.startsWith('fanline:') ? data : JSON.parse(data),
    });
  });
  await devtools.send('Network.enable');
  await page.goto(`${app.server.url}/${query}`);
  await page.waitForSelector('[data-state="live"]');
  return page;
}

async function say(page, text) {
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
}

async function post(room, body, type = 'application/json') {
  const response = await fetch(`${app.server.url}/rooms/${room}`, {
    method: 'POST',
    headers: { 'Content-Type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, ...(await response.json()) };
}

/** Waits until what() answers `expected`. */
async function eventually(what, expected, ms = 5_000) {
  const end = Date.now() + ms;
  for (;;) {
    try {
      assert.deepEqual(await what(), expected);
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  }
}

/** The data of the events of one name that have reached a tab. */
const received = (page, name) =>
  page.events.filter(({ event }) => event === name).map(({ data }) => data);

/** What a tab shows. */
const shown = {
  texts: (page) => page.locator('.message .text').allTextContents(),
  lines: (page) => page.locator('.line').allTextContents(),
  members: (page) => page.locator('#members .name').allTextContents(),
  counts: async (page) => (await page.locator('#rooms .number').allTextContents()).map(Number),
  state: (page) => page.getAttribute('body', 'data-state'),
};

module.exports = { NARROW, WIDE, app, eventually, openTab, post, received, say, shown, useApp };
