'use strict';

// The example app as people meet it: tabs of a real browser, and curl.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { launch, missing } = require('./support/browser');
const { startServer } = require('./support/server');

const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 390, height: 844 };
const RETURN = 20_000; // EventSource waits up to 5 s between two tries, and Chromium adds to it

let browser;
let server;

// A tab of a person of its own: no storage or connection is shared with the others.
async function openTab(name, query = '', options = {}) {
  const context = await browser.newContext({ viewport: WIDE, ...options });
  await context.addInitScript((own) => localStorage.getItem('name') || localStorage.setItem('name', own), name);
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(error));
  await page.goto(`${server.url}/${query}`);
  await page.waitForSelector('[data-state="live"]');
  return page;
}

async function say(page, text) {
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
}

async function post(room, body, type = 'application/json') {
  const headers = type ? { 'Content-Type': type } : {};
  const response = await fetch(`${server.url}/rooms/${room}`, { method: 'POST', headers, body });
  return { status: response.status, ...await response.json() };
}

const texts = (page) => page.locator('.message .text').allTextContents();
const members = (page) => page.locator('#members .name').allTextContents();
const counts = async (page) => (await page.locator('#rooms .number').allTextContents()).map(Number);
const stateOf = (page) => page.locator('#state').textContent();

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

