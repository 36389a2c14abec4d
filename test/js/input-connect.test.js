'use strict';

// Bad arguments of connect, sse and handler: a coded error at once that names the argument; the response is as before and
// can still become a stream, and the hub knows nothing of it.

const assert = require('node:assert/strict');
const { createHub, sse } = require('fanline');
const { open } = require('./support/open');
const { serve } = require('./support/serve');
const { Stage, refuses, stateOf } = require('./support/stage');

const MS_MAX = 2 ** 31 - 1;
const ARG = [TypeError, 'ERR_FAN_ARG'];
const RANGE = [RangeError, 'ERR_FAN_RANGE'];

const ANY = [5n, Symbol('x'), () => {}, true];
const NOT_OBJECTS = ['x', 5, null, ...ANY, [], new Map(), new Date()];
const NOT_NAMES = [...ANY, 5, null, {}, '', 'x'.repeat(1_025)];
const BAD_MS = [0, -1, 1.5, NaN, Infinity, MS_MAX + 1];
const BAD_EVENTS = ['', 'a\nb', 'a\rb', 'a\0b', 'fanline:x', 5, null, {}];

const rows = (values, make, error, path) =>
  values.map((value) => [make(value), error, `"${path ?? Object.keys(make(value))[0]}"`]);

// [options, error, what the message names]
const STREAM_ROWS = [
  ...rows(NOT_OBJECTS, (opts) => opts, ARG, 'opts'),
  ...rows([5, null, true, {}, []], (lastEventId) => ({ lastEventId }), ARG, 'opts.lastEventId'),
  ...rows(['5', null, true, []], (retry) => ({ retry }), ARG, 'opts.retry'),
  ...rows(BAD_MS, (retry) => ({ retry }), RANGE, 'opts.retry'),
  ...rows(['5', null, {}, false], (min) => ({ retry: { min } }), ARG, 'opts.retry.min'),
  ...rows(BAD_MS, (max) => ({ retry: { max } }), RANGE, 'opts.retry.max'),
  [{ retry: { min: 5, max: 4 } }, RANGE, '"opts.retry.min"'],
  [{ retry: { mim: 5 } }, ARG, 'Did you mean "opts.retry.min"'],
  ...rows(['5', null, true, []], (heartbeat) => ({ heartbeat }), ARG, 'opts.heartbeat'),
  ...rows(BAD_MS, (heartbeat) => ({ heartbeat }), RANGE, 'opts.heartbeat'),
  ...rows(BAD_MS, (interval) => ({ heartbeat: { interval } }), RANGE, 'opts.heartbeat.interval'),
  ...rows(BAD_EVENTS, (event) => ({ heartbeat: { event } }), ARG, 'opts.heartbeat.event'),
  [{ heartbeat: { event: 'x'.repeat(4_097) } }, RANGE, '"opts.heartbeat.event"'],
  [{ heartbeat: { every: 5 } }, ARG, '"opts.heartbeat.every"'],
  ...rows(['5', null, true, {}], (lifetime) => ({ lifetime }), ARG, 'opts.lifetime'),
  ...rows(BAD_MS, (lifetime) => ({ lifetime }), RANGE, 'opts.lifetime'),
  ...rows(['fd', 'opening', 5, null], (transport) => ({ transport }), ARG, 'opts.transport'),
  ...rows(['x', null, [], 5], (headers) => ({ headers }), ARG, 'opts.headers'),
  ...rows(['a b', 'a\nb', '', 'a:'], (name) => ({ headers: { [name]: 'x' } }), ARG, 'opts.headers'),
  ...rows([true, {}, 'a\r\nX: y', 'a\nb'], (a) => ({ headers: { a } }), ARG, 'opts.headers.a'),
  [{ headers: { a: ['x', 5] } }, ARG, '"opts.headers.a[1]"'],
  [{ headers: { a: ['x', 'a\r\nb'] } }, ARG, '"opts.headers.a[1]"'],
];

