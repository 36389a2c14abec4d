'use strict';

// examples/dashboard: who is told what, and when anything is sampled at all.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const { closeAll, open } = require('../../lib/testing');
const { lacksPackages, openPage, startExample, useBrowser } = require('./support/example-page');
const { looks } = require('./support/looks');

const INTERVAL = 100;
const NUMBERS = ['at', 'memory', 'disk', 'lag', 'busy', 'rss', 'clients', 'deliveries', 'written'];
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

describe('examples/dashboard', () => {
  let server;

  before(function () {
    const advice = lacksPackages('dashboard');
    if (!advice) return;
    if (process.env.CI === 'true') throw new Error(advice);
    console.log(`  not run: ${advice}`);
    this.skip();
  });
  beforeEach(async () => {
    server = await startExample('dashboard', { INTERVAL: String(INTERVAL) });
  });
  afterEach(async () => {
    await closeAll();
    await server.close();
  });

  const watch = () => open(`${server.url}/events`);
  const stats = async () => (await fetch(`${server.url}/stats`)).json();
  const samplesOf = (stream) =>
    stream.events.filter(({ event }) => event === 'sample').map(({ data }) => JSON.parse(data));

  async function until(stream, count) {
    await stream.until(() => samplesOf(stream).length >= count);
    return samplesOf(stream);
  }

  describe('the stream', () => {
    it('begins with what is known, then tells every interval', async () => {
      const stream = await watch();
      const [first, second] = await until(stream, 2);
      const { event, data } = stream.events[0];
      assert.equal(event, 'history');
      const { about, columns, interval } = JSON.parse(data);
      assert.deepEqual([columns, interval], [{}, INTERVAL]);
      assert.deepEqual([about.node, about.memory], [process.version, os.totalmem()]);
      for (const name of NUMBERS) assert.equal(typeof first[name], 'number', name);
      assert.equal(second.clients, 1);
      assert(second.at > first.at);
    });

    it('tells what is so', async () => {
      const stream = await watch();
      const [{ memory, rss, disk, cpu }] = await until(stream, 1);
      const used = os.totalmem() - os.freemem();
      assert(Math.abs(memory - used) < used / 2 + (256 << 20), `${memory} of ${used}`);
      const status =
        fs.existsSync('/proc/self/status') && fs.readFileSync(`/proc/${server.pid}/status`, 'utf8');
      if (status) {
        const resident = Number(/VmRSS:\s+(\d+)/.exec(status)[1]) * 1024;
        assert(Math.abs(rss - resident) < resident / 2, `${rss} of ${resident}`);
      }
      const { blocks, bfree, bsize } = fs.statfsSync(__dirname);
      assert(Math.abs(disk - (blocks - bfree) * bsize) < 4 * 2 ** 30);
      assert(cpu === null || (cpu >= 0 && cpu <= 100), cpu);
    });

    it('has the network where the system tells it, and null elsewhere', async () => {
      const stream = await watch();
      const [{ received, sent }] = await until(stream, 1);
      const told = fs.existsSync('/proc/net/dev') && fs.readFileSync('/proc/net/dev', 'utf8');
      const has = Boolean(told) && told.split('\n').some((row) => /^\s*(?!lo:)\S+:/.test(row));
      assert.deepEqual(
        [received, sent].map((value) => value !== null),
        [has, has],
      );
    });

    it('shows that the event loop stood still', async () => {
      const stream = await watch();
      await until(stream, 2);
      await fetch(`${server.url}/block`, { method: 'POST' });
      await stream.until(() => samplesOf(stream).some(({ lag }) => lag > 250));
      assert(samplesOf(stream).some(({ busy }) => busy > 50));
    });

    it('is sampled once, however many watch, and the same is told to all', async () => {
      const streams = await Promise.all([watch(), watch(), watch()]);
      await Promise.all(streams.map((stream) => until(stream, 6)));
      const times = streams.map((stream) => samplesOf(stream).map(({ at }) => at));
      const last = (list) => list.slice(-3);
      const shared = last(times[0]).filter((at) => times.every((list) => list.includes(at)));
      assert(shared.length >= 2, `${times.map(last)}`);
      const told = new Set(times.flat()).size + streams.length; // and a history each
      const { events } = await stats();
      assert(events <= told + 3, `${events} events for ${told} that were told`);
      assert(new Set(times[0]).size === times[0].length, 'no interval twice');
    });

    it('gives who comes later the last minutes at once', async () => {
      const samples = await until(await watch(), 5);
      const stream = await watch();
      const { columns } = JSON.parse((await stream.next()).data);
      assert.deepEqual(
        columns.at.slice(0, 5),
        samples.slice(0, 5).map(({ at }) => at),
      );
      for (const name of NUMBERS) assert.equal(columns[name].length, columns.at.length, name);
      const [next] = await until(stream, 1);
      assert(next.at > columns.at.at(-1), 'and goes on behind them');
    });

    it('gives the same to who comes back', async () => {
      const stream = await watch();
      await until(stream, 2);
      const { lastEventId } = stream;
      const again = await open(`${server.url}/events`, { lastEventId });
      assert.equal((await again.next()).event, 'history');
    });

    it('samples nothing while nobody watches, and goes on when somebody does', async () => {
      const stream = await watch();
      await until(stream, 2);
      await stream.close();
      const limit = Date.now() + 5_000;
      while ((await stats()).clients > 0 && Date.now() < limit) await sleep(10);
      const { events } = await stats();
      await sleep(4 * INTERVAL);
      assert.equal((await stats()).events, events);
      const again = await watch();
      const [first] = await until(again, 1);
      const { columns } = JSON.parse(again.events[0].data);
      assert(first.at - columns.at.at(-1) > 3 * INTERVAL, 'there is a gap');
    });

    it('ends when the server is told to', async () => {
      const stream = await watch();
      await until(stream, 1);
      server.signal('SIGTERM');
      assert.equal(await stream.end(), 'end');
      assert.deepEqual(await server.exit, { code: 0, signal: null });
      assert.equal(server.err, '');
    });
  });

  describe('the page', () => {
    const own = useBrowser();
    afterEach(async () => {
      for (const context of own.browser.contexts()) await context.close();
    });

    it('draws what comes, and says it in words', async () => {
      const page = await openPage(own.browser, server.url);
      await page.locator('.chart canvas').nth(3).waitFor();
      const busy = page.locator('.chart', { hasText: 'Processor' }).locator('b');
      await page.waitForFunction(() =>
        /^[\d.]+ %$/.test(document.querySelector('.chart b').textContent),
      );
      assert.match(await busy.textContent(), /^[\d.]+ %$/);
      assert.equal(await page.locator('#clients').textContent(), '1');
      assert.match(await page.locator('#disk').textContent(), /^[\d.]+ [KMGT]B of [\d.]+ [KMGT]B$/);
      const ink = () =>
        page
          .locator('.chart canvas')
          .nth(3)
          .evaluate((canvas) => {
            const { data } = canvas
              .getContext('2d')
              .getImageData(0, 0, canvas.width, canvas.height);
            return data.filter((_, i) => i % 4 === 3 && data[i] > 0).length;
          });
      assert((await ink()) > 500, 'there is something on the canvas');
      assert.deepEqual(page.problems, []);
    });

    it('says the values of the point that is looked at', async () => {
      const page = await openPage(own.browser, server.url);
      await page.locator('.chart canvas').nth(3).waitFor();
      await fetch(`${server.url}/block`, { method: 'POST' });
      const loop = page.locator('.chart', { hasText: 'Event loop' });
      await sleep(4 * INTERVAL);
      const now = await loop.locator('b').textContent();
      const said = new Set();
      const box = await loop.locator('.u-over').boundingBox();
      for (let x = 1; x < box.width; x += 10) {
        await page.mouse.move(box.x + x, box.y + box.height / 2);
        said.add(await loop.locator('b').textContent());
      }
      assert(
        [...said].some((text) => Number.parseFloat(text) > 250),
        `${[...said]}, now ${now}`,
      );
    });

    it('does not watch while nobody sees it', async () => {
      const page = await openPage(own.browser, server.url);
      await page.locator('.chart canvas').first().waitFor();
      const see = (state) =>
        page.evaluate((value) => {
          Object.defineProperty(document, 'visibilityState', { value, configurable: true });
          document.dispatchEvent(new Event('visibilitychange'));
        }, state);
      await see('hidden');
      const limit = Date.now() + 5_000;
      while ((await stats()).clients > 0 && Date.now() < limit) await sleep(10);
      assert.equal((await stats()).clients, 0);
      await see('visible');
      await page.locator('#state[data-state=live]').waitFor();
      assert.equal((await stats()).clients, 1);
    });

    it('goes on after the server was gone', async () => {
      const page = await openPage(own.browser, server.url);
      await page.locator('.chart canvas').first().waitFor();
      const { port } = server;
      await server.close();
      await page.getByText('Connecting again').waitFor();
      server = await startExample('dashboard', { INTERVAL: String(INTERVAL), PORT: String(port) });
      await page.locator('#state[data-state=live]').waitFor({ timeout: 15_000 });
      await page.waitForFunction(() => document.querySelector('#clients').textContent === '1');
    });

    it('looks right', async () => {
      const others = await Promise.all(Array.from({ length: 12 }, watch));
      await until(others[0], 12);
      await fetch(`${server.url}/block`, { method: 'POST' });
      await until(others[0], 20);
      const page = await openPage(own.browser, server.url);
      await page.locator('.chart canvas').nth(3).waitFor();
      await looks(page, { name: 'dashboard', prepare: () => page.waitForTimeout(3 * INTERVAL) });
    });
  });
});
