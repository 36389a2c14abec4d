'use strict';

// fanline/client reads servers that are not fanline.

const assert = require('node:assert/strict');
const { CuttingProxy } = require('../js/support/cutting-proxy');
const { buildGo, hasGo, hasNchan, startNchan, startPython } = require('./support/foreign');
const { useBench, when } = require('./support/support');

function missing(context, what) {
  if (process.env.CI === 'true') throw new Error(`${what} is missing: npm run test:setup`);
  context.skip();
}

describe('fanline/client and foreign servers', () => {
  const bench = useBench();

  describe('Python’s http.server, which ends each answer by closing', () => {
    let python;

    before(async () => {
      python = await startPython();
    });
    after(() => python.close());

    it('a stream in three answers is read to its end, with 204 for good', async () => {
      const follower = bench.follow(python.url, {}, ['tick']);
      await follower.until('fanline:end');
      const seen = follower.of('tick').map(({ data, lastEventId }) => [data, lastEventId]);
      assert.deepEqual(
        seen,
        Array.from({ length: 9 }, (_, i) => [`number\n${i + 1}`, `${i + 1}`]),
      );
      assert.deepEqual(
        follower.of('error').map(({ code }) => code),
        ['ERR_FAN_ENDED', 'ERR_FAN_ENDED', 'ERR_FAN_ENDED'],
      );
      assert.ok(follower.of('error').every(({ delay }) => delay >= 20));
    });

    it('the answer to a POST is complete', async () => {
      const follower = bench.follow(python.url, { body: 'as you like it' }, ['word', 'done']);
      await follower.until('fanline:end');
      assert.deepEqual(follower.data, ['as', 'you', 'like', 'it', '', 'fanline:end']);
    });

    it('404 is final', async () => {
      const { status, delay } = await bench.follow(`${python.url}none`).until('error');
      assert.deepEqual([status, delay], [404, null]);
    });
  });

  describe('Go’s net/http, which writes an event for each tick', () => {
    const numbers = (follower) => follower.of('tick').map(({ lastEventId }) => Number(lastEventId));
    const upTo = (count) => Array.from({ length: count }, (_, i) => i + 1);
    let program;
    let server;

    before(async function () {
      if (!hasGo()) missing(this, 'go');
      this.timeout(60_000); // what it compiles once for all it keeps
      program = await buildGo();
    });
    beforeEach(async () => {
      server = await program.start();
    });
    afterEach(() => server?.close());
    after(() => program?.close());

    const follow = (options) =>
      bench.follow(`http://127.0.0.1:${server.port}/events`, options, ['tick']);

    it('every event arrives, once and in order, with its id; its comments are nothing', async () => {
      const follower = follow();
      await follower.until('tick', 20);
      const events = follower.of('tick');
      assert.deepEqual(numbers(follower), upTo(events.length));
      for (const [i, { data }] of events.entries()) {
        assert.match(data, new RegExp(`^number ${i + 1}\\n\\d{4}-\\d\\d-\\d\\dT`));
      }
      assert.equal(follower.of('open').length, 1);
      assert.deepEqual([...new Set(follower.types)], ['open', 'tick']);
    });

    it('killed and started anew, it is asked to go on from the last event, and nothing is lost', async () => {
      const follower = follow();
      await follower.until('tick', 5);
      await server.close('SIGKILL');
      await follower.until('error', 2); // the cut, and at least one attempt at nothing
      assert.equal(follower.source.readyState, follower.source.CONNECTING);
      const last = numbers(follower).at(-1);
      server = await program.start(server.port);
      await follower.until('tick', last + 5);
      assert.match(server.said, new RegExp(`^from ${last}$`, 'm'));
      assert.deepEqual(numbers(follower), upTo(numbers(follower).length));
      assert.equal(follower.of('open').length, 2);
    });

    it('notices that the client has left', async () => {
      const follower = follow();
      await follower.until('tick', 3);
      assert.doesNotMatch(server.said, /left/);
      follower.source.close();
      await when(() => /^left at \d+$/m.test(server.said), 'the handler has ended');
      assert.equal(server.said.match(/^from 0$/gm).length, 1);
    });
  });

  describe('nchan', () => {
    let nchan;
    let proxy;

    before(async function () {
      if (!hasNchan()) missing(this, 'nginx with nchan');
      nchan = await startNchan();
      proxy = new CuttingProxy(() => nchan.port);
      await proxy.listen();
    });
    after(async () => {
      await proxy?.close();
      await nchan?.close();
    });

    it('events arrive; cut off, it gets what came meanwhile, once and in order', async () => {
      await nchan.publish('0'); // makes the channel
      const url = `http://127.0.0.1:${proxy.port}/sub`;
      const follower = bench.follow(url, { retry: { min: 50, max: 60 } }, ['named']);
      await follower.until('message');
      await nchan.publish('1', 'named');
      await nchan.publish('two\nlines');
      await follower.until('message', 2);
      proxy.cutAll();
      await follower.until('error');
      for (const text of ['3', '4', '5']) await nchan.publish(text);
      await follower.until('message', 5);
      await nchan.publish('6');
      await follower.until('message', 6);
      assert.deepEqual(follower.data, ['0', '1', 'two\nlines', '3', '4', '5', '6']);
      assert.equal(follower.of('named')[0].data, '1');
    });

    it('its pings are life: silence ends nothing', async () => {
      const url = `http://127.0.0.1:${nchan.port}/sub`;
      const follower = bench.follow(url, { silence: 1_900 });
      await follower.until('open');
      const begun = performance.now();
      await when(() => performance.now() - begun > 2_400); // two pings
      assert.equal(follower.of('error').length, 0);
    });
  });
});
