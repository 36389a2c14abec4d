'use strict';

// fanline/client does what the standard (WHATWG HTML 9.2) asks of an EventSource.

const assert = require('node:assert/strict');
const { STREAM, ends, stays, useBench, when } = require('./support/support');

/** Streams as bytes, and the events in them: [type, data, lastEventId]. */
const STREAMS = {
  'the standard’s first sample': [
    'data: YHOO\ndata: +2\ndata: 10\n\n',
    [['message', 'YHOO\n+2\n10', '']],
  ],
  'the standard’s second sample': [
    ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n',
    [
      ['message', 'first event', '1'],
      ['message', 'second event', ''],
      ['message', ' third event', ''],
    ],
  ],
  'data without a value': [
    'data\n\ndata\ndata\n\ndata:',
    [
      ['message', '', ''],
      ['message', '\n', ''],
    ],
  ],
  'one space is not data': [
    'data:test\n\ndata: test\n\n',
    [
      ['message', 'test', ''],
      ['message', 'test', ''],
    ],
  ],
  'lines that end with CR': ['id: 1\rdata: a\rdata: b\r\r', [['message', 'a\nb', '1']]],
  'lines that end with CR LF': ['id: 1\r\ndata: a\r\ndata: b\r\n\r\n', [['message', 'a\nb', '1']]],
  'a byte order mark': ['\ufeffdata: a\n\n', [['message', 'a', '']]],
  'only one byte order mark is skipped': [
    '\ufeff\ufeffdata: a\n\ndata: b\n\n',
    [['message', 'b', '']],
  ],
  'letters of one to four bytes': ['event: é\ndata: aé€😀\n\n', [['é', 'aé€😀', '']]],
  'line separators of Unicode are text': [
    'data: a\u2028b\u0085\n\n',
    [['message', 'a\u2028b\u0085', '']],
  ],
  'an id in a block without data': ['id: 7\n\ndata: a\n\n', [['message', 'a', '7']]],
  'an id in front of the first event': [
    'retry: 9\nid: 7\n:\nevent: a\ndata: b\n\n',
    [['a', 'b', '7']],
  ],
  'an id stays until there is another': [
    'id: 7\ndata: a\n\ndata: b\n\nid:\ndata: c\n\n',
    [
      ['message', 'a', '7'],
      ['message', 'b', '7'],
      ['message', 'c', ''],
    ],
  ],
  'an id with NUL is none': [
    'id: 7\ndata: a\n\nid: 8\0\ndata: b\n\n',
    [
      ['message', 'a', '7'],
      ['message', 'b', '7'],
    ],
  ],
  'fields that are not fields': [
    'Data: a\nidea: 5\n data: b\ndatab: c\nid5\ndata: d\n\n',
    [['message', 'd', '']],
  ],
  'a name without data is no event': ['event: a\n\ndata: b\n\n', [['message', 'b', '']]],
  'an event that is not through': ['data: a\n\nid: 5\ndata: b\n', [['message', 'a', '']]],
  'names of anything': [
    'event: __proto__\ndata: a\n\nevent: open\ndata: b\n\n',
    [
      ['__proto__', 'a', ''],
      ['open', 'b', ''],
    ],
  ],
};

