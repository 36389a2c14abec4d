'use strict';

// How a response ends, and what the connection is good for afterwards, byte for byte.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { closed, numbered, overApps } = require('./support/apps');

const ENDS = {
  'client.close()': ({ client }) => client.close({ event: 'bye', data: '!' }),
  'res.end()': ({ res }) => res.end('event: bye\ndata: !\n\n'),
  lifetime: ({ client }) => client.send('!', { event: 'bye' }),
  idleTimeout: ({ client }) => client.send('!', { event: 'bye' }),
};

describe('leaving', () => {
  overApps((start) => {
    for (const [how, leave] of Object.entries(ENDS)) {
      it(`${how}: one terminator, finish once and then close, and the connection goes on`, async () => {
        const limits = how === 'idleTimeout' ? { idleTimeout: 60 } : {};
        const app = await start({ hub: { limits } });
        const told = [];
        const { wire, data } = numbered(1_000, 0, 'y'.repeat(500));
        const seen = await app.open({
          options: how === 'lifetime' ? { lifetime: 60 } : {},
          before({ res }) {
            for (const name of ['prefinish', 'finish', 'close']) {
              res.on(name, () => told.push(name));
            }
          },
          after({ client }) {
            client.on('close', (reason) => told.push(reason));
            for (const text of data) client.send(text);
          },
        });
        const { client, conn, res } = seen;
        assert.equal(client.transport, 'fd');
        const over = closed(client);
        leave(seen);
        const { body } = await conn.response();
        assert.equal(body, `:\n${wire}event: bye\ndata: !\n\n`);
        const reason = { lifetime: 'lifetime', idleTimeout: 'idle' }[how] ?? 'server';
        assert.equal(await over, reason);
        if (!res.closed) await once(res, 'close');
        assert.deepEqual(told, ['prefinish', 'finish', reason, 'close']);
        assert.equal(res.writableEnded, true);
        app.hub.broadcast('late');
        const responses = await app.pong(conn, 1);
        assert.equal(responses.length, 2);
      });
    }

    it('in the middle of a flood: everything sent before, nothing sent after', async () => {
      const app = await start();
      const { client, conn } = await app.open({ options: { rooms: 'r' } });
      conn.readSlowly();
      const { wire, data } = numbered(1_500, 0, 'y'.repeat(2_000));
      for (const text of data) app.hub.to('r').send(text);
      client.close();
      for (const text of data) app.hub.to('r').send(`late ${text}`);
      app.hub.broadcast('late');
      assert.equal((await conn.response()).body, `:\n${wire}`);
      await app.pong(conn, 1);
    });

    it('trailers that the application has added come with the terminator', async () => {
      const app = await start();
      const { client, conn } = await app.open({
        before: ({ res }) => res.setHeader('Trailer', 'X-Count'),
        after: ({ res }) => res.addTrailers({ 'X-Count': '1' }),
      });
      client.send('x');
      client.close();
      const end = '\r\n0\r\nX-Count: 1\r\n\r\n';
      await conn.until(({ text }) => text.endsWith(end));
      assert.equal(conn.text.split('\r\n0\r\n').length, 2);
    });

    it('hub.close(): one terminator, then the end of the connection', async () => {
      const app = await start();
      const seen = await app.open({ options: { rooms: 'r' } });
      const { client, conn } = seen;
      const { wire, data } = numbered(500);
      for (const text of data) app.hub.to('r').send(text);
      const over = closed(client);
      const done = app.hub.close({ grace: 200 });
      assert.equal(await conn.end(), 'end');
      assert.equal(await over, 'shutdown');
      const [{ body, complete }] = conn.responses();
      assert.equal(complete, true);
      assert.equal(body.replace(/retry: \d+\n$/, ''), `:\n${wire}`);
      assert.deepEqual(await done, { ended: 1, cut: 0 });
      assert.equal(seen.finish, 1);
    });

    it('a peer that leaves during the end closes the response, once', async () => {
      const app = await start();
      for (const leave of ['destroy', 'resetAndDestroy']) {
        const { client, conn, res } = await app.open();
        await conn.body(':\n');
        conn.pause();
        for (const text of numbered(1_000, 0, 'y'.repeat(5_000)).data) client.send(text);
        let closes = 0;
        client.on('close', () => closes++);
        client.close();
        const gone = once(res, 'close');
        conn.socket[leave]();
        await gone;
        if (client.closed === null) await closed(client);
        await new Promise(setImmediate);
        assert.equal(closes, 1);
        assert.equal(app.hub.size, 0);
      }
    });

    it('by force: no terminator, so that the reader knows', async () => {
      const app = await start({ hub: { limits: { stallTimeout: 150 } } });
      const { client, conn, res } = await app.open();
      await conn.body(':\n');
      conn.pause();
      for (const text of numbered(1_000, 0, 'y'.repeat(5_000)).data) client.send(text);
      const gone = once(res, 'close');
      assert.equal(await closed(client), 'stalled');
      await gone;
      conn.resume();
      await conn.end();
      const [{ complete, body }] = conn.responses();
      assert.equal(complete, false);
      assert(body.startsWith(':\ndata: 0y'));
      assert.equal(res.writableFinished, false);
    });
  });
});