describe('examples/rooms', function () {
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

  beforeEach(async () => { server = await startServer(); });
  afterEach(async () => {
    const problems = browser.contexts().flatMap((context) => context.pages()).flatMap((page) => page.problems ?? []);
    for (const context of browser.contexts()) await context.close();
    await server?.stop();
    server = undefined;
    assert.deepEqual(problems, [], 'the page threw');
  });

  describe('rooms', () => {
    it('two tabs in different rooms see exactly their own messages', async () => {
      const ada = await openTab('Ada', '?room=lobby');
      const grace = await openTab('Grace', '?room=music');
      const both = await openTab('Linus', '?room=lobby&room=music');
      for (let i = 1; i <= 10; i += 1) {
        await say(ada, `lobby ${i}`);
        await eventually(async () => (await texts(ada)).length, i);
        assert.deepEqual(await post('music', JSON.stringify({ name: 'Grace', text: `music ${i}` })), { status: 200, matched: 2 });
      }
      const lobby = Array.from({ length: 10 }, (_, i) => `lobby ${i + 1}`);
      const music = Array.from({ length: 10 }, (_, i) => `music ${i + 1}`);
      await eventually(() => texts(grace), music);
      await eventually(() => texts(ada), lobby);
      await eventually(() => texts(both), lobby);
      await both.click('[data-room="music"]');
      await eventually(() => texts(both), music);
    });

    it('a room can be joined and left while the stream goes on', async () => {
      const ada = await openTab('Ada', '?room=lobby');
      const grace = await openTab('Grace', '?room=ops');
      let streams = 0;
      ada.on('request', (request) => { if (request.url().includes('/events')) streams += 1; });
      await ada.click('[data-room="ops"]');
      await eventually(() => members(grace), ['Grace', 'Ada']);
      await eventually(() => members(ada), ['Ada', 'Grace']);
      await say(grace, 'welcome to ops');
      await eventually(() => texts(ada), ['welcome to ops']);
      await ada.click('#leave');
      await eventually(() => members(grace), ['Grace']);
      assert.equal((await post('ops', '{"text":"only Grace"}')).matched, 1);
      assert.equal(await ada.locator('#room-name').textContent(), '#lobby');
      assert.equal(streams, 0);
    });

    it('unread messages of a joined room are counted on its button', async () => {
      const ada = await openTab('Ada', '?room=lobby&room=ops');
      await post('ops', '{"text":"one"}');
      await post('ops', '{"text":"two"}');
      await eventually(() => ada.locator('[data-room="ops"] .unread-count').textContent(), '2');
      await ada.click('[data-room="ops"]');
      await eventually(() => texts(ada), ['one', 'two']);
      assert.equal(await ada.locator('[data-room="ops"] .unread-count').isVisible(), false);
    });
  });

  describe('presence', () => {
    it('counts and members change when a tab opens and closes', async () => {
      const ada = await openTab('Ada', '?room=lobby');
      await eventually(() => counts(ada), [1, 0, 0, 0]);
      const grace = await openTab('Grace', '?room=lobby&room=music');
      await eventually(() => counts(ada), [2, 0, 0, 1]);
      await eventually(() => members(ada), ['Ada', 'Grace']);
      await eventually(() => members(grace), ['Grace', 'Ada']);
      await eventually(() => ada.locator('.line').last().textContent(), 'Grace joined');
      await grace.close();
      await eventually(() => counts(ada), [1, 0, 0, 0]);
      await eventually(() => members(ada), ['Ada']);
      await eventually(() => ada.locator('.line').last().textContent(), 'Grace left');
    });

    it('a new name reaches the others and is remembered', async () => {
      const ada = await openTab('Ada', '?room=lobby');
      const grace = await openTab('Grace', '?room=lobby');
      await grace.fill('#name', 'Grace Hopper');
      await grace.press('#name', 'Enter');
      await eventually(() => members(ada), ['Ada', 'Grace Hopper']);
      await grace.reload();
      await grace.waitForSelector('[data-state="live"]');
      assert.equal(await grace.inputValue('#name'), 'Grace Hopper');
      await eventually(() => members(ada), ['Ada', 'Grace Hopper']);
    });

    it('the welcome is private', async () => {
      const ada = await openTab('Ada', '?room=lobby');
      const grace = await openTab('Grace', '?room=lobby');
      await eventually(() => members(ada), ['Ada', 'Grace']);
      const welcomes = (page) => page.locator('.line', { hasText: 'Welcome' }).allTextContents();
      await eventually(() => welcomes(grace), ['Welcome, Grace. Only you can see this line.']);
      assert.deepEqual(await welcomes(ada), ['Welcome, Ada. Only you can see this line.']);
    });
  });

  describe('connection', () => {
    it('shows that it reconnects when the server dies, and goes on when it is back', async function () {
      this.timeout(60_000);
      const ada = await openTab('Ada', '?room=lobby');
      await ada.click('[data-room="ops"]'); // joined later: not in the stream's address
      await eventually(() => counts(ada), [1, 0, 1, 0]);
      await server.stop('SIGKILL');
      await ada.waitForFunction(() => /^Reconnecting… try [2-9]/.test(document.getElementById('state').textContent), null, { timeout: RETURN });
      assert.equal(await ada.locator('#notice').isVisible(), true);
      await say(ada, 'into the void');
      await eventually(() => ada.locator('#hint').textContent(), 'Not sent: the server cannot be reached. Your text is back above.');
      assert.equal(await ada.inputValue('#text'), 'into the void');

      server = await startServer(server.port);
      await ada.waitForSelector('[data-state="live"]', { timeout: RETURN });
      assert.equal(await stateOf(ada), 'Live');
      assert.equal(await ada.locator('#notice').isVisible(), false);
      await eventually(() => counts(ada), [1, 0, 1, 0]);
      await ada.press('#text', 'Enter');
      await eventually(() => texts(ada), ['into the void']);
      assert.equal((await post('ops', '{"text":"both rooms are back"}')).matched, 1);
      await eventually(() => texts(ada), ['into the void', 'both rooms are back']);
      await eventually(() => ada.locator('.line', { hasText: 'You are back, after' }).count(), 1);
    });

    it('comes back after an orderly restart too', async function () {
      this.timeout(60_000);
      const ada = await openTab('Ada', '?room=lobby');
      assert.deepEqual(await server.stop('SIGTERM'), { code: 0, signal: null });
      await eventually(() => ada.getAttribute('body', 'data-state'), 'waiting');
      server = await startServer(server.port);
      await ada.waitForSelector('[data-state="live"]', { timeout: RETURN });
      await post('lobby', '{"text":"hello again"}');
      await eventually(() => texts(ada), ['hello again']);
    });

    it('notices a silent server by the heartbeats that do not come', async () => {
      const context = await browser.newContext({ viewport: WIDE });
      const page = await context.newPage();
      await page.clock.install();
      await page.goto(server.url);
      await page.waitForSelector('[data-state="live"]');
      server.signal('SIGSTOP');
      await page.clock.fastForward(40_000);
      await eventually(() => page.getAttribute('body', 'data-state'), 'waiting');
      assert.match(await page.locator('#notice').textContent(), /^Nothing heard from the server for \d+ s/);
      server.signal('SIGCONT');
      await page.waitForSelector('[data-state="live"]', { timeout: RETURN });
    });

    it('an address with an unknown room leads to the lobby', async () => {
      const page = await openTab('Ada', '?room=attic');
      await eventually(() => page.locator('#room-name').textContent(), '#lobby');
      await eventually(() => members(page), ['Ada']);
    });
  });

  describe('text', () => {
    it('shows markup and line breaks literally', async () => {
      const ada = await openTab('Ada', '?room=lobby');
      const text = '<b>bold</b>\n\n  <img src=x onerror="document.title=1"> &amp;\nevent: welcome\ndata: {}';
      await post('lobby', JSON.stringify({ name: '<i>Eve</i>', text }));
      await eventually(() => texts(ada), [text]);
      assert.deepEqual(await ada.locator('.message .name').allTextContents(), ['<i>Eve</i>']);
      assert.equal(await ada.locator('.log b, .log i, .log img').count(), 0);
      const lines = await ada.locator('.message .text').evaluate((element) => element.innerText.split('\n').length);
      assert.equal(lines, 5);
    });

    it('Shift + Enter makes a new line, Enter sends', async () => {
      const ada = await openTab('Ada', '?room=lobby');
      await ada.locator('#text').pressSequentially('one');
      await ada.press('#text', 'Shift+Enter');
      await ada.locator('#text').pressSequentially('two');
      await ada.press('#text', 'Enter');
      await eventually(() => texts(ada), ['one\ntwo']);
      assert.equal(await ada.inputValue('#text'), '');
    });
  });

  describe('layout', () => {
    const boxes = (page) => page.evaluate(() => {
      const box = (selector) => {
        const { top, bottom, left, right } = document.querySelector(selector).getBoundingClientRect();
        return { top, bottom, left, right };
      };
      const cut = [...document.querySelectorAll('.state, .top h1, .room-head h2, .room-head button, .text, .hint, .notice')]
        .filter((element) => element.checkVisibility())
        .filter((element) => {
          const { left, right } = element.getBoundingClientRect();
          const { right: edge } = element.parentElement.getBoundingClientRect();
          return left < 0 || right > edge + 0.5 || element.scrollWidth > element.clientWidth + 1;
        })
        .map((element) => element.className || element.id);
      return {
        overflow: document.scrollingElement.scrollWidth - innerWidth,
        log: box('#log'), composer: box('#composer'), head: box('.room-head'), cut, height: innerHeight,
      };
    });

    for (const [name, viewport] of Object.entries({ narrow: NARROW, wide: WIDE, small: { width: 320, height: 568 }, tablet: { width: 820, height: 1100 } })) {
      it(`nothing overlaps, is cut or overflows: ${name}`, async () => {
        const page = await openTab('A person whose name is rather long indeed', '?room=lobby&room=ops', { viewport });
        for (let i = 0; i < 25; i += 1) await post('lobby', JSON.stringify({ name: 'Bo', text: `line ${i}\nand another` }));
        await post('lobby', JSON.stringify({ name: 'W'.repeat(40), text: 'w'.repeat(900) }));
        await page.fill('#text', 'several\nlines\nin\nthe\ncomposer\nwhich\ngrows\nand\nthen\nscrolls');
        await eventually(async () => (await texts(page)).length, 26);
        const check = async () => {
          const seen = await boxes(page);
          assert.ok(seen.overflow <= 0, `overflows by ${seen.overflow} px`);
          assert.ok(seen.head.bottom <= seen.log.top + 0.5, 'head over list');
          assert.ok(seen.log.bottom <= seen.composer.top + 0.5, 'composer over list');
          assert.ok(seen.log.bottom - seen.log.top > 120, 'the list has room');
          assert.ok(seen.composer.bottom <= seen.height + 0.5, 'composer below the window');
          assert.deepEqual(seen.cut, []);
          const last = await page.locator('.message').last().boundingBox();
          assert.ok(last.y + last.height <= seen.log.bottom + 0.5, 'the last message is in view');
          return 'fine';
        };
        await eventually(check, 'fine');
        await server.stop('SIGKILL');
        await eventually(() => page.getAttribute('body', 'data-state'), 'waiting');
        await eventually(check, 'fine');
      });
    }

    it('on a phone the people are a sheet that the keyboard can open and close', async () => {
      const page = await openTab('Ada', '?room=lobby', { viewport: NARROW });
      assert.equal(await page.locator('#members').isVisible(), false);
      await page.focus('#people-open');
      await page.keyboard.press('Enter');
      await page.locator('#members').waitFor({ state: 'visible' });
      assert.equal(await page.evaluate(() => document.activeElement.id), 'people-close');
      await page.keyboard.press('Escape');
      await page.locator('#members').waitFor({ state: 'hidden' });
      assert.equal(await page.evaluate(() => document.activeElement.id), 'people-open');
    });
  });

  describe('over HTTP', () => {
    it('curl -N sees the raw frames', async () => {
      const curl = spawn('curl', ['-sN', `${server.url}/events?room=music`]);
      let raw = '';
      curl.stdout.setEncoding('utf8').on('data', (text) => { raw += text; });
      try {
        await eventually(() => /\nevent: welcome\ndata: \{"id":"[^"]+",.*\}\n\n/.test(raw), true);
        await post('lobby', '{"text":"elsewhere"}');
        assert.deepEqual(await post('music', JSON.stringify({ name: 'Ada', text: 'a\nb' })), { status: 200, matched: 1 });
        await eventually(() => raw.includes('\nevent: message\n'), true);
        const [frame] = /^event: message\n.*\n\n/m.exec(raw);
        assert.match(frame, /^event: message\ndata: \{"room":"music","name":"Ada","text":"a\\nb","at":\d+\}\n\n$/);
        assert.equal(raw.includes('elsewhere'), false);
      } finally {
        curl.kill();
      }
    });

    it('a message may be JSON, a form or bare words', async () => {
      const ada = await openTab('Ada', '?room=lobby');
      const form = 'application/x-www-form-urlencoded';
      for (const [body, type] of [
        ['{"text":"as JSON"}', 'application/json'], ['text=as+a+form&name=Bo', form],
        ['bare words, 100% & more', form], ['plain text=1', 'text/plain'],
      ]) assert.deepEqual(await post('lobby', body, type), { status: 200, matched: 1 });
      await eventually(() => texts(ada), ['as JSON', 'as a form', 'bare words, 100% & more', 'plain text=1']);
    });

    it('says what is wrong with a bad request', async () => {
      const status = async (...args) => (await post(...args)).status;
      assert.equal(await status('attic', '{"text":"x"}'), 404);
      assert.equal(await status('__proto__', '{"text":"x"}'), 404);
      assert.equal(await status('lobby', '{"text":"  "}'), 400);
      assert.equal(await status('lobby', '{"text":7}'), 400);
      assert.equal(await status('lobby', '[]'), 400);
      assert.equal(await status('lobby', '{"text":'), 400);
      assert.equal(await status('lobby', '', 'application/x-www-form-urlencoded'), 400);
      assert.equal(await status('lobby', JSON.stringify({ text: 'x'.repeat(9_000) })), 413);
      assert.equal((await fetch(`${server.url}/events?room=attic`)).status, 404);
      const patch = (body) => fetch(`${server.url}/clients/nobody`, { method: 'PATCH', body, headers: { 'Content-Type': 'application/json' } });
      assert.equal((await patch('{"rooms":["lobby"]}')).status, 404);
      assert.equal((await fetch(`${server.url}/stats`)).status, 200);
    });

    it('a port in use is told in one line', async () => {
      const error = await startServer(server.port).then(() => assert.fail('it started'), (reason) => reason);
      assert.match(error.message, new RegExp(`\\nPort ${server.port} is in use\\. .*PORT=${server.port + 1} npm start\\n$`));
    });

    it('SIGINT ends the streams and the process', async () => {
      await openTab('Ada', '?room=lobby');
      await openTab('Grace', '?room=lobby&room=ops');
      assert.deepEqual(await server.stop('SIGINT'), { code: 0, signal: null });
      assert.equal(server.printed().includes('Error'), false, server.printed());
    });
  });
});
