'use strict';

const assert = require('node:assert/strict');
const { startExample, useExample } = require('./support/example-page');
const { looks } = require('./support/looks');

describe('chat: the page', () => {
  const example = useExample('chat');

  async function person(name) {
    const page = await example.open('/');
    await page.waitForSelector('#people li');
    await page.fill('#name', name);
    await page.press('#name', 'Enter');
    await page.waitForFunction(
      (own) => document.querySelector('#people').textContent.includes(own),
      name,
    );
    return page;
  }
  const secondTab = (page) => example.open('/', { context: page.context() });
  async function say(page, text) {
    await page.fill('#text', text);
    await page.press('#text', 'Enter');
  }
  const shows = (page, text) =>
    page.waitForFunction(
      (wanted) =>
        [...document.querySelectorAll('.text')].some((each) => each.textContent === wanted),
      text,
    );
  const texts = (page) => page.locator('.message .text').allTextContents();
  const sent = (page) => page.waitForSelector('.message.own:last-child[data-sent="yes"]');

  it('shows who is typing until the message is there', async () => {
    const [ada, lin] = [await person('Ada'), await person('Lin')];
    await lin.locator('#text').pressSequentially('I thi');
    await ada.waitForSelector('.typing.busy');
    assert.equal(await ada.textContent('#typing'), 'Lin is typing');
    assert.equal(await lin.textContent('#typing'), '');
    await lin.press('#text', 'Enter');
    await shows(ada, 'I thi');
    assert.equal(await ada.textContent('#typing'), '');
  });

  it('shows markup and line breaks as they were written', async () => {
    const [ada, lin] = [await person('Ada'), await person('<i>Lin</i>')];
    await lin.fill('#text', '<b>bold</b>');
    await lin.press('#text', 'Shift+Enter');
    await lin.locator('#text').pressSequentially('& more');
    await lin.press('#text', 'Enter');
    await shows(ada, '<b>bold</b>\n& more');
    assert.equal(await ada.textContent('.message .name'), '<i>Lin</i>');
    assert.equal(await ada.locator('.log b, .log i').count(), 0);
  });

  it('another tab of the same person shows its words as its own, and both know of each other', async () => {
    const ada = await person('Ada');
    const second = await secondTab(ada);
    await ada.waitForFunction(
      () => document.querySelector('#tabs').textContent === 'Open in 2 tabs',
    );
    await say(second, 'From the second');
    await ada.waitForSelector('.message.own');
    assert.deepEqual(await texts(ada), ['From the second']);
    assert.equal(await ada.textContent('#count'), '1');
  });

  it('counts what is said in the other rooms', async () => {
    const [ada, lin] = [await person('Ada'), await person('Lin')];
    await lin.click('#rooms li:nth-child(2) button');
    await say(lin, 'Soup?');
    await ada.waitForSelector('#rooms .badge');
    assert.equal(await ada.title(), '(1) garden · Chat');
    assert.deepEqual(await texts(ada), []);
    await ada.click('#rooms li:nth-child(2) button');
    assert.deepEqual(await texts(ada), ['Soup?']);
    assert.equal(await ada.locator('#rooms .badge').count(), 0);
  });

  it('a cut connection comes back with everything that was said meanwhile, once and in order', async () => {
    const [ada, lin] = [await person('Ada'), await person('Lin')];
    await say(lin, 'one');
    await shows(ada, 'one');
    await ada.click('#cut');
    await ada.waitForSelector('#state[data-state="connecting"]');
    await say(lin, 'two');
    await say(lin, 'three');
    await sent(lin);
    await ada.waitForSelector('#state[data-state="live"]');
    await shows(ada, 'three');
    assert.deepEqual(await texts(ada), ['one', 'two', 'three']);
    assert.equal(await lin.textContent('#count'), '2'); // nobody has left for that
  });

  it('comes back after an answer that is no stream', async () => {
    const page = await (await example.browser.newContext()).newPage();
    await page.route('**/events', (route) => route.fulfill({ status: 502 }), { times: 1 });
    await page.goto(example.server.url);
    await page.waitForSelector('#state[data-state="live"]');
    await page.waitForSelector('#people li');
  });

  it('what is written while the server is away is sent when another is there, in order', async () => {
    const ada = await person('Ada');
    await say(ada, 'before');
    await sent(ada);
    const { port } = example.server;
    await example.server.close();
    await ada.waitForSelector('#state[data-state="connecting"]');
    await say(ada, 'first');
    await say(ada, 'second');
    await ada.waitForFunction(
      () => document.querySelectorAll('[data-sent="waiting"]').length === 2,
    );
    example.server = await startExample('chat', { PORT: String(port) });
    await ada.waitForFunction(() => !document.querySelector('[data-sent="waiting"]'));
    await ada.waitForSelector('#state[data-state="live"]');
    const lin = await person('Lin');
    await shows(lin, 'second');
    assert.deepEqual(await texts(lin), ['first', 'second']);
    assert.deepEqual(await texts(ada), ['first', 'second']); // the new server knows of no more
  });

  it('sends all of many messages, however fast they were written', async function () {
    this.timeout(20_000);
    const [ada, lin] = [await person('Ada'), await person('Lin')];
    const statuses = [];
    ada.on('response', (response) => statuses.push(response.status()));
    const all = Array.from({ length: 10 }, (_, i) => `message ${i}`);
    await ada.evaluate((list) => {
      for (const each of list) {
        document.querySelector('#text').value = each;
        document.querySelector('#composer').requestSubmit();
      }
    }, all);
    await shows(lin, 'message 9');
    assert.deepEqual(await texts(lin), all);
    await sent(ada);
    assert.deepEqual(await texts(ada), all);
    assert.ok(statuses.includes(429));
  });

  it('looks right, with people, without, and with a message that waits', async function () {
    this.timeout(20_000);
    const [ada, lin] = [await person('Ada Lovelace'), await person('Lin with a rather long name')];
    await looks(ada, { name: 'chat-empty' });
    await say(ada, 'Has anybody watered the tomatoes?');
    await shows(lin, 'Has anybody watered the tomatoes?');
    await say(
      lin,
      `Yes. ${'The courgettes have taken over the whole bed by the wall. '.repeat(3)}`.trim(),
    );
    await say(lin, `https://example.com/${'a-long-path'.repeat(12)}`);
    await lin.click('#rooms li:nth-child(2) button');
    await say(lin, 'Soup?');
    await ada.waitForSelector('#rooms .badge');
    await lin.click('#rooms li:nth-child(1) button');
    await lin.locator('#text').pressSequentially('And');
    await ada.waitForSelector('.typing.busy');
    await looks(ada, { name: 'chat' });
    example.server.signal('SIGSTOP');
    await say(ada, 'Not there yet');
    await looks(ada, {
      name: 'chat-people',
      async prepare(page, { size }) {
        if (size === 'narrow' && !(await page.isVisible('#side'))) await page.click('#who');
      },
    });
  });
});
