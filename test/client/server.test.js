'use strict';

// fanline/client in front of fanline's own server: what a hub says is understood, and nothing is lost on the way back.

const assert = require('node:assert/strict');
const { createHub, sse } = require('fanline');
const { serve } = require('../js/support/serve');
const { useBench, when } = require('./support/support');

const RETRY = { min: 10, max: 20 };

describe('fanline/client and a hub', () => {
  const bench = useBench();
  let hub;
  let server;
  let connect;

  const fresh = (options) => createHub({ retry: RETRY, heartbeat: false, ...options });
  const client = () => [...hub.clients.values()][0];

  beforeEach(async () => {
    hub = fresh();
    connect = (req, res) => hub.connect(req, res, { rooms: 'r' });
    server = await serve((req, res) => connect(req, res));
    bench.keep(server, { close: () => hub.close({ grace: 0 }) });
  });

  it('gets what is sent to its rooms, and privately, in order, with ids', async () => {
    const follower = bench.follow(server.url, { parse: JSON.parse }, ['news']);
    await follower.until('open');
    await when(() => hub.size === 1);
    hub.to('r').send({ n: 1 }, { event: 'news' });
    client().send({ n: 2 });
    hub.to('other').send({ n: 3 });
    hub.broadcast('"line\\nbreak"');
    await follower.until('message', 2);
    assert.deepEqual(follower.data, [{ n: 1 }, { n: 2 }, 'line\nbreak']);
    const [first, second, third] = follower.log.slice(1).map(({ lastEventId }) => lastEventId);
    assert.match(first, /^[a-z0-9]{8}-1$/);
    assert.deepEqual([second, third], [first, first.replace(/1$/, '3')]);
  });

  it('cut off again and again, it gets every event once and in order', async () => {
    const follower = bench.follow(server.url);
    for (let i = 0; i < 100; i++) {
      hub.to('r').send(`${i}`);
      if (i === 0) await follower.until('open');
      if (i % 20 === 9) server.server.closeAllConnections();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await when(() => follower.of('message').at(-1)?.data === '99');
    const first = Number(follower.data[0]);
    assert.ok(first <= 1, `${first}`); // what was sent before it was there is not for it
    assert.deepEqual(
      follower.data,
      Array.from({ length: 100 - first }, (_, i) => `${i + first}`),
    );
    assert.ok(follower.of('open').length >= 5, `${follower.types}`);
  });

  it('cut off before its first event, it gets what came meanwhile', async () => {
    const follower = bench.follow(server.url);
    await follower.until('open');
    await when(() => hub.size === 1);
    hub.to('other').send('keeps the loop busy');
    client().send('private');
    await follower.until('message');
    server.server.closeAllConnections();
    await when(() => hub.size === 0);
    hub.to('r').send('meanwhile');
    await follower.until('message', 2);
    assert.deepEqual(follower.data, ['private', 'meanwhile']);
  });

  it('after a restart it is told once, by fanline:reset, and gets the state of the world', async () => {
    const follower = bench.follow(server.url);
    await follower.until('open');
    await when(() => hub.size === 1);
    hub.to('r').send('a');
    await follower.until('message');
    await hub.close({ grace: 0 });
    hub = fresh({ snapshot: (to, why) => to.send(`state: ${why}`) });
    await follower.until('message', 2);
    hub.to('r').send('b');
    await follower.until('message', 3);
    server.server.closeAllConnections();
    await when(() => hub.size === 0);
    hub.to('r').send('c');
    await follower.until('message', 4);
    assert.deepEqual(follower.data, ['a', 'restart', 'state: reset', 'b', 'c']);
    assert.deepEqual(
      follower.of('fanline:reset').map(({ data }) => data),
      ['restart'],
    );
  });

  it('an end for good is told at once, without another request', async () => {
    let requests = 0;
    connect = (req, res) => {
      requests++;
      hub.connect(req, res).close({ reconnect: false });
    };
    const follower = bench.follow(server.url);
    const { data, lastEventId, state } = await follower.until('fanline:end');
    assert.deepEqual([data, state, follower.types], ['fanline:end', 2, ['open', 'fanline:end']]);
    assert.match(lastEventId, /^fanline:end:\d+$/);
    assert.equal(requests, 1);
    // The same with the end of a stock EventSource: whoever comes with that id is sent away.
    const later = bench.follow(server.url, { lastEventId });
    await later.until('fanline:end');
    assert.deepEqual([later.types, requests], [['fanline:end'], 2]);
  });

  it('an end for good with a last event of the application’s: that, then fanline:end, once', async () => {
    connect = (req, res) => sse(req, res).close({ event: 'done', data: 'x', reconnect: false });
    const follower = bench.follow(server.url, {}, ['done']);
    await follower.until('fanline:end');
    assert.deepEqual(follower.types, ['open', 'done', 'fanline:end']);
    const left = bench.follow(server.url, {}, ['done']);
    left.source.addEventListener('done', () => left.source.close());
    await left.until('done');
    assert.deepEqual(left.types, ['open', 'done']);
  });

  it('an end for good ends a subscription by POST, too', async () => {
    connect = (req, res) => hub.connect(req, res).close({ reconnect: false });
    const follower = bench.follow(server.url, { body: 'rooms' });
    await follower.until('fanline:end');
    assert.deepEqual(follower.types, ['open', 'fanline:end']);
    assert.doesNotMatch(follower.source.lastEventId, /^fanline:/); // only a GET is fenced
  });

  it('an end for good with an event of the application’s is no end for a subscription by POST, if that does not close it', async () => {
    connect = (req, res) => {
      const client = req.url === '/answer' ? sse(req, res) : hub.connect(req, res);
      client.close({ event: 'done', data: 'x', reconnect: false });
    };
    const follower = bench.follow(server.url, { body: 'rooms' }, ['done']);
    await follower.until('done', 2);
    assert.deepEqual(follower.of('fanline:end'), []);
    assert.equal(follower.of('error')[0].code, 'ERR_FAN_ENDED');
    const left = bench.follow(server.url, { body: 'rooms' }, ['done']);
    left.source.addEventListener('done', () => left.source.close());
    const answer = bench.follow(`${server.url}/answer`, { body: 'question' }, ['done']);
    await answer.until('fanline:end');
    assert.deepEqual(answer.types, ['open', 'done', 'fanline:end']);
    await follower.until('done', 4);
    assert.deepEqual(left.types, ['open', 'done']);
  });

  it('an answer to a POST is complete when it ends; a subscription by POST comes back', async () => {
    async function* words() {
      yield* ['a', 'b'];
    }
    const bodies = [];
    connect = async (req, res) => {
      let body = '';
      for await (const chunk of req) body += chunk;
      bodies.push(body);
      if (req.url === '/answer') await sse(req, res).pipe(words(), { done: '[DONE]' });
      else hub.connect(req, res, { rooms: 'r' }).close();
    };
    const answer = bench.follow(`${server.url}/answer`, { body: 'question' });
    await answer.until('fanline:end');
    assert.deepEqual(answer.data, ['a', 'b', '[DONE]', 'fanline:end']);
    const rooms = bench.follow(server.url, { body: 'rooms' });
    await rooms.until('open', 3);
    rooms.source.close();
    assert.deepEqual(bodies.slice(0, 4), ['question', 'rooms', 'rooms', 'rooms']);
  });

  it('target.batch() arrives as the events that it collected', async () => {
    const follower = bench.follow(server.url, {}, ['a', 'b']);
    await follower.until('open');
    await when(() => hub.size === 1);
    const batch = hub.to('r').batch({ delay: 1 });
    batch.send({ n: 1 }, { event: 'a' });
    batch.send('x', { event: 'b' });
    batch.send('y');
    await follower.until('message');
    assert.deepEqual(follower.types, ['open', 'a', 'b', 'message']);
    assert.deepEqual(follower.data, ['{"n":1}', 'x', 'y']);
  });

  it('heartbeats are life: silence ends nothing as long as they come', async () => {
    hub = fresh({ heartbeat: 30 });
    const follower = bench.follow(server.url, { silence: 300 });
    await follower.until('open');
    await when(() => hub.stats().heartbeats >= 15);
    assert.deepEqual(follower.types, ['open']);
  });

  it('at capacity it comes back, ever later, until there is room', async () => {
    hub = fresh({ limits: { clients: 1 } });
    const inside = bench.follow(server.url);
    await inside.until('open');
    await when(() => hub.size === 1);
    const outside = bench.follow(server.url);
    await outside.until('error', 3);
    assert.deepEqual(
      outside
        .of('error')
        .slice(0, 3)
        .map(({ code, attempt }) => [code, attempt]),
      [
        ['ERR_FAN_ENDED', 1],
        ['ERR_FAN_ENDED', 2],
        ['ERR_FAN_ENDED', 3],
      ],
    );
    inside.source.close();
    await when(() => hub.size === 0);
    await when(() => hub.size === 1);
    hub.broadcast('in');
    await outside.until('message');
  });

  it('who is not let in is told the status, and is not asked again', async () => {
    connect = hub.handler((req) => (req.headers.authorization === 'Bearer good' ? {} : null));
    const token = (value) => ({ headers: () => ({ authorization: `Bearer ${value}` }) });
    const bad = await bench.follow(server.url, token('bad')).until('error');
    assert.deepEqual([bad.code, bad.status, bad.delay], ['ERR_FAN_STATUS', 401, null]);
    await bench.follow(server.url, token('good')).until('open');
  });

  it('a stream of 20,000 events arrives whole', async function () {
    this.timeout(30_000);
    const follower = bench.follow(server.url);
    await follower.until('open');
    await when(() => hub.size === 1);
    for (let i = 0; i < 20_000; i++) hub.to('r').send(`${i}`);
    await when(() => follower.of('message').length === 20_000, 'all', 20_000);
    assert.equal(
      follower.data.every((data, i) => data === `${i}`),
      true,
    );
  });
});

describe('the package fanline/client', () => {
  it('is one class by import, and by require where Node can require an ES module', async () => {
    const imported = await import('fanline/client');
    assert.deepEqual(Object.keys(imported), ['EventSource']);
    const required = () => require('fanline/client').EventSource;
    if (process.features.require_module) assert.equal(required(), imported.EventSource);
    else assert.throws(required, { code: 'ERR_REQUIRE_ESM' });
  });
});
