'use strict';

// Snapshots that do not come to their end: the application fails, the client leaves, or somebody closes.

const assert = require('node:assert/strict');
const { setImmediate, setTimeout: sleep } = require('node:timers/promises');
const { World, cursorOf, deferred, reads, told } = require('../js/support/resume-world');
const { when } = require('../js/support/stage');

const ROOM = { rooms: 'room' };

for (const transport of ['auto', 'relay']) {
  describe(`the end of a snapshot, ${transport}`, () => {
    let world;
    let hub;
    let stage;
    let ends;

    async function start(options) {
      world = await World.of({ transport, ...options });
      ({ hub, stage, ends } = world);
    }

    afterEach(() => world.close());

    for (const [how, snapshot] of Object.entries({
      throws: () => {
        throw new Error('no database');
      },
      rejects: async () => {
        await setImmediate();
        throw new Error('no database');
      },
    })) {
      it(`${how}: the stream ends with 'error', and both events have the cause; nothing that waited is sent`, async () => {
        await start({
          snapshot: (client) => {
            client.send('state');
            return snapshot();
          },
        });
        const closes = [];
        hub.on('connect', (client) => client.on('close', (...args) => closes.push(args)));
        const { path, result } = stage.expect((req, res) => {
          const client = hub.connect(req, res, ROOM);
          hub.to('room').send('live');
          return client;
        });
        const stream = await stage.open(path).catch(() => null);
        const client = await result;
        await when(() => ends.length > 0, 'the end');
        assert.equal(client.closed, 'error');
        const [[whose, reason, cause]] = ends;
        assert.equal(whose, client);
        assert.deepEqual([reason, cause.message], ['error', 'no database']);
        assert.deepEqual(closes, [['error', cause]]);
        assert.notEqual(await stream?.end(), 'end'); // cut: the reader knows
        assert.doesNotMatch(stream?.text ?? '', /live|database/);
        assert.equal(hub.stats().disconnects.error, 1);
      });
    }

    it("without memory for the id behind it: the stream ends with 'error'", async () => {
      await start({ snapshot: (client) => client.send('state') });
      Object.defineProperty(hub._native, 'mark', { value: () => -30 }); // FAN_ENOMEM
      const { client } = await stage.connect(ROOM);
      await when(() => ends.length > 0, 'the end');
      const [[whose, reason, cause]] = ends;
      assert.deepEqual([whose, reason, cause.code], [client, 'error', 'ERR_FAN_FULL']);
    });

    it("outlasts stallTimeout: the stream ends with 'error' and a TimeoutError, whatever becomes of it later", async () => {
      const gate = deferred();
      await start({ limits: { stallTimeout: 60 }, snapshot: () => gate.promise });
      const { client, stream } = await stage.connect(ROOM);
      hub.to('room').send('live');
      await when(() => ends.length > 0, 'the end');
      const [[, reason, cause]] = ends;
      assert.deepEqual([reason, cause.name], ['error', 'TimeoutError']);
      assert.match(cause.message, /60 ms/);
      assert.equal(client.closed, 'error');
      assert.notEqual(await stream.end(), 'end');
      gate.reject(new Error('too late')); // and nobody hears of it
      await setImmediate();
      assert.equal(ends.length, 1);
      assert.doesNotMatch(stream.text, /live/);
    });

    it('without stallTimeout it may take as long as it needs', async () => {
      const gate = deferred();
      await start({ limits: { stallTimeout: false }, snapshot: () => gate.promise });
      const { client, stream } = await stage.connect(ROOM);
      hub.to('room').send('live');
      await sleep(50);
      assert.equal(client.closed, null);
      gate.resolve();
      assert.deepEqual(await reads(stream, 1), ['live']);
    });

    it("the client leaves meanwhile: the reason is 'client', and its end is nobody's error", async () => {
      const gate = deferred();
      const after = [];
      await start({
        snapshot: async (client) => {
          client.send('state');
          await gate.promise;
          after.push(client.closed, client.signal.aborted, client.send('nobody hears it'));
        },
      });
      const { client, stream } = await stage.connect(ROOM);
      await reads(stream, 1);
      stream.close();
      await when(() => client.closed !== null, 'the end');
      gate.resolve();
      await when(() => after.length > 0, 'the rest of snapshot');
      assert.deepEqual(after, ['client', true, false]);
      assert.deepEqual(ends, [[client, 'client']]);
    });

    it('close() inside: what the snapshot has sent arrives, what waited behind does not', async () => {
      await start({
        snapshot: async (client) => {
          client.send('state');
          await setImmediate();
          client.close({ event: 'gone', data: 'full' });
          client.send('too late');
        },
      });
      const { path, result } = stage.expect((req, res) => {
        const client = hub.connect(req, res, ROOM);
        hub.to('room').send('live');
        return client;
      });
      const stream = await stage.open(path);
      const client = await result;
      assert.equal(await stream.end(), 'end');
      assert.deepEqual(stream.events.map(told), ['state', 'gone full']);
      assert.deepEqual(ends, [[client, 'server']]);
      assert.equal(cursorOf(stream), undefined); // or it would miss what waited
    });

    it('hub.close() while it runs ends the client within the grace', async () => {
      const gate = deferred();
      await start({ snapshot: () => gate.promise });
      const { client, stream } = await stage.connect(ROOM);
      hub.to('room').send('waits');
      await hub.close({ grace: 200 });
      assert.equal(client.closed, 'shutdown');
      assert.equal(await stream.end(), 'end');
      assert.deepEqual(stream.events, []);
      assert.equal(cursorOf(stream), undefined);
      gate.resolve();
    });
  });
}
