'use strict';

// examples/http2: the same page over HTTP/1.1, where six of its streams are open, and over HTTP/2, where all are.

const assert = require('node:assert/strict');
const { X509Certificate } = require('node:crypto');
const path = require('node:path');
const tls = require('node:tls');
const { Example } = require('../js/support/example');
const { open } = require('../js/support/open');
const { openPage, startExample, useExample } = require('./support/example-page');
const { looks } = require('./support/looks');

const STREAMS = 10;
const SIX = 6;

describe('examples/http2', () => {
  const example = useExample('http2');
  let secure;

  beforeEach(async () => {
    const [, port] = await example.server.prints(/https:\/\/localhost:(\d+)/);
    secure = { port: Number(port), url: `https://localhost:${port}` };
  });

  const load = (url) => openPage(example.browser, url, { ignoreHTTPSErrors: true });
  const live = (page, count) =>
    page.waitForFunction(
      (n) => document.querySelectorAll('.station[data-state="live"]').length === n,
      count,
    );
  const fact = (page, id) => page.textContent(`#${id}`);

  it('gives a station’s past, then its wind, over both protocols', async () => {
    for (const [url, options] of [
      [example.server.url, {}],
      [secure.url, { http2: true }],
    ]) {
      const stream = await open(`${url}/events?station=Dover`, options);
      await stream.until(({ events }) => events.some(({ event }) => event === 'wind'));
      const past = JSON.parse(stream.events.find(({ event }) => event === 'past').data);
      assert.equal(past.length, 40);
      assert.ok(past.every((speed) => speed >= 0 && speed <= 24));
      await stream.close();
    }
  });

  it('refuses a station that there is not, and paths that there are not', async () => {
    const { url } = example.server;
    assert.equal((await fetch(`${url}/events?station=Atlantis`)).status, 404);
    assert.equal((await fetch(`${url}/events`)).status, 404);
    assert.equal((await fetch(`${url}/../server.js`)).status, 404);
    assert.equal((await fetch(`${url}/`, { method: 'POST' })).status, 405);
  });

  it('makes a certificate for localhost, another one at each start', async () => {
    const seen = await new Promise((resolve, reject) => {
      const socket = tls.connect({
        port: secure.port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
      });
      socket.on('error', reject).on('secureConnect', () => {
        resolve(new X509Certificate(socket.getPeerX509Certificate().raw));
        socket.destroy();
      });
    });
    assert.equal(seen.checkHost('localhost'), 'localhost');
    assert.ok(Date.parse(seen.validTo) < Date.now() + 8 * 86_400_000);
    assert.ok(Date.parse(seen.validFrom) > Date.now() - 60_000, 'it was made now');
  });

  it('serves HTTP/1.1 over TLS, too', async () => {
    const stream = await open(`${secure.url}/events?station=Dover`);
    await stream.until(({ events }) => events.some(({ event }) => event === 'past'));
    await stream.close();
  });

  it('over HTTP/1.1 six streams are open, and an ordinary request waits until one is closed', async () => {
    const page = await load(example.server.url);
    await live(page, SIX);
    assert.equal(await fact(page, 'protocol'), 'HTTP/1.1');
    assert.equal(await fact(page, 'open'), '6 of 10');
    await page.waitForFunction(() => document.getElementById('connections').textContent === '6');
    await page.click('#ask');
    await page.waitForFunction(() =>
      /connection: [1-9]/.test(document.getElementById('answer').textContent),
    );
    assert.equal(await page.locator('.station[data-state="live"]').count(), SIX);
    // Those that wait are given up, then one that is open.
    for (const name of ['Humber', 'Jersey', 'Lindesnes', 'Texel', 'Anholt'])
      await page.click(`[aria-label="Close ${name}"]`);
    await page.waitForFunction(() =>
      /after \d+ ms/.test(document.getElementById('answer').textContent),
    );
  });

  it('over HTTP/1.1 the next stream takes the place of one that is closed', async () => {
    const page = await load(example.server.url);
    await live(page, SIX);
    await page.click('[aria-label="Close Anholt"]');
    await page.waitForSelector('.station[data-state="ended"]');
    await live(page, SIX);
  });

  it('over HTTP/2 all ten are open on one connection, and an ordinary request is answered at once', async () => {
    const page = await load(secure.url);
    await live(page, STREAMS);
    assert.equal(await fact(page, 'protocol'), 'HTTP/2');
    await page.waitForFunction(() => document.getElementById('connections').textContent === '1');
    await page.click('#ask');
    await page.waitForFunction(() =>
      /after \d+ ms/.test(document.getElementById('answer').textContent),
    );
    const [, ms] = /after (\d+) ms/.exec(await fact(page, 'answer'));
    assert.ok(Number(ms) < 500, `${ms} ms`);
  });

  it('over HTTP/2 a second tab has its ten as well', async () => {
    const page = await load(secure.url);
    await live(page, STREAMS);
    const second = await page.context().newPage();
    await second.goto(secure.url);
    await live(second, STREAMS);
  });

  it('ends by itself at SIGTERM, with tabs of both protocols open', async () => {
    const pages = [await load(example.server.url), await load(secure.url)];
    await live(pages[0], SIX);
    await live(pages[1], STREAMS);
    await load(`${secure.url}/time`); // a connection of HTTP/2 without a stream
    example.server.signal('SIGTERM');
    assert.deepEqual(await example.server.exit, { code: 0, signal: null });
    assert.equal(example.server.err, '');
  });

  it('says in a line that a port is taken, or that there is no openssl', async () => {
    const cases = [
      [{ PORT: String(example.server.port), SECURE_PORT: '0' }, /^Port \d+ is in use\. .+\n$/],
      [{ PATH: '/nonexistent' }, /^No certificate: install openssl, .+\n$/],
    ];
    for (const [env, line] of cases) {
      const other = new Example('http2', env);
      assert.deepEqual(await other.exit, { code: 1, signal: null });
      assert.match(other.err, line);
    }
  });

  it('takes a certificate by CERT and KEY', async () => {
    const folder = path.join(__dirname, '..', 'js', 'support');
    const env = {
      CERT: path.join(folder, 'tls.crt'),
      KEY: path.join(folder, 'tls.key'),
      PATH: '/nonexistent',
    };
    const other = await startExample('http2', env);
    const [, port] = await other.prints(/https:\/\/localhost:(\d+)/);
    const stream = await open(`https://localhost:${port}/events?station=Dover`, { http2: true });
    assert.equal(stream.status, 200);
    await stream.close();
    await other.close();
  });

  it('looks right, over both protocols', async () => {
    const plain = await load(example.server.url);
    await live(plain, SIX);
    await looks(plain, { name: 'http2-six' });
    await plain.context().close();
    const page = await load(secure.url);
    await live(page, STREAMS);
    await looks(page, { name: 'http2-ten' });
  });
});
