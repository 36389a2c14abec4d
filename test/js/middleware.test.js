'use strict';

// Middleware that hooks into a response, in front of connect(): loggers, sessions, security headers, compression.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const zlib = require('node:zlib');
const compression = require('compression');
const session = require('express-session');
const helmet = require('helmet');
const morgan = require('morgan');
const { closed, eventually, numbered, overApps } = require('./support/apps');

class Store extends session.MemoryStore {
  calls = [];

  set(id, data, done) {
    this.calls.push('set');
    super.set(id, data, done);
  }

  touch(id, data, done) {
    this.calls.push('touch');
    super.touch(id, data, done);
  }
}

/** All of them, with what they have done. */
function everything(options) {
  const lines = [];
  const store = new Store();
  const log = morgan(':method :status', { stream: { write: (line) => lines.push(line.trim()) } });
  const settings = { store, secret: 's', resave: false, saveUninitialized: false, ...options };
  const middleware = [log, helmet(), session(settings), compression()];
  return { lines, store, middleware };
}

const cookieOf = ({ headers }) => headers['set-cookie'].split(';')[0];

/** gzip of which more is to come. */
function gunzip(body) {
  const finishFlush = zlib.constants.Z_SYNC_FLUSH;
  return zlib.gunzipSync(Buffer.from(body, 'latin1'), { finishFlush }).toString();
}

const MODES = {
  'compression idle': {
    transport: 'fd',
    request: { headers: { 'Accept-Encoding': 'gzip' } },
    decode: (body) => body,
  },
  'compression at work': {
    transport: 'relay',
    request: { headers: { 'Accept-Encoding': 'gzip' } },
    options: { headers: { 'Cache-Control': 'no-cache' } },
    decode: gunzip,
  },
};

const ENDS = {
  'client.close()': ({ client }) => client.close(),
  'res.end()': ({ res }) => res.end(),
  'hub.close()': ({ app }) => app.hub.close({ grace: 50 }),
};

