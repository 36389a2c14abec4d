'use strict';

// No value starts a field or an event of its own. What every library of this kind has been caught with: each attempt fails
// with its coded error, nothing is sent and nothing changes, or it is harmless because it can only be data.

const assert = require('node:assert/strict');
const { setImmediate } = require('node:timers/promises');
const fc = require('fast-check');
const { createHub } = require('fanline');
const { connected } = require('./support/reader-hub');

const SEED = Number(process.env.FANLINE_SEED ?? Date.now() % 2 ** 31);

const ARG = { name: 'TypeError', code: 'ERR_FAN_ARG' };
const RANGE = { name: 'RangeError', code: 'ERR_FAN_RANGE' };
const DATA = { name: 'TypeError', code: 'ERR_FAN_DATA' };

describe(`framing: injection (FANLINE_SEED=${SEED})`, () => {
  let one; // what connected() answers
  before(async () => {
    one = await connected();
  });
  after(() => one.close());

  function state() {
    const { hub, client } = one;
    const { wakeups: _, flushes: __, ...counters } = hub.stats();
    return {
      counters,
      size: hub.size,
      rooms: [...hub.rooms],
      closed: client.closed,
      own: [...client.rooms],
      buffered: client.bufferedBytes,
    };
  }

  /** Resolves when the loop's counters tell of everything sent so far, and of the comment that opened the stream. */
  async function settled() {
    for (;;) {
      const { events, deliveries, framesWritten } = one.hub.stats();
      if (deliveries > events && framesWritten === deliveries) return;
      await setImmediate();
    }
  }

  let marks = 0;
  /** Does `act`: nothing may be sent, or change. */
  async function withoutEffect(act) {
    const { hub, stream } = one;
    await settled();
    const before = state();
    await act();
    assert.deepEqual(state(), before);
    const from = stream.text.length;
    const mark = `event: mark\ndata: ${++marks}\n\n`;
    hub.broadcast(marks, { event: 'mark' });
    await stream.until(({ text }) => text.endsWith(mark));
    assert.equal(stream.text.slice(from), mark);
  }

  async function refused(data, opts, error) {
    for (const [name, sender] of Object.entries(one.senders)) {
      await withoutEffect(() => assert.throws(() => sender(data, opts), error, name));
    }
  }

  const BREAKS = [
    '\n',
    '\r',
    '\r\n',
    '\0',
    'a\nb',
    'a\rdata: x',
    '\na',
    'a\n',
    'x\n\ndata: evil\n\n',
    'ok\0',
    '\0ok',
  ];

  it('line ends and NUL in an event name', async () => {
    for (const event of BREAKS) await refused('x', { event }, ARG);
  });

  it('line ends and NUL in an id', async () => {
    for (const id of BREAKS) await refused('x', { id }, ARG);
  });

  it('a line end anywhere in a name or an id', async () => {
    const broken = fc
      .tuple(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('\r', '\n', '\0'),
        fc.string({ unit: 'binary' }),
      )
      .map((parts) => parts.join(''));
    await withoutEffect(() => {
      const property = fc.property(broken, fc.constantFrom('event', 'id'), (value, field) => {
        for (const sender of Object.values(one.senders)) {
          assert.throws(() => sender('x', { [field]: value }), ARG);
        }
      });
      fc.assert(property, { seed: SEED, numRuns: 500 });
    });
  });

  it('names and ids of other types', async () => {
    const text = { toString: () => 'x\ndata: y' };
    for (const event of [
      null,
      '',
      0,
      5,
      true,
      {},
      ['x'],
      text,
      Symbol('x'),
      Buffer.from('x'),
      new String('x'),
    ]) {
      await refused('x', { event }, ARG);
    }
    for (const id of [
      null,
      true,
      {},
      ['x'],
      text,
      Symbol('x'),
      5n,
      Buffer.from('x'),
      new String('x'),
    ]) {
      await refused('x', { id }, ARG);
    }
    for (const id of [-1, 1.5, NaN, Infinity, 2 ** 53]) await refused('x', { id }, RANGE);
  });

  it('retry that is no integer in range', async () => {
    for (const retry of ['1000', '1\ndata: x', null, {}, [1], true, 1n, { valueOf: () => 1 }]) {
      await refused('x', { retry }, ARG);
    }
    for (const retry of [-1, 0.5, NaN, Infinity, -Infinity, 2 ** 31, 1e21])
      await refused('x', { retry }, RANGE);
    const { client } = one;
    for (const ms of ['1000', '1\ndata: x', undefined, null, 1n]) {
      await withoutEffect(() => assert.throws(() => client.retry(ms), ARG));
    }
    for (const ms of [-1, 0.5, NaN, 2 ** 31])
      await withoutEffect(() => assert.throws(() => client.retry(ms), RANGE));
  });

  it('names and ids that are ours', async () => {
    for (const name of ['fanline:', 'fanline:end', 'fanline:reset', 'fanline:end:1']) {
      await refused('x', { event: name }, ARG);
      await refused('x', { id: name }, ARG);
      await withoutEffect(() => {
        assert.throws(() => one.client.close({ event: name, data: 'x' }), ARG);
        assert.throws(() => one.hub.to('room').disconnect({ event: name, data: 'x' }), ARG);
      });
    }
  });

  it('unknown options, and options that are no plain object', async () => {
    for (const opts of [
      { evnt: 'x' },
      { data: 'x' },
      { comment: 'x' },
      { Id: '1' },
      { key: '' },
      { key: 5 },
      { key: 'x', id: '1' },
      { history: true },
    ]) {
      await refused('x', opts, ARG);
    }
    for (const opts of [
      null,
      'event',
      5,
      [],
      new Map(),
      new Date(),
      () => {},
      Object.create({ event: 'a\nb' }),
    ]) {
      await refused('x', opts, ARG);
    }
    await refused('x', Object.assign(Object.create(null), { event: 'a\nb' }), ARG);
    await refused('x', JSON.parse('{"__proto__": {"event": "a"}}'), ARG);
  });

  it('data that cannot be serialised', async () => {
    const circular = {};
    circular.self = circular;
    const thrower = {
      toJSON() {
        throw new Error('no');
      },
    };
    const list = [
      undefined,
      () => {},
      Symbol('x'),
      class {},
      circular,
      5n,
      { a: [1n] },
      thrower,
      { toJSON() {} },
    ];
    for (const data of list) await refused(data, undefined, DATA);
    for (const data of list.slice(1)) {
      await withoutEffect(() => {
        assert.throws(() => one.client.close({ data }), DATA);
        assert.throws(() => one.hub.to('room').disconnect({ data }), DATA);
        assert.throws(() => one.hub.to('nobody').disconnect({ data }), DATA);
      });
    }
    assert.throws(
      () => one.client.send(thrower),
      (err) => err.cause.message === 'no',
    );
  });

  it('comments of other types', async () => {
    for (const text of [
      null,
      5,
      {},
      Buffer.from('x'),
      Symbol('x'),
      { toString: () => 'x\n\ndata: y' },
    ]) {
      await withoutEffect(() => assert.throws(() => one.client.comment(text), ARG));
    }
  });

  it('names that close() is given', async () => {
    for (const event of BREAKS) {
      await withoutEffect(() => {
        assert.throws(() => one.client.close({ event, data: 'x' }), ARG);
        assert.throws(() => one.hub.to('room').disconnect({ event, data: 'x' }), ARG);
      });
    }
  });

  it('options that change after they were checked', async () => {
    const { client, hub, stream } = one;
    const evil = 'x\ndata: y\n\ndata: z';
    const opts = { event: 'good', id: 'good', retry: 1 };
    const data = {
      toJSON: () => Object.assign(opts, { event: evil, id: evil, retry: evil }) && 'json',
    };
    const moody = (good) => {
      let reads = 0;
      return { enumerable: true, get: () => (reads++ === 0 ? good : evil) };
    };
    const getters = () =>
      Object.defineProperties({}, { event: moody('good'), id: moody('good'), retry: moody(1) });
    const from = stream.text.length;
    for (const send of [(d, o) => client.send(d, o), (d, o) => hub.to('room').send(d, o)]) {
      send(data, Object.assign(opts, { event: 'good', id: 'good', retry: 1 }));
      send('json', getters());
    }
    const once = (json) => `id: good\nevent: good\nretry: 1\ndata: ${json}\n\n`;
    const sent = [once('"json"'), once('json')].join('').repeat(2);
    await stream.until(({ text }) => text.length >= from + sent.length);
    assert.equal(stream.text.slice(from), sent);
  });

  it('heartbeat names with a line end make no hub and no client', () => {
    for (const event of BREAKS) {
      const heartbeat = { interval: 1_000, event };
      assert.throws(() => createHub({ heartbeat }), { name: 'TypeError', code: 'ERR_FAN_OPTION' });
    }
  });

  it('is harmless as data or comment', async () => {
    const { client, hub, stream } = one;
    stream.events.length = 0;
    const evil =
      'x\n\nevent: admin\ndata: y\r\rid: 1\r\n\r\nretry: 1\n\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n';
    hub.broadcast(evil);
    client.comment(evil);
    client.comment('');
    hub.broadcast(Buffer.from(evil));
    hub.broadcast([evil]);
    hub.broadcast('', { event: 'last: data', id: ': id' });
    await stream.until(({ events }) => events.length === 4);
    const data = evil.replace(/\r\n|\r/g, '\n');
    const nothing = { event: undefined, id: undefined };
    const got = stream.events
      .splice(0)
      .map(({ event, id, data: text }) => ({ event, id, data: text }));
    assert.deepEqual(got, [
      { ...nothing, data },
      { ...nothing, data },
      { ...nothing, data: JSON.stringify([evil]) },
      { event: 'last: data', id: ': id', data: '' },
    ]);
    assert.equal(stream.retry, 1); // of the test before this one
  });
});
