'use strict';

// Replies that never come: the server has done what it was told, and nobody learns of it. ioredis sends such a command again by
// itself; node-redis says that it failed, and the hub sends it again.

const assert = require('node:assert/strict');
const net = require('node:net');
const { Process } = require('./support/process');
const { freePort, startRedis } = require('./support/server');
const { World } = require('./support/wired');

const SENDS = 1_500; // of each process
const EACH = 50;

/** Passes everything on, but the connection is cut in place of every so-manieth reply to a script that appends. */
class Forgetful {
  /** @param {() => number} port where to, at this moment */
  constructor(port, each) {
    this.lost = 0;
    this.each = each;
    this._replies = 0;
    this._sockets = new Set();
    this._server = net.createServer((client) =>
      this._pass(client, net.connect(port(), '127.0.0.1')),
    );
  }

  async listen() {
    await new Promise((resolve) => this._server.listen(0, '127.0.0.1', resolve));
    this.port = this._server.address().port;
  }

  _pass(client, server) {
    let isAppending = false;
    for (const socket of [client, server]) {
      this._sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this._sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on('data', (chunk) => {
      isAppending ||= chunk.includes('}:batch:');
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      if (isAppending && ++this._replies % this.each === 0) {
        this.lost++;
        client.resetAndDestroy();
        return;
      }
      isAppending = false;
      client.write(chunk);
    });
  }

  async close() {
    for (const socket of this._sockets) socket.destroy();
    await new Promise((resolve) => this._server.close(resolve));
  }
}

describe('redis: replies are lost', function () {
  this.timeout(60_000);
  let world;

  beforeEach(() => {
    world = new World();
  });

  afterEach(() => world.end());

  for (const libraries of [
    ['ioredis 6', 'redis 6'],
    ['ioredis 5', 'redis 5'],
  ]) {
    it(`every 50th, ${libraries.join(' and ')}: each event comes once, in the order of its sender, with the id as accepted`, async () => {
      const redis = world.server(await startRedis());
      const proxy = world.add(new Forgetful(() => redis.port, EACH));
      await proxy.listen();
      const processes = libraries.map((library) =>
        world.add(new Process({ library, port: proxy.port })),
      );
      await Promise.all(processes.map((one) => one.ask('listen')));
      const ids = await Promise.all(processes.map((one, i) => one.ask('send', `${i}`, SENDS, 2)));
      assert(proxy.lost >= 20, `${proxy.lost} replies were lost`);
      for (const one of processes) {
        const got = await one.ask('got', 2 * SENDS);
        for (const [i, accepted] of ids.entries()) {
          const of = got.filter(({ data }) => data.startsWith(`${i} `));
          assert.deepEqual(
            of.map(({ data }) => data),
            accepted.map((_, n) => `${i} ${n + 1}`),
          );
          assert.deepEqual(
            of.map(({ id }) => id),
            accepted,
          );
        }
      }
    });
  }

  for (const library of ['ioredis 6', 'redis 6']) {
    it(`${library}: a server that is emptied before it is asked again: who has the event does not get it twice`, async () => {
      const redis = world.server(await startRedis());
      const nowhere = await freePort();
      const proxy = world.add(new Forgetful(() => (proxy.lost === 1 ? nowhere : redis.port), 1));
      await proxy.listen();
      const a = await world.hub(world.client(library, proxy.port));
      const b = await world.hub(world.client(library, redis.port));
      const stream = await b.open('/?room=x');
      await Promise.all([a.until('ready'), b.until('ready')]);
      await b.hub.to('y').send('0').accepted; // the server knows the script
      const { accepted } = a.hub.to('x').send('1');
      assert.deepEqual(await stream.data(1), ['1']);
      await world.client('ioredis 6', redis.port).flushall();
      proxy.each = Infinity;
      proxy.lost = 0;
      await accepted;
      await b.hub.to('x').send('2').accepted;
      assert.equal((await stream.next()).event, 'fanline:reset');
      assert.deepEqual(await stream.data(1), ['2']);
    });
  }
});
