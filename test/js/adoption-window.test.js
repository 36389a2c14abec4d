'use strict';

// Between connect() and adoption: while headers are still on their way, the response is neither Node's nor ours.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { Readable } = require('node:stream');
const { closed, numbered, overApps } = require('./support/apps');

const HEADER = 'x'.repeat(4 << 20);

/** A stream whose head does not fit the kernel's buffers: its reader has not begun to read. */
async function openSlowly(app, { before, ...how } = {}) {
  const conn = app.connection();
  conn.pause();
  const seen = await app.open({
    ...how,
    conn,
    before(all) {
      all.res.setHeader('X-Large', HEADER);
      before?.(all);
    },
  });
  return seen;
}

describe('adoption, while a header of 4 MB is on its way to a slow reader', () => {
  overApps((start) => {
    it('takes events, which follow the header in order', async () => {
      const app = await start();
      const { wire, data } = numbered(300);
      const { conn, client } = await openSlowly(app, { options: { rooms: 'r' } });
      assert.equal(client.transport, 'opening');
      for (const [i, text] of data.entries()) {
        if (i % 2) client.send(text);
        else app.hub.to('r').send(text);
      }
      assert.equal(client.transport, 'opening');
      conn.readSlowly();
      await conn.body(wire);
      assert.equal(client.transport, 'fd');
      app.hub.broadcast('after');
      await conn.body('data: after\n\n');
      const [{ headers, body }] = conn.responses();
      assert.equal(headers['x-large'].length, HEADER.length);
      assert.equal(body, `:\n${wire}data: after\n\n`);
    });

    it('res.end() in that time is a graceful close, and nothing follows the terminator', async () => {
      const app = await start();
      const { conn, client, res } = await openSlowly(app, {
        options: { rooms: 'r' },
        after({ client, res }) {
          client.send('before');
          res.end('data: last\n\n');
          assert.equal(client.send('late'), false);
          app.hub.to('r').send('late');
          app.hub.broadcast('late');
        },
      });
      assert.equal(client.transport, 'opening');
      assert.equal(client.closed, null);
      const over = closed(client);
      conn.readSlowly();
      const { body } = await conn.response();
      assert.equal(body, ':\ndata: before\n\ndata: last\n\n');
      assert.equal(await over, 'server');
      assert.equal(res.writableFinished, true);
      app.hub.broadcast('late');
      assert.equal((await app.pong(conn, 1)).length, 2);
    });

    it('an end() taken before connect() ends it: nothing follows the terminator', async () => {
      const app = await start();
      const { conn, client } = await openSlowly(app, {
        before(seen) {
          seen.end = seen.res.end;
        },
        after({ client, end, res }) {
          client.send('before');
          end.call(res);
          client.send('behind the terminator');
          app.hub.broadcast('behind the terminator');
        },
      });
      const over = closed(client);
      conn.readSlowly();
      await conn.response();
      assert.equal(await over, 'server');
      app.hub.broadcast('behind the terminator');
      const [first, second] = await app.pong(conn, 1);
      assert.deepEqual([first.body, second.body], ['', 'pong']);
      assert.equal(app.hub.stats().relay.descriptor, undefined);
    });

    it('res.write() in that time is one event among the others', async () => {
      const app = await start();
      const { conn, client, res } = await openSlowly(app, {
        after({ client, res }) {
          client.send(1);
          res.write('data: ');
          client.send(2);
          res.write('3\n\n');
          client.send(4);
        },
      });
      assert.equal(client.transport, 'opening');
      res.write('data: 5\n\n');
      conn.readSlowly();
      const wire = [1, 2, 3, 4, 5].map((n) => `data: ${n}\n\n`).join('');
      await conn.body(wire);
      assert.equal(conn.responses()[0].body, `:\n${wire}`);
    });

    it('a write() taken before connect() is a chunk of its own', async () => {
      const app = await start();
      const { conn } = await openSlowly(app, {
        before(seen) {
          seen.write = seen.res.write.bind(seen.res);
        },
        after({ client, write }) {
          client.send(1);
          write('data: captured\n\n');
          client.send(2);
        },
      });
      conn.readSlowly();
      await conn.body('data: 1\n\ndata: 2\n\n');
      const [{ chunks }] = conn.responses();
      assert.deepEqual(chunks.sort(), [':\n', 'data: 1\n\n', 'data: 2\n\n', 'data: captured\n\n']);
    });

    it('readable.pipe(res) begun in that time passes everything and ends the stream', async () => {
      const app = await start();
      const { wire, data } = numbered(200, 0, 'y'.repeat(5_000));
      const { conn, client } = await openSlowly(app, {
        after({ res }) {
          Readable.from(data.map((text) => `data: ${text}\n\n`)).pipe(res);
        },
      });
      assert.equal(client.transport, 'opening');
      const over = closed(client);
      conn.readSlowly();
      const { body } = await conn.response();
      assert.equal(body, `:\n${wire}`);
      assert.equal(await over, 'server');
      await app.pong(conn, 1);
    });

    it('a peer that leaves is noticed', async () => {
      const app = await start();
      const { conn, client, res } = await openSlowly(app);
      client.send('x');
      const over = closed(client);
      const gone = once(res, 'close');
      conn.socket.resetAndDestroy();
      assert.equal(await over, 'client');
      assert.equal(app.hub.size, 0);
      await gone;
    });

    it('a reader that takes nothing for stallTimeout is cut', async () => {
      const app = await start({ hub: { limits: { stallTimeout: 150 } } });
      const { conn, client, res } = await openSlowly(app);
      assert.equal(client.transport, 'opening');
      const gone = once(res, 'close');
      assert.equal(await closed(client), 'stalled');
      await gone;
      conn.resume();
      await conn.end();
      assert.deepEqual(conn.responses(), []); // not even its headers were complete
    });
  });
});
