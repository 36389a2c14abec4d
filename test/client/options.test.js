'use strict';

// The options of fanline/client: what is sent, what becomes of data, and what is refused.

const assert = require('node:assert/strict');
const { ends, stays, status, useBench, when } = require('./support/support');

const batchOf = (items, event = 'batch') => `event: ${event}\ndata: ${JSON.stringify(items)}\n\n`;

describe('options of fanline/client', () => {
  const bench = useBench();

  describe('requests', () => {
    it('headers: an object, pairs or Headers are sent with each attempt', async () => {
      const pairs = { authorization: 'Bearer x', accept: 'application/json, text/event-stream' };
      for (const headers of [pairs, Object.entries(pairs), new Headers(pairs)]) {
        const server = await bench.server(ends(), stays());
        await bench.follow(server.url, { headers }).until('open', 2);
        for (const { headers: sent } of server.requests) {
          assert.deepEqual([sent.authorization, sent.accept], [pairs.authorization, pairs.accept]);
        }
      }
    });

    it('headers: a function is asked before each attempt, and may take its time', async () => {
      const server = await bench.server(ends(), ends(), stays());
      let count = 0;
      const headers = async () => ({ 'x-token': `${++count}` });
      await bench.follow(server.url, { headers }).until('open', 3);
      assert.deepEqual(
        server.requests.map(({ headers: sent }) => sent['x-token']),
        ['1', '2', '3'],
      );
    });

    it('headers: a function that fails is a failure like any other', async () => {
      const server = await bench.server(stays());
      const failed = new Error('no token');
      const answers = [() => Promise.reject(failed), () => assert.fail('thrown'), () => ({})];
      const follower = bench.follow(server.url, { headers: () => answers.shift()() });
      await follower.until('open');
      const [first, second] = follower.of('error');
      assert.deepEqual(
        [first.code, first.error, first.message],
        ['ERR_FAN_NETWORK', failed, 'no token'],
      );
      assert.deepEqual([second.message, second.attempt, server.requests.length], ['thrown', 2, 1]);
    });

    it('the client’s own Last-Event-ID comes before one in headers', async () => {
      const server = await bench.server(ends('id: 6\ndata: a\n\n'), stays());
      const headers = { 'Last-Event-ID': '1' };
      await bench.follow(server.url, { headers, lastEventId: '5' }).until('open', 2);
      assert.deepEqual(
        server.requests.map(({ headers: sent }) => sent['last-event-id']),
        ['5', '6'],
      );
    });

    const bodies = {
      'a string': 'a=1',
      'a Blob': new Blob(['a=1']),
      bytes: new TextEncoder().encode('a=1'),
      'an ArrayBuffer': new TextEncoder().encode('a=1').buffer,
      URLSearchParams: new URLSearchParams('a=1'),
      'a function': () => 'a=1',
      'an async function': async () => new Blob(['a=1']),
    };
    for (const [what, body] of Object.entries(bodies)) {
      it(`body: ${what} is sent by POST, again with each attempt`, async () => {
        const server = await bench.server(status(500), ends('retry: 1\ndata: a\n\n'), stays());
        await bench.follow(server.url, { body }).until('open', 2);
        const sent = server.requests.map(({ method, body: text }) => [method, text]);
        assert.deepEqual(sent, Array(3).fill(['POST', 'a=1']));
      });
    }

    it('method: as given, in capitals', async () => {
      const server = await bench.server(stays());
      await bench.follow(server.url, { method: 'put', body: 'x' }).until('open');
      assert.equal(server.requests[0].method, 'PUT');
    });

    it('fetch: is called instead of the global one, with everything that a request has', async () => {
      const calls = [];
      const text = 'id: 1\ndata: a\n\n';
      const answer = { headers: { 'content-type': 'text/event-stream' } };
      function own(...args) {
        calls.push([this, ...args]);
        return Promise.resolve(new Response(text, answer));
      }
      const options = { fetch: own, withCredentials: true, headers: { a: 'b' } };
      const follower = bench.follow('https://example.org/x', options);
      const event = await follower.until('message', 2);
      assert.equal(event.origin, 'https://example.org');
      const [self, url, init] = calls[1];
      assert.deepEqual([self, url], [undefined, 'https://example.org/x']);
      assert.deepEqual(
        [...init.headers],
        [
          ['a', 'b'],
          ['accept', 'text/event-stream'],
          ['last-event-id', '1'],
        ],
      );
      const { method, credentials, cache, body } = init;
      assert.deepEqual(
        [method, credentials, cache, body],
        ['GET', 'include', 'no-store', undefined],
      );
      assert.equal(calls[0][2].signal.aborted, true); // that attempt is over
      assert.equal(follower.source.withCredentials, true);
    });

    it('closed in the same stretch of code, it calls neither headers nor fetch', async () => {
      const calls = [];
      const [headers, fetch] = ['headers', 'fetch'].map((name) => () => void calls.push(name));
      bench.follow('http://localhost/', { headers, fetch }).source.close();
      const other = bench.follow('http://localhost/', { headers, fetch, retry: false });
      await other.until('error'); // what is answered here is nothing
      assert.deepEqual(calls, ['headers', 'fetch']);
    });

    it('fetch: one that does not look at its signal leaves no stream open', async () => {
      let cancelled = false;
      let controller;
      const body = new ReadableStream({
        start: (it) => {
          controller = it;
        },
        cancel: () => {
          cancelled = true;
        },
      });
      const headers = { 'content-type': 'text/event-stream' };
      const follower = bench.follow('http://localhost/', {
        fetch: async () => new Response(body, { headers }),
      });
      await follower.until('open');
      follower.source.close();
      controller.enqueue(new TextEncoder().encode('data: a\n\n'));
      await when(() => cancelled);
      assert.deepEqual(follower.types, ['open']);
    });
  });

  describe('an answer to another method than GET', () => {
    it('that ends in order is complete: fanline:end, and the body is not sent again', async () => {
      const server = await bench.server(ends('data: a\n\n'));
      const follower = bench.follow(server.url, { body: 'x' });
      const { state } = await follower.until('fanline:end');
      assert.deepEqual([state, follower.types], [2, ['open', 'message', 'fanline:end']]);
      assert.equal(server.requests.length, 1);
    });

    it('is asked for again if the stream has named a retry', async () => {
      const server = await bench.server(ends('retry: 1\ndata: a\n\n'), stays());
      const follower = bench.follow(server.url, { body: 'x' });
      await follower.until('open', 2);
      assert.deepEqual(follower.types, ['open', 'message', 'error', 'open']);
    });
  });

  describe('batch', () => {
    const items = [
      { event: 'a', data: { n: 1 } },
      { data: 'text' },
      { event: 'b', data: '5' },
      { event: 'b', data: [1, null] },
      { data: null },
    ];

    it('items become events, with the data that they would have had one by one', async () => {
      const server = await bench.server(stays(`id: 5\n${batchOf(items)}`));
      const follower = bench.follow(server.url, {}, ['a', 'b', 'batch']);
      await follower.until('message', 2);
      const seen = follower.log
        .slice(1)
        .map(({ type, data, lastEventId }) => [type, data, lastEventId]);
      assert.deepEqual(seen, [
        ['a', '{"n":1}', '5'],
        ['message', 'text', '5'],
        ['b', '5', '5'],
        ['b', '[1,null]', '5'],
        ['message', 'null', '5'],
      ]);
    });

    it('with parse, items are the values that they were', async () => {
      const server = await bench.server(stays(batchOf(items)));
      const follower = bench.follow(server.url, { parse: JSON.parse }, ['a', 'b']);
      await follower.until('message', 2);
      assert.deepEqual(follower.data, [{ n: 1 }, 'text', '5', [1, null], null]);
    });

    it('another name, or none', async () => {
      const text = batchOf([{ data: 'x' }], 'all') + batchOf([{ data: 'y' }]);
      const server = await bench.server(stays(text));
      const named = bench.follow(server.url, { batch: 'all' }, ['all', 'batch']);
      const without = bench.follow(server.url, { batch: false }, ['all', 'batch']);
      for (const follower of [named, without]) await follower.until('batch');
      assert.deepEqual(named.data, ['x', '[{"data":"y"}]']);
      assert.deepEqual(without.types, ['open', 'all', 'batch']);
    });

    const others = [
      'text',
      '5',
      'null',
      '{}',
      '[5]',
      '[null]',
      '[{"event":"a"}]',
      '[{"event":5,"data":1}]',
    ];
    for (const data of others) {
      it(`an event of the same name with ${data} is an event`, async () => {
        const server = await bench.server(stays(`event: batch\ndata: ${data}\n\n`));
        const event = await bench.follow(server.url, {}, ['batch']).until('batch');
        assert.equal(event.data, data);
      });
    }

    it('after close() in a listener the rest of the items is not told', async () => {
      const server = await bench.server(stays(batchOf([{ data: 1 }, { data: 2 }])));
      const follower = bench.follow(server.url);
      follower.source.onmessage = () => follower.source.close();
      await follower.until('message');
      await when(() => server.streams[0].closed);
      assert.deepEqual(follower.data, ['1']);
    });
  });

  describe('parse', () => {
    it('makes data of text, but not of fanline: events', async () => {
      const text = 'data: {"n":1}\n\nevent: fanline:reset\ndata: expired\n\nevent: a\ndata: 5\n\n';
      const server = await bench.server(stays(text));
      const follower = bench.follow(server.url, { parse: JSON.parse }, ['a']);
      await follower.until('a');
      assert.deepEqual(follower.data, [{ n: 1 }, 'expired', 5]);
    });

    it('that throws is told by an error event, and the stream goes on', async () => {
      const server = await bench.server(stays('data: {\n\ndata: 5\n\n'));
      const follower = bench.follow(server.url, { parse: JSON.parse });
      await follower.until('message');
      const { code, error, delay, attempt, state } = follower.of('error')[0];
      assert.deepEqual([code, delay, attempt, state], ['ERR_FAN_DATA', null, 0, 1]);
      assert.ok(error instanceof SyntaxError);
      assert.deepEqual([follower.data, server.requests.length], [[5], 1]);
    });
  });

  describe('what is wrong is a TypeError', () => {
    const WRONG = {
      'an unknown name': [{ retries: 5 }, /Unknown option "retries"/],
      'an unknown name in retry': [{ retry: { minimum: 5 } }, /Unknown option "minimum"/],
      'retry as a number': [{ retry: 5 }, /"retry" is not an object or false/],
      'attempts that are no number': [{ retry: { attempts: '5' } }, /"attempts" is not a number/],
      'a negative time': [{ retry: { min: -1 } }, /"min" is not a number >= 0/],
      NaN: [{ retry: { max: Number.NaN } }, /"max" is not a number >= 0/],
      'silence: true': [{ silence: true }, /"silence" is not a number/],
      'a body with GET': [{ method: 'get', body: 'x' }, /GET with "body"/],
      'a stream as body': [{ body: new ReadableStream() }, /cannot be sent twice/],
    };
    for (const [what, [options, message]] of Object.entries(WRONG)) {
      it(what, () => {
        const make = () => new bench.EventSource('http://localhost/', options);
        assert.throws(make, { name: 'TypeError', code: 'ERR_FAN_OPTION', message });
      });
    }

    it('undefined is as if not given', async () => {
      const server = await bench.server(ends(batchOf([{ data: 1 }])));
      const names = ['withCredentials', 'method', 'headers', 'body', 'signal', 'lastEventId'];
      names.push('retry', 'silence', 'batch', 'parse', 'fetch');
      const options = Object.fromEntries(names.map((name) => [name, undefined]));
      const follower = bench.follow(server.url, options);
      const { delay } = await follower.until('error');
      assert.ok(delay >= 1_000 && delay <= 2_000, `${delay}`);
      const { withCredentials, lastEventId } = follower.source;
      assert.deepEqual([follower.data, withCredentials, lastEventId], [['1'], false, '']);
    });
  });
});
