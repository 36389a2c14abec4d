'use strict';

// What one hub takes from others (nothing), and what of a send is refused: by its own size, not by what else is there.

const assert = require('node:assert/strict');
const { createHub, sse } = require('fanline');
const { Stage, quiet, when } = require('./support/stage');

const MIB = 1 << 20;
const HELD = 500; // ms for which a stalled reader holds up the rest of a stretch of its own hub
const PROMPT = 250; // ms, generous

describe('a bulk stretch on a hub with a stalled reader', () => {
  let crowded;
  let stage;
  let stalled;
  beforeEach(async () => {
    crowded = createHub({ heartbeat: false, limits: { queueBytes: MIB } });
    stage = await Stage.on(crowded);
    stalled = await stage.deaf({ rooms: 'stalled' });
    await when(() => stalled.client.transport === 'fd');
  });
  afterEach(() => stage.close());

  /** Sends more than the stalled reader takes; answers what tells how long ago that was. */
  function flood() {
    const text = 'x'.repeat(40_000);
    for (let i = 0; i < 200; i++) crowded.to('stalled').send(text);
    const begun = performance.now();
    return () => performance.now() - begun;
  }

  /** Was all that while the loop held the rest of the stretch back? Then nothing else was; and the reader ends, later. */
  async function assertPrompt(ms) {
    assert.ok(crowded.stats().inboxBytes > 0, 'the hub holds nothing back');
    assert.equal(stalled.client.closed, null);
    assert.ok(ms < PROMPT, `${Math.round(ms)} ms`);
    await when(() => stalled.client.closed !== null, 'the end of the stalled reader');
    assert.equal(stalled.client.closed, 'slow');
  }

  it('does not delay an event of another hub', async () => {
    const other = createHub({ heartbeat: false });
    const { path, result } = stage.expect((req, res) => other.connect(req, res));
    const [client, stream] = await Promise.all([result, stage.open(path)]);
    await when(() => client.transport === 'fd');
    const since = flood();
    other.broadcast('mark');
    assert.equal((await stream.next()).data, 'mark');
    await assertPrompt(since());
  });

  it('does not delay a newcomer of another hub, nor its end', async () => {
    const other = createHub({ heartbeat: false });
    const since = flood();
    const { path, result } = stage.expect((req, res) => {
      const client = other.connect(req, res);
      client.close({ data: 'bye' });
      return client;
    });
    const [client, stream] = await Promise.all([result, stage.open(path)]);
    assert.equal((await stream.next()).data, 'bye');
    assert.equal(await stream.end(), 'end');
    const ms = since();
    await when(() => client.closed === 'server');
    await assertPrompt(ms);
  });

  it('does not delay a stream of sse()', async () => {
    const { path, result } = stage.expect((req, res) => sse(req, res));
    const [client, stream] = await Promise.all([result, stage.open(path)]);
    await when(() => client.transport === 'fd');
    const since = flood();
    client.send('token');
    assert.equal((await stream.next()).data, 'token');
    await assertPrompt(since());
  });

  it('does not delay the end of the connection of another client of its own that is cut', async () => {
    const { client, stream } = await stage.connect();
    await when(() => client.transport === 'fd');
    const since = flood();
    client.res.destroy();
    // The loop has a duplicate of the descriptor: its peer sees the end when both are closed.
    assert.notEqual(await stream.end(), 'end');
    await assertPrompt(since());
    assert.equal(crowded.size, 0);
  });

  it(`still gives its reader ${HELD} ms`, async () => {
    const since = flood();
    await when(() => stalled.client.closed !== null, 'the end of the stalled reader');
    const ms = since();
    assert.ok(ms > HELD - 50 && ms < 2_500, `${Math.round(ms)} ms`);
  });
});

