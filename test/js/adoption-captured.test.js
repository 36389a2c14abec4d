'use strict';

// Functions of a response that were taken before connect(), wrappers that were put there after it, and other ways to a socket
// that is not Node's alone any more: chunk grammar stays right, and nothing follows the terminator.

const assert = require('node:assert/strict');
const http = require('node:http');
const { closed, eventually, numbered, overApps } = require('./support/apps');

const FILL = 'y'.repeat(3_000);

/** Keeps the response's own functions, as middleware does. */
function keep(seen) {
  seen.write = seen.res.write.bind(seen.res);
  seen.end = seen.res.end;
}

/** Counts calls of res.write and res.end from outside. */
function wrap({ res }, calls) {
  for (const name of ['write', 'end']) {
    const inner = res[name];
    calls[name] = 0;
    res[name] = function (...args) {
      calls[name]++;
      return inner.apply(this, args);
    };
  }
}

/** The numbers in `data: kind n` lines. */
function numbersOf(body, kind) {
  const found = body.matchAll(new RegExp(`^data: ${kind}(\\d+)`, 'gm'));
  return Array.from(found, ([, number]) => Number(number));
}

describe('functions taken before connect()', () => {
  overApps((start) => {
    it('a write() in the middle of a flood is never torn and tears nothing', async () => {
      const app = await start();
      const { conn, client, write } = await app.open({ before: keep, options: { rooms: 'r' } });
      conn.readSlowly();
      for (let round = 0; round < 40; round++) {
        for (let i = 0; i < 20; i++) app.hub.to('r').send(`a${round * 20 + i} ${FILL}`);
        write(`data: b${round} ${FILL}\n\n`);
        if (round % 2) await new Promise(setImmediate);
      }
      app.hub.broadcast('last');
      await conn.body('data: last\n\n');
      const [{ chunks, body }] = conn.responses();
      assert.deepEqual(
        numbersOf(body, 'a'),
        Array.from({ length: 800 }, (_, i) => i),
      );
      assert.deepEqual(
        numbersOf(body, 'b'),
        Array.from({ length: 40 }, (_, i) => i),
      );
      // Node 26 joins what was written in one stretch into one chunk.
      const torn = chunks.slice(1).filter((text) => !/^(data: [^\n]+\n\n)+$/.test(text));
      assert.equal(torn.length, 0, torn[0]?.slice(0, 100));
      assert.equal(client.transport, 'fd');
      client.close();
      await conn.response();
      await app.pong(conn, 1);
    });

    it('an end() in the middle of a flood ends it: what came before arrives, nothing after', async () => {
      const app = await start();
      const { conn, client, end, res } = await app.open({ before: keep, options: { rooms: 'r' } });
      conn.readSlowly();
      const over = closed(client);
      const { wire, data } = numbered(800, 0, FILL);
      for (const text of data) app.hub.to('r').send(text);
      end.call(res);
      for (const text of data) app.hub.to('r').send(`behind ${text}`);
      await new Promise(setImmediate);
      assert.equal(client.send('late'), false);
      assert.equal(app.hub.broadcast('late').matched, 0);
      const { body } = await conn.response();
      assert(body.startsWith(`:\n${wire}`), 'what was sent before');
      assert.equal(await over, 'server');
      await app.pong(conn, 1);
    });

    it('an end(chunk, callback) comes last, as a whole', async () => {
      const app = await start();
      const { conn, end, res } = await app.open({ before: keep });
      conn.readSlowly();
      const { wire, data } = numbered(300, 0, FILL);
      for (const text of data) app.hub.broadcast(text);
      await new Promise((resolve) => end.call(res, `data: bye ${FILL}\n\n`, resolve));
      const { chunks } = await conn.response();
      assert.equal(chunks.join(''), `:\n${wire}data: bye ${FILL}\n\n`);
      await app.pong(conn, 1);
    });

    it('an end() after client.close() adds no second terminator', async () => {
      const app = await start();
      const { conn, client, end, res } = await app.open({ before: keep });
      client.send('x');
      client.close();
      end.call(res);
      const { body } = await conn.response();
      assert.equal(body, ':\ndata: x\n\n');
      await app.pong(conn, 1);
    });

    it('an end() on a relay: what comes from the loop later is not written, and nobody throws', async () => {
      const app = await start({
        tune(server) {
          server.highWaterMark = 32 << 20; // Node's write() answers true while the reader takes nothing
        },
      });
      const { conn, client, end, res } = await app.open({
        before: keep,
        options: { transport: 'relay' },
      });
      await conn.body(':\n');
      conn.pause();
      const over = closed(client);
      const { data } = numbered(2_000, 0, FILL);
      for (const text of data) client.send(text);
      await eventually(() => res.writableLength > 1 << 20);
      end.call(res);
      client.send('late');
      for (let i = 0; i < 20; i++) await new Promise(setImmediate); // blocks are on their way
      conn.readSlowly();
      await conn.response();
      assert.equal(await over, 'server');
      await app.pong(conn, 1);
    });

    it("the prototype's functions are no way around", async () => {
      const app = await start();
      const { conn, client, res } = await app.open();
      const { write, end } = http.ServerResponse.prototype;
      const { wire, data } = numbered(200, 0, FILL);
      for (const text of data) client.send(text);
      write.call(res, 'data: around\n\n');
      await conn.body('data: around\n\n');
      client.send('x');
      end.call(res);
      const { body } = await conn.response();
      assert.equal(body, `:\n${wire}data: around\n\ndata: x\n\n`);
      await app.pong(conn, 1);
    });
  });
});

describe('wrappers put there after connect()', () => {
  const ENDS = {
    'client.close()': ({ client }) => client.close(),
    'res.end()': ({ res }) => res.end(),
    'hub.close()': ({ app }) => app.hub.close({ grace: 100 }),
    lifetime: () => {},
  };

  overApps((start) => {
    for (const [how, finish] of Object.entries(ENDS)) {
      it(`run once each: ${how}`, async () => {
        const app = await start();
        const calls = {};
        const options = how === 'lifetime' ? { lifetime: 50 } : undefined;
        const seen = await app.open({ options, after: (all) => wrap(all, calls) });
        const { conn, client, res } = seen;
        res.write('data: 1\n\n');
        client.send(2);
        const over = closed(client);
        finish({ ...seen, app });
        const { body } = await conn.response();
        assert.match(body, /^:\ndata: 1\n\ndata: 2\n\n(retry: \d+\n)?$/);
        await over;
        assert.equal(seen.finish, 1);
        assert.deepEqual(calls, { write: 1, end: 1 });
        assert.equal(res.writableFinished, true);
      });
    }

    it('one that ends later is waited for', async () => {
      const app = await start();
      let endNow;
      const { conn, client } = await app.open({
        after({ res }) {
          const { end } = res;
          res.end = function (...args) {
            endNow = () => end.apply(this, args);
            return this;
          };
        },
      });
      client.close();
      await conn.body(':\n');
      await eventually(() => endNow);
      assert.equal(client.closed, null);
      assert.equal(conn.responses()[0].complete, false);
      app.hub.broadcast('late');
      const over = closed(client);
      endNow();
      assert.equal((await conn.response()).body, ':\n');
      assert.equal(await over, 'server');
      await app.pong(conn, 1);
    });
  });
});
