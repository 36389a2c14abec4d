'use strict';

// examples/cluster: Debian's redis-server and nginx, three processes, tabs in Chromium and streams beside them.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { once } = require('node:events');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { Example } = require('../js/support/example');
const { when } = require('../js/support/stage');
const { Cluster, lives } = require('./support/cluster');
const { lacksPackages, openPage, useBrowser } = require('./support/example-page');
const { looks } = require('./support/looks');
const { needNginx } = require('./support/nginx');

const SOON = 8_000; // ms for what takes one or two on a quiet machine
const CUT = /ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION|502/; // what a browser says of a server that dies

const textOf = (page, selector) => page.textContent(selector);
const isServedBy = async (page, name) => (await textOf(page, '#state')) === `Served by ${name}`;

/** Resolves when the page's element has such a text. */
const shows = (page, selector, pattern) =>
  page.waitForFunction(
    ([query, source]) => new RegExp(source).test(document.querySelector(query).textContent),
    [selector, pattern.source],
    { timeout: SOON },
  );

/** From one to the last, none left out and none twice. */
const isConsecutive = (numbers) => numbers.every((n, i) => i === 0 || n === numbers[i - 1] + 1);

function needAll(test) {
  needNginx(test);
  const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
  const advice = hasRedis
    ? lacksPackages('cluster')
    : 'redis-server is missing: npm run test:setup';
  if (!advice) return;
  if (process.env.CI === 'true') throw new Error(advice);
  console.log(`  not run: ${advice}`);
  test.skip();
}

describe('examples/cluster', function () {
  this.timeout(40_000);
  const own = useBrowser();
  let cluster;

  before(function () {
    needAll(this);
  });
  before(async () => {
    cluster = await Cluster.start();
  });
  afterEach(async () => {
    for (const context of own.browser.contexts()) await context.close();
    await cluster.recover();
  });
  after(() => cluster?.close());

  /** Tabs of people of their own, each served by somebody. */
  async function tabs(count) {
    const pages = [];
    while (pages.length < count) {
      const page = await openPage(own.browser, cluster.url);
      await shows(page, '#state', /^Served by [ABC]$/);
      pages.push(page);
    }
    return pages;
  }

  /** So many streams that every process serves one. */
  async function readers() {
    const served = () => new Set(cluster.readers.map(({ servers }) => servers[0]));
    while (served().size < 3) {
      assert.ok(cluster.readers.length < 12, 'nginx leaves a process out');
      await cluster.read();
    }
    return cluster.readers;
  }

  /** All of them have got all of it, each once, in one order, with every number of every process. */
  async function allGot(texts) {
    const all = cluster.readers;
    await when(
      () => all.every((reader) => texts.every((text) => reader.texts.includes(text))),
      'all messages',
      SOON,
    );
    for (const { texts: got, numbers } of all) {
      assert.deepEqual(got.toSorted?.() ?? [...got].sort(), [...texts].sort());
      assert.deepEqual(got, all[0].texts);
      for (const run of numbers) assert.ok(isConsecutive(run), run.join());
    }
  }

  async function nothingMissing(pages) {
    for (const page of pages) {
      assert.deepEqual([await textOf(page, '#missing'), await textOf(page, '#twice')], ['0', '0']);
    }
  }

  it('a message reaches the tabs and streams of all processes, whoever takes it', async () => {
    const [pages] = await Promise.all([tabs(3), readers()]);
    const takers = new Set();
    const texts = [];
    while (takers.size < 3 && texts.length < 20) {
      texts.push(`number ${texts.length}`);
      const { status, process } = await cluster.say(texts.at(-1));
      assert.equal(status, 201);
      takers.add(process);
    }
    assert.equal(takers.size, 3);
    await allGot(texts);
    for (const page of pages) await shows(page, '#messages', new RegExp(texts.at(-1)));
    await shows(pages[0], '#tabs', new RegExp(`^${3 + cluster.readers.length}$`));
    await nothingMissing(pages);
  });

  it('kill -9 of a process: its tabs and streams go on elsewhere, nothing is missing and nothing comes twice, and it comes back', async () => {
    const [pages] = await Promise.all([tabs(3), readers()]);
    const [page] = pages;
    const name = (await textOf(page, '#state')).at(-1);
    const texts = [];
    let isKilled = false;
    const say = async (text) => {
      if ((await cluster.say(text)).status === 201) texts.push(text);
      else assert.ok(isKilled, 'only the process that was killed leaves one unanswered');
    };
    for (let i = 0; i < 10; i++) await say(`before ${i}`);
    process.kill(cluster.pids[name], 'SIGKILL');
    isKilled = true;
    for (let i = 0; i < 10; i++) await say(`meanwhile ${i}`);

    await shows(
      page,
      '#events',
      /Reconnected to process [ABC] \(pid \d+\) after [\d.]+ s: [1-9]\d* messages? replayed/,
    );
    assert.equal(await isServedBy(page, name), false);
    await cluster.example.prints(new RegExp(`^${name} is back: pid \\d+$`, 'm'), SOON);
    for (let i = 0; i < 5; i++) await say(`after ${i}`);
    assert.ok(texts.length >= 24, `${texts.length} of 25 were taken`);
    await allGot(texts);
    for (const { servers } of cluster.readers) {
      assert.equal(servers.length, servers[0] === name ? 2 : 1, servers.join());
      assert.notEqual(servers[1], name);
    }
    for (const each of pages) await shows(each, '#messages', /after 4/);
    await shows(page, `[data-name="${name}"] .detail`, new RegExp(`pid ${cluster.pids[name]} `));
    await nothingMissing(pages);
  });

  it('Redis is killed and started again: what was sent meanwhile waits, and arrives once', async () => {
    const [[page]] = await Promise.all([tabs(1), readers()]);
    await cluster.say('before');
    await shows(page, '#messages', /before/);
    await cluster.redis.kill();
    await shows(page, '#redis', /^Redis is away$/);
    const waiting = cluster.say('meanwhile');
    await cluster.redis.restart();
    assert.equal((await waiting).status, 201);
    await shows(page, '#redis', /^Redis answers$/);
    assert.equal((await cluster.say('after')).status, 201);
    await allGot(['before', 'meanwhile', 'after']);
    await shows(page, '#messages', /after/);
    await nothingMissing([page]);
  });

  it('the page sends, kills the process that serves it, and looks right', async () => {
    const [page, other] = await tabs(2);
    await page.fill('#text', 'Good morning');
    await page.keyboard.press('Enter');
    await shows(page, '#answer', /^Taken by process [ABC], as its message \d+\.$/);
    await shows(other, '#messages', /Good morning/);
    const name = (await textOf(page, '#state')).at(-1);
    await page.click(`[data-name="${name}"] button`);
    await shows(page, '#events', /Reconnected to process/);
    assert.match(await textOf(page, '#events'), new RegExp(`kill -9 process ${name}`));
    assert.equal(await isServedBy(page, name), false);
    await shows(page, '#events', new RegExp(`Process ${name} is back, with pid`));
    await looks(page, { name: 'cluster', expected: CUT });
  });

  it('the page counts what is missing and what came twice, of each run of a process', async () => {
    const [page] = await tabs(1);
    const counted = await page.evaluate(async () => {
      const { Tally } = await import('/tally.js');
      const tally = new Tally();
      tally.begin(1_000);
      const take = (since, n) => tally.take({ process: 'A', since, n }, false);
      take(900, 7); // it was there before: numbers begin anywhere
      take(900, 8);
      take(900, 11);
      take(900, 11);
      take(1_500, 2); // it began later, so its first one is missing
      const { received, missing, twice } = tally;
      return { received, missing, twice };
    });
    assert.deepEqual(counted, { received: 4, missing: 3, twice: 1 });
  });

  it('only this machine, and no page of another site, may kill', async () => {
    const statusOf = async (path, headers) => (await cluster.post(path, { headers })).status;
    assert.equal(await statusOf('/kill/A', { Origin: 'https://other.example' }), 403);
    assert.equal(await statusOf('/kill/A', { Origin: 'null' }), 403);
    assert.equal(await statusOf('/kill/A', { 'X-Forwarded-For': '203.0.113.7' }), 403);
    assert.equal(await statusOf('/kill/nginx', {}), 404);
    const { A, B, C } = cluster.pids;
    assert.ok([A, B, C].every(lives));
    assert.equal(await statusOf('/kill/A', { Origin: cluster.url }), 202);
    await cluster.example.prints(new RegExp(`^A \\(pid ${A}\\) has ended: SIGKILL`, 'm'));
  });
});

