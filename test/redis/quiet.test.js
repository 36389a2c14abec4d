'use strict';

// A process whose clients get nothing of a busy stream: it looks at what has come, and reads nothing until it must.

const assert = require('node:assert/strict');
const { setTimeout: delay } = require('node:timers/promises');
const { idOf, seqOf } = require('../../lib/distribution/ids');
const { raise } = require('../../lib/redis/script');
const { startRedis } = require('./support/server');
const { World } = require('./support/wired');

const EVENTS = 200;
const BATCH = 256; // sends that go to the server together
const HEADS = 4_096; // that it knows at most

describe('redis: a busy stream of which nobody here gets anything', () => {
  let world;
  let port;
  let a; // sends, and has somebody in the busy room
  let b; // has nobody there
  let sent; // to the busy room so far: ids

  beforeEach(async () => {
    world = new World();
    ({ port } = world.server(await startRedis()));
    a = await world.hub(world.client('redis 6', port));
    b = await world.hub(world.client('ioredis 6', port));
    for (const one of [a, b]) await one.until('ready');
    sent = [];
  });

  afterEach(() => world.end());

  /** Numbers from 1, one by one. */
  async function send(count) {
    for (let i = 0; i < count; i++) {
      sent.push(await a.hub.to('busy').send(`${sent.length + 1}`).accepted);
    }
  }

  const passed = () => b.hub._traffic.recoveries._passed.get('room busy') ?? 0;

  /** Until some of it was passed over by b, and it has taken notice of all. */
  async function pass() {
    const before = passed();
    do await send(20);
    while (passed() === before);
    await b.hub._traffic.recoveries.reached(seqOf(sent.at(-1)));
  }

  const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => `${from + i}`);

  it('is looked at from time to time, and not read', async () => {
    const busy = await a.open('/?room=busy');
    const other = await b.open('/?room=other');
    const reads = new Map();
    const monitor = await world.client('ioredis 6', port).monitor();
    monitor.on('monitor', (_time, [name], source) => {
      if (name.toUpperCase() === 'XREAD') reads.set(source, (reads.get(source) ?? 0) + 1);
    });
    await send(EVENTS);
    monitor.disconnect();
    const [few, many] = [...reads.values()].sort((x, y) => x - y);
    assert(few * 2 < many, `${few} and ${many} reads of ${EVENTS} events`);
    // The one for somebody here comes, and from then on it reads as others do.
    a.hub.to('other').send('at last');
    assert.equal((await other.next()).data, 'at last');
    assert.equal((await busy.take(EVENTS)).length, EVENTS);
  });

  it('is given whole to those who come back for it', async () => {
    await send(10);
    await pass();
    const last = sent.length;
    const back = await b.open('/?room=busy', { lastEventId: sent[4] });
    assert.deepEqual(await back.data(last - 5), numbers(6, last));
    await send(5);
    assert.deepEqual(await back.data(5), numbers(last + 1, last + 5));
  });

  it('is given to nobody who comes anew, nor when he comes back', async () => {
    await pass();
    const last = sent.length;
    const early = await b.open('/?room=busy');
    await early.until(({ text }) => /\nid: .*\n/.test(text)); // its cursor, before any event
    assert.equal(/\nid: (.*)\n/.exec(early.text)[1], sent.at(-1));
    const first = await b.open('/?room=busy');
    await send(1);
    const { data, id } = await first.next();
    assert.equal(data, `${last + 1}`);
    first.close();
    await send(2);
    const again = await b.open('/?room=busy', { lastEventId: id });
    assert.deepEqual(await again.data(2), numbers(last + 2, last + 3));
    const between = await b.open('/?room=busy', { lastEventId: sent[last - 1] });
    assert.deepEqual(await between.data(3), numbers(last + 1, last + 3));
  });

  it('takes nothing from the history of other rooms here: no range is read for those who come back', async () => {
    const { accepted } = a.hub.to('other').send('before');
    const cursor = await accepted;
    const other = await b.open('/?room=other');
    await a.hub.to('other').send('1').accepted;
    assert.deepEqual(await other.data(1), ['1']);
    await pass();
    let ranges = 0;
    const monitor = await world.client('ioredis 6', port).monitor();
    monitor.on('monitor', (_time, [name, key]) => {
      if (name.toUpperCase() === 'XRANGE' && key.endsWith('events')) ranges++;
    });
    b.hub._traffic._link.hurry(); // its looks have ranges of their own
    const back = await b.open('/?room=other', { lastEventId: cursor });
    assert.deepEqual(await back.data(1), ['1']);
    monitor.disconnect();
    assert.equal(ranges, 0);
  });

  it('holds up neither commands nor questions nor answers', async () => {
    const other = await b.open('/?room=other');
    await pass();
    assert.equal((await a.hub.presence({ room: 'other' })).size, 1);
    await pass();
    assert.equal((await b.hub.presence({ room: 'other' })).size, 1);
    await pass();
    a.hub.to('other').join('busy');
    const last = sent.length;
    await send(3);
    assert.deepEqual(await other.data(3), numbers(last + 1, last + 3));
  });

  it('holds up no answer, however much comes', async () => {
    await pass();
    const { process, _link } = b.hub._traffic;
    const before = _link._tail._answered;
    await a.hub._traffic._link.answer(process, '{"number":0}');
    const late = performance.now() + 1_000;
    while (_link._tail._answered === before && performance.now() < late) await send(20);
    assert.notEqual(_link._tail._answered, before);
  });

  it('holds up nothing that is sent here for somebody here', async () => {
    const other = await b.open('/?room=other');
    await pass();
    const isRead = () => b.hub._traffic._link._tail._useless === 0;
    assert(!isRead());
    await b.hub.to('other').send('x').accepted;
    assert(isRead());
    await other.data(1);
    await pass();
    await b.hub.to('busy').send('nobody waits for it here').accepted;
    assert(!isRead());
    assert.equal((await b.hub.to('other').deliver('y')).matched, 1);
    assert.deepEqual(await other.data(1), ['y']);
  });

  it('leaves nobody waiting for what becomes of an event that was sent here while it was looked at', async () => {
    await pass();
    const { _connection } = b.hub._traffic._link._tail;
    const call = _connection.call.bind(_connection);
    let delivered = null;
    _connection.call = async (...args) => {
      if (delivered === null) {
        delivered = b.hub.to('busy').deliver('x'); // accepted before the look, whose answer comes later
        await b.hub._traffic._sender.idle();
      }
      return call(...args);
    };
    await send(1);
    while (delivered === null) await delay(10);
    assert.equal((await delivered).matched, 0);
  });

  it('is read where the stream keeps so little that it would be gone: nobody is told of a loss that is none', async () => {
    const redis = { prefix: 'short', maxLen: 100 };
    const sender = await world.hub(world.client('redis 6', port), { redis });
    const reader = await world.hub(world.client('ioredis 6', port), { redis });
    for (const one of [sender, reader]) await one.until('ready');
    const other = await reader.open('/?room=other');
    for (let i = 0; i < EVENTS; i++) {
      for (let n = 0; n < 5; n++) sender.hub.to('busy').send('x');
      await delay(1);
    }
    sender.hub.to('other').send('on');
    assert.equal((await other.next()).data, 'on');
  });

  it('hides no loss: of a server that was emptied its clients are told', async () => {
    const other = await b.open('/?room=other');
    await pass();
    await world.client('ioredis 6', port).flushall();
    await send(1);
    assert.equal((await other.next()).event, 'fanline:reset');
    await a.hub.to('other').send('on').accepted;
    assert.equal((await other.next()).data, 'on');
  });

  it('hides no loss: of a server that has taken over without the last event they are told', async () => {
    const other = await b.open('/?room=other');
    await pass();
    const io = world.client('ioredis 6', port);
    await io.xdel('{fanline}:events', sent.at(-1));
    await io.set('{fanline}:last', sent.at(-2));
    await send(1);
    assert.equal((await other.next()).event, 'fanline:reset');
  });

  it('hides no loss: where another process has found out about it they are told', async () => {
    const other = await b.open('/?room=other');
    await pass();
    const io = world.client('ioredis 6', port);
    const keys = ['{fanline}:last', '{fanline}:heads'];
    const lost = idOf(seqOf(sent.at(-1)) + 1); // which that one has got, and b has not
    await raise.run({ call: ([name, ...args]) => io.call(name, ...args) }, keys, [lost]);
    assert.equal((await other.next()).event, 'fanline:reset');
  });

  it('is read when what is known of it is gone: nothing is missing', async () => {
    const other = await b.open('/?room=other');
    await pass();
    await a.hub.to('other').send('1').accepted;
    await world.client('ioredis 6', port).del('{fanline}:heads');
    await send(20);
    await delay(150); // it has looked
    await a.hub.to('other').send('2').accepted;
    assert.deepEqual(await other.data(2), ['1', '2']);
  });

  it('keeps no more than some thousand heads in the server', async () => {
    for (let i = 0; i < 5_000; i++) a.hub.to(`room ${i}`).send('x');
    await a.hub.to('end').send('x').accepted;
    const io = world.client('ioredis 6', port);
    const known = await io.zcard('{fanline}:heads');
    assert(known > 1_000 && known <= 4_096 + 256, `${known}`);
    assert.notEqual(await io.zscore('{fanline}:heads', ''), null);
  });

  it('hides nothing whose head is too long to be known, also when older ones are let go of', async () => {
    const other = await b.open('/?room=other');
    const many = Array.from({ length: HEADS - BATCH / 2 }, (_, i) => `room ${i}`);
    await Promise.all(many.map((room) => a.hub.to(room).send('x').accepted));
    await pass();
    a.hub.to(['other', 'x'.repeat(600)]).send('1');
    let last;
    for (let i = 1; i < BATCH; i++) last = a.hub.to(`new ${i}`).send('x').accepted;
    await b.hub._traffic.recoveries.reached(seqOf(await last));
    const known = await world.client('ioredis 6', port).zcard('{fanline}:heads');
    assert(known < HEADS - BATCH, `${known}`);
    a.hub.to('other').send('2');
    assert.deepEqual(await other.data(2), ['1', '2']);
  });
});
