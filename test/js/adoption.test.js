'use strict';

// Requests and responses of every kind that connect() may be given, read byte for byte.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { closed, numbered, overApps } = require('./support/apps');

describe('adoption', () => {
  overApps((start) => {
    it('HEAD: the headers and the end, a closed client, and the connection goes on', async () => {
      const app = await start();
      const { conn, client, res } = await app.open({
        method: 'HEAD',
        options: { headers: { 'X-Own': 'yes' } },
      });
      assert.equal(client.closed, 'server');
      assert.equal(client.send('x'), false);
      assert.equal(app.hub.size, 0);
      app.hub.broadcast('x');
      const [{ status, headers }] = await app.pong(conn, 1);
      assert.equal(status, 200);
      assert.equal(headers['content-type'], 'text/event-stream');
      assert.equal(headers['x-own'], 'yes');
      assert.equal(res.writableFinished, true);
    });

    it('a pipelined second stream: a closed client, and 409 once the first has ended', async () => {
      const app = await start();
      const clients = [];
      let both;
      const arrived = new Promise((resolve) => {
        both = resolve;
      });
      const path = app.route((req, res) => {
        clients.push(app.hub.connect(req, res, { rooms: 'r' }));
        if (clients.length === 2) both();
      });
      const conn = app.connection();
      conn.ask(path);
      conn.ask(path);
      await arrived;
      const [first, second] = clients;
      assert.deepEqual([first.closed, second.closed], [null, 'server']);
      assert.equal(second.send('x'), false);
      assert.equal(app.hub.to('r').size, 1);
      const { wire, data } = numbered(500);
      for (const text of data) app.hub.to('r').send(text);
      await conn.body(wire);
      assert.equal(first.transport, 'fd');
      assert.equal(conn.responses().length, 1);
      first.close();
      const refused = await conn.response(1);
      assert.equal(await conn.end(), 'end');
      assert.equal(conn.responses()[0].body, `:\n${wire}`);
      assert.equal(refused.status, 409);
      assert.equal(refused.headers.connection, 'close');
    });

    for (const headers of [{}, { Connection: 'keep-alive' }]) {
      it(`HTTP/1.0 ${JSON.stringify(headers)}: frames as they are, up to the end of the connection`, async () => {
        const app = await start();
        const { wire, data } = numbered(500);
        const { conn, client } = await app.open({ version: '1.0', headers });
        assert.equal(client.transport, 'fd');
        for (const text of data) client.send(text);
        client.close({ event: 'bye', data: '!' });
        assert.equal(await conn.end(), 'end');
        const [response] = conn.responses();
        assert.equal(response.headers['transfer-encoding'], undefined);
        assert.equal(response.body, `:\n${wire}event: bye\ndata: !\n\n`);
      });
    }

    it('HTTP/1.0: an end() kept from before connect, which writes nothing, ends the client, too', async () => {
      const app = await start();
      let kept;
      const { conn, client, res } = await app.open({
        version: '1.0',
        before: (seen) => {
          kept = seen.res.end;
        },
      });
      client.send('x');
      await conn.body(':\ndata: x\n\n');
      kept.call(res);
      assert.equal(await closed(client), 'server');
      assert.equal(await conn.end(), 'end');
    });

    it('a response without Transfer-Encoding: frames as they are, then the end of the connection', async () => {
      const app = await start();
      const { conn, client } = await app.open({
        before: ({ res }) => res.removeHeader('Transfer-Encoding'),
      });
      client.send('x');
      client.close();
      assert.equal(await conn.end(), 'end');
      assert.equal(conn.responses()[0].body, ':\ndata: x\n\n');
    });

    it('headers sent before: ERR_FAN_HEADERS_SENT says by what', async () => {
      const app = await start();
      for (const [how, before] of [
        ['perhaps by flushHeaders() or write() before connect()', ({ res }) => res.flushHeaders()],
        ['perhaps by flushHeaders() or write() before connect()', ({ res }) => res.write('x')],
        ['it has been ended before connect()', ({ res }) => res.end('x')],
      ]) {
        const conn = app.connection();
        await assert.rejects(app.open({ conn, before }), (err) => {
          assert.equal(err.code, 'ERR_FAN_HEADERS_SENT');
          assert(err.message.includes(how), err.message);
          return true;
        });
        await conn.end();
        assert.equal(app.errors.pop().code, 'ERR_FAN_HEADERS_SENT');
      }
      assert.equal(app.hub.size, 0);
    });

    it('a response that the application has destroyed: a closed client', async () => {
      const app = await start();
      for (const kill of [({ res }) => res.destroy(), ({ req }) => req.socket.destroy()]) {
        const { conn, client, res } = await app.open({ before: kill });
        assert.equal(client.closed, 'client');
        assert.equal(client.send('x'), false);
        assert.equal(res.headersSent, false);
        await conn.end();
        assert.equal(conn.text, '');
      }
      assert.equal(app.hub.size, 0);
    });

    it('a peer that has gone, FIN or reset: a closed client', async () => {
      const app = await start();
      for (const leave of ['destroy', 'resetAndDestroy']) {
        const conn = app.connection();
        const client = await new Promise((resolve) => {
          const path = app.route((req, res) => {
            res.on('close', () => resolve(app.hub.connect(req, res, { rooms: 'r' })));
            conn.socket[leave]();
          });
          conn.ask(path);
        });
        assert.equal(client.closed, 'client');
        assert.equal(client.signal.aborted, true);
      }
      assert.equal(app.hub.rooms.has('r'), false);
    });

    it('a client that asked for Connection: close gets it, and the end', async () => {
      const app = await start();
      const { conn, client } = await app.open({ headers: { Connection: 'close' } });
      assert.equal(client.transport, 'fd');
      const { wire, data } = numbered(500);
      for (const text of data) client.send(text);
      client.close();
      assert.equal(await conn.end(), 'end');
      const [{ headers, body, complete }] = conn.responses();
      assert.equal(headers.connection, 'close');
      assert.equal(body, `:\n${wire}`);
      assert.equal(complete, true);
    });

    it('a timeout of the server does not end a stream, and counts again afterwards', async () => {
      const app = await start({
        tune(server) {
          server.setTimeout(200);
          server.keepAliveTimeout = 0; // else Node sets the timeout anew for each request
        },
      });
      for (const transport of ['auto', 'relay']) {
        const { conn, client, req } = await app.open({ options: { transport } });
        const ended = once(req.socket, 'close').then(() => 'closed');
        const waited = new Promise((resolve) => setTimeout(resolve, 500, 'open'));
        assert.equal(await Promise.race([ended, waited]), 'open', transport);
        client.send('still here');
        await conn.body('data: still here\n\n');
        client.close();
        await conn.response();
        conn.ask(app.route(() => {})); // is never answered
        assert.equal(await ended, 'closed');
      }
    });
  });
});

