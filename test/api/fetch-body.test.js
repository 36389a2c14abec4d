'use strict';

// The body of hub.response(): what a reader gets, how it ends, and how a reader leaves.

const assert = require('node:assert/strict');
const { getEventListeners, once } = require('node:events');
const http = require('node:http');
const { Readable } = require('node:stream');
const { setImmediate: turn } = require('node:timers/promises');
const { createHub } = require('fanline');
const { BodyReader, asked, dataOf, ended, openOn } = require('../js/support/fetch-reader');
const { open: openUrl } = require('../js/support/open');
const { serve } = require('../js/support/serve');

const QUIET = { heartbeat: false, retry: false, history: false };

describe('hub.response(), its body', () => {
  const hubs = [];
  const start = (options) => {
    const hub = createHub({ ...QUIET, ...options });
    hubs.push(hub);
    return hub;
  };
  afterEach(() => Promise.all(hubs.splice(0).map((hub) => hub.close({ grace: 0 }))));

  function isEmpty(hub) {
    const { clients, rooms, users } = hub.stats();
    return clients + rooms + users === 0;
  }

  describe('is left', () => {
    const WAYS = [
      ['cancels the body', ({ reader }) => reader.cancel('enough')],
      ['aborts the request', ({ abort }) => abort.abort()],
    ];
    for (const [what, leave] of WAYS) {
      it(`when it ${what}, and nothing is left behind`, async () => {
        const hub = start();
        const it = openOn(hub, { rooms: 'r', user: 'u' });
        const { signal } = it.client;
        await it.reader.until((text) => text === ':\n');
        hub.broadcast('on its way');
        leave(it);
        assert.equal(await ended(it.client), 'client');
        assert.equal(signal.aborted, true);
        assert.equal(it.client.send('x'), false);
        assert.equal(hub.broadcast('x').matched, 0);
        assert.deepEqual(getEventListeners(it.request.signal, 'abort'), []);
        assert(isEmpty(hub));
      });

      it(`when it ${what} that nobody has read`, async () => {
        const hub = start();
        const it = openOn(hub);
        it.client.send('x');
        leave(it);
        assert.equal(await ended(it.client), 'client');
      });

      it(`when it ${what} while a read waits, which is settled`, async () => {
        const hub = start();
        const it = openOn(hub);
        await it.reader.until((text) => text === ':\n');
        const waiting = it.reader.read().catch((err) => err.name);
        leave(it);
        assert.equal(await ended(it.client), 'client');
        assert.equal(await waiting, what.startsWith('aborts') ? 'AbortError' : false);
      });
    }

    it('when a piped source is not read to its end: return() runs', async () => {
      const { client, reader } = openOn(start());
      let returned = false;
      const source = (async function* () {
        try {
          for (let i = 0; ; i++) yield i;
        } finally {
          returned = true;
        }
      })();
      const piped = client.pipe(source);
      await reader.until((text) => dataOf(text).length > 100);
      await reader.cancel();
      assert.equal((await piped).closed, 'client');
      assert.equal(returned, true);
    });

    it('when the hub has just ended it, in one breath with another', async () => {
      const hub = start({ limits: { idleTimeout: 40 } });
      const all = [openOn(hub, { rooms: 'r' }), openOn(hub, { rooms: 'r' })];
      for (const { reader } of all) reader.rest().catch(() => {});
      hub.once('leave', (client) => {
        for (const it of all) if (it.client !== client) it.abort.abort();
      });
      const reasons = await Promise.all(all.map(({ client }) => ended(client)));
      assert.deepEqual(reasons, ['idle', 'idle']);
      assert(isEmpty(hub));
    });

    it('before it came: no connect, and a status for nobody', () => {
      const hub = start();
      hub.on('connect', () => assert.fail('connect'));
      const { request, abort } = asked();
      abort.abort();
      const response = hub.response(request, { rooms: 'r' }, () => assert.fail('opened'));
      assert.equal(response.status, 499);
      assert.equal(response.body, null);
      assert(isEmpty(hub));
      assert.deepEqual(hub.stats().refused, { client: 1 });
    });

    for (const answer of [{ rooms: 'r' }, null]) {
      it(`while the function decides on ${answer && 'options'}`, async () => {
        const hub = start();
        hub.on('connect', () => assert.fail('connect'));
        const { request, abort } = asked();
        const decide = async () => {
          abort.abort();
          await turn();
          return answer;
        };
        const response = await hub.response(request, decide, () => assert.fail('opened'));
        assert.equal(response.status, 499);
        assert(isEmpty(hub));
      });
    }
  });

  describe('read', () => {
    it('ends where the stream ends in order, and an abort that comes later is none', async () => {
      const { abort, client, reader, request } = openOn(start());
      client.send('last');
      client.close();
      assert.equal(await reader.rest(), ':\ndata: last\n\n');
      assert.equal(await ended(client), 'server');
      assert.deepEqual(getEventListeners(request.signal, 'abort'), []);
      abort.abort();
      assert.equal(await reader.read(), false);
    });

    it('ends for one that is closed by the first listener that hears of it', async () => {
      const hub = start();
      hub.on('connect', (client) => {
        client.send('no');
        client.close();
      });
      const gone = once(hub, 'disconnect');
      const response = hub.response(asked().request);
      assert.equal(await response.text(), ':\ndata: no\n\n');
      await gone;
      assert.equal(hub.size, 0);
    });

    it('ends after everybody was told who leaves', async () => {
      const hub = start({ limits: { idleTimeout: 30 } });
      const order = [];
      for (const name of ['leave', 'disconnect']) hub.on(name, () => order.push(name));
      const { client, reader } = openOn(hub, { rooms: 'r' });
      client.on('close', () => order.push('close'));
      await reader.rest();
      await ended(client);
      assert.deepEqual(order, ['leave', 'close', 'disconnect']);
    });

    it('can be read as a whole', async () => {
      const { client, response } = openOn(start());
      const text = response.text();
      client.send('zażółć');
      client.close();
      assert.equal(await text, ':\ndata: zażółć\n\n');
    });

    it('fails with ERR_FAN_CLOSED where the stream is cut, for every read from then on', async () => {
      let fail;
      const hub = start({
        snapshot: () =>
          new Promise((_resolve, reject) => {
            fail = reject;
          }),
      });
      const { client, reader } = openOn(hub);
      await reader.until((text) => text === ':\n');
      const fails = assert.rejects(reader.read(), { code: 'ERR_FAN_CLOSED' });
      fail(new Error('no state'));
      await fails;
      assert.equal(await ended(client), 'error');
      await assert.rejects(reader.read(), { code: 'ERR_FAN_CLOSED' });
      assert(isEmpty(hub));
    });

    it('fails with the reason of the request’s abort', async () => {
      const { abort, reader } = openOn(start());
      await reader.read();
      abort.abort(new TypeError('the server had enough'));
      await assert.rejects(reader.read(), TypeError);
    });

    it('does not fail where the server aborts the request and cancels the body in one breath', async () => {
      const { abort, client, response } = openOn(start());
      const reader = response.body.getReader();
      await reader.read();
      const waiting = reader.read();
      abort.abort('the peer has left');
      await reader.cancel();
      assert.equal((await waiting).done, true);
      assert.equal(await ended(client), 'client');
      await turn();
      await reader.closed;
    });

    it('of a hub that closes ends in order; one that nobody reads is cut', async () => {
      const hub = start();
      const { client, reader } = openOn(hub);
      const unread = openOn(hub);
      const text = reader.rest();
      assert.deepEqual(await hub.close({ grace: 0 }), { ended: 1, cut: 1 });
      assert.equal(await text, ':\n');
      assert.equal(client.closed, 'shutdown');
      assert.equal(unread.client.closed, 'shutdown');
      await assert.rejects(unread.reader.read(), { code: 'ERR_FAN_CLOSED' });
    });

    it('has been written to its end when the hub has closed: its connection is idle', async () => {
      const hub = start();
      const server = await serve((_req, res) => {
        const { body, headers } = hub.response(asked().request);
        res.writeHead(200, Object.fromEntries(headers));
        Readable.fromWeb(body).pipe(res); // takes a while longer than others
      });
      const agent = new http.Agent({ keepAlive: true });
      const stream = await openUrl(server.url, { agent });
      await stream.until(({ text }) => text === ':\n');
      const [ended, gone] = [stream.end(), once(stream.req.socket, 'close')];
      await hub.close({ grace: 0 });
      server.server.closeIdleConnections();
      assert.equal(await ended, 'end');
      const begun = performance.now();
      await gone;
      const took = performance.now() - begun;
      assert(took < 3_000, `${took} ms`); // Node would keep it for 5 s
      agent.destroy();
      await server.close();
    });

    it('gives several reads at once what comes, in order', async () => {
      const { client, response } = openOn(start());
      const reader = response.body.getReader();
      const reads = [reader.read(), reader.read(), reader.read()];
      const texts = [];
      for (const [i, read] of reads.entries()) {
        const { value } = await read;
        texts.push(Buffer.from(value).toString());
        client.send(i);
      }
      assert.deepEqual(texts, [':\n', 'data: 0\n\n', 'data: 1\n\n']);
    });

    it('loses nothing where a reader lets go while it waits', async () => {
      const hub = start();
      const { request } = asked();
      const response = hub.response(request);
      const first = response.body.getReader();
      await first.read();
      const waiting = first.read().catch((err) => err.name);
      first.releaseLock();
      assert.equal(await waiting, 'TypeError');
      for (let i = 0; i < 3; i++) {
        hub.broadcast(i);
        await turn();
      }
      const second = new BodyReader(response);
      await second.until((text) => text === 'data: 0\n\ndata: 1\n\ndata: 2\n\n');
    });

    it('gives chunks that share their memory with no other', async () => {
      const { client, response } = openOn(start());
      client.send('x'.repeat(200_000));
      client.close();
      let size = 0;
      for await (const chunk of response.body) {
        assert.equal(chunk.constructor, Uint8Array);
        const text = Buffer.from(chunk).toString();
        assert.match(text, /^(:\n)?(data: )?x*\n*$/);
        size += text.length;
        structuredClone(chunk, { transfer: [chunk.buffer] });
      }
      assert.equal(size, 200_000 + ':\ndata: \n\n'.length);
    });

    it('can be teed: both halves get everything', async () => {
      const hub = start();
      const response = hub.response(asked().request);
      const halves = response.body.tee().map((half) => new Response(half).text());
      hub.broadcast('both');
      await turn();
      hub.except([]).disconnect();
      assert.deepEqual(await Promise.all(halves), Array(2).fill(':\ndata: both\n\n'));
    });

    it('that nobody holds any more ends as stalled', async () => {
      const hub = start({ limits: { stallTimeout: 50 } });
      let client;
      hub.response(asked().request, {}, (own) => {
        client = own;
      });
      global.gc();
      assert.equal(await ended(client), 'stalled');
      assert(isEmpty(hub));
    });
  });

  describe('coming back', () => {
    const IDS = { history: {}, heartbeat: false, retry: false };
    const lastIdOf = (text) => [...text.matchAll(/^id: (.*)$/gm)].at(-1)[1];

    it('with Last-Event-ID gives what was missed, once, then live', async () => {
      const hub = start(IDS);
      const first = openOn(hub, { rooms: 'r' });
      hub.to('r').send(1);
      await first.reader.until((text) => text.includes('data: 1\n\n'));
      await first.reader.cancel();
      for (const i of [2, 3]) hub.to('r').send(i);
      const headers = { 'Last-Event-ID': lastIdOf(first.reader.text) };
      const again = openOn(hub, { rooms: 'r' }, { headers });
      hub.to('r').send(4);
      again.client.close();
      assert.deepEqual(dataOf(await again.reader.rest()), ['2', '3', '4']);
      assert.equal(again.client.lastEventId, headers['Last-Event-ID']);
      assert.equal(hub.stats().replays, 1);
    });

    it('with a cursor of another life gives one reset and a snapshot, then live', async () => {
      const whys = [];
      const snapshot = async (client, why) => {
        whys.push(why);
        await turn();
        client.send('state');
      };
      const hub = start({ ...IDS, snapshot });
      const headers = { 'Last-Event-ID': 'abcdefgh-7' };
      const { client, reader } = openOn(hub, { rooms: 'r' }, { headers });
      hub.to('r').send('live');
      await reader.until((text) => text.includes('live'));
      assert.deepEqual(dataOf(reader.text), ['restart', 'state', 'live']);
      assert.match(reader.text, /^event: fanline:reset$/m);
      assert.deepEqual(whys, ['reset']);
      client.close();
      await reader.rest();
    });
  });
});
