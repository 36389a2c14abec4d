'use strict';

// The program of docs/recipes/several-processes.md, as two processes on a Redis of the test.

const assert = require('node:assert/strict');
const { createRequire } = require('node:module');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { serve } = require('../js/support/docs-run');
const { open } = require('../js/support/open');
const { startRedis } = require('../redis/support/server');
const { lacksPackages } = require('./support/example-page');
const { codeOf } = require('./support/recipe');

const PAGE = 'docs/recipes/several-processes.md';
const EXAMPLE = path.join(__dirname, '..', '..', 'examples', 'cluster', 'server.js');
const MORE = "app.get('/pid', (_req, res) => res.json(process.pid));";

/** The page's program; the package is that of the example. */
function sourceOf() {
  const [source] = codeOf(PAGE, 'js');
  const file = createRequire(EXAMPLE).resolve('ioredis');
  assert.ok(source.includes("require('ioredis')"));
  return `${source.replace("'ioredis'", JSON.stringify(file))}\n${MORE}`;
}

describe('docs/recipes/several-processes.md', function () {
  this.timeout(20_000);
  let redis;
  let servers;
  let streams;

  before(function () {
    const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
    const advice = hasRedis
      ? lacksPackages('cluster')
      : 'redis-server is missing: npm run test:setup';
    if (!advice) return;
    if (process.env.CI === 'true') throw new Error(advice);
    console.log(`  not run: ${advice}`);
    this.skip();
  });
  beforeEach(async () => {
    streams = [];
    servers = [];
    redis = await startRedis();
    process.env.REDIS_URL = `redis://127.0.0.1:${redis.port}`;
    const program = { source: sourceOf(), needs: [] };
    servers = await Promise.all([serve(program), serve(program)]);
  });
  afterEach(async () => {
    delete process.env.REDIS_URL;
    for (const stream of streams) await stream.close();
    for (const server of servers) await server.close();
    await redis?.stop();
  });

  async function listen(server, headers) {
    const stream = await open(`${server.base}/events?room=lobby`, { headers, timeout: 10_000 });
    streams.push(stream);
    return stream;
  }

  async function say(server, text, room = 'lobby') {
    const headers = { 'Content-Type': 'text/plain' };
    const response = await fetch(`${server.base}/rooms/${room}`, {
      method: 'POST',
      headers,
      body: text,
    });
    assert.equal(response.status, 201);
    return (await response.json()).id;
  }

  it('what one process sends reaches the room in both, with the id that Redis gave it', async () => {
    const [first, second] = servers;
    const readers = [await listen(first), await listen(second)];
    await say(first, 'elsewhere', 'kitchen');
    const ids = [await say(first, 'one'), await say(second, 'two')];
    for (const reader of readers) {
      assert.deepEqual(await reader.take(2), [
        { event: 'message', data: 'one', id: ids[0] },
        { event: 'message', data: 'two', id: ids[1] },
      ]);
    }
  });

  it('SIGTERM ends the streams of one process in order, and the other one goes on where they stopped', async () => {
    const [first, second] = servers;
    const reader = await listen(first);
    await say(first, 'before');
    await reader.next();
    const pid = await (await fetch(`${first.base}/pid`)).json();
    process.kill(pid, 'SIGTERM');
    assert.equal(await reader.end(), 'end');
    assert.ok(reader.retry > 0);
    await say(second, 'meanwhile');
    const again = await listen(second, { 'Last-Event-ID': reader.lastEventId });
    await say(second, 'after');
    assert.deepEqual(
      (await again.take(2)).map(({ data }) => data),
      ['meanwhile', 'after'],
    );
  });
});