describe('adoption of a request whose body nobody reads', () => {
  const SIZE = 5 << 20;
  const POST = { method: 'POST', length: SIZE };

  overApps((start) => {
    it('streams while 5 MB wait, ends in order, and the connection goes on', async () => {
      const app = await start();
      const { conn, client } = await app.open({ ...POST, body: 'x'.repeat(SIZE) });
      const { wire, data } = numbered(500);
      for (const text of data) client.send(text);
      await conn.body(wire);
      assert.equal(client.transport, 'fd');
      client.close();
      await conn.response();
      assert.equal(conn.responses()[0].body, `:\n${wire}`);
      await app.pong(conn, 1);
    });

    it('a peer that leaves is noticed, by FIN or reset, long before stallTimeout', async () => {
      const app = await start({ hub: { limits: { stallTimeout: 60_000 } } });
      for (const leave of ['destroy', 'resetAndDestroy']) {
        // More than Node reads unasked, and no more than the kernel takes: the FIN is not held up.
        const { conn, client, res } = await app.open({ ...POST, body: 'x'.repeat(100_000) });
        await conn.body(':\n');
        const over = closed(client);
        const gone = once(res, 'close');
        conn.socket[leave]();
        assert.equal(await over, 'client');
        await gone;
      }
      assert.equal(app.hub.size, 0);
    });

    it('is discarded after stallTimeout, so that a peer behind 5 MB is seen to leave', async () => {
      const app = await start({ hub: { limits: { stallTimeout: 200 } } });
      const { conn, client, req, res } = await app.open({ ...POST, body: 'x'.repeat(SIZE) });
      await conn.body(':\n');
      assert.equal(req.readableFlowing, null);
      const over = closed(client);
      const gone = once(res, 'close');
      conn.socket.end();
      assert.equal(await over, 'client');
      assert.equal(req.readableFlowing, true);
      await gone;
    });

    it('is discarded after stallTimeout, and the stream goes on', async () => {
      const app = await start({ hub: { limits: { stallTimeout: 100 } } });
      const { conn, client, req } = await app.open({ ...POST, body: 'x'.repeat(SIZE) });
      await once(req, 'end');
      client.send('x');
      await conn.body('data: x\n\n');
      client.close();
      await conn.response();
      await app.pong(conn, 1);
    });

    it('is left to an application that has begun to read it, however slowly', async () => {
      const app = await start({ hub: { limits: { stallTimeout: 50 } } });
      const { req } = await app.open({
        ...POST,
        body: 'x'.repeat(SIZE),
        after: ({ req }) => req.once('data', () => req.pause()),
      });
      await new Promise((resolve) => setTimeout(resolve, 150));
      assert.equal(req.readableFlowing, false);
      assert.equal(req.readableEnded, false);
    });
  });
});

describe('adoption by a process', () => {
  it('of Node has what it needs of a response', () => {
    // If this fails on a new Node, every stream silently takes the slow way.
    const req = new http.IncomingMessage(null);
    const res = new http.ServerResponse(req);
    assert.equal(typeof res.outputSize, 'number');
    assert.equal(res.writableLength, 0);
  });
});