const CONNECT_ROWS = [
  ...STREAM_ROWS,
  ...rows(NOT_NAMES, (user) => ({ user }), ARG, 'opts.user'),
  ...rows(NOT_NAMES, (rooms) => ({ rooms }), ARG, 'opts.rooms'),
  ...rows(NOT_NAMES, (room) => ({ rooms: ['a', room] }), ARG, 'opts.rooms[1]'),
  [{ rooms: ['a', 'b', 'c', 'd'] }, RANGE, 'limits.roomsPerClient (3)'],
  [{ room: 'a' }, ARG, 'Did you mean "opts.rooms"'],
  [{ uesr: 'a' }, ARG, 'Did you mean "opts.user"'],
];

const SSE_ROWS = [
  ...STREAM_ROWS,
  [{ rooms: 'a' }, ARG, '"opts.rooms"'],
  [{ user: 'a' }, ARG, '"opts.user"'],
  [{ lifetme: 5 }, ARG, 'Did you mean "opts.lifetime"'],
];

const NOT_REQUESTS = [undefined, null, 5, 'x', {}, [], () => {}, { method: 'GET', headers: {} }];

/** All that connect() does to a response that becomes a stream. */
function markOf(req, res) {
  const { headersSent, statusCode, writableEnded } = res;
  const own = ['write', 'end', 'flushHeaders', '_write'].filter((name) => Object.hasOwn(res, name));
  const listeners = [req, res, res.socket].map((emitter) =>
    emitter.eventNames().map((name) => [name, emitter.listenerCount(name)]),
  );
  const timeout = res.socket.timeout;
  return {
    headersSent,
    statusCode,
    writableEnded,
    own,
    listeners,
    names: res.getHeaderNames(),
    timeout,
  };
}

describe('bad arguments of connect and sse', () => {
  let hub;
  let stage;

  before(async () => {
    hub = createHub({ limits: { roomsPerClient: 3 } });
    hub.on('connect', () => {
      throw new Error('a connect event for a refused call');
    });
    stage = await Stage.on(hub);
  });

  after(() => stage.close());

  const calls = {
    'hub.connect': [(...args) => hub.connect(...args), CONNECT_ROWS],
    sse: [sse, SSE_ROWS],
  };
  for (const [name, [call, table]] of Object.entries(calls)) {
    it(`${name}: options`, async () => {
      const status = await stage.request((req, res) => {
        const state = stateOf(hub);
        const mark = markOf(req, res);
        for (const [opts, [Base, code], path] of table) {
          refuses(() => call(req, res, opts), Base, code, path);
          assert.deepEqual(markOf(req, res), mark, path);
          assert.deepEqual(stateOf(hub), state, path);
        }
        res.end('still mine');
        return res.statusCode;
      });
      assert.equal(status, 200);
    });

    it(`${name}: no request, no response`, async () => {
      await stage.request((req, res) => {
        const mark = markOf(req, res);
        for (const bad of NOT_REQUESTS) {
          refuses(() => call(bad, res), ...ARG, '"req"');
          refuses(() => call(req, bad), ...ARG, '"res"');
          refuses(() => call(res, req), ...ARG, '"req"');
        }
        assert.deepEqual(markOf(req, res), mark);
        res.end();
      });
    });

    it(`${name}: a response that has begun`, async () => {
      const begin = [
        (res) => res.flushHeaders(),
        (res) => res.writeHead(201),
        (res) => res.write('x'),
        (res) => res.end('x'),
      ];
      for (const [i, how] of begin.entries()) {
        await stage.request((req, res) => {
          how(res);
          const begun = i !== 1; // writeHead alone sends nothing yet, and yet it is too late
          assert.equal(res.headersSent, begun || res.headersSent);
          const state = stateOf(hub);
          const mark = markOf(req, res);
          refuses(() => call(req, res), Error, 'ERR_FAN_HEADERS_SENT', 'headers');
          assert.deepEqual(markOf(req, res), mark);
          assert.deepEqual(stateOf(hub), state);
          res.end();
        });
      }
    });
  }

  it('the second connect of a response is refused, the first stream goes on', async () => {
    const own = createHub();
    const there = await Stage.on(own);
    const { client, stream } = await there.connect();
    refuses(
      () => own.connect(client.res.req, client.res),
      Error,
      'ERR_FAN_HEADERS_SENT',
      'headers',
    );
    refuses(() => sse(client.res.req, client.res), Error, 'ERR_FAN_HEADERS_SENT', 'headers');
    assert.equal(own.size, 1);
    assert.equal(client.send('x'), true);
    assert.equal((await stream.next()).data, 'x');
    await there.close();
  });
});

