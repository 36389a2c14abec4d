'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');
const { QUIET, arrives, noise } = require('./world');
const { dechunk } = require('./raw');

const FENCE = /^fanline:end:\d+$/;

module.exports = function closing({ combo, world }) {
  describe('client.close()', () => {
    it('ends the stream in order; close comes after finish, and once', async () => {
      const w = await world();
      const { stream, client, res } = await w.open();
      const told = [];
      res.on('finish', () => told.push('finish'));
      client.on('close', (reason) => told.push(reason));
      client.send('last');
      client.close();
      client.close({ event: 'never', data: 'seen' });
      assert.equal(client.send('too late'), false);
      assert.equal(client.closed, null);
      assert.equal(await stream.end(), 'end');
      assert.equal(stream.text, ':\ndata: last\n\n');
      if (client.closed === null) await once(client, 'close');
      assert.equal(client.closed, 'server');
      assert.equal(client.signal.aborted, true);
      assert.equal(res.writableEnded, true);
      assert.deepEqual(told.sort(), ['finish', 'server']);
      assert.equal(w.hub.stats().disconnects.server, 1);
    });

    it('writes what is queued first', async () => {
      const w = await world();
      const { stream, client } = await w.open();
      const block = 'x'.repeat(64 * 1024);
      for (let i = 0; i < 16; i++) client.send(`${i}${block}`);
      client.close({ event: 'bye', data: '!' });
      assert.equal(await stream.end(), 'end');
      const events = stream.events.map(({ data }) => data.slice(0, data.indexOf('x')));
      assert.deepEqual(
        events.slice(0, 16),
        Array.from({ length: 16 }, (_, i) => String(i)),
      );
      const bytes = 16 * (64 * 1024 + 8) + 22 + ':\n'.length + 'event: bye\ndata: !\n\n'.length;
      assert.equal(stream.text.length, bytes);
      assert.equal(stream.events.at(-1).event, 'bye');
    });

    it('waits for a reader that had stopped', async () => {
      const w = await world();
      const { stream, client } = await w.open();
      stream.pause();
      for (let i = 0; i < 40; i++) client.send(noise(100_000));
      client.close();
      assert.equal(client.closed, null);
      stream.resume();
      assert.equal(await stream.end(), 'end');
      assert.equal(stream.events.length, 40);
    });

    it('loses nothing of what waits halfway', async () => {
      const w = await world();
      const { stream, client } = await w.open();
      await arrives(stream, ':\n');
      stream.pause();
      const block = noise(64_000);
      let sent = 0;
      for (let rounds = 0; rounds < 4 && sent < 1_000; sent++) {
        client.send(block);
        await sleep(1);
        if (client.bufferedBytes > 0) rounds++;
      }
      client.close();
      await sleep(20);
      stream.resume();
      assert.equal(await stream.end(), 'end');
      assert.equal(stream.events.length, sent);
      assert(stream.events.every(({ data }) => data === block));
    });

    it('reconnect: false sends an id that fences the next GET, and no other', async () => {
      const w = await world();
      const { stream, client } = await w.open();
      client.close({ reconnect: false });
      assert.equal(await stream.end(), 'end');
      const [{ id, event, data }] = stream.events;
      assert.match(id, FENCE);
      assert.deepEqual([event, data], ['fanline:end', 'fanline:end']);
      assert.equal(stream.text, `:\nid: ${id}\nevent: fanline:end\ndata: fanline:end\n\n`);

      const again = await w.open({ rooms: 'r' }, { lastEventId: id });
      assert.equal(again.stream.status, 204);
      assert.equal(await again.stream.end(), 'end');
      assert.equal(again.stream.text, '');
      assert.equal(again.client.closed, 'server');
      assert.equal(w.hub.size, 0);

      const minutes = Number(id.split(':')[2]);
      const others = [
        { method: 'POST', body: 'x', lastEventId: id },
        {},
        { lastEventId: 'other' },
        { lastEventId: `fanline:end:${minutes - 24 * 60 - 2}` },
        { lastEventId: 'fanline:end:x' },
        { lastEventId: `fanline:end:${minutes}0000000` },
      ];
      for (const request of others) {
        const other = await w.open(undefined, request);
        assert.equal(other.stream.status, 200, JSON.stringify(request));
        other.client.send('x');
        assert.deepEqual(await other.stream.data(1), ['x']);
      }
    });

    it('reconnect: false keeps the event that was given, and no id for a POST', async () => {
      const w = await world();
      const get = await w.open();
      get.client.close({ event: 'done', data: { n: 1 }, reconnect: false });
      const { id, ...event } = await get.stream.next();
      assert.match(id, FENCE);
      assert.deepEqual(event, { event: 'done', data: '{"n":1}' });

      const post = await w.open(undefined, { method: 'POST', body: 'x' });
      post.client.close({ reconnect: false });
      assert.equal(await post.stream.end(), 'end');
      assert.equal(post.stream.text, ':\nevent: fanline:end\ndata: fanline:end\n\n');
    });

    it('leaves the connection to the next request', async () => {
      const w = await world();
      const agent = await w.connection();
      for (let i = 0; i < 3; i++) {
        const { stream, client, req } = await w.open(undefined, { agent });
        client.send(i);
        client.close();
        assert.equal(await stream.end(), 'end');
        if (combo.kind !== 'http2') assert.equal(stream.req.reusedSocket, i > 0);
        const ping = await w.visit((_req, res) => res.end('pong'), { agent });
        assert.equal(await ping.end(), 'end');
        assert.equal(ping.text, 'pong');
        if (combo.kind !== 'http2') assert.equal(ping.req.reusedSocket, true);
        assert.equal(req.destroyed && req.aborted, false);
      }
      assert.equal(w.hub.stats().disconnects.server, 3);
    });

    it('gives the socket back as it was: a large ordinary answer passes', async () => {
      const w = await world();
      const agent = await w.connection();
      const { stream, client } = await w.open(undefined, { agent });
      client.close();
      await stream.end();
      const large = 'y'.repeat(3_000_000);
      const answer = await w.visit((_req, res) => res.end(large), { agent });
      assert.equal(await answer.end(), 'end');
      assert.equal(answer.text.length, large.length);
    });

    it('lifetime ends the stream in order', async () => {
      const w = await world();
      const { stream, client } = await w.open({ lifetime: 30 });
      client.send('x');
      assert.equal(await stream.end(), 'end');
      assert.equal(stream.text, ':\ndata: x\n\n');
      if (client.closed === null) await once(client, 'close');
      assert.equal(client.closed, 'lifetime');
      assert.equal(w.hub.size, 0);
    });

    it('idleTimeout ends the stream in order, heartbeats not counted', async () => {
      const w = await world({ retry: false, heartbeat: 10, limits: { idleTimeout: 60 } });
      const { stream, client } = await w.open();
      assert.equal(await stream.end(), 'end');
      assert.match(stream.text, /^:\n(:\n)+$/);
      if (client.closed === null) await once(client, 'close');
      assert.equal(client.closed, 'idle');
    });

    if (combo.kind === 'http2') return;

    const ask = (url, more = '') => {
      const { host, pathname } = new URL(url);
      return `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nAccept-Encoding: gzip\r\n${more}\r\n`;
    };

    it('writes exactly one terminator, and nothing after it', async () => {
      const w = await world();
      const url = w.route((req, res) => {
        const client = w.hub.connect(req, res, w.options());
        for (let i = 0; i < 50; i++) client.send(i);
        client.close();
      });
      const raw = w.raw(ask(url, 'Connection: close\r\n'));
      await raw.until(() => false);
      const { head, chunks, rest } = dechunk(raw.text);
      assert.match(head, /^HTTP\/1\.1 200 (OK)?\r\n/); // the phrase may be left out
      assert.equal(rest, '');
      assert(chunks.length > 0);
      if (combo.encoding) return;
      const events = Array.from({ length: 50 }, (_, i) => `data: ${i}\n\n`);
      assert.equal(chunks.join(''), `:\n${events.join('')}`);
    });

    it('serves HTTP/1.0 without chunks, the end of the connection being the end', async () => {
      const w = await world();
      let transport;
      const url = w.route((req, res) => {
        const client = w.hub.connect(req, res, w.options());
        transport = client.transport;
        client.send('x');
        client.close();
      });
      const raw = w.raw(`GET ${new URL(url).pathname} HTTP/1.0\r\n\r\n`);
      await raw.until(() => false);
      assert.equal(raw.text.slice(raw.text.indexOf('\r\n\r\n') + 4), ':\ndata: x\n\n');
      const plain = combo.encoding ? 'fd' : combo.transport; // it did not ask for gzip
      assert.equal(transport, plain);
    });

    it('answers pipelined requests one after the other', async () => {
      const w = await world();
      const clients = [];
      const stream = w.route((req, res) => {
        clients.push(w.hub.connect(req, res, w.options()));
      });
      const ping = w.route((_req, res) => res.end('pong'));
      const raw = w.raw(ask(stream) + ask(ping) + ask(stream));
      await raw.until((text) => text.includes('\r\n\r\n') && clients.length === 2);
      assert.equal(clients[0].closed, null);
      assert.equal(clients[1].closed, 'server');
      clients[0].send('mine');
      clients[0].close();
      await raw.until(() => false);
      const first = dechunk(raw.text);
      const [, pong, refused] = first.rest.split('HTTP/1.1 ');
      assert.match(pong, /^200 OK\r\n.*pong(\r\n0\r\n\r\n)?$/s);
      assert.match(refused, /^409 /);
    });
  });

  describe('hub.close()', () => {
    it('tells when to come back, ends the streams, then the connections', async () => {
      const w = await world({ heartbeat: false });
      const agent = await w.connection();
      const { stream, client, req } = await w.open({ retry: false }, { agent });
      const gone = once(req.stream?.session ?? req.socket, 'close');
      const reasons = [];
      w.hub.on('disconnect', (_client, reason) => reasons.push(reason));
      const closed = w.hub.close({ grace: 100 });
      assert.equal(w.hub.close(), closed);
      assert.deepEqual(await closed, { ended: 1, cut: 0 });
      assert.equal(await stream.end(), 'end');
      assert.match(stream.text, /^:\nretry: \d+\n$/);
      await gone;
      assert.equal(client.closed, 'shutdown');
      assert.deepEqual(reasons, ['shutdown']);
      assert.throws(() => w.hub.broadcast('x'), { code: 'ERR_FAN_CLOSED' });
    });

    it('takes sends until the last client is gone, spread over the grace', async () => {
      const w = await world();
      const { a, b, c } = await w.openAll({ a: {}, b: {}, c: {} });
      const started = Date.now();
      const closed = w.hub.close({ grace: 200 });
      await once(w.hub, 'disconnect');
      const { matched } = w.hub.broadcast('still here');
      assert(matched === 2 || matched === 1, `${matched} left`);
      assert.deepEqual(await closed, { ended: 3, cut: 0 });
      const took = Date.now() - started;
      assert(took >= 60 && took < 3_000, `${took} ms`);
      const texts = await Promise.all(
        [a, b, c].map(({ stream }) => stream.end().then(() => stream.text)),
      );
      assert.equal(texts.filter((text) => text.includes('still here')).length, matched);
    });

    it('sends newcomers away with 200, a retry line and the end', async () => {
      const w = await world({});
      await w.hub.close();
      const { stream, client } = await w.open();
      assert.equal(stream.status, 200);
      assert.equal(stream.headers['content-type'], 'text/event-stream');
      assert.equal(await stream.end(), 'end');
      assert.match(stream.text, /^retry: \d+\n$/);
      assert.equal(client.closed, 'shutdown');
    });

    it('cuts who does not read when the grace is over', async () => {
      const w = await world();
      const { stream, client } = await w.open();
      await arrives(stream, ':\n');
      stream.pause();
      for (let i = 0; i < 70; i++) client.send(noise(100_000));
      const started = Date.now();
      assert.deepEqual(await w.hub.close({ grace: 60 }), { ended: 0, cut: 1 });
      assert(Date.now() - started < 3_000);
      assert.equal(client.closed, 'shutdown');
      stream.resume();
      assert.notEqual(await stream.end(), 'end');
    });
  });

  describe('limits.clients', () => {
    it('sends who is too many away, to come back', async () => {
      const w = await world({ ...QUIET, retry: 50, limits: { clients: 1 } });
      const first = await w.open();
      const { stream, client } = await w.open();
      assert.equal(stream.status, 200);
      assert.equal(await stream.end(), 'end');
      assert.equal(stream.text, 'retry: 50\n');
      assert.equal(client.closed, 'capacity');
      first.client.close();
      await once(first.client, 'close');
      assert.equal((await w.open()).client.closed, null);
    });

    it('atCapacity: reject answers 503', async () => {
      const options = { ...QUIET, atCapacity: 'reject', limits: { clientsPerUser: 1 } };
      const w = await world(options);
      await w.open({ user: 'u' });
      assert.equal((await w.open({ user: 'v' })).client.closed, null);
      const { stream, client } = await w.open({ user: 'u' });
      assert.equal(stream.status, 503);
      assert.match(stream.headers['retry-after'], /^\d+$/);
      assert.equal(client.closed, 'capacity');
      await stream.end();
    });
  });
};
