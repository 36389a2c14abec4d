'use strict';

// The page of examples/logs in Chromium.

const assert = require('node:assert/strict');
const { openPage, startExample, useBrowser } = require('./support/example-page');
const { LogFile } = require('./support/log-file');
const { looks } = require('./support/looks');

const numbered = (from, count) => Array.from({ length: count }, (_, i) => `INFO line ${from + i}`);

/** Resolves when the page shows what is expected; says what it shows when it does not. */
async function shows(page, read, expected, ms = 10_000) {
  const limit = Date.now() + ms;
  for (;;) {
    const shown = await read(page);
    try {
      return assert.deepEqual(shown, expected);
    } catch (err) {
      if (Date.now() > limit) throw err;
    }
    await page.waitForTimeout(20);
  }
}

const texts = (page) =>
  page
    .locator('.line:not(.notice)')
    .evaluateAll((lines) =>
      lines.filter((line) => line.checkVisibility()).map((line) => line.textContent),
    );
const textOf = (selector) => (page) => page.locator(selector).textContent();
const isAtEnd = (page) => page.locator('#log').evaluate((log) => log.scrollTop > -1);

describe('page of examples/logs', () => {
  const own = useBrowser();
  let file;
  let server;

  async function start(lines, { browser } = own) {
    file.append(...lines);
    server = await startExample('logs', { LOG_FILE: file.path });
    const page = await openPage(browser, server.url);
    await shows(page, texts, lines.slice(-200));
    return page;
  }

  beforeEach(() => {
    file = new LogFile();
  });
  afterEach(async () => {
    for (const context of own.browser.contexts()) await context.close();
    await server.close();
    file.remove();
  });

  it('shows the last lines, then those that are appended', async () => {
    const page = await start(numbered(1, 300));
    file.append(...numbered(301, 10));
    await shows(page, texts, numbered(101, 210));
    assert.deepEqual(page.problems, []);
  });

  it('shows markup as text, also where words are found in it', async () => {
    const page = await start(['INFO a']);
    await page.fill('#find', 'img');
    file.append('WARN <img src=x onerror="document.title=1"><b>&amp;</b>');
    await shows(page, texts, ['INFO a', 'WARN <img src=x onerror="document.title=1"><b>&amp;</b>']);
    await shows(page, textOf('mark'), 'img');
    assert.equal(await page.locator('#lines img, #lines b').count(), 0);
    assert.equal(await page.title(), 'Logs');
  });

  it('has the lines of the level that is chosen, those that were before too', async () => {
    const page = await start(['ERROR a', 'INFO b', 'WARN c']);
    await page.selectOption('#level', 'warn');
    await shows(page, texts, ['ERROR a', 'WARN c']);
    file.append('DEBUG d', 'WARN e');
    await shows(page, texts, ['ERROR a', 'WARN c', 'WARN e']);
  });

  it('stands still while it is paused, counts what waits, and shows it then', async () => {
    const page = await start(['INFO a']);
    await page.click('#pause');
    file.append(...numbered(1, 1_500));
    await shows(page, textOf('#pause'), 'Go on (1,500)');
    assert.deepEqual(await texts(page), ['INFO a']);
    await page.click('#pause');
    await shows(page, texts, ['INFO a', ...numbered(1, 1_500)]);
    assert.equal(await page.locator('#pause').textContent(), 'Pause');
  });

  it('marks the words that are looked for, and can leave other lines out', async () => {
    const page = await start(['INFO The lamp and the LAMP', 'INFO nothing']);
    await page.fill('#find', 'lamp');
    file.append('INFO a lamp', 'INFO none');
    await shows(page, textOf('#found'), '2');
    assert.deepEqual(await page.locator('mark').allTextContents(), ['lamp', 'LAMP', 'lamp']);
    await page.check('#only');
    await shows(page, texts, ['INFO The lamp and the LAMP', 'INFO a lamp']);
    await page.fill('#find', '');
    await shows(page, async () => (await texts(page)).length, 4);
    assert.equal(await page.locator('mark').count(), 0);
  });

  it('keeps the end in sight, unless somebody scrolls away from it', async () => {
    const page = await start(numbered(1, 200));
    file.append(...numbered(201, 50));
    await shows(page, async () => (await texts(page)).at(-1), 'INFO line 250');
    assert.equal(await isAtEnd(page), true);
    await page.locator('#log').evaluate((log) => {
      log.scrollTop = -800;
    });
    await page.locator('#latest').waitFor();
    const topOf = () =>
      page
        .locator('.line', { hasText: 'line 205' })
        .evaluate((line) => line.getBoundingClientRect().top);
    const before = await topOf();
    file.append(...numbered(251, 50));
    await shows(page, async () => (await texts(page)).at(-1), 'INFO line 300');
    assert(Math.abs((await topOf()) - before) < 2, 'what is read has not moved');
    await page.click('#latest');
    await shows(page, isAtEnd, true);
    await page.locator('#latest').waitFor({ state: 'hidden' });
  });

  it('shows every line once after the server was gone', async () => {
    const page = await start(numbered(1, 20));
    const { port } = server;
    await server.close();
    await shows(page, textOf('#state'), 'Connecting again');
    file.append(...numbered(21, 5));
    server = await startExample('logs', { LOG_FILE: file.path, PORT: String(port) });
    await shows(page, textOf('#state'), 'Live', 20_000);
    await shows(page, texts, numbered(1, 25));
  });

  it('shows tail’s own words, and looks right', async () => {
    const page = await start([
      'INFO http GET /orders 200 in 12 ms',
      'WARN queue 412 jobs wait',
      'ERROR orders A-1 could not be paid',
      `  at charge (${'/a-folder'.repeat(30)}/payment.js:88:11)`,
      ...numbered(1, 60).map((line) => line.replace('INFO', 'DEBUG')),
    ]);
    file.rotate();
    await page.locator('.line.notice').first().waitFor();
    await page.fill('#find', 'orders');
    file.append(
      'ERROR orders A-2 could not be paid',
      'INFO orders A-3 paid',
      'WARN orders A-4 waits',
    );
    await shows(page, textOf('#found'), '5');
    await looks(page, { name: 'logs', over: '#latest' });
  });

  it('lives with 5,000 lines a second: it moves, it answers, it does not grow', async () => {
    server = await startExample('logs'); // writes a log of its own
    const page = await openPage(own.browser, server.url);
    await page.selectOption('#writer', '5000');
    await page.waitForFunction(
      () => Number(document.getElementById('rate').textContent.replace(',', '')) > 2_000,
    );
    await page.waitForFunction(() => document.getElementById('lines').childElementCount === 5_000);
    const frames = await page.evaluate(async () => {
      const until = performance.now() + 1_000;
      let count = 0;
      for (; performance.now() < until; count += 1) await new Promise(requestAnimationFrame);
      return count;
    });
    assert(frames >= 3, `${frames} frames in a second`);
    const begun = Date.now();
    await page.click('#pause');
    await page.waitForFunction(() => document.getElementById('pause').textContent !== 'Pause');
    assert(Date.now() - begun < 5_000, `it took ${Date.now() - begun} ms to answer`);
    const shown = await page.locator('.line').allTextContents();
    assert.equal(shown.length, 5_000);
    assert.deepEqual(page.problems, []);
    server.signal('SIGTERM'); // only so it takes its file with it
    assert.deepEqual(await server.exit, { code: 0, signal: null });
  });
});
