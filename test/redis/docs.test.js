'use strict';

// The programs of docs/redis.md, each twice, as processes of one application.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { open } = require('fanline/testing');
const { blocksOf, textOf } = require('../js/support/docs');
const { freePort, startRedis } = require('./support/server');
const { World } = require('./support/wired');

const ROOT = path.join(__dirname, '..', '..');
const programs = blocksOf(textOf('docs/redis.md')).filter(({ language }) => language === 'js');

/** Runs it on that port, until it answers. */
async function run(world, source, redis) {
  const port = await freePort();
  const NODE_PATH = path.join(__dirname, 'node_modules');
  const env = {
    ...process.env,
    NODE_PATH,
    PORT: String(port),
    REDIS_URL: `redis://127.0.0.1:${redis.port}`,
  };
  const child = spawn(process.execPath, ['-e', source], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const over = once(child, 'exit');
  world.add({
    close: async () => {
      child.kill('SIGTERM');
      const [code, signal] = await over;
      assert(code === 0 || signal === 'SIGTERM', `${code} ${signal}`);
    },
  });
  const url = `http://127.0.0.1:${port}`;
  const answers = () => fetch(url).then(Boolean, () => false);
  while (!(await answers())) await new Promise((go) => setTimeout(go, 50));
  return url;
}

describe('docs/redis.md', () => {
  let world;

  beforeEach(() => {
    world = new World();
  });

  afterEach(() => world.end());

  assert.equal(programs.length, 2);
  for (const { code, line } of programs) {
    it(`line ${line}: what one process is posted, a client of the other gets`, async () => {
      const redis = world.server(await startRedis());
      const [a, b] = [await run(world, code, redis), await run(world, code, redis)];
      const stream = await open(`${b}/events/news`);
      const headers = { 'content-type': 'text/plain' };
      const answer = await fetch(`${a}/rooms/news`, { method: 'POST', body: 'hello', headers });
      const { id } = await answer.json();
      const { data, id: seen } = await stream.next();
      assert.deepEqual([data, seen], ['hello', id]);
      await stream.close();
    });
  }
});
