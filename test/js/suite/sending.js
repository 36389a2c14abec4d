'use strict';

const assert = require('node:assert/strict');
const { setImmediate: turn } = require('node:timers/promises');
const { QUIET, arrives, noise, upTo } = require('./world');

const OPENING = ':\n';

// [what is sent, what travels]
const FRAMES = [
  [['x'], 'data: x\n\n'],
  [['a\nb\r\nc\rd'], 'data: a\ndata: b\ndata: c\ndata: d\n\n'],
  [['\n'], 'data: \ndata: \n\n'],
  [[' two  '], 'data:  two  \n\n'],
  [['zażółć 😀 \u2028 \u0000 \ufeff'], 'data: zażółć 😀 \u2028 \u0000 \ufeff\n\n'],
  [['\ud800!'], 'data: \ufffd!\n\n'],
  [[Buffer.from('bytes é\nmore')], 'data: bytes é\ndata: more\n\n'],
  [[new Uint8Array([65, 66])], 'data: AB\n\n'],
  [[{ a: [1, 'x\ny'] }], 'data: {"a":[1,"x\\ny"]}\n\n'],
  [[null], 'data: null\n\n'],
  [[0], 'data: 0\n\n'],
  [['x', { event: 'tick' }], 'event: tick\ndata: x\n\n'],
  [['x', { id: 7 }], 'id: 7\ndata: x\n\n'],
  [['x', { retry: 10 }], 'retry: 10\ndata: x\n\n'],
  [
    ['x\ny', { retry: 0, event: 'é', id: 'a b' }],
    'id: a b\nevent: é\nretry: 0\ndata: x\ndata: y\n\n',
  ],
];
const FRAMES_SENT = FRAMES.map(([, text]) => text).join('');

module.exports = function sending({ world }) {
  describe('sending', () => {
    it('writes every kind of event exactly, to one and to all', async () => {
      const w = await world();
      const { stream, client } = await w.open();
      for (const [args] of FRAMES) assert.equal(client.send(...args), true);
      for (const [args] of FRAMES) assert.equal(w.hub.broadcast(...args).matched, 1);
      await arrives(stream, OPENING + FRAMES_SENT + FRAMES_SENT);
    });

    it('writes an empty event that a page sees', async () => {
      const w = await world();
      const { stream, client } = await w.open();
      client.send('');
      client.send('x');
      assert.deepEqual(await stream.data(2), ['', 'x']);
    });

    it('writes comments and retry lines without a blank line', async () => {
      const w = await world();
      const { stream, client } = await w.open();
      client.comment();
      client.comment('é 1');
      client.retry(77);
      client.send('x');
      await arrives(stream, ':\n:\n:é 1\nretry: 77\ndata: x\n\n');
      assert.equal(stream.retry, 77);
      assert.equal(stream.events.length, 1);
    });

    it('serialises once for all, with the serialize of the hub', async () => {
      let calls = 0;
      const serialize = (data) => `<${++calls}:${data}>`;
      const w = await world({ ...QUIET, serialize });
      const { a, b, c } = await w.openAll({ a: {}, b: {}, c: {} });
      w.hub.broadcast('x');
      for (const { stream } of [a, b, c]) assert.deepEqual(await stream.data(1), ['<1:x>']);
      a.client.send('y');
      assert.deepEqual(await a.stream.data(1), ['<2:y>']);
    });

    it('sends nothing of what it refuses', async () => {
      const w = await world({ ...QUIET, limits: { eventBytes: 100 } });
      const { stream, client } = await w.open();
      const circular = {};
      circular.self = circular;
      assert.throws(() => client.send(undefined), { code: 'ERR_FAN_DATA' });
      assert.throws(() => w.hub.broadcast(circular), { code: 'ERR_FAN_DATA' });
      assert.throws(() => client.send('x'.repeat(101)), { code: 'ERR_FAN_TOO_LARGE' });
      assert.throws(() => w.hub.broadcast('x', { id: 'a\nb' }), { code: 'ERR_FAN_ARG' });
      assert.throws(() => w.hub.broadcast('x', { event: 'a\rb' }), { code: 'ERR_FAN_ARG' });
      client.send('x');
      await arrives(stream, `${OPENING}data: x\n\n`);
    });

    it('keeps the order of 500 events of rooms, users, everyone and the client alone', async () => {
      const w = await world();
      const { a, b } = await w.openAll({ a: { rooms: ['r', 's'], user: 'u' }, b: { rooms: 'r' } });
      const expected = { a: [], b: [] };
      const ways = [
        ['ab', (i) => w.hub.to('r').send(i)],
        ['a', (i) => a.client.send(i)],
        ['ab', (i) => w.hub.broadcast(i)],
        ['a', (i) => w.hub.user('u').send(i)],
        ['b', (i) => w.hub.client(b.client.id).send(i)],
        ['a', (i) => w.hub.to(['r', 's']).except(b.client).send(i)],
        ['b', (i) => b.client.send(i)],
      ];
      for (let i = 0; i < 500; i++) {
        const [who, send] = ways[(i * 5 + (i >> 3)) % ways.length];
        send(i);
        for (const name of who) expected[name].push(String(i));
        if (i % 60 === 0) await turn();
      }
      w.hub.broadcast('end');
      assert.deepEqual(await upTo(a.stream, 'end'), expected.a);
      assert.deepEqual(await upTo(b.stream, 'end'), expected.b);
    });

    it('delivers 2 MB at once byte for byte', async () => {
      const w = await world();
      const { stream, client } = await w.open();
      const large = [1, 2].map((n) => `${n}${'abcdé'.repeat(170_000)}`);
      for (const data of large) client.send(data);
      client.send('end');
      await arrives(stream, `${OPENING}data: ${large[0]}\n\ndata: ${large[1]}\n\ndata: end\n\n`);
    });

    it('keeps 5 MB sent at once for a healthy reader', async () => {
      const w = await world();
      const { stream, client } = await w.open();
      const block = noise(100_000);
      for (let i = 0; i < 52; i++) w.hub.broadcast(block);
      w.hub.broadcast('end');
      assert.equal((await upTo(stream, 'end')).length, 52);
      assert.equal(client.closed, null);
    });

    it('gathers events for batchDelay', async () => {
      const w = await world({ ...QUIET, batchDelay: 60 });
      const { stream, client } = await w.open();
      await arrives(stream, OPENING);
      const sent = Date.now();
      client.send(1);
      await turn();
      w.hub.broadcast(2);
      await stream.until(() => stream.events.length > 0);
      const took = Date.now() - sent;
      assert(took >= 50, `${took} ms`);
      await arrives(stream, `${OPENING}data: 1\n\ndata: 2\n\n`);
    });

    it('counts what it did', async () => {
      const w = await world();
      const { a, b } = await w.openAll({ a: {}, b: {} });
      for (const { stream } of [a, b]) await arrives(stream, OPENING);
      const before = w.hub.stats();
      w.hub.broadcast('x');
      a.client.send('y');
      assert.deepEqual(await a.stream.data(2), ['x', 'y']);
      assert.deepEqual(await b.stream.data(1), ['x']);
      const after = w.hub.stats();
      assert.equal(after.clients, 2);
      assert.equal(after.events - before.events, 2);
      assert.equal(after.encodes - before.encodes, 2);
      assert.equal(after.deliveries - before.deliveries, 3);
    });
  });
};
