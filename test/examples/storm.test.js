'use strict';

// A restart and those who come back: what docs/recipes/reconnect-storm.md says, with shorter times than its program has
// (support/storm.js), so that it takes seconds.

const assert = require('node:assert/strict');
const net = require('node:net');
const { EventSource } = require('eventsource');
const { createHub } = require('../..');
const { serve } = require('../js/support/serve');
const { when } = require('../js/support/stage');
const { report, storm } = require('./support/storm');

const READERS = 400;
const TIMES = { fixed: 1_250, spread: { min: 500, max: 2_000 } };
const NAMES = ['a fixed retry', 'a random retry'];
const show = (result) =>
  console.log(
    report(result, NAMES)
      .map((line) => `      ${line}`)
      .join('\n'),
  );

describe('a reconnect storm', function () {
  this.timeout(40_000);

  it('after a crash readers with a fixed `retry` come back together, those with fanline’s spread over all the time', async () => {
    const result = await storm({ readers: READERS, signal: 'SIGKILL', ...TIMES });
    show(result);
    const [fixed, spread] = result.sides;
    assert.ok(fixed.fullest >= 0.6, `${fixed.fullest} of those with a fixed retry`);
    assert.ok(spread.fullest <= 0.3, `${spread.fullest} of those with a random one`);
    assert.ok(result.ratio >= 3);
  });

  it('hub.close() spreads both, because streams end one after the other', async () => {
    const result = await storm({ readers: READERS, signal: 'SIGTERM', grace: 2_000, ...TIMES });
    show(result);
    for (const { fullest } of result.sides) assert.ok(fullest <= 0.35, `${fullest}`);
  });

  it('while the server stays away, fanline/client asks less and less, EventSource on and on', async () => {
    const EACH = 5; // of both kinds
    const { EventSource: Ours } = await import('../../lib/browser/client.mjs');
    const asked = { theirs: 0, ours: 0 };
    const answer = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nretry: 100\n';
    const server = net.createServer((socket) => {
      socket
        .on('error', () => {})
        .once('data', (head) => {
          const [, who] = /^GET \/(\w+)/.exec(head);
          // The first time it says how long to wait, then it is away.
          if (++asked[who] <= EACH) socket.end(answer);
          else socket.destroy();
        });
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${server.address().port}`;
    const sources = Array.from({ length: EACH }, () => [
      new EventSource(`${url}/theirs`),
      new Ours(`${url}/ours`),
    ]).flat();
    try {
      await when(() => asked.theirs >= EACH * 25, 'EventSource has asked 25 times', 15_000);
      assert.ok(asked.ours >= EACH * 3, `fanline/client asked ${asked.ours} times`);
      assert.ok(asked.ours <= asked.theirs / 3, `${asked.ours} of ${asked.theirs} times`);
    } finally {
      for (const source of sources) source.close();
      server.close();
    }
  });

  it('a full hub sends newcomers away with a `retry` of their own, and takes them when there is room', async () => {
    const CROWD = 30;
    const hub = createHub({
      heartbeat: false,
      retry: { min: 40, max: 120 },
      limits: { clients: 5 },
    });
    let most = 0;
    let served = 0;
    hub.on('connect', (client) => {
      most = Math.max(most, hub.size);
      // Each stays for a moment and goes for good.
      setTimeout(() => client.close({ data: 'served', reconnect: false }), 150);
    });
    const server = await serve(hub.handler({}));
    const sources = Array.from({ length: CROWD }, () => {
      const source = new EventSource(server.url);
      source.onmessage = () => served++;
      return source;
    });
    try {
      await when(() => served === CROWD, 'all were served', 15_000);
      assert.equal(most, 5);
      assert.ok(hub.stats().refused.capacity >= CROWD - 5, JSON.stringify(hub.stats().refused));
    } finally {
      for (const source of sources) source.close();
      await hub.close({ grace: 0 });
      await server.close();
    }
  });
});
