'use strict';

// fanline/client when something fails: what it tells, whether and when it asks again, and what is left behind.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { getEventListeners, once } = require('node:events');
const http = require('node:http');
const path = require('node:path');
const { serve } = require('../js/support/serve');
const support = require('./support/support');

const { STREAM, breaks, ends, status, stays, useBench, when } = support;
const silent = () => {};
const told = ({ code, status, attempt, state }) => [code, status, attempt, state];

describe('fanline/client and failures', () => {
  const bench = useBench();

  describe('stops for good', () => {
    for (const code of [400, 401, 403, 404, 410, 422, 205, 304]) {
      it(`after ${code}`, async () => {
        const server = await bench.server(status(code));
        const follower = bench.follow(server.url);
        const event = await follower.until('error');
        assert.deepEqual(told(event), ['ERR_FAN_STATUS', code, 1, 2]);
        assert.deepEqual([event.delay, event.message], [null, `Status ${code}`]);
        await when(async () => (await server.connections()) <= 1);
        assert.deepEqual([server.requests.length, follower.types], [1, ['error']]);
      });
    }

    for (const type of [
      'text/html',
      'text/event-streams',
      'application/text/event-stream',
      undefined,
    ]) {
      it(`after an answer of type ${type}`, async () => {
        const headers = type === undefined ? {} : { 'Content-Type': type };
        const server = await bench.server((res) => res.writeHead(200, headers).end('data: a\n\n'));
        const follower = bench.follow(server.url);
        assert.deepEqual(told(await follower.until('error')), ['ERR_FAN_TYPE', 200, 1, 2]);
        assert.deepEqual(follower.types, ['error']);
      });
    }

    it('but not because of parameters of the type', async () => {
      const type = 'Text/Event-Stream; charset=utf-8';
      const server = await bench.server((res) =>
        res.writeHead(200, { 'Content-Type': type }).write(':\n'),
      );
      await bench.follow(server.url).until('open');
    });

    it('when the server answers 204: fanline:end, no error', async () => {
      const server = await bench.server((res) => res.writeHead(204).end());
      const follower = bench.follow(server.url);
      const { data, state } = await follower.until('fanline:end');
      assert.deepEqual([data, state, follower.types], ['fanline:end', 2, ['fanline:end']]);
    });

    it('when attempts are used up, with the last cause', async () => {
      const hangsUp = (res) => res.socket.destroy();
      const server = await bench.server(status(500), hangsUp, status(503));
      const follower = bench.follow(server.url, { retry: { min: 1, max: 5, attempts: 3 } });
      await when(() => follower.source.readyState === 2);
      assert.deepEqual(follower.of('error').map(told), [
        ['ERR_FAN_STATUS', 500, 1, 0],
        ['ERR_FAN_NETWORK', 0, 2, 0],
        ['ERR_FAN_STATUS', 503, 3, 0],
        ['ERR_FAN_ATTEMPTS', 503, 4, 2],
      ]);
      const { message, delay } = follower.log.at(-1);
      assert.deepEqual([message, delay, server.requests.length], ['Status 503', null, 4]);
    });

    it('at once with retry: false', async () => {
      const server = await bench.server(ends('data: a\n\n'));
      const follower = bench.follow(server.url, { retry: false });
      assert.deepEqual(told(await follower.until('error')), ['ERR_FAN_ATTEMPTS', 0, 1, 2]);
      assert.deepEqual(follower.types, ['open', 'message', 'error']);
    });
  });

  describe('asks again', () => {
    for (const code of [500, 502, 503, 504, 408, 425, 429]) {
      it(`after ${code}`, async () => {
        const server = await bench.server(status(code), stays());
        const follower = bench.follow(server.url);
        await follower.until('open');
        assert.deepEqual(follower.of('error').map(told), [['ERR_FAN_STATUS', code, 1, 0]]);
      });
    }

    it('after the end of a stream, and after its connection broke off', async () => {
      const server = await bench.server(ends('data: a\n\n'), breaks('data: b\n\n'), stays());
      const follower = bench.follow(server.url);
      await follower.until('open', 3);
      assert.deepEqual(follower.of('error').map(told), [
        ['ERR_FAN_ENDED', 0, 1, 0],
        ['ERR_FAN_NETWORK', 0, 1, 0], // 1: the stream before had brought an event
      ]);
      assert.ok(follower.of('error')[1].error instanceof Error);
    });

    it('while nobody listens there, then goes on from the last event', async () => {
      const first = await serve((_req, res) =>
        res.writeHead(200, STREAM).end('id: 3\ndata: a\n\n'),
      );
      const follower = bench.follow(first.url);
      await follower.until('message');
      await first.close();
      await follower.until('error', 3);
      assert.equal(follower.of('error')[2].code, 'ERR_FAN_NETWORK');
      bench.keep(await listenAt(first.port));
      await follower.until('message', 2);
      assert.deepEqual(follower.data, ['a', 'from 3']);
    });

    it('not before Retry-After, in seconds or as a date', async () => {
      const date = new Date(Date.now() + 2_500).toUTCString(); // whole seconds: 1.5 s at least
      const answers = [
        status(503, { 'Retry-After': '1' }),
        status(429, { 'Retry-After': date }),
        stays(),
      ];
      const server = await bench.server(...answers);
      const follower = bench.follow(server.url, { retry: { min: 1, max: 2 } });
      await follower.until('open');
      const [seconds, when_] = follower.of('error').map(({ delay }) => delay);
      assert.ok(seconds >= 1_000 && seconds <= 1_002, `${seconds}`);
      assert.ok(when_ > 100 && when_ <= 1_502, `${when_}`);
      const [a, b] = server.requests.map(({ at }) => at);
      assert.ok(b - a >= 999, `${b - a}`);
    });

    for (const after of ['soon', '-5', 'Thu, 01 Jan 1970 00:00:00 GMT', '1e400']) {
      it(`a Retry-After of ${after} is no harm`, async () => {
        const server = await bench.server(status(503, { 'Retry-After': after }));
        const { delay } = await bench
          .follow(server.url, { retry: { min: 5, max: 6 } })
          .until('error');
        if (after === '1e400')
          assert.equal(delay, 2 ** 31 - 1); // not beyond what a timer can wait
        else assert.ok(delay >= 5 && delay <= 6, `${delay}`);
      });
    }

    it('within ranges that double, from min to max, at random', async () => {
      const server = await bench.server(status(500));
      const retry = { min: 4, max: 64, attempts: 7 };
      const followers = Array.from({ length: 20 }, () => bench.follow(server.url, { retry }));
      await when(
        () => followers.every(({ source }) => source.readyState === 2),
        'all gave up',
        10_000,
      );
      const rounds = Array.from({ length: 7 }, (_, i) => followers.map(({ log }) => log[i].delay));
      for (const [i, delays] of rounds.entries()) {
        const most = Math.min(64, 4 * 2 ** (i + 1));
        assert.ok(
          delays.every((ms) => ms >= 4 && ms <= most),
          `${i}: ${delays}`,
        );
      }
      const widest = rounds.slice(3).flat();
      assert.ok(Math.max(...widest) > 40 && new Set(widest).size > 15, `${widest}`);
    });

    it('ever later from a server whose streams are empty and whose retry is 0', async () => {
      const server = await bench.server(ends('retry: 0\n'));
      const follower = bench.follow(server.url, {
        retry: { min: 1_000_000, max: 30, attempts: 8 },
      });
      await when(() => follower.source.readyState === 2);
      assert.equal(server.requests.length, 9);
      assert.equal(follower.log.at(-1).attempt, 9);
      const delays = follower.of('error').map(({ delay }) => delay);
      assert.ok(Math.max(...delays) > 1 && Math.max(...delays) <= 30, `${delays}`);
    });

    it('a stream that lasted longer than retry.min was well, even without an event', async () => {
      const server = await bench.server(
        status(500),
        status(500),
        (res) => {
          res.writeHead(200, STREAM).write(':\n');
          setTimeout(() => res.end(), 60);
        },
        status(500),
        status(500),
        stays(),
      );
      const follower = bench.follow(server.url, { retry: { min: 20, max: 25 } });
      await follower.until('open', 2);
      assert.deepEqual(
        follower.of('error').map(({ attempt }) => attempt),
        [1, 2, 1, 2, 3],
      );
    });
  });

  describe('silence', () => {
    it('of a stream ends it, and the next one goes on from the last event', async () => {
      const server = await bench.server(stays('id: 5\ndata: a\n\n'), stays());
      const follower = bench.follow(server.url, { silence: 60 });
      await follower.until('open', 2);
      assert.deepEqual(follower.of('error').map(told), [['ERR_FAN_SILENT', 0, 1, 0]]);
      assert.equal(server.requests[1].headers['last-event-id'], '5');
      await when(() => server.streams[0].closed, 'the server sees the first go');
    });

    it('before the answer, or of a token that does not come, ends the attempt too', async () => {
      const server = await bench.server(silent, stays());
      let calls = 0;
      const headers = () => (++calls === 1 ? new Promise(silent) : {});
      const follower = bench.follow(server.url, { silence: 60, headers });
      await follower.until('open');
      assert.deepEqual(follower.of('error').map(told), [
        ['ERR_FAN_SILENT', 0, 1, 0],
        ['ERR_FAN_SILENT', 0, 2, 0],
      ]);
      assert.deepEqual([calls, server.requests.length], [3, 2]);
    });

    it('is not where heartbeats are', async () => {
      const server = await bench.server((res) => {
        res.writeHead(200, STREAM);
        let count = 0;
        const timer = setInterval(() => res.write(++count === 12 ? 'data: 12\n\n' : ':\n'), 20);
        res.on('close', () => clearInterval(timer));
      });
      const follower = bench.follow(server.url, { silence: 150 });
      await follower.until('message');
      assert.deepEqual(follower.types, ['open', 'message']);
    });

    it('of any length is borne without the option, and with Infinity', async () => {
      const server = await bench.server(stays());
      const followers = [{}, { silence: false }, { silence: Infinity }].map((options) =>
        bench.follow(server.url, options),
      );
      for (const follower of followers) await follower.until('open');
      const probe = bench.follow(server.url, { silence: 50 });
      await probe.until('error');
      assert.deepEqual(
        followers.map(({ types }) => types),
        [['open'], ['open'], ['open']],
      );
    });
  });

  describe('close() and AbortSignal', () => {
    const ways = {
      'close()': (it) => it.source.close(),
      'the signal': (it) => it.controller.abort(),
    };
    const timers = () =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const begin = (url, options = {}) => {
      const controller = new AbortController();
      const follower = bench.follow(url, { signal: controller.signal, ...options });
      return Object.assign(follower, { controller });
    };
    for (const [what, leave] of Object.entries(ways)) {
      it(`${what} before the first request: there is none`, async () => {
        const server = await bench.server(stays());
        const follower = begin(server.url);
        leave(follower);
        await bench.follow(server.url).until('open');
        assert.deepEqual(
          [server.requests.length, follower.types, follower.source.readyState],
          [1, [], 2],
        );
      });

      it(`${what} before the answer, and in the stream: the server sees it go, no event tells it`, async () => {
        const server = await bench.server(silent, stays());
        const early = begin(server.url);
        await when(() => server.requests.length === 1);
        const open = begin(server.url);
        await open.until('open');
        for (const follower of [early, open]) leave(follower);
        await when(async () => (await server.connections()) === 0, 'no connection is left');
        assert.deepEqual([early.types, open.types], [[], ['open']]);
        assert.deepEqual([early.source.readyState, open.source.readyState], [2, 2]);
      });

      it(`${what} while it waits: there is no other attempt, and nothing keeps the process`, async () => {
        const server = await bench.server(status(500));
        const follower = begin(server.url, { retry: { min: 60_000, max: 60_000 } });
        await follower.until('error');
        const waiting = timers();
        leave(follower);
        assert.equal(timers(), waiting - 1);
        assert.deepEqual([follower.source.readyState, server.requests.length], [2, 1]);
      });

      it(`${what} in the error that tells of the next attempt: there is none`, async () => {
        const server = await bench.server(status(500));
        const follower = begin(server.url, { retry: { min: 60_000, max: 60_000 } });
        const asked = timers();
        follower.source.onerror = () => leave(follower);
        await follower.until('error');
        assert.deepEqual([server.requests.length, follower.types], [1, ['error']]);
        assert.equal(timers(), asked);
      });
    }

    it('a signal that is aborted already: closed from the start', async () => {
      const server = await bench.server(stays());
      const follower = bench.follow(server.url, { signal: AbortSignal.abort() });
      assert.equal(follower.source.readyState, 2);
      await bench.follow(server.url).until('open');
      assert.equal(server.requests.length, 1);
    });

    it('a signal that outlives many sources keeps none of their listeners', async () => {
      const { signal } = new AbortController();
      const server = await bench.server(status(404), status(204), stays());
      for (const type of ['error', 'fanline:end'])
        await bench.follow(server.url, { signal }).until(type);
      const open = bench.follow(server.url, { signal });
      await open.until('open');
      assert.equal(getEventListeners(signal, 'abort').length, 1);
      open.source.close();
      assert.equal(getEventListeners(signal, 'abort').length, 0);
    });

    it('a process whose sources are all over ends by itself', async () => {
      const server = await bench.server(status(404), status(204), stays('data: a\n\n'));
      const code = `
        import('fanline/client').then(({ EventSource }) => {
          const url = ${JSON.stringify(server.url)};
          const next = (then) => Object.assign(new EventSource(url, { silence: 60_000 }), then);
          next({ onerror: () => {
            next({}).addEventListener('fanline:end', () => {
              const last = next({ onmessage: () => last.close() });
            });
          } });
        });`;
      const child = spawn(process.execPath, ['-e', code], {
        cwd: path.join(__dirname, '..', '..'),
      });
      assert.deepEqual(await once(child, 'exit'), [0, null]);
      assert.equal(server.requests.length, 3);
      await when(async () => (await server.connections()) === 0);
    });
  });
});

/** A server at a port that was another's, which says where the reader goes on from. */
async function listenAt(port) {
  const server = http.createServer((req, res) => {
    res.writeHead(200, STREAM).write(`data: from ${req.headers['last-event-id']}\n\n`);
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