describe('behind morgan, helmet, express-session and compression', () => {
  overApps((start) => {
    for (const [mode, { transport, request, options, decode }] of Object.entries(MODES)) {
      for (const order of ['in this order', 'in reverse order']) {
        it(`${mode}, ${order}: events come at once, headers of all are there`, async () => {
          const { middleware } = everything();
          if (order === 'in reverse order') middleware.reverse();
          const app = await start({ middleware });
          const { conn, client } = await app.open({
            ...request,
            options,
            before: ({ req }) => {
              req.session.seen = true;
            },
          });
          assert.equal(client.transport, transport);
          for (const text of ['a', 'b', 'c']) {
            client.send(text);
            await conn.until(() => {
              const body = conn.responses()[0]?.body;
              return body && decode(body).endsWith(`data: ${text}\n\n`);
            });
          }
          const [{ headers }] = conn.responses();
          assert.equal(headers['content-encoding'], transport === 'fd' ? undefined : 'gzip');
          assert.equal(headers['x-content-type-options'], 'nosniff');
          assert.match(headers['set-cookie'], /^connect\.sid=/);
          client.close();
          const { body } = await conn.response();
          assert.equal(decode(body), ':\ndata: a\n\ndata: b\n\ndata: c\n\n');
        });
      }

      for (const [how, leave] of Object.entries(ENDS)) {
        it(`${mode}, ${how}: one terminator, one line with 200, the session is saved`, async () => {
          const { lines, middleware, store } = everything();
          const app = await start({ middleware });
          const seen = await app.open({
            ...request,
            options,
            before: ({ req }) => {
              req.session.count = 7;
            },
          });
          const { client, conn, res } = seen;
          const { data, wire } = numbered(300);
          for (const text of data) client.send(text);
          await conn.until(() => conn.responses()[0]?.body.length > 0);
          assert.deepEqual([lines, store.calls], [[], []]);
          const over = closed(client);
          leave({ ...seen, app });
          await over;
          const { body, headers } = await conn.response();
          assert.equal(decode(body).replace(/retry: \d+\n$/, ''), `:\n${wire}`);
          assert.equal(conn.responses().length, 1);
          await eventually(() => lines.length > 0);
          assert.deepEqual(lines, ['GET 200']);
          assert.deepEqual(store.calls, ['set']);
          assert.equal(seen.finish, 1);
          assert.equal(res.writableFinished, true);

          const again = app.connection();
          const path = app.route((req, answer) => answer.end(`${req.session.count}`));
          again.ask(path, { headers: { Cookie: cookieOf({ headers }) } });
          assert.equal((await again.response()).body, '7');
        });
      }

      it(`${mode}: a second request on the connection is answered and logged`, async () => {
        const { lines, middleware } = everything();
        const app = await start({ middleware });
        const { client, conn } = await app.open({ ...request, options });
        client.send('x');
        client.close();
        await conn.response();
        await app.pong(conn, 1);
        await eventually(() => lines.length === 2);
        assert.deepEqual(lines, ['GET 200', 'GET 200']);
      });

      it(`${mode}: a peer that leaves is logged once`, async () => {
        const { lines, middleware } = everything();
        const app = await start({ middleware });
        for (const leave of ['destroy', 'resetAndDestroy']) {
          const { client, conn, res } = await app.open({ ...request, options });
          await conn.until(() => conn.responses()[0]?.body.length > 0);
          const over = closed(client);
          const gone = once(res, 'close');
          conn.socket[leave]();
          assert.equal(await over, 'client');
          await gone;
          await eventually(() => lines.length > 0);
          for (let i = 0; i < 5; i++) await new Promise(setImmediate);
          assert.deepEqual(lines.splice(0), ['GET 200']);
        }
      });
    }

    it('a rolling session is touched at the end, and its cookie is in the head', async () => {
      const { middleware, store } = everything({ rolling: true, cookie: { maxAge: 60_000 } });
      const app = await start({ middleware });
      const conn = app.connection();
      conn.ask(
        app.route((req, res) => {
          req.session.made = true;
          res.end('ok');
        }),
      );
      const cookie = cookieOf(await conn.response());
      assert.deepEqual(store.calls.splice(0), ['set']);
      const { client } = await app.open({ conn, headers: { Cookie: cookie } });
      await conn.body(':\n');
      assert.deepEqual(store.calls, []);
      assert.equal(cookieOf(conn.responses()[1]), cookie);
      client.close();
      await conn.response(1);
      assert.deepEqual(store.calls, ['touch']);
    });

    it('the terminator waits for a slow session store', async () => {
      const { middleware, store, lines } = everything();
      let save;
      store.set = (_id, _data, done) => {
        save = done;
      };
      const app = await start({ middleware });
      const { client, conn } = await app.open({
        before: ({ req }) => {
          req.session.count = 1;
        },
      });
      const over = closed(client);
      client.send('x');
      client.close();
      await eventually(() => save);
      await conn.body('data: x\n\n');
      app.hub.broadcast('late');
      for (let i = 0; i < 5; i++) await new Promise(setImmediate);
      assert.deepEqual([client.closed, conn.responses()[0].complete, lines], [null, false, []]);
      save();
      assert.equal((await conn.response()).body, ':\ndata: x\n\n');
      assert.equal(await over, 'server');
      await app.pong(conn, 1);
    });

    it('a header of 4 MB on its way: res.end() ends all of it once', async () => {
      const { lines, middleware, store } = everything();
      const app = await start({ middleware });
      const conn = app.connection();
      conn.pause();
      const seen = await app.open({
        conn,
        before({ req, res }) {
          req.session.count = 1;
          res.setHeader('X-Large', 'x'.repeat(4 << 20));
        },
        after: ({ client, res }) => {
          client.send('x');
          res.end();
        },
      });
      assert.equal(seen.client.transport, 'opening');
      conn.readSlowly();
      assert.equal((await conn.response()).body, ':\ndata: x\n\n');
      await app.pong(conn, 1);
      await eventually(() => lines.length === 2);
      assert.deepEqual([seen.finish, store.calls], [1, ['set']]);
    });

    it('HEAD is logged once, and saves the session', async () => {
      const { lines, middleware, store } = everything();
      const app = await start({ middleware });
      const { conn } = await app.open({
        method: 'HEAD',
        before: ({ req }) => {
          req.session.count = 1;
        },
      });
      await app.pong(conn, 1);
      await eventually(() => lines.length === 2);
      assert.deepEqual([lines[0], store.calls], ['HEAD 200', ['set']]);
    });
  });
});
