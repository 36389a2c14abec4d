'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { startExample, useExample } = require('./support/example-page');
const { looks } = require('./support/looks');

describe('notifications: the page', () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-notifications-page-'));
  const env = {};
  let count = 0;
  before(() => {
    env.DB = '';
  });
  beforeEach(() => {
    env.DB = path.join(dir, `${++count}.db`); // before the server of this test starts
  });
  const example = useExample('notifications', env);
  after(() => fs.rmSync(dir, { recursive: true }));

  /** A tab of somebody who has chosen a user. */
  async function signedIn(name) {
    const page = await example.open('/');
    await page.click(`#users button:text-is("${name}")`);
    await page.waitForSelector('#state[data-state="live"]');
    return page;
  }
  async function secondTab(page) {
    const second = await example.open('/', { context: page.context() });
    await second.waitForSelector('#state[data-state="live"]');
    return second;
  }
  async function send(page, to, title, text = 'Some words about it') {
    await page.selectOption('#to', { label: to });
    await page.fill('#title', title);
    await page.fill('#text', text);
    await page.click('#send .main');
    await page.waitForFunction(() => document.querySelector('#title').value === '');
    return page.textContent('#answer');
  }
  const unread = (page, text) =>
    page.waitForFunction(
      (wanted) => document.querySelector('#unread').textContent === wanted,
      text,
    );
  const titles = (page) => page.locator('.item h3').allTextContents();

  it('is in all tabs at once, with a count and a badge; the sender learns how many tabs', async () => {
    const ada = await signedIn('Ada');
    const second = await secondTab(ada);
    const grace = await signedIn('Grace');
    assert.equal(await send(grace, 'Ada', 'Build'), 'Delivered to 2 tabs of Ada.');
    for (const page of [ada, second]) {
      await unread(page, '1 unread');
      assert.deepEqual(await titles(page), ['Build']);
      assert.equal(await page.title(), '(1) Notifications');
      assert.match(await page.getAttribute('#icon', 'href'), /circle/);
    }
    assert.deepEqual(await titles(grace), []);
  });

  it('what one tab reads is read in the other; marking all leaves none', async () => {
    const ada = await signedIn('Ada');
    const second = await secondTab(ada);
    for (const title of ['one', 'two', 'three']) await send(ada, 'Ada', title);
    await unread(second, '3 unread');
    await second.click('.item:nth-child(2) .button');
    await unread(ada, '2 unread');
    assert.equal(await ada.getAttribute('.item:nth-child(2)', 'data-read'), 'true');
    await ada.click('#all');
    for (const page of [ada, second]) {
      await unread(page, 'all read');
      assert.equal(await page.locator('.item .button').count(), 0);
      assert.equal(await page.title(), 'Notifications');
      assert.doesNotMatch(await page.getAttribute('#icon', 'href'), /circle/);
    }
  });

  it('who was not there finds it at the next visit', async () => {
    const grace = await signedIn('Grace');
    assert.equal(
      await send(grace, 'Lin', '<b>Lunch</b>'),
      'Lin is not here. It is kept for the next visit.',
    );
    const lin = await signedIn('Lin');
    await unread(lin, '1 unread');
    assert.deepEqual(await titles(lin), ['<b>Lunch</b>']);
  });

  it('after a restart of the server the page is right again, by itself', async () => {
    const ada = await signedIn('Ada');
    await send(ada, 'Ada', 'before');
    const { port } = example.server;
    await example.server.close();
    await ada.waitForSelector('#state[data-state="connecting"]');
    example.server = await startExample('notifications', { ...env, PORT: String(port) });
    const title = encodeURIComponent('meanwhile');
    await fetch(`${example.server.url}/users/ada/notifications`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: `title=${title}&text=x`,
    });
    await unread(ada, '2 unread');
    assert.deepEqual(await titles(ada), ['meanwhile', 'before']);
    await ada.waitForSelector('#state[data-state="live"]');
  });

  it('comes back after an answer that is no stream', async () => {
    const page = await (await example.browser.newContext()).newPage();
    await page.context().addCookies([{ name: 'user', value: 'ada', url: example.server.url }]);
    await page.route('**/events', (route) => route.fulfill({ status: 502 }), { times: 1 });
    await page.goto(example.server.url);
    await page.waitForSelector('#state[data-state="live"]');
  });

  it('whoever becomes somebody else does so in all tabs', async () => {
    const ada = await signedIn('Ada');
    const second = await secondTab(ada);
    await ada.click('#others button:text-is("Grace")');
    for (const page of [ada, second]) {
      await page.waitForFunction(() => document.querySelector('#user').textContent === 'Grace');
    }
  });

  it('looks right: signed out, empty, and with what is read and unread', async function () {
    this.timeout(20_000);
    const out = await example.open('/');
    await out.waitForSelector('#users button');
    await looks(out, { name: 'notifications-out' });
    const ada = await signedIn('Ada');
    await looks(ada, { name: 'notifications-empty' });
    await send(ada, 'Ada', 'Invoice 4711 has been paid', 'By bank transfer, two days early.');
    await send(
      ada,
      'Ada',
      'Your export is ready',
      'All orders of the last year as one file. It is kept for seven days.',
    );
    await send(
      ada,
      'Ada',
      `A-${'long-title-'.repeat(7)}`,
      `${'Words and more words. '.repeat(20)}${'x'.repeat(60)}`,
    );
    await send(
      ada,
      'Ada',
      'Grace has mentioned you',
      'In “Plans for spring”: could you have a look at the second page?',
    );
    await ada.click('.item:nth-child(3) .button');
    await unread(ada, '3 unread');
    await send(ada, 'Grace', 'Lunch?');
    await looks(ada, { name: 'notifications' });
  });
});
