'use strict';

// The limits that are clocks: idleTimeout, lifetime, stallTimeout; and the random times that clients are told to come back.
// A test of a clock has to wait; every upper bound is generous, every lower bound is what is promised.

const assert = require('node:assert/strict');
const { setTimeout: after } = require('node:timers/promises');
const { createHub, sse } = require('fanline');
const { EventSource } = require('eventsource');
const { serve } = require('./support/serve');
const { Stage, when } = require('./support/stage');

const EARLY = 5; // ms by which two clocks may differ
const LATE = 400; // ms that a busy machine may add

/** How long the client lives, and how it ends. */
async function lifeOf({ client, stream }) {
  const how = await stream.end();
  const ms = performance.now() - client.begun;
  await when(() => client.closed !== null);
  return { ms, how, reason: client.closed };
}

function within(ms, min, max) {
  assert(ms >= min - EARLY && ms <= max + LATE, `${ms} ms, not from ${min} to ${max}`);
}

describe('limits.idleTimeout', () => {
  it('ends a stream in order; heartbeats, comments and retry lines are no events', async () => {
    const hub = createHub({ heartbeat: 30, limits: { idleTimeout: 200 } });
    const stage = await Stage.on(hub);
    const both = await stage.connect();
    const timer = setInterval(() => {
      both.client.comment('busy');
      both.client.retry(5);
      hub.to('nobody').send('x');
    }, 50);
    const { ms, how, reason } = await lifeOf(both);
    clearInterval(timer);
    assert.deepEqual([how, reason], ['end', 'idle']);
    within(ms, 200, 200);
    assert.equal(hub.stats().disconnects.idle, 1);
    await stage.close();
  });

  it('heartbeats in the form of events are none either', async () => {
    const hub = createHub({
      heartbeat: { interval: 30, event: 'beat' },
      limits: { idleTimeout: 200 },
    });
    const stage = await Stage.on(hub);
    const both = await stage.connect();
    const { ms, reason } = await lifeOf(both);
    assert.equal(reason, 'idle');
    within(ms, 200, 200);
    assert(both.stream.events.length >= 2);
    for (const event of both.stream.events) {
      assert.deepEqual([event.event, event.data], ['beat', '30']);
    }
    await stage.close();
  });

  it('every event starts it anew, whichever way it came', async () => {
    const hub = createHub({ heartbeat: false, limits: { idleTimeout: 300 } });
    const stage = await Stage.on(hub);
    const both = await stage.connect({ rooms: 'r', user: 'u' });
    const life = lifeOf(both);
    const sends = [
      () => both.client.send('x'),
      () => hub.broadcast('x'),
      () => hub.to('r').send('x'),
      () => hub.user('u').send('x'),
      () => both.client.res.write('data: x\n\n'),
    ];
    for (const send of sends) {
      await after(150);
      send();
    }
    const { ms, reason } = await life;
    assert.equal(reason, 'idle');
    within(ms, 5 * 150 + 300, 5 * 150 + 300);
    assert.equal(both.stream.events.length, sends.length);
    await stage.close();
  });
});

