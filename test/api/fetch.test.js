'use strict';

// hub.response(): what it answers, and what it refuses. The body has a file of its own; that events mean the same on it as anywhere
// says fetch-behaviour.test.js.

const assert = require('node:assert/strict');
const { getEventListeners } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');
const { createHub } = require('fanline');
const { BodyReader, asked, ended, openOn } = require('../js/support/fetch-reader');
const { when } = require('../js/support/stage');

const QUIET = { heartbeat: false, retry: false, history: false };

describe('hub.response()', () => {
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

  describe('answers', () => {
    it('a Response at once, and a promise of one where a function decides', async () => {
      const hub = start();
      assert(hub.response(asked().request) instanceof Response);
      assert(hub.response(asked().request, { rooms: 'r' }) instanceof Response);
      const later = hub.response(asked().request, () => ({}));
      assert(later instanceof Promise);
      assert((await later) instanceof Response);
      assert.equal(hub.size, 3);
    });

    it('with every header that was asked for, lists and cookies one by one', () => {
      const headers = { 'X-List': ['a', 'b'], 'Set-Cookie': ['a=1', 'b=2'], 'Cache-Control': null };
      const { response } = openOn(start(), { headers });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), 'text/event-stream');
      assert.equal(response.headers.get('x-list'), 'a, b');
      assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
      assert.equal(response.headers.has('cache-control'), false);
    });

    it('a HEAD with headers and no body, and opens no client', () => {
      const hub = start();
      const { request } = asked({ method: 'HEAD' });
      const response = hub.response(request, {}, () => assert.fail('opened'));
      assert.equal(response.status, 200);
      assert.equal(response.body, null);
      assert.equal(response.headers.get('content-type'), 'text/event-stream');
      assert(isEmpty(hub));
    });

    it('204 without a body to a fenced GET, before anybody is asked', async () => {
      const hub = start();
      const first = openOn(hub);
      first.client.close({ reconnect: false });
      const [, id] = /^id: (.*)$/m.exec(await first.reader.rest());
      const headers = { 'Last-Event-ID': id };
      for (const decide of [{}, () => assert.fail('asked')]) {
        const response = await hub.response(asked({ headers }).request, decide);
        assert.equal(response.status, 204);
        assert.equal(response.body, null);
      }
      assert.equal(hub.response(asked({ headers, method: 'POST' }).request).status, 200);
    });

    it('401 where the function answers null, and knows no such client', async () => {
      const hub = start();
      const { request } = asked();
      const response = await hub.response(request, async () => null);
      assert.equal(response.status, 401);
      assert.equal(await response.text(), '');
      assert.deepEqual(getEventListeners(request.signal, 'abort'), []);
      assert(isEmpty(hub));
    });

    it('200, a retry line and the end to who is too many, with no Content-Type but ours', async () => {
      const hub = start({ retry: 50, limits: { clients: 1 } });
      openOn(hub);
      const one = hub.response(asked().request, {}, () => assert.fail('opened'));
      assert.equal(one.headers.get('content-type'), 'text/event-stream');
      assert.equal(one.headers.get('content-length'), '10');
      assert.equal(await one.text(), 'retry: 50\n');
      const bare = hub.response(asked().request, { headers: { 'Content-Type': null } });
      assert.equal(bare.headers.has('content-type'), false);
      assert.deepEqual(hub.stats().refused, { capacity: 2 });
    });

    it('the same to who comes when the hub has closed, and ends the connection', async () => {
      const hub = start({ retry: 50 });
      await hub.close();
      const response = hub.response(asked().request, {}, () => assert.fail('opened'));
      assert.equal(await response.text(), 'retry: 50\n');
      assert.equal(response.headers.get('connection'), 'close');
      assert.deepEqual(hub.stats().refused, { shutdown: 1 });
    });

    it('503 with Retry-After instead, where so asked', () => {
      const hub = start({ atCapacity: 'reject', limits: { clientsPerUser: 1 } });
      openOn(hub, { user: 'u' });
      const response = hub.response(asked().request, { user: 'u' });
      assert.equal(response.status, 503);
      assert.match(response.headers.get('retry-after'), /^\d+$/);
      assert.equal(response.body, null);
    });

    it('what a function of the request decides, and tells who opened', async () => {
      const hub = start();
      const { request } = asked({ headers: { 'X-User': 'ann' } });
      const seen = [];
      const response = await hub.response(
        request,
        async (own) => ({ user: own.headers.get('x-user'), rooms: 'r' }),
        (client, own) => seen.push(client.user, own),
      );
      assert.deepEqual(seen, ['ann', request]);
      assert.equal(hub.to('r').send('hello').matched, 1);
      const reader = new BodyReader(response);
      await reader.until((text) => text === ':\ndata: hello\n\n');
    });
  });

  describe('refuses', () => {
    const { request } = asked();
    const WRONG = [
      ['no request', [], 'ERR_FAN_ARG'],
      ['null', [null], 'ERR_FAN_ARG'],
      ['a request of Node', [{ method: 'GET', headers: {} }, {}], 'ERR_FAN_ARG'],
      ['a request without a method', [{ headers: new Headers() }], 'ERR_FAN_ARG'],
      [
        'a signal that is none',
        [{ method: 'GET', headers: new Headers(), signal: 5 }],
        'ERR_FAN_ARG',
      ],
      ['an unknown option', [request, { rooom: 'r' }], 'ERR_FAN_ARG'],
      ['options that are none', [request, 'room'], 'ERR_FAN_ARG'],
      ['opened that is no function', [request, {}, 'opened'], 'ERR_FAN_ARG'],
      ['opened that is none, with a function', [request, () => null, 5], 'ERR_FAN_ARG'],
      ['too many rooms', [request, { rooms: ['a', 'b', 'c'] }], 'ERR_FAN_RANGE'],
    ];
    for (const [what, args, code] of WRONG) {
      it(`${what}, synchronously`, () => {
        const hub = start({ limits: { roomsPerClient: 2 } });
        assert.throws(() => hub.response(...args), { code });
        assert(isEmpty(hub));
      });
    }

    it('what a function answers that is neither options nor null: the promise rejects', async () => {
      const hub = start();
      for (const answer of [undefined, false, 'room', { rooom: 'r' }]) {
        await assert.rejects(
          hub.response(request, () => answer),
          { code: 'ERR_FAN_ARG' },
        );
      }
      assert(isEmpty(hub));
    });

    it('nothing that a function throws: the promise rejects with it', async () => {
      const hub = start();
      const err = new Error('no');
      const sync = () => {
        throw err;
      };
      for (const decide of [sync, async () => sync()]) {
        await assert.rejects(hub.response(request, decide), (thrown) => thrown === err);
      }
      assert.deepEqual(getEventListeners(request.signal, 'abort'), []);
      assert(isEmpty(hub));
    });

    it('to keep a client whose opened() throws', async () => {
      const hub = start();
      const err = new Error('no');
      let client;
      const opened = (own) => {
        client = own;
        throw err;
      };
      assert.throws(
        () => hub.response(request, { rooms: 'r' }, opened),
        (thrown) => thrown === err,
      );
      assert.equal(await ended(client), 'client');
      assert(isEmpty(hub));
    });
  });

  it('counts as relay, for the cause fetch', () => {
    const hub = start();
    const { client } = openOn(hub);
    assert.equal(client.transport, 'relay');
    assert.deepEqual(hub.stats().relay, { fetch: 1 });
  });

  it('reads a body for nobody when nobody else has begun to', async () => {
    const hub = start({ limits: { stallTimeout: 50 } });
    let isThrough = false;
    const pieces = Array(50).fill(Buffer.alloc(10_000));
    const body = new ReadableStream({
      pull(controller) {
        if (pieces.length > 0) controller.enqueue(pieces.pop());
        else {
          controller.close();
          isThrough = true;
        }
      },
    });
    const headers = { 'Content-Length': '500000' };
    const { client, reader } = openOn(hub, {}, { method: 'POST', body, headers, duplex: 'half' });
    await reader.read();
    await when(() => isThrough, 'the body read');
    assert.equal(client.closed, null);
  });

  it('leaves a body to the application that has begun to read it', async () => {
    const hub = start({ limits: { stallTimeout: 30 } });
    const body = new ReadableStream({
      start(controller) {
        for (const piece of ['ques', 'tion']) controller.enqueue(Buffer.from(piece));
        controller.close();
      },
    });
    const headers = { 'Content-Length': '8' };
    const { request } = asked({ method: 'POST', body, headers, duplex: 'half' });
    const first = request.body.getReader();
    assert.equal(String(Buffer.from((await first.read()).value)), 'ques');
    first.releaseLock();
    const reader = new BodyReader(hub.response(request));
    await reader.read();
    await sleep(90);
    const second = request.body.getReader();
    assert.equal(String(Buffer.from((await second.read()).value)), 'tion');
  });
});
