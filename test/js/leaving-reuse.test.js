'use strict';

// After a stream its connection is an ordinary one again: for http.Agent, for curl, and for readers slower than a stream's
// may be.

const assert = require('node:assert/strict');
const { execFile, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const http = require('node:http');
const { promisify } = require('node:util');
const { App, FRAMEWORKS, eventually, overApps } = require('./support/apps');
const { open } = require('./support/open');

const LARGE = Buffer.alloc(5 << 20, 'z');

/** The path of a stream that its handler ends. */
function shortStream(app) {
  return app.route((req, res) => {
    const client = app.hub.connect(req, res, { rooms: 'r' });
    app.hub.to('r').send('only');
    client.close();
  });
}

/** How many bytes Node still holds when the reader takes none and the kernel no more. */
async function heldBack(socket) {
  let before = -1;
  let unchanged = 0;
  await eventually(() => {
    const now = socket._handle.writeQueueSize;
    unchanged = now === before ? unchanged + 1 : 0;
    before = now;
    return now > 0 && unchanged === 200;
  });
  return before;
}

describe('a connection after a stream', () => {
  const curl = spawnSync('curl', ['--version']).status === 0;

  overApps((start) => {
    it('is used again by http.Agent, by 100 streams one after another', async () => {
      const app = await start();
      const agent = app.agent();
      const url = app.url(shortStream(app));
      const sockets = new Set();
      const warnings = [];
      const warn = (warning) => warnings.push(warning);
      process.on('warning', warn);
      app.server.on('connection', (socket) => sockets.add(socket));
      for (let i = 0; i < 100; i++) {
        const stream = await open(url, { agent });
        assert.equal(stream.req.reusedSocket, i > 0);
        assert.equal(await stream.end(), 'end');
        assert.equal(stream.text, ':\ndata: only\n\n');
      }
      await new Promise(setImmediate);
      process.off('warning', warn);
      assert.equal(sockets.size, 1);
      const [socket] = sockets;
      assert.deepEqual(warnings, []); // too many listeners, for one
      assert.equal(Object.hasOwn(socket, '_write'), false);
      assert.equal(Object.hasOwn(socket, '_writev'), false);
      assert.equal(app.hub.stats().disconnects.server, 100);
      assert.deepEqual(app.hub.stats().relay, {});
    });

    it('carries an ordinary answer of 5 MB, then a stream again', async () => {
      const app = await start();
      const agent = app.agent();
      const large = app.url(app.route((_req, res) => res.end(LARGE)));
      const stream = app.url(shortStream(app));
      for (let i = 0; i < 3; i++) {
        const events = await open(stream, { agent });
        assert.equal(await events.end(), 'end');
        const answer = await open(large, { agent });
        assert.equal(answer.req.reusedSocket, true);
        assert.equal(await answer.end(), 'end');
        assert.equal(answer.text.length, LARGE.length);
      }
    });

    it(`is used again by curl${curl ? '' : ' (missing: curl)'}`, async function () {
      if (!curl) this.skip();
      const app = await start();
      const large = app.url(app.route((_req, res) => res.end(LARGE)));
      const stream = app.url(shortStream(app));
      const args = ['-sSv', '--max-time', '8', stream, large, stream];
      const options = { maxBuffer: 1 << 24, encoding: 'latin1' };
      const { stdout, stderr } = await promisify(execFile)('curl', args, options);
      const events = ':\ndata: only\n\n';
      assert(stdout === `${events}${LARGE}${events}`, `${stdout.length} bytes`);
      assert.equal(stderr.match(/Re-using existing (connection|http: connection)/gi)?.length, 2);
    });

    it('hides as much in the kernel as a fresh one', async () => {
      const app = await start();
      const held = [];
      for (const after of ['nothing', 'fd', 'relay']) {
        const conn = app.connection();
        if (after !== 'nothing') {
          const transport = after === 'relay' ? 'relay' : 'auto';
          const { client } = await app.open({ conn, options: { transport } });
          client.close();
          await conn.response();
        }
        conn.pause();
        let res;
        conn.ask(
          app.route((_req, answer) => {
            res = answer;
            answer.end(Buffer.alloc(16 << 20));
          }),
        );
        await eventually(() => res);
        held.push(await heldBack(res.socket));
        conn.close();
      }
      const [fresh, fd, relay] = held.map((bytes) => (16 << 20) - bytes); // what the kernel took
      assert(fresh > 1 << 20, `${fresh}`);
      assert(fd > fresh / 2, `${fd} of ${fresh} after fd`);
      assert(relay > fresh / 2, `${relay} of ${fresh} after relay`);
    });
  });
});

describe('a download after a stream', () => {
  it('outlives the timeouts of the stream, however slow its reader', async () => {
    // TCP_USER_TIMEOUT was stallTimeout and 5 s: left on the socket, it would cut a reader that takes nothing for longer.
    const downloads = FRAMEWORKS.flatMap((framework) =>
      ['auto', 'relay'].map(async (transport) => {
        const app = await new App(framework, { hub: { limits: { stallTimeout: 100 } } }).start();
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        try {
          const seen = {};
          const stream = await open(
            app.url(
              app.route((req, res) => {
                seen.client = app.hub.connect(req, res, { transport });
              }),
            ),
            { agent },
          );
          seen.client.close();
          assert.equal(await stream.end(), 'end');
          const large = app.url(app.route((_req, res) => res.end(Buffer.alloc(16 << 20, 'z'))));
          const answer = await open(large, { agent });
          assert.equal(answer.req.reusedSocket, true);
          answer.pause();
          await Promise.race([
            once(answer.req.socket, 'close'),
            new Promise((resolve) => setTimeout(resolve, 7_000)),
          ]);
          answer.resume();
          assert.equal(await answer.end(), 'end', `${framework.name}, ${transport}`);
          assert.equal(answer.text.length, 16 << 20);
        } finally {
          agent.destroy();
          await app.end();
        }
      }),
    );
    await Promise.all(downloads);
  }).timeout(30_000);
});