describe('limits.lifetime', () => {
  it('ends each stream in order, less up to a tenth: not all at once', async () => {
    const hub = createHub({ limits: { lifetime: 600 } });
    const stage = await Stage.on(hub);
    const lives = [];
    for (let i = 0; i < 20; i++) lives.push(lifeOf(await stage.connect()));
    const times = [];
    for (const { ms, how, reason } of await Promise.all(lives)) {
      assert.deepEqual([how, reason], ['end', 'lifetime']);
      within(ms, 540, 600);
      times.push(ms);
    }
    const spread = Math.max(...times) - Math.min(...times);
    assert(spread > 15, `all within ${spread} ms`);
    assert.equal(hub.stats().disconnects.lifetime, 20);
    await stage.close();
  });

  it('of one connect, in place of the hub’s: shorter, longer, none', async () => {
    const hub = createHub({ limits: { lifetime: 400 } });
    const stage = await Stage.on(hub);
    const none = await stage.connect({ lifetime: false });
    const longer = stage.connect({ lifetime: 800 }).then(lifeOf);
    const own = stage.connect().then(lifeOf);
    const shorter = await stage.connect({ lifetime: 200 }).then(lifeOf);
    within(shorter.ms, 180, 200);
    within((await own).ms, 360, 400);
    within((await longer).ms, 720, 800);
    assert.equal(none.client.closed, null);
    none.client.send('alive');
    assert.equal((await none.stream.next()).data, 'alive');
    await stage.close();
  });

  it('events do not lengthen it, and what was sent is still delivered', async () => {
    const hub = createHub({ limits: { lifetime: 250 } });
    const stage = await Stage.on(hub);
    const both = await stage.connect({ rooms: 'r' });
    let sent = 0;
    const timer = setInterval(() => {
      if (hub.to('r').send(sent).matched === 1) sent++;
    }, 10);
    const { ms, how, reason } = await lifeOf(both);
    clearInterval(timer);
    assert.deepEqual([how, reason], ['end', 'lifetime']);
    within(ms, 225, 250);
    // A send may cross with the end; all that arrived is without a hole.
    const data = both.stream.events.map((event) => Number(event.data));
    assert.deepEqual(data, [...data.keys()]);
    assert(sent - data.length <= 2, `${data.length} of ${sent}`);
    await stage.close();
  });

  it('EventSource returns, and is asked anew who it is', async () => {
    const hub = createHub({ retry: 10 });
    let asked = 0;
    const handler = hub.handler(() => ({ user: `u${++asked}`, lifetime: 60 }));
    const server = await serve(handler);
    const source = new EventSource(server.url);
    await when(() => asked >= 3, 'it returns');
    source.close();
    await when(() => hub.size === 0);
    assert(hub.stats().disconnects.lifetime >= 2);
    await server.close();
  });

  it('of a single stream', async () => {
    const stage = await Stage.on({ connect: sse });
    const { ms, how, reason } = await lifeOf(await stage.connect({ lifetime: 200 }));
    assert.deepEqual([how, reason], ['end', 'lifetime']);
    within(ms, 180, 200);
    await stage.close();
  });
});

describe('limits.stallTimeout while opening', () => {
  it('a header that does not get through ends the client, stalled', async () => {
    const hub = createHub({ limits: { stallTimeout: 300 } });
    const stage = await Stage.on(hub);
    const begun = performance.now();
    const { client, socket } = await stage.deaf({ user: 'u', rooms: 'r' }, { block: true });
    assert.equal(client.transport, 'opening');
    let drop = null;
    hub.on('drop', (_client, what) => {
      drop = what;
    });
    client.send('never seen');
    const room = client.drain();
    await when(() => client.closed !== null, 'the end');
    within(performance.now() - begun, 300, 300);
    assert.equal(client.closed, 'stalled');
    assert.equal(await room, true);
    assert.equal(client.signal.aborted, true);
    assert.deepEqual([drop.reason, drop.events], ['stalled', 3]); // with the opening lines, `retry` and `id`
    assert.deepEqual(hub.stats().drops.stalled, { events: drop.events, bytes: drop.bytes });
    assert.equal(client.res.destroyed, true);
    assert.deepEqual([hub.size, hub.rooms.size, hub.stats().users], [0, 0, 0]);
    socket.resume();
    await stage.close();
  });

  it('also when it is closing: with the reason it had', async () => {
    const hub = createHub({ limits: { stallTimeout: 300 } });
    const stage = await Stage.on(hub);
    const begun = performance.now();
    const { client } = await stage.deaf({}, { block: true });
    client.close({ data: 'never seen' });
    assert.equal(client.closed, null);
    await when(() => client.closed !== null, 'the end');
    within(performance.now() - begun, 300, 300);
    assert.equal(client.closed, 'server');
    assert.equal(client.res.destroyed, true);
    await stage.close();
  });

  it('a relay that takes nothing more is stalled as well', async () => {
    const hub = createHub({ limits: { stallTimeout: 300 } });
    const stage = await Stage.on(hub);
    const { client } = await stage.deaf({ transport: 'relay' }, { block: true });
    const begun = performance.now();
    for (let i = 0; i < 4; i++) client.send('x'.repeat(40_000));
    await when(() => client.closed !== null, 'the end');
    within(performance.now() - begun, 300, 300);
    assert.equal(client.closed, 'stalled');
    await stage.close();
  });

  it('a header that is only slow does not: its stream opens, with all that was sent', async () => {
    const hub = createHub({ limits: { stallTimeout: 5_000 } });
    const stage = await Stage.on(hub);
    const { client, socket } = await stage.deaf({}, { block: true });
    client.send('first');
    client.close({ data: 'last' });
    let text = '';
    socket.setEncoding('utf8').on('data', (part) => {
      text = (text + part).slice(-500);
    });
    socket.resume();
    await when(() => client.closed !== null, 'the end');
    assert.equal(client.closed, 'server');
    assert.equal(client.transport, 'fd');
    await when(() => text.endsWith('0\r\n\r\n'), 'the terminator');
    assert.match(text, /data: first\n\n\r\n.*data: last\n\n\r\n0\r\n\r\n$/s);
    await stage.close();
  });
});

