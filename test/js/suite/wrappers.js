'use strict';

// Middleware wraps res.write and res.end, or keeps them for later: before connect, after it, beneath it.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { setImmediate: turn, setTimeout: sleep } = require('node:timers/promises');
const { arrives, noise, upTo } = require('./world');

/** Wraps res.end as a session store does: it saves first. */
function saveBeforeEnd(res, saved) {
  const { end } = res;
  res.end = function (...args) {
    saved.push(args.length);
    setImmediate(() => end.apply(this, args));
    return this;
  };
}

module.exports = function wrappers({ combo, world }) {
  describe('wrappers of a response', () => {
    for (const [when, isBefore] of [
      ['before', true],
      ['after', false],
    ]) {
      for (const [how, finish] of [
        ['client.close()', ({ client }) => client.close()],
        ['res.end()', ({ res }) => res.end('data: 2\n\n')],
        ['hub.close()', ({ w }) => w.hub.close()],
      ]) {
        it(`an end() put there ${when} connect runs once at ${how}`, async () => {
          const w = await world();
          const saved = [];
          let seen;
          const stream = await w.visit((req, res) => {
            if (isBefore) saveBeforeEnd(res, saved);
            const client = w.hub.connect(req, res, w.options());
            if (!isBefore) saveBeforeEnd(res, saved);
            seen = { w, client, res };
          });
          seen.client.send(1);
          finish(seen);
          assert.equal(await stream.end(), 'end');
          assert.match(stream.text, /^:\ndata: 1\n\n/);
          if (how === 'res.end()') assert.match(stream.text, /data: 1\n\ndata: 2\n\n$/);
          if (seen.client.closed === null) await once(seen.client, 'close');
          // Where the application calls it, a wrapper outside ours sees that call and the one that ends the response.
          const most = how === 'res.end()' && !isBefore ? 2 : 1;
          assert(saved.length >= 1 && saved.length <= most, `${saved.length} times`);
          assert.equal(w.hub.size, 0);
        });
      }
    }

    it('a write() kept from before connect is never torn', async () => {
      const w = await world();
      let kept;
      let client;
      const stream = await w.visit((req, res) => {
        kept = res.write.bind(res);
        client = w.hub.connect(req, res, w.options());
      });
      await arrives(stream, ':\n');
      const large = noise(90_000);
      const expected = [];
      for (let i = 0; i < 10; i++) {
        client.send(i);
        expected.push(String(i));
        await stream.until(() => stream.events.some(({ data }) => data === String(i)));
        kept(`data: kept ${i} ${large}\n\n`);
        expected.push(`kept ${i} ${large}`);
        await turn();
      }
      w.hub.broadcast('end');
      assert.deepEqual(await upTo(stream, 'end'), expected);
    });

    if (combo.transport === 'fd') {
      it('a write() kept from before connect waits behind a frame that is half written', async () => {
        const w = await world();
        let kept;
        let client;
        const stream = await w.visit((req, res) => {
          kept = res.write.bind(res);
          client = w.hub.connect(req, res, w.options());
        });
        await arrives(stream, ':\n');
        stream.pause();
        const block = noise(100_000);
        for (let i = 0; i < 60; i++) client.send(block);
        await sleep(20);
        kept('data: kept\n\n');
        await turn();
        client.send('after');
        stream.resume();
        const data = await upTo(stream, 'after');
        assert.equal(data.length, 61);
        assert.equal(data.pop(), 'kept');
        assert(data.every((text) => text === block));
      });
    }

    it('an end() kept from before connect ends the stream in order', async () => {
      const w = await world();
      let kept;
      let client;
      const stream = await w.visit((req, res) => {
        kept = res.end.bind(res);
        client = w.hub.connect(req, res, w.options());
      });
      client.send(1);
      assert.deepEqual(await stream.data(1), ['1']);
      const closed = once(client, 'close');
      const hasData = combo.kind !== 'http2'; // whose end() of Node goes through res.write
      const isGuarded = combo.transport === 'fd'; // elsewhere what is on its way may be lost
      const block = noise(50_000);
      if (isGuarded) for (let i = 0; i < 40; i++) client.send(block);
      kept(hasData ? 'data: bye\n\n' : undefined);
      assert.deepEqual(await closed, ['server']);
      assert.equal(client.send('too late'), false);
      assert.equal(await stream.end(), 'end');
      assert.equal(stream.events.length, (isGuarded ? 40 : 0) + (hasData ? 1 : 0));
      if (hasData) assert.equal(stream.events.at(-1).data, 'bye');
      assert.equal(w.hub.size, 0);
    });

    // Detached, the socket that would be timed out is gone.
    if (combo.framework.name !== 'http' || combo.transport === 'detached') return;

    it('a timeout of the server cuts no stream, and counts again afterwards', async () => {
      const w = await world({ retry: false, heartbeat: 30 });
      w.server.server.setTimeout(120);
      const agent = await w.connection();
      const { stream, client, req } = await w.open(undefined, { agent });
      const connection = req.stream?.session ?? req.socket;
      await sleep(300);
      assert.equal(client.closed, null);
      client.close();
      assert.equal(await stream.end(), 'end');
      if (combo.kind === 'http2') return;
      const gone = once(connection, 'close');
      const hang = w.visit(() => {}, { agent }).catch(() => {}); // asked, never answered
      await gone;
      await hang;
    });
  });
};