describe('fanline/client as EventSource', () => {
  const bench = useBench();

  describe('parses', () => {
    const check = async (follower, expected) => {
      await follower.until('error');
      const found = follower.log.filter(({ data }) => data !== undefined);
      assert.deepEqual(
        found.map(({ type, data, lastEventId }) => [type, data, lastEventId]),
        expected,
      );
    };
    /** What fetch would answer, in pieces of one byte. */
    const byteByByte = (text) => async () => {
      const pull = (controller) => {
        const { done, value } = bytes.next();
        if (done) controller.close();
        else controller.enqueue(Uint8Array.of(value));
      };
      const bytes = Buffer.from(text).values();
      return new Response(new ReadableStream({ pull }), { headers: STREAM });
    };

    for (const [what, [text, expected]] of Object.entries(STREAMS)) {
      const names = expected.map(([type]) => type);
      it(what, async () => {
        const server = await bench.server(ends(text), stays());
        await check(bench.follow(server.url, {}, names), expected);
      });
      it(`${what}, byte by byte`, async () => {
        const options = { fetch: byteByByte(text), retry: false };
        await check(bench.follow('http://localhost/', options, names), expected);
      });
    }

    it('an event that ends with CR is told before there is another byte', async () => {
      const server = await bench.server(stays('data: a\r\r'));
      const follower = bench.follow(server.url);
      await follower.until('message');
      server.streams[0].write('\ndata: b\r\n\r\n');
      await follower.until('message', 2);
      assert.deepEqual(follower.data, ['a', 'b']);
    });

    it('an event of 20 MB, and an end without growth for one of more than 2^26 characters', async function () {
      this.timeout(60_000);
      const large = 'x'.repeat(20 << 20);
      const server = await bench.server(async (res) => {
        res.writeHead(200, STREAM).write(`data: ${large}\n\n`);
        for (let i = 0; i < 80 && !res.destroyed; i++) {
          await new Promise((resolve) => res.write(`data: ${'y'.repeat(1 << 20)}\n`, resolve));
        }
      });
      const follower = bench.follow(server.url);
      const { code, delay, state } = await follower.until('error', 1, 50_000);
      assert.deepEqual([code, delay, state], ['ERR_FAN_TOO_LARGE', null, 2]);
      assert.deepEqual(follower.types, ['open', 'message', 'error']);
      assert.equal(follower.of('message')[0].data === large, true);
    });
  });

  describe('asks', () => {
    it('with GET, for an event stream, past the cache, without Last-Event-ID', async () => {
      const server = await bench.server(stays());
      await bench.follow(`${server.url}/a?b#c`).until('open');
      const { method, headers } = server.requests[0];
      assert.equal(method, 'GET');
      assert.equal(headers.accept, 'text/event-stream');
      assert.equal(headers['cache-control'], 'no-cache');
      assert.equal('last-event-id' in headers, false);
    });

    it('anew with the last id, as UTF-8, and after what the server calls retry', async () => {
      const server = await bench.server(
        ends('retry: 200\nid: é😀\ndata: a\n\ndata: b\n\nid: 9\ndata: c'),
        stays(),
      );
      const follower = bench.follow(server.url, { retry: { min: 1, max: 2 } });
      const { delay } = await follower.until('error');
      assert.equal(delay, 200); // beyond `max`: the server's word counts
      await follower.until('open', 2);
      const id = server.requests[1].headers['last-event-id'];
      assert.equal(Buffer.from(id, 'latin1').toString(), 'é😀');
      assert.equal(follower.source.lastEventId, 'é😀');
      assert.ok(server.requests[1].at - server.requests[0].at >= 199);
    });

    it('an id outlives a stream without ids', async () => {
      const server = await bench.server(ends('id: 5\ndata: a\n\n'), ends('data: b\n\n'), stays());
      const follower = bench.follow(server.url);
      await follower.until('open', 3);
      assert.deepEqual(
        server.requests.map(({ headers }) => headers['last-event-id']),
        [undefined, '5', '5'],
      );
      assert.equal(follower.of('message')[1].lastEventId, '5');
    });
  });

  describe('is an EventTarget', () => {
    it('with the standard’s constants, url and states', async () => {
      const { EventSource } = bench;
      const server = await bench.server(ends('data: a\n\n'), stays());
      const follower = bench.follow(new URL(`${server.url}/x`));
      const { source } = follower;
      assert.ok(source instanceof EventTarget);
      for (const it of [EventSource, source]) {
        assert.deepEqual([it.CONNECTING, it.OPEN, it.CLOSED], [0, 1, 2]);
      }
      assert.deepEqual(
        [source.url, source.readyState, source.withCredentials],
        [`${server.url}/x`, 0, false],
      );
      await follower.until('open', 2);
      assert.deepEqual(
        follower.log.map(({ type, state }) => [type, state]),
        [
          ['open', 1],
          ['message', 1],
          ['error', 0],
          ['open', 1],
        ],
      );
      const [message] = follower.of('message');
      assert.ok(message instanceof MessageEvent);
      assert.equal(message.origin, server.url);
      assert.equal(message.target, source);
      source.close();
      assert.equal(source.readyState, 2);
    });

    it('a URL that is none is a SyntaxError', () => {
      assert.throws(() => new bench.EventSource('no url'), { name: 'SyntaxError' });
    });

    it('onmessage, onopen and onerror are listeners that can be replaced and taken away', async () => {
      const server = await bench.server(stays('data: 1\n\n'));
      const { source } = bench.follow(server.url);
      const heard = [];
      assert.deepEqual([source.onopen, source.onmessage, source.onerror], [null, null, null]);
      source.onopen = function () {
        heard.push(['open', this === source]);
      };
      source.onmessage = ({ data }) => heard.push(['replaced', data]);
      source.addEventListener('message', ({ data }) => heard.push(['listener', data]));
      const later = ({ data }) => heard.push(['on', data]);
      source.onmessage = later;
      assert.equal(source.onmessage, later);
      await when(() => heard.length === 3);
      assert.deepEqual(heard, [
        ['open', true],
        ['on', '1'],
        ['listener', '1'],
      ]);
      source.onmessage = 'no function';
      assert.equal(source.onmessage, null);
      server.streams[0].write('data: 2\n\n');
      await when(() => heard.length > 3);
      assert.deepEqual(heard.slice(3), [['listener', '2']]);
    });

    it('after close() in a listener nothing more is told, not even of the same piece of text', async () => {
      const server = await bench.server(stays('data: 1\n\ndata: 2\n\n'));
      const follower = bench.follow(server.url);
      follower.source.onmessage = () => follower.source.close();
      await follower.until('message');
      await when(() => server.streams[0].closed, 'the server sees it go');
      assert.deepEqual(follower.types, ['open', 'message']);
    });
  });
});
