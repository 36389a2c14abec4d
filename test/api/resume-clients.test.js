'use strict';

// npm eventsource 4 and 5 come back by themselves: through cuts at random moments, and through the death of the server.

const assert = require('node:assert/strict');
const { createHub } = require('fanline');
const { CuttingProxy } = require('../js/support/cutting-proxy');
const { open } = require('../js/support/open');
const { NumberServer } = require('../js/support/resume-server');
const { serve } = require('../js/support/serve');
const { when } = require('../js/support/stage');

const CLIENTS = 6;
const SETTLED = 10_000; // ms

const rising = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

for (const name of ['eventsource', 'eventsource5']) {
  describe(`${name}, coming back`, function () {
    this.timeout(30_000);
    let EventSource;
    let server;
    let proxy;
    let sources;

    before(async () => {
      ({ EventSource } = await import(name));
    });

    afterEach(async () => {
      for (const source of sources) source.close();
      await proxy.close();
      await server.kill();
    });

    async function start(how) {
      server = new NumberServer(how);
      await server.start();
      proxy = new CuttingProxy(() => server.port);
      await proxy.listen();
      sources = Array.from({ length: CLIENTS }, openSource);
      await when(
        () => sources.every(({ readyState }) => readyState === EventSource.OPEN),
        'opening',
      );
    }

    /** `log`: what it gets, numbers as numbers. */
    function openSource() {
      const source = new EventSource(`http://127.0.0.1:${proxy.port}/events`);
      source.log = [];
      const take = ({ type, data }) =>
        source.log.push(type === 'message' ? Number(data) : `${type} ${data}`);
      for (const type of ['message', 'state', 'fanline:reset']) source.addEventListener(type, take);
      return source;
    }

    const all = (condition, what) => when(() => sources.every(condition), what, SETTLED);
    const upTo = (last) => all(({ log }) => log.at(-1) === last, `everybody at ${last}`);

    async function restart() {
      await server.kill();
      await server.start();
      await when(
        () => sources.every(({ readyState }) => readyState === EventSource.OPEN),
        'return',
      );
    }

    for (const transport of ['auto', 'relay']) {
      it(`cut at random moments, each gets every number once and in order: ${transport}`, async () => {
        await start({ transport });
        await upTo(await server.say(1)); // now each has a cursor
        await server.begin(2);
        proxy.cutEach(60);
        await when(() => proxy.cuts >= CLIENTS * 10, 'enough cuts', SETTLED);
        proxy.cutEach(0);
        const last = await server.end();
        await upTo(last);
        for (const { log } of sources) assert.deepEqual(log, rising(1, last));
        assert.equal(await server.resets(), 0);
      });
    }

    it('through a restart: one fanline:reset, whose id is a cursor, then live', async () => {
      await start();
      await upTo(await server.say(3));
      await restart();
      await all(({ log }) => log.length === 4, 'the reset');
      proxy.cutAll(); // before anything else has come
      const last = await server.say(5); // and while they are away
      await upTo(last);
      for (const { log } of sources)
        assert.deepEqual(log, [...rising(1, 3), 'fanline:reset restart', ...rising(4, last)]);
      assert.equal(await server.resets(), CLIENTS);
    });

    it('through a restart with a snapshot: one reset, the snapshot, then live, cut at random moments', async () => {
      await start({ hasSnapshot: true });
      await all(({ log }) => log.length === 2, 'the first snapshot');
      await upTo(await server.say(3));
      await restart();
      await server.begin(2);
      await all(({ log }) => typeof log.at(-1) === 'number' && log.at(-1) > 3, 'live');
      proxy.cutEach(60);
      await when(() => proxy.cuts >= CLIENTS * 5, 'enough cuts', SETTLED);
      proxy.cutEach(0);
      const last = await server.end();
      await upTo(last);
      for (const { log } of sources) {
        const state = Number(log[7].split(' ')[1]); // of the numbers, when it came back
        assert.deepEqual(log, [
          ...['state begin', 'state 0', ...rising(1, 3)],
          ...['fanline:reset restart', 'state begin', `state ${state}`],
          ...rising(state + 1, last),
        ]);
      }
      assert.equal(await server.resets(), CLIENTS);
    });
  });

  describe(`${name}, turned away at capacity`, () => {
    it('keeps its cursor, and gets what it missed when there is room', async () => {
      const { EventSource } = await import(name);
      const hub = createHub({ retry: 20, limits: { clients: 1 } });
      const server = await serve((req, res) => hub.connect(req, res, { rooms: 'room' }));
      const source = new EventSource(server.url);
      const log = [];
      source.addEventListener('message', ({ data }) => log.push(data));
      source.addEventListener('fanline:reset', ({ data }) => log.push(`reset ${data}`));
      await when(() => hub.size === 1, 'opening');
      hub.to('room').send('one');
      await when(() => log.length === 1, 'an event');
      const [client] = hub.clients.values();
      client.retry(500); // time for somebody else
      client.close();
      await when(() => hub.size === 0, 'the end');
      const other = await open(server.url);
      hub.to('room').send('two');
      await when(() => hub.stats().refused.capacity >= 3, 'being turned away');
      other.close();
      hub.to('room').send('three');
      await when(() => log.length === 3, 'the rest');
      assert.deepEqual(log, ['one', 'two', 'three']);
      source.close();
      await hub.close({ grace: 0 });
      await server.close();
    });
  });
}
