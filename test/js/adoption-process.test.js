'use strict';

// Adoption as the system sees it: a table of descriptors that is full, and the number of system calls.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { FRAMEWORKS } = require('./support/apps');
const { ChildApp } = require('./support/apps-process');
const { run } = require('./support/child');

const running = [];

function startChild(framework, before) {
  const app = new ChildApp(framework, before);
  running.push(app);
  return app.start();
}

afterEach(() => Promise.all(running.splice(0).map((app) => app.end())));

describe('a hub before its first client', () => {
  it('takes a broadcast, which reaches nobody', async () => {
    const { code, out, err } = await run(`
      const hub = createHub();
      const matched = [hub.broadcast(1), hub.to('r').send(2), hub.except('r').send(3)];
      console.log(JSON.stringify(matched), hub.stats().events);
      await hub.close();
    `);
    assert.equal(code, 0, err);
    assert.equal(out, '[{"matched":0},{"matched":0},{"matched":0}] 3\n');
  });
});

describe('a full table of descriptors', () => {
  for (const { name } of FRAMEWORKS) {
    it(`${name}: the stream is relayed, whole and in order; later ones are not`, async () => {
      const app = await startChild(name, ['sh', '-c', 'ulimit -n 64; exec "$0" "$@"']);
      const first = await app.stream('/stream'); // has the loop started
      const waiting = app.connection();
      const another = app.connection();
      for (const conn of [waiting, another]) {
        conn.ask('/stats');
        await conn.response();
      }
      assert.deepEqual(await app.order('/exhaust'), { code: 'EMFILE' });
      await app.stream('/stream', waiting);
      const { relay, transports } = await app.order('/stats');
      assert.deepEqual(relay, { descriptor: 1 });
      assert.deepEqual(transports, ['fd', 'relay']);
      for (let i = 0; i < 20; i++) await app.order('/broadcast');
      await app.order('/release');
      await app.stream('/stream', another);
      assert.deepEqual((await app.order('/stats')).transports, ['fd', 'relay', 'fd']);
      await app.order('/end');
      const event = `data: ${'x'.repeat(20_000)}\n\n`;
      for (const conn of [first, waiting]) {
        const { body } = await conn.response(conn === first ? 0 : 1);
        assert.equal(body, `:\n${event.repeat(20)}`);
      }
    });
  }
});

describe('system calls', () => {
  const N = 50;
  const strace = spawnSync('strace', ['-f', '-c', '-o', os.devNull, 'true']).status === 0;

  /** How many of each a process makes that serves `count` streams, one after another. */
  async function count(framework, url, streams) {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-strace-'));
    const file = path.join(dir, 'summary');
    const app = await startChild(framework, ['strace', '-f', '-c', '-o', file]);
    for (let i = 0; i < streams; i++) await app.stream(url);
    await app.quit();
    const calls = {};
    for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
      const fields = line.trim().split(/\s+/);
      if (/^\d/.test(line.trim()) && fields.at(-1) !== 'total')
        calls[fields.at(-1)] = Number(fields[3]);
    }
    fs.rmSync(dir, { recursive: true });
    return calls;
  }

  /** Of one stream: what twice as many cost more. */
  async function perStream(framework, url) {
    const less = await count(framework, url, N);
    const more = await count(framework, url, 2 * N);
    return (name) => ((more[name] ?? 0) - (less[name] ?? 0)) / N;
  }

  it(`at most 10 for an adoption, the first write included${strace ? '' : ' (missing: strace)'}`, async function () {
    if (!strace) this.skip();
    const ours = await perStream('http', '/stream');
    const byHand = await perStream('http', '/plain');
    const sum = (names) => names.reduce((all, name) => all + ours(name) - byHand(name), 0);
    const taking = sum(['fcntl', 'getsockopt', 'setsockopt', 'epoll_ctl', 'dup', 'dup3', 'ioctl']);
    const waking = sum(['read', 'write', 'epoll_wait', 'poll', 'ppoll']);
    const writing = sum(['sendmsg', 'sendto', 'writev', 'close', 'shutdown']);
    const told = `${taking} for the socket, ${waking} to wake the loop, ${writing} to write`;
    assert(taking >= 1 && Math.round(taking + waking + writing) <= 10, told);
  }).timeout(60_000);
});