describe('the end of examples/cluster', () => {
  let cluster;

  before(function () {
    needAll(this);
  });
  beforeEach(async () => {
    cluster = await Cluster.start();
  });
  afterEach(() => cluster?.close());

  it('SIGTERM ends all of it, and nothing is left', async () => {
    await cluster.read();
    const { dir, pids } = cluster;
    assert.deepEqual(Object.keys(pids).sort(), ['A', 'B', 'C', 'nginx']);
    assert.match(cluster.log, /^A {5}\| redis is ready$/m);
    cluster.example.signal('SIGTERM');
    const { code } = await cluster.example.exit;
    assert.deepEqual([code, cluster.example.err], [0, '']);
    assert.deepEqual(Object.values(pids).filter(lives), []);
    assert.equal(fs.existsSync(dir), false);
  });

  it('kill -9 of start.js ends all of it, too', async () => {
    const { dir, pids } = cluster;
    await cluster.example.close();
    await when(() => !Object.values(pids).some(lives) && !fs.existsSync(dir), 'the end', SOON);
  });
});

describe('examples/cluster does not start', () => {
  before(function () {
    needAll(this);
  });

  async function endOf(env) {
    const example = new Example('cluster', env);
    const timer = setTimeout(() => example.signal('SIGTERM'), 10_000);
    const { code } = await example.exit;
    clearTimeout(timer);
    return [code, example.out, example.err];
  }

  it('without redis-server, and says how to install it', async () => {
    assert.deepEqual(await endOf({ PATH: '/nowhere' }), [
      1,
      '',
      'This example needs redis-server. On Debian: apt-get install redis-server\n',
    ]);
  });

  it('on a port that is taken, and names another', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const [code, out, err] = await endOf({ PORT: String(port) });
    server.close();
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, new RegExp(`^Port ${port} is in use\\. Choose another: PORT=\\d+ .*\\n$`));
  });

  it('where Redis cannot start: shows what it said, and leaves nothing', async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-no-redis-'));
    const command = path.join(dir, 'redis-server');
    fs.writeFileSync(command, '#!/bin/sh\necho "no room for me" >&2\nexit 3\n', { mode: 0o755 });
    const [code, out, err] = await endOf({ PATH: `${dir}:${process.env.PATH}`, TMPDIR: dir });
    assert.deepEqual([code, out], [1, '']);
    assert.equal(err, 'redis does not start:\n  no room for me\n');
    assert.deepEqual(fs.readdirSync(dir), ['redis-server']);
    fs.rmSync(dir, { recursive: true });
  });
});