describe('retry', () => {
  /** What `count` clients are told when they connect. */
  async function told(options, opts, count) {
    const stage = await Stage.on(createHub({ history: false, ...options }));
    const lines = [];
    for (let i = 0; i < count; i++) {
      const { stream } = await stage.connect(opts);
      await stream.until(({ text }) => text.endsWith('\n'));
      lines.push(stream.text);
    }
    await stage.close();
    return lines;
  }

  const numbers = (lines) =>
    lines.map((line) => Number(/^retry: (\d+)\n$/.exec(line)?.[1] ?? assert.fail(line)));

  it('a time of its own for each client, over the whole range', async () => {
    for (const [options, opts, min, max] of [
      [{}, {}, 2_000, 5_000],
      [{ retry: { min: 100, max: 1_100 } }, {}, 100, 1_100],
      [{ retry: false }, { retry: { min: 100, max: 1_100 } }, 100, 1_100],
    ]) {
      const times = numbers(await told(options, opts, 60));
      for (const ms of times) assert(ms >= min && ms <= max, `${ms}`);
      assert(new Set(times).size > 30);
      assert(Math.min(...times) < min + (max - min) / 4);
      assert(Math.max(...times) > max - (max - min) / 4);
    }
  });

  it('a number is meant exactly; false is an empty comment', async () => {
    assert.deepEqual(await told({ retry: 70 }, {}, 3), Array(3).fill('retry: 70\n'));
    assert.deepEqual(await told({}, { retry: 1 }, 2), Array(2).fill('retry: 1\n'));
    assert.deepEqual(await told({ retry: false }, {}, 2), Array(2).fill(':\n'));
    assert.deepEqual(await told({ retry: 5 }, { retry: false }, 2), Array(2).fill(':\n'));
  });

  it('behind it, the id from which the client can come back', async () => {
    for (const [retry, line] of [
      [70, 'retry: 70'],
      [false, ':'],
    ]) {
      const hub = createHub({ retry });
      const stage = await Stage.on(hub);
      const { stream } = await stage.connect();
      await stream.until(({ text }) => /-\d+\n$/.test(text));
      assert.match(stream.text, new RegExp(`^${line}\nid: [a-z][a-z0-9]{7}-0\n$`));
      hub.to('nobody').send('kept');
      const later = (await stage.connect()).stream;
      await later.until(({ text }) => /-\d+\n$/.test(text));
      assert.equal(later.text, stream.text.replace(/0\n$/, '1\n'));
      await stage.close();
    }
  });

  it('hub.close tells each a time of its own', async () => {
    const hub = createHub({ retry: { min: 1_000, max: 9_000 } });
    const stage = await Stage.on(hub);
    const streams = [];
    for (let i = 0; i < 20; i++) streams.push((await stage.connect({ retry: false })).stream);
    assert.deepEqual(await hub.close({ grace: 300 }), { ended: 20, cut: 0 });
    const times = new Set();
    for (const stream of streams) {
      assert.equal(await stream.end(), 'end');
      const [, ms] =
        /^:\nid: \w{8}-0\nretry: (\d+)\n$/.exec(stream.text) ?? assert.fail(stream.text);
      assert(ms >= 1_000 && ms <= 9_000, ms);
      times.add(ms);
    }
    assert(times.size >= 15);
    await stage.close();
  });
});
