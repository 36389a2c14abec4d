'use strict';

// The load of the benchmark sees what goes wrong: a driver that loses, doubles or mixes up events must not look fast.

const assert = require('node:assert/strict');
const { setTimeout: sleep } = require('node:timers/promises');
const { Load } = require('../../bench/suite/load');
const { buildNative } = require('../../bench/suite/native');
const { CHUNKED, HEAD, ScriptServer, chunk } = require('./support/script-server');

const SECONDS = 5;
const event = (data, id) => `${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`;
const now = () => process.hrtime.bigint();
const events = (...numbers) => numbers.map((n) => event(`${n} ${now()} x`)).join('');

describe('bench: load', function () {
  this.timeout(20_000);
  const ends = [];
  before(function () {
    this.timeout(60_000);
    buildNative();
  });
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  /** A server that answers so, and a load for it. */
  async function start(answer, seconds = SECONDS) {
    const server = await ScriptServer.start(answer);
    const load = await Load.start({ port: server.port }, seconds);
    ends.push(
      () => server.stop(),
      () => load.kill(),
    );
    return { server, load };
  }

  /** Streams that get this as one chunk after the head. */
  const answering = (text) => start((socket) => socket.write(CHUNKED + chunk(text)));

  describe('reads', () => {
    const body = [':\n', 'retry: 5\n', event(`"1 ${now()} json"`), event(`2 ${now()} x`, 'a-2')];
    body.push('event: note\n', event(`3 ${now()} ${'long '.repeat(400)}`, 7), ': beat\n\n');
    const whole = CHUNKED + body.map(chunk).join('');

    for (const [name, step] of [
      ['byte for byte', 1],
      ['in pieces of 7 bytes', 7],
      ['at once', whole.length],
    ]) {
      it(`a body that comes ${name}`, async () => {
        const { load } = await start(async (socket) => {
          socket.setNoDelay(true);
          for (let at = 0; at < whole.length; at += step) {
            socket.write(whole.slice(at, at + step));
            if (step < 100) await new Promise(setImmediate);
          }
        });
        await load.open('/events', { clients: 1 });
        const got = await load.arrived({ events: 3 });
        assert.deepEqual([got.events, got.open, got.complete], [3, 1, 1]);
      });
    }

    it('a body without transfer coding, with CRLF', async () => {
      const text = events(1, 2).replaceAll('\n', '\r\n');
      const { load } = await start((socket) => socket.write(`${HEAD}\r\n${text}`));
      await load.open('/events', { clients: 1 });
      assert.equal((await load.arrived({ events: 2 })).events, 2);
    });

    it('only whole events', async () => {
      const { load } = await answering(events(1) + event(`2 ${now()} x`).slice(0, -1));
      await load.open('/events', { clients: 1 });
      await load.arrived({ events: 1 });
      await sleep(30);
      assert.equal((await load.report()).events, 1);
    });
  });

  describe('tells', () => {
    for (const [what, numbers] of [
      ['holes 1', [1, 2, 4]],
      ['disorder 1', [1, 2, 2]],
      ['holes 1, .*disorder 1|disorder 1, .*holes 1', [1, 3, 2]],
      ['holes 1', [2, 3, 4]], // the first is missing
    ]) {
      it(`${numbers.join(', ')} as an error`, async () => {
        const { load } = await answering(events(...numbers));
        await load.open('/events', { clients: 1 });
        await assert.rejects(load.arrived({ events: 3 }), new RegExp(what));
      });
    }

    it('an event too much', async () => {
      const { load } = await answering(events(1, 2, 3));
      await load.open('/events', { clients: 2 });
      await assert.rejects(load.arrived({ total: 5 }), /events 6/);
    });

    it('events that do not come', async () => {
      const { load } = await start((socket) => socket.write(CHUNKED + chunk(events(1))), 0.2);
      await load.open('/events', { clients: 2 });
      await assert.rejects(load.arrived({ events: 2 }), /events 2, open 2/);
    });

    it('that nothing comes any more', async () => {
      const { server, load } = await start(
        (socket) => socket.write(CHUNKED + chunk(events(1))),
        60,
      );
      await load.open('/events', { clients: 1 });
      const arrived = load.arrived({ events: 3, silence: 0.2 });
      await sleep(120);
      server.sockets[0].write(chunk(events(2)));
      await assert.rejects(arrived, /events 2, open 1/);
    });

    it('fanline:reset', async () => {
      const { load } = await answering(`event: fanline:reset\ndata: 1 2 gone\n\n${events(1)}`);
      await load.open('/events', { clients: 1 });
      await assert.rejects(load.arrived({ events: 1 }), /resets 1/);
    });

    it('a stream that ends, but not one that has had all when it may end', async () => {
      const { load } = await start((socket) => socket.end(CHUNKED + chunk(events(1, 2))));
      await load.open('/events', { clients: 1 });
      await sleep(30);
      await assert.rejects(load.arrived({ events: 2 }), /ended 1/);
      await assert.rejects(load.arrived({ events: 3, ends: true }), /fell_short 1/);
      assert.equal((await load.arrived({ events: 2, ends: true })).events, 2);
    });

    it('a stream that ends while it is waited for, at once', async () => {
      const { server, load } = await answering(events(1));
      await load.open('/events', { clients: 2 });
      const arrived = load.arrived({ events: 2 });
      await load.report();
      server.sockets[0].end();
      server.sockets[1].write(chunk(events(2)));
      await assert.rejects(arrived, /fell_short 1, ended 1$/);
    });

    it('a last chunk as the end', async () => {
      const { load } = await start((socket) =>
        socket.write(`${CHUNKED}${chunk(events(1))}0\r\n\r\n`),
      );
      await load.open('/events', { clients: 1 });
      await sleep(30);
      await assert.rejects(load.arrived({ events: 1 }), /ended 1/);
    });

    it('streams that do not open, and why', async () => {
      const answer = 'HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno';
      const { load } = await start((socket) => socket.write(answer));
      await assert.rejects(load.open('/events', { clients: 3 }), /3 of 3 .*status 503/);
      const alone = await Load.start({ port: 1 }, SECONDS);
      ends.push(() => alone.kill());
      await assert.rejects(alone.open('/events', { clients: 1 }), /1 of 1 .*refused/);
    });

    it('streams that nobody answers', async () => {
      const { load } = await start(() => {}, 0.2);
      await assert.rejects(load.open('/events', { clients: 1 }), /not open in time/);
    });

    it('that it has ended itself', async () => {
      const { load } = await start(() => {});
      const opening = load.open('/events', { clients: 1 });
      load.kill();
      await assert.rejects(opening, /the load ended \(SIGKILL\)/);
      await assert.rejects(load.report(), /the load ended/);
    });
  });

  it('counts the numbers of each room apart, and tells rooms that a stream has not joined', async () => {
    const { server, load } = await start((socket, request) => {
      const [first, second] = /rooms=(\d+),(\d+) /.exec(request).slice(1);
      const text = [`${first}:1`, `${second}:1`, `${first}:2`].map((of) =>
        event(`${of} ${now()} x`),
      );
      socket.write(CHUNKED + chunk(text.join('')));
    });
    await load.open('/events?rooms=%', { clients: 4, rooms: 4, joined: 2 });
    await load.arrived({ events: 3 });
    const asked = server.requests.map((request) => /rooms=(\S+)/.exec(request)[1]);
    assert.deepEqual(asked.sort(), ['0,2', '1,3', '2,0', '3,1']);
    for (const socket of server.sockets) socket.write(chunk(event(`9:1 ${now()} x`)));
    await assert.rejects(load.arrived({ events: 4 }), /strays 4/);
  });

  it('comes back with the id of the last whole event, or without', async () => {
    const { server, load } = await start((socket, request) => {
      const [, id] = /Last-Event-ID: e-(\d+)/.exec(request) ?? [undefined, 0];
      const more = event(`${Number(id) + 1} ${now()} x`, `e-${Number(id) + 1}`);
      socket.write(CHUNKED + chunk(`${more}id: torn\n`));
    });
    const last = () => /Last-Event-ID: (\S+)/.exec(server.requests.at(-1))?.[1];
    await load.open('/events', { clients: 1 });
    await load.arrived({ events: 1 });
    assert.equal(last(), undefined);
    for (const n of [1, 2]) {
      await load.close();
      await load.reset();
      await load.reopen({ missed: true });
      assert.equal(last(), `e-${n}`);
      await load.arrived({ events: 1 }); // a hole would be an error
    }
    await load.close();
    await load.reset();
    await load.reopen();
    assert.equal(last(), undefined);
    await load.arrived({ events: 1 }); // whatever number it has
  });

  it('reads nothing of stalled streams, and counts them apart', async () => {
    const { server, load } = await start((socket) => socket.write(CHUNKED));
    await load.open('/events', { clients: 8 });
    assert.deepEqual(await load.stall(2), { stalled: 2 });
    const large = `1 ${now()} ${'x'.repeat(1 << 20)}`;
    for (const socket of server.sockets)
      for (let n = 0; n < 8; n++) socket.write(chunk(event(large.replace('1', n + 1))));
    const got = await load.arrived({ events: 8 });
    assert.deepEqual([got.open, got.events], [6, 48]);
    const stuck = server.sockets.filter((socket) => socket.writableLength > 0);
    assert.equal(stuck.length, 2);
    assert.equal((await load.report('stalled')).events, 0);
    await load.ask('read', { group: 'stalled' });
    assert.equal((await load.arrived({ group: 'stalled', events: 8 })).events, 16);
  });

  it('measures from the time that an event names to its arrival', async () => {
    const text = event(`1 ${now() - 50_000_000n} x`) + event(`2 ${now() - 10_000_000n} x`);
    const { load } = await answering(text);
    await load.open('/events', { clients: 1 });
    const { p50_ms, max_ms, span_s } = await load.arrived({ events: 2 });
    assert.ok(p50_ms >= 10 && p50_ms < 45, `${p50_ms}`);
    assert.ok(max_ms >= 50 && max_ms < 500, `${max_ms}`);
    assert.ok(span_s >= 0.05 && span_s < 0.5, `${span_s}`);
  });

  it('begins its counts anew, but not the order', async () => {
    const { server, load } = await answering(events(1, 2));
    await load.open('/events', { clients: 1 });
    await load.arrived({ events: 2 });
    await load.reset();
    const arrived = load.arrived({ events: 1 });
    await load.report(); // it is waiting
    server.sockets[0].write(chunk(events(3)));
    assert.equal((await arrived).events, 1);
    server.sockets[0].write(chunk(events(5)));
    await assert.rejects(load.arrived({ events: 2 }), /holes 1/);
  });

  it('closes so many streams', async () => {
    const { server, load } = await start((socket) => socket.write(CHUNKED));
    await load.open('/events', { clients: 3 });
    assert.deepEqual(await load.close({ n: 2, abort: true }), { closed: 2 });
    const left = () => server.sockets.filter((socket) => !socket.destroyed).length;
    while (left() > 1) await sleep(1);
    assert.equal((await load.report()).open, 1);
  });

  it('asks pings at a fixed rate, whatever has become of the ones before', async () => {
    const { server, load } = await start((socket) => {
      setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong'), 30);
    });
    await load.ping({ every_us: 5_000 });
    while (server.requests.length < 20) await sleep(5);
    assert.match(server.requests[0], /^GET \/ping HTTP\/1\.1\r\n/);
    const { pings, p50_ms } = await load.pings();
    assert.ok(pings >= 19, `${pings}`);
    assert.ok(p50_ms >= 29 && p50_ms < 200, `${p50_ms}`);
    assert.ok(server.sockets.length > 1, 'others do not wait for one that waits');
  });

  it('answers a command that there is not', async () => {
    const { load } = await start(() => {});
    await assert.rejects(load.ask('dance'), /no such command/);
  });
});
