'use strict';

// Code from before fanline keeps writing to the response: it must not be able to tear a frame.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { Readable } = require('node:stream');
const { QUIET, arrives, noise } = require('./world');

const minutes = () => Math.floor(Date.now() / 60_000);

module.exports = function ownWrites({ combo, world }) {
  describe('res.write and res.end after connect', () => {
    it('travel in order with events', async () => {
      const w = await world();
      const { stream, client, res } = await w.open({ rooms: 'r' });
      client.send(1);
      assert.equal(res.write('data: 2\n\n'), true);
      w.hub.to('r').send(3);
      res.write(Buffer.from('event: x\ndata: 4\n\ndata: 5\n\n'));
      client.send(6);
      const lines = [1, 2, 3].map((n) => `data: ${n}\n\n`).join('');
      await arrives(stream, `:\n${lines}event: x\ndata: 4\n\ndata: 5\n\ndata: 6\n\n`);
    });

    it('are one event when they come in pieces, whatever is sent meanwhile', async () => {
      const w = await world();
      const { stream, client, res } = await w.open();
      for (const piece of ['da', 'ta: a', '\nid: 7\r\ndata: b', '\r\n']) {
        res.write(piece);
        client.send('other');
      }
      res.write('\r\n');
      client.send('end');
      const others = 'data: other\n\n'.repeat(4);
      await arrives(stream, `:\n${others}data: a\nid: 7\r\ndata: b\r\n\r\ndata: end\n\n`);
    });

    it('are not torn by heartbeats', async () => {
      const w = await world({ retry: false, heartbeat: 10 });
      const { stream, res } = await w.open();
      res.write('data: half');
      await stream.until(() => stream.comments.length >= 4);
      res.write(' whole\n\n');
      assert.equal((await stream.next()).data, 'half whole');
      assert.match(stream.text, /^(:\n)+data: half whole\n\n(:\n)*$/);
    });

    it('call back, and accept an encoding', async () => {
      const w = await world();
      const { stream, res } = await w.open();
      await new Promise((resolve) => res.write('646174613a20c3a90a0a', 'hex', resolve));
      await new Promise((resolve) => res.write('data: 2\n\n', resolve));
      await arrives(stream, ':\ndata: \xe9\n\ndata: 2\n\n');
    });

    it('res.end() is a graceful close', async () => {
      const w = await world();
      const { stream, client, res } = await w.open();
      let finished = 0;
      res.on('finish', () => finished++);
      client.send(1);
      assert.equal(res.end('data: 2\n\n'), res);
      assert.equal(client.send(3), false);
      assert.equal(await stream.end(), 'end');
      assert.equal(stream.text, ':\ndata: 1\n\ndata: 2\n\n');
      if (client.closed === null) await once(client, 'close');
      assert.equal(client.closed, 'server');
      assert.equal(finished, 1);
    });

    it('res.end(callback) calls back when all is written, and writes a last block as it is', async () => {
      const w = await world();
      const { stream, res } = await w.open();
      res.write('data: 1\n');
      let calls = 0;
      await new Promise((resolve) => {
        res.end('data: 2\n', 'utf8', () => {
          calls++;
          resolve();
        });
      });
      assert.equal(await stream.end(), 'end');
      assert.equal(stream.text, ':\ndata: 1\ndata: 2\n');
      assert.equal(calls, 1);
      assert.equal(res.writableFinished, true);
    });

    it('res.end(callback) without data calls back', async () => {
      const w = await world();
      const { stream, res } = await w.open();
      await new Promise((resolve) => res.end(resolve));
      assert.equal(await stream.end(), 'end');
      assert.equal(stream.text, ':\n');
    });

    it('after the end are refused as Node does', async () => {
      const w = await world();
      const { stream, res, client } = await w.open();
      client.close();
      const err = await new Promise((resolve) => res.write('data: x\n\n', resolve));
      if (!combo.encoding) assert.equal(err.code, 'ERR_STREAM_WRITE_AFTER_END');
      assert.equal(await stream.end(), 'end');
      assert.equal(stream.text, ':\n');
    });

    it('readable.pipe(res) passes everything and ends the stream', async () => {
      const w = await world();
      const events = Array.from({ length: 300 }, (_, i) => `data: ${i} ${'é'.repeat(2000)}\n\n`);
      const bytes = Buffer.from(events.join(''));
      const pieces = [];
      for (let at = 0; at < bytes.length; at += 7001) pieces.push(bytes.subarray(at, at + 7001));
      const { stream, res } = await w.open();
      Readable.from(pieces).pipe(res);
      assert.equal(await stream.end(), 'end');
      assert.equal(stream.text, `:\n${events.join('')}`);
    });

    it('a piped source waits for a reader that has stopped', async () => {
      const w = await world();
      const { stream, res, client } = await w.open();
      stream.pause();
      let asked = 0;
      const source = (function* () {
        for (let i = 0; i < 400; i++, asked++) yield `data: ${i} ${noise(20_000)}\n\n`;
      })();
      Readable.from(source, { objectMode: true, highWaterMark: 1 }).pipe(res);
      await new Promise((resolve) => {
        const look = (before) =>
          setTimeout(() => (asked === before && asked > 0 ? resolve() : look(asked)), 50);
        look(asked);
      });
      assert(asked < 400, `${asked} asked for`);
      assert(client.bufferedBytes < 1 << 20, `${client.bufferedBytes} bytes queued`);
      stream.resume();
      assert.equal(await stream.end(), 'end');
      assert.equal(stream.events.length, 400);
    });

    const REFUSED = {
      'to a HEAD': [{ method: 'HEAD' }],
      'to who was told to stay away': [{ lastEventId: `fanline:end:${minutes()}` }],
      'to a hub that is full': [{}, { limits: { clients: 1 } }],
    };
    for (const [what, [request, options]] of Object.entries(REFUSED)) {
      it(`${what} go nowhere, and do no harm`, async () => {
        const w = await world({ ...QUIET, ...options });
        await w.open();
        const called = [];
        let client;
        const stream = await w.visit((req, res) => {
          client = w.hub.connect(req, res, w.options());
          assert.equal(res.write('data: 1\n\n'), false);
          res.write('data: 2\n\n', (err) => called.push(err.code));
          assert.equal(
            res.end('data: 3\n\n', 'utf8', (err) => called.push(err.code)),
            res,
          );
          setImmediate(() => res.write('data: 4\n\n'));
        }, request);
        assert.equal(await stream.end(), 'end');
        assert.notEqual(client.closed, null);
        assert.deepEqual(called, Array(2).fill('ERR_STREAM_WRITE_AFTER_END'));
        assert.equal(stream.text.replace(/^retry: \d+\n$/, ''), '');
      });
    }

    it('a second head is harmless or refused, never written', async () => {
      const w = await world();
      const { stream, res, client } = await w.open();
      res.flushHeaders();
      assert.equal(res.headersSent, true);
      assert.throws(() => res.writeHead(500), { code: /HEADERS_SENT/ });
      assert.throws(() => res.setHeader('X-Late', '1'), { code: /HEADERS_SENT/ });
      client.send('x');
      await arrives(stream, ':\ndata: x\n\n');
    });

    it('res.write of more than limits.eventBytes without a blank line is refused', async () => {
      const w = await world({ ...QUIET, limits: { eventBytes: 100 } });
      const { stream, res, client } = await w.open();
      assert.throws(() => res.write('x'.repeat(101)), { code: 'ERR_FAN_TOO_LARGE' });
      client.send('x');
      await arrives(stream, ':\ndata: x\n\n');
    });
  });
};
