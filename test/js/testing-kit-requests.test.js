'use strict';

// fanline/testing: what a request carries, and what becomes of it when the test leaves.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { closeAll, open } = require('fanline/testing');

/** An app that begins a stream and hands its response to `then`. */
const streaming = (then) => (_req, res) => {
  res.writeHead(200, { 'Content-Type': 'text/event-stream' });
  res.flushHeaders();
  then(res);
};

describe('fanline/testing, requests', () => {
  afterEach(closeAll);

  describe('asking', () => {
    /** What the app is asked with. */
    async function asked(options) {
      const stream = await open(
        async (req, res) => {
          const body = [];
          for await (const bytes of req) body.push(bytes);
          const { method, url, headers } = req;
          res.end(JSON.stringify({ method, url, headers, body: Buffer.concat(body).toString() }));
        },
        '/a?b=c',
        options,
      );
      await stream.end();
      return JSON.parse(stream.text);
    }

    it('by default as EventSource does', async () => {
      const { method, url, headers, body } = await asked();
      assert.deepEqual(
        [method, url, headers.accept, body],
        ['GET', '/a?b=c', 'text/event-stream', ''],
      );
      assert.equal(headers['last-event-id'], undefined);
    });

    it('with headers and the last id', async () => {
      const { headers } = await asked({
        headers: { Authorization: 'x', ACCEPT: undefined },
        lastEventId: 'e-5',
      });
      assert.equal(headers.authorization, 'x');
      assert.equal(headers.accept, undefined);
      assert.equal(headers['last-event-id'], 'e-5');
    });

    it('a body makes it a POST; an object goes as JSON', async () => {
      const { method, headers, body } = await asked({ body: { a: [1] } });
      assert.deepEqual(
        [method, headers['content-type'], body],
        ['POST', 'application/json', '{"a":[1]}'],
      );
      const put = await asked({ method: 'PUT', body: Buffer.from('xyz') });
      assert.deepEqual(
        [put.method, put.headers['content-type'], put.body],
        ['PUT', undefined, 'xyz'],
      );
    });

    it('what cannot be meant is refused', async () => {
      const wrong = [
        [
          ['http://x/', '/', { lastEventID: '5' }],
          'ERR_FAN_ARG',
          /Did you mean "options.lastEventId"/,
        ],
        [['http://x/', 5], 'ERR_FAN_ARG', /"path" argument must be a string/],
        [['http://x/', '/', { timeout: 0 }], 'ERR_FAN_RANGE', /options.timeout/],
        [['http://x/', '/', { headers: [] }], 'ERR_FAN_ARG', /options.headers/],
        [['http://x/', '/', { body: new URLSearchParams() }], 'ERR_FAN_ARG', /options.body/],
        [[{}], 'ERR_FAN_ARG', /"target" argument must be a URL, a server, an app/],
        [[undefined], 'ERR_FAN_ARG', /"target"/],
      ];
      for (const [args, code, message] of wrong)
        await assert.rejects(open(...args), { code, message });
    });

    it('signal ends the request, before the answer and behind it', async () => {
      const controller = new AbortController();
      const { signal } = controller;
      const stream = await open(
        streaming((res) => res.write(':\n')),
        '/',
        { signal },
      );
      const never = open(() => {}, '/', { signal });
      controller.abort();
      await assert.rejects(never, { name: 'AbortError' });
      assert.equal(await stream.next(), null);
    });
  });

  describe('leaving', () => {
    it('close() resolves when the app’s side has ended, and may be called again', async () => {
      let isOver = false;
      const stream = await open(
        streaming((res) => {
          res.on('close', () => {
            isOver = true;
          });
        }),
      );
      await stream.close();
      assert.ok(isOver);
      await stream.close();
      assert.equal(await stream.next(), null);
      assert.equal(stream.ended, 'close');
    });

    it('closeAll() closes what is open', async () => {
      const streams = await Promise.all([1, 2, 3].map(() => open(streaming(() => {}))));
      await closeAll();
      assert.deepEqual(
        streams.map(({ ended }) => ended),
        ['close', 'close', 'close'],
      );
    });

    it('await using closes it', async () => {
      const stream = await open(streaming(() => {}));
      await stream[Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]();
      assert.equal(stream.ended, 'close');
    });

    it('other requests to the same app get through', async () => {
      const app = (req, res) => {
        if (req.url !== '/events') res.end('pong');
        else streaming(() => {})(req, res);
      };
      const stream = await open(app, '/events');
      const answer = await fetch(new URL('/ping', stream.url));
      assert.equal(await answer.text(), 'pong');
      await stream.close();
    });

    it('the last close() ends whatever else is open there', async () => {
      const app = streaming(() => {});
      const stream = await open(app);
      const other = await fetch(stream.url);
      await stream.close();
      await assert.rejects(other.text());
    });

    describe('an app that ends the stream while it answers another request', () => {
      const agent = new http.Agent({ keepAlive: true });
      let response;
      const app = (req, res) => {
        if (req.url === '/events') {
          response = res;
          streaming(() => {})(req, res);
        } else {
          response.end();
          response.on('close', () => setTimeout(() => res.end('ended'), 20));
        }
      };

      it('finishes that, and then its connection', async function () {
        this.timeout(4_000); // less than a server leaves an idle connection alone
        const stream = await open(app, '/events');
        const request = http.get(new URL('/end', stream.url), { agent });
        const [answer] = await once(request, 'response');
        assert.equal(await stream.next(), null);
        const [text] = await once(answer.setEncoding('utf8'), 'data');
        assert.equal(text, 'ended');
        await once(request.socket, 'close');
      });
    });
  });
});