describe('what is refused, and how', () => {
  let hub;
  let stage;
  afterEach(() => stage.close());

  async function start(options) {
    hub = createHub({ heartbeat: false, retry: false, history: false, ...options });
    stage = await Stage.on(hub);
    return stage.connect({ rooms: 'r' });
  }

  const TOO_LARGE = { name: 'RangeError', code: 'ERR_FAN_TOO_LARGE' };

  it('res.write of a block beyond eventBytes is too large, also when it ends in a blank line', async () => {
    const { client, stream } = await start({ limits: { eventBytes: 1_000 } });
    const { res } = client;
    for (const end of ['\n\n', '\r\n\r\n', '\n', '']) {
      assert.throws(() => res.write(`data: ${'x'.repeat(50_000)}${end}`), TOO_LARGE);
    }
    res.write('data: fits\n\n');
    assert.equal((await stream.next()).data, 'fits');
    assert.ok(!stream.text.includes('x'));
    assert.equal(client.closed, null);
  });

  it('also when it comes in pieces, and the last has the blank line', async () => {
    const { client, stream } = await start({ limits: { eventBytes: 1_000 } });
    const { res } = client;
    res.write(`data: ${'x'.repeat(900)}`);
    assert.throws(() => res.write(`${'x'.repeat(900)}\n\n`), TOO_LARGE);
    client.send('after');
    await stream.until(({ text }) => text.endsWith('data: after\n\n'));
  });

  it('many small blocks in one res.write pass in order, whatever they are together', async () => {
    const { client, stream } = await start({ limits: { eventBytes: 1_000 } });
    const count = 500;
    const blocks = Array.from({ length: count }, (_, i) => `data: ${i} ${'y'.repeat(i % 100)}\n\n`);
    client.res.write(blocks.join(''));
    client.res.write(Buffer.from(`${blocks.join('')}data: en`));
    client.res.write('d\n\n');
    const data = await stream.data(2 * count + 1);
    const numbers = data.slice(0, -1).map((text) => Number.parseInt(text, 10));
    const expected = Array.from({ length: 2 * count }, (_, i) => i % count);
    assert.deepEqual(numbers, expected);
    assert.equal(data.at(-1), 'end');
    assert.equal(stream.text, `:\n${blocks.join('').repeat(2)}data: end\n\n`);
  });

  it('two hundred thousand blocks in one res.write are nothing special', async () => {
    const { client, stream } = await start({});
    client.res.write('data: a\n\n'.repeat(200_000));
    client.close({ data: 'end' });
    assert.equal(await stream.end(), 'end');
    assert.equal(stream.events.length, 200_001);
  });

  it('line breaks that totalBytes can never hold are too large, not a full hub', async () => {
    const limits = { totalBytes: 2 * MIB + (64 << 10), eventBytes: MIB };
    const { client, stream } = await start({ limits });
    await quiet(hub); // idle: nothing is in the way
    const breaks = '\n'.repeat(600_000);
    const { deliveries } = hub.stats();
    assert.throws(() => hub.broadcast(breaks), TOO_LARGE);
    assert.throws(() => hub.to('r').send('a\n'.repeat(300_000)), TOO_LARGE);
    assert.throws(() => client.send(breaks), TOO_LARGE);
    assert.throws(() => client.close({ data: breaks }), TOO_LARGE);
    assert.equal(client.closed, null);
    assert.equal(hub.stats().deliveries, deliveries);
    hub.broadcast('a'.repeat(MIB));
    assert.equal((await stream.next()).data.length, MIB);
  });

  it('the name that is too long is what the message speaks of', async () => {
    const { client } = await start({});
    const event = 'e'.repeat(5_000);
    for (const send of [
      () => hub.broadcast('x', { event }),
      () => hub.to('nobody').send('x', { event }),
      () => client.send('x', { event }),
      () => client.close({ data: 'x', event }),
    ]) {
      assert.throws(send, (err) => {
        assert.equal(err.code, 'ERR_FAN_TOO_LARGE');
        assert.match(err.message, /name/i);
        assert.doesNotMatch(err.message, /eventBytes/);
        return true;
      });
    }
    assert.throws(
      () => hub.broadcast('x', { id: 'i'.repeat(5_000) }),
      (err) => {
        assert.equal(err.code, 'ERR_FAN_TOO_LARGE');
        assert.doesNotMatch(err.message, /eventBytes/);
        return true;
      },
    );
    assert.throws(() => hub.broadcast('x'.repeat(2 * MIB)), { message: /limits\.eventBytes/ });
  });

  it('bytes never go through serialize', async () => {
    const asked = [];
    const serialize = (data) => {
      asked.push(data);
      return JSON.stringify(data);
    };
    const { client, stream } = await start({ serialize });
    const text = '{"pre":"encoded"}';
    const bytes = new TextEncoder().encode(text);
    client.send(Buffer.from(text));
    client.send(bytes);
    hub.broadcast(bytes);
    hub.to('r').send(Buffer.from(text), { event: 'e' });
    client.send({ a: 1 });
    client.close({ data: bytes });
    assert.deepEqual(await stream.data(6), [text, text, text, text, '{"a":1}', text]);
    assert.equal(await stream.end(), 'end');
    assert.deepEqual(asked, [{ a: 1 }]);
  });
});