describe('bad arguments of handler', () => {
  it('are refused when the handler is made', () => {
    const hub = createHub({ limits: { roomsPerClient: 3 } });
    for (const opened of [null, 5, 'x', {}, []]) {
      refuses(() => hub.handler({}, opened), ...ARG, '"opened"');
      refuses(() => hub.handler(() => null, opened), ...ARG, '"opened"');
    }
    for (const [opts, [Base, code], path] of CONNECT_ROWS) {
      if (typeof opts === 'function' || code === 'ERR_FAN_RANGE') continue;
      refuses(() => hub.handler(opts), Base, code, path);
    }
    refuses(() => hub.handler({ rooms: ['a', 'b', 'c', 'd'] }), ...RANGE, 'roomsPerClient (3)');
  });

  it('in what the function answers: next(err), or 500 where there is none', async () => {
    const hub = createHub({ limits: { roomsPerClient: 3 } });
    const state = stateOf(hub);
    const answers = [
      ...CONNECT_ROWS.filter(([opts]) => opts !== null),
      [undefined, ARG, '"decide()"'],
    ];
    let answer;
    let seen = [];
    const opened = () => assert.fail('opened for a refused client');
    const sync = hub.handler(() => answer, opened);
    const later = hub.handler(async () => answer, opened);
    const server = await serve((req, res) => {
      const listener = req.url.includes('later') ? later : sync;
      if (!req.url.includes('next')) return listener(req, res);
      return listener(req, res, (err) => {
        seen.push(err);
        res.writeHead(418).end();
      });
    });
    for (const [value, [Base, code], path] of answers) {
      answer = value;
      seen = [];
      for (const url of ['/sync', '/later', '/next-sync', '/next-later']) {
        const { status } = await open(server.url + url);
        assert.equal(status, url.includes('next') ? 418 : 500, `${url} ${path}`);
      }
      assert.equal(seen.length, 2);
      for (const err of seen) {
        refuses(
          () => {
            throw err;
          },
          Base,
          code,
          path,
        );
      }
    }
    assert.deepEqual(stateOf(hub), state);
    await server.close();
  });

  it('no request, no response: a coded error, to next', () => {
    const listener = createHub().handler({});
    const seen = [];
    for (const bad of NOT_REQUESTS) {
      listener(bad, bad, (err) => seen.push(err.code));
    }
    assert.deepEqual(
      seen,
      NOT_REQUESTS.map(() => 'ERR_FAN_ARG'),
    );
  });
});

describe('what a client of sse() has not', () => {
  it('rooms: join is refused, leave does nothing', async () => {
    const stage = await Stage.on({ connect: sse });
    const { client, stream } = await stage.connect();
    for (const rooms of ['a', ['a', 'b'], []]) {
      refuses(() => client.join(rooms), ...ARG, '"rooms"');
      assert.equal(client.leave(rooms), client);
    }
    refuses(() => client.leave(5), ...ARG, '"rooms"');
    assert.equal(client.rooms.size, 0);
    assert.equal(client.user, undefined);
    client.send('x', { id: 7 });
    assert.deepEqual(await stream.next(), { data: 'x', id: '7' });
    await stage.close();
  });
});
