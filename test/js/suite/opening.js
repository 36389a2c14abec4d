'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fanline = require('fanline');
const { QUIET, arrives } = require('./world');

module.exports = function opening({ combo, world }) {
  describe('opening', () => {
    it('answers 200 with the headers of an event stream', async () => {
      const w = await world();
      const { stream } = await w.open();
      const { headers } = stream;
      assert.equal(stream.status, 200);
      assert.equal(headers['content-type'], 'text/event-stream');
      assert.equal(headers['x-accel-buffering'], 'no');
      assert.equal(headers['content-length'], undefined);
      assert.equal(headers['content-encoding'], combo.encoding);
      const cacheControl = combo.headers?.['Cache-Control'] ?? 'no-cache, no-transform';
      assert.equal(headers['cache-control'], cacheControl);
    });

    it('lets opts.headers replace, add and remove headers, whatever their case', async () => {
      const w = await world();
      const headers = {
        'content-type': 'text/event-stream; charset=utf-8',
        'x-accel-buffering': null,
        'X-List': ['a', 'b'],
        'X-Number': 5,
      };
      const { stream, client } = await w.open({ headers });
      assert.equal(stream.headers['content-type'], headers['content-type']);
      assert.equal('x-accel-buffering' in stream.headers, false);
      assert.equal(stream.headers['x-list'], 'a, b');
      assert.equal(stream.headers['x-number'], '5');
      client.send('still a stream');
      assert.deepEqual(await stream.data(1), ['still a stream']);
    });

    it('keeps headers that the application has set before', async () => {
      const w = await world();
      const stream = await w.visit((req, res) => {
        res.setHeader('X-Request-Id', '7');
        res.setHeader('Content-Type', 'text/html');
        res.statusCode = 404;
        w.hub.connect(req, res, w.options());
      });
      assert.equal(stream.status, 200);
      assert.equal(stream.headers['x-request-id'], '7');
      assert.equal(stream.headers['content-type'], 'text/event-stream');
    });

    it(`uses ${combo.transport}, and says so at once`, async () => {
      const w = await world();
      let told;
      w.hub.on('connect', (client) => {
        told = client.transport;
      });
      let returned;
      await w.visit((req, res) => {
        returned = w.hub.connect(req, res, w.options()).transport;
      });
      assert.equal(told, combo.transport);
      assert.equal(returned, combo.transport);
      assert.deepEqual(w.hub.stats().relay, combo.cause ? { [combo.cause]: 1 } : {});
    });

    it('can be asked for relay by one client', async () => {
      const w = await world();
      const { client, stream } = await w.open({ transport: 'relay' });
      assert.equal(client.transport, 'relay');
      client.send('x');
      await arrives(stream, ':\ndata: x\n\n');
    });

    it('begins at once with a jittered retry line and one LF', async () => {
      const w = await world({});
      const { stream, client } = await w.open();
      await stream.until(() => /^retry: \d+\n$/.test(stream.text));
      client.send('x');
      await stream.next();
      const [, retry] = /^retry: (\d+)\ndata: x\n\n$/.exec(stream.text);
      assert(retry >= 2_000 && retry <= 5_000, retry);
    });

    it('begins with an empty comment where there is no retry', async () => {
      const w = await world({ heartbeat: false });
      const { stream, client } = await w.open({ retry: false });
      await arrives(stream, ':\n');
      client.send('x');
      await arrives(stream, ':\ndata: x\n\n');
    });

    it('takes retry from connect before the hub', async () => {
      const w = await world(QUIET);
      const { stream } = await w.open({ retry: 1234 });
      await arrives(stream, 'retry: 1234\n');
    });

    it('gives Last-Event-ID to the application, which may give its own', async () => {
      const w = await world();
      const seen = async (connect, lastEventId) =>
        (await w.open(connect, { lastEventId })).client.lastEventId;
      assert.equal(await seen(undefined, undefined), undefined);
      assert.equal(await seen(undefined, 'abc:7'), 'abc:7');
      assert.equal(await seen({ lastEventId: 'mine' }, 'abc'), 'mine');
    });

    it('emits connect before connect() returns', async () => {
      const w = await world();
      const order = [];
      w.hub.on('connect', (client) => order.push(['event', client.id, w.hub.size]));
      await w.visit((req, res) => {
        const { id } = w.hub.connect(req, res, w.options());
        order.push(['return', id, w.hub.size]);
      });
      const [, id] = order[0];
      assert.match(id, /^[\w-]{22}$/);
      const expected = [
        ['event', id, 1],
        ['return', id, 1],
      ];
      assert.deepEqual(order, expected);
    });

    it('delivers what is sent before connect() has returned, in order', async () => {
      const w = await world();
      w.hub.on('connect', (client) => client.send(1));
      w.hub.on('join', (_client, room) => w.hub.to(room).send(2));
      const { stream, client } = await w.open({ rooms: 'r' });
      client.send(3);
      await arrives(stream, ':\ndata: 1\n\ndata: 2\n\ndata: 3\n\n');
    });

    it('answers a POST whose body was read', async () => {
      const w = await world();
      const stream = await w.visit(
        async (req, res) => {
          let body = '';
          for await (const chunk of req) body += chunk;
          const client = w.hub.connect(req, res, w.options());
          client.send(body);
          client.close();
        },
        { method: 'POST', body: 'question' },
      );
      assert.equal(await stream.end(), 'end');
      assert.equal(stream.text, ':\ndata: question\n\n');
    });

    it('answers a POST whose body nobody reads', async () => {
      const w = await world();
      const request = { method: 'POST', body: 'x'.repeat(1000) };
      const { stream, client } = await w.open(undefined, request);
      client.send('answer');
      assert.deepEqual(await stream.data(1), ['answer']);
      client.close();
      assert.equal(await stream.end(), 'end');
    });

    it('answers a HEAD with the headers alone, and no client', async () => {
      const w = await world();
      w.hub.on('connect', () => assert.fail('connect'));
      const { stream, client } = await w.open(undefined, { method: 'HEAD' });
      assert.equal(await stream.end(), 'end');
      assert.equal(stream.text, '');
      assert.equal(stream.status, 200);
      assert.equal(stream.headers['content-type'], 'text/event-stream');
      assert.equal(client.closed, 'server');
      assert.equal(client.send('x'), false);
      assert.equal(w.hub.size, 0);
    });

    it('yields a closed client when the peer has gone', async () => {
      const w = await world();
      w.hub.on('connect', () => assert.fail('connect'));
      let client;
      let arrived;
      const asked = new Promise((resolve) => {
        arrived = resolve;
      });
      const url = w.route(async (req, res) => {
        arrived();
        await once(res, 'close');
        client = w.hub.connect(req, res, w.options({ rooms: 'r', user: 'u' }));
        assert.equal(client.closed, 'client');
        arrived();
      });
      const abort = new AbortController();
      const gone = w.read(url, { abort: abort.signal }).catch(() => {});
      await asked;
      const again = new Promise((resolve) => {
        arrived = resolve;
      });
      abort.abort();
      await Promise.all([gone, again]);
      assert.equal(client.signal.aborted, true);
      assert.equal(w.hub.size, 0);
      assert.equal(w.hub.rooms.has('r'), false);
    });

    it('throws when the response has already begun, and leaves it alone', async () => {
      const w = await world();
      let thrown;
      const stream = await w.visit((req, res) => {
        res.write('mine\n');
        try {
          w.hub.connect(req, res, w.options());
        } catch (err) {
          thrown = err;
        }
        res.end('too\n');
      });
      await stream.end();
      assert.equal(stream.text, 'mine\ntoo\n');
      assert.equal(thrown.code, 'ERR_FAN_HEADERS_SENT');
      assert.equal(w.hub.size, 0);
    });

    it('sse() opens one stream without a hub', async () => {
      const w = await world();
      let client;
      const stream = await w.visit((req, res) => {
        client = fanline.sse(req, res, w.options(combo.hub));
        assert.throws(() => client.join('r'), { code: 'ERR_FAN_ARG' });
        client.send('token', { id: 1 });
        client.close({ event: 'done', data: 'all' });
      });
      assert.equal(client.transport, combo.transport);
      assert.equal(await stream.end(), 'end');
      assert.equal(stream.text, ':\nid: 1\ndata: token\n\nevent: done\ndata: all\n\n');
      assert.equal(client.closed, 'server');
    });
  });
};
