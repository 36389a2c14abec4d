'use strict';

// Every public operation from inside every callback: it answers as it does outside, nothing crashes, other clients lose
// nothing, and the hub's books agree in the end. And listeners that throw, in processes of their own.

const assert = require('node:assert/strict');
const { createHub } = require('fanline');
const { run } = require('./support/child');
const { Stage, refuses, when } = require('./support/stage');

const LIMITS = { eventBytes: 64 << 10, queueBytes: 64 << 10 };
const CHUNK = 'x'.repeat(40_000);

// callback → [calls back(client) from inside it, whether the client takes events there, brings it about, its reasons]
const CALLBACKS = {
  connect: [(hub, back) => hub.once('connect', back), true, (stage) => stage.connect()],
  join: [
    (hub, back) => hub.once('join', back),
    true,
    (stage) => stage.connect({ rooms: ['r', 's'] }),
  ],
  leave: [
    (hub, back) => hub.once('leave', back),
    true,
    async (stage) => (await stage.connect({ rooms: ['r', 's', 't'] })).client.leave(['r', 's']),
  ],
  'leave at the end': [
    (hub, back) => hub.once('leave', back),
    false,
    async (stage) => (await stage.connect({ rooms: ['r', 's'] })).client.close(),
  ],
  close: [
    (hub, back) => hub.once('connect', (client) => client.on('close', () => back(client))),
    false,
    async (stage) => (await stage.connect({ rooms: 'r' })).stream.close(),
  ],
  disconnect: [
    (hub, back) => hub.once('disconnect', back),
    false,
    async (stage) => (await stage.connect({ rooms: 'r' })).client.close({ data: 'x' }),
  ],
  drop: [
    (hub, back) => hub.once('drop', back),
    false,
    async (stage) => {
      const { client } = await stage.deaf({ rooms: 'r' }, { block: true });
      for (let i = 0; i < 4; i++) client.send(CHUNK);
    },
  ],
  opened: [
    () => {},
    true,
    async (stage, back) => {
      const handler = stage.hub.handler({ rooms: 'r' }, (client) => {
        stage.clients.push(client);
        back(client);
      });
      const { path } = stage.expect(handler);
      await stage.open(path);
    },
  ],
};

/** A boolean while the client takes events, then false. */
const answersSend = (answer, isLive) => assert.equal(answer, isLive);
const nothing = (answer) => assert.equal(answer, undefined);

// operation → [does it, checks what it answered]
const OPERATIONS = {
  'client.send': [({ client }) => client.send('x', { event: 'e' }), answersSend],
  'client.comment': [({ client }) => client.comment('x'), nothing],
  'client.retry': [({ client }) => client.retry(100), nothing],
  'client.join': [({ client }) => client.join(['j', 'k']).rooms.has('k'), answersSend],
  'client.leave': [({ client }) => client.leave(['r', 's']) === client, assert.ok],
  'client.close': [({ client }) => client.close(), nothing],
  'client.close, for good': [({ client }) => client.close({ reconnect: false }), nothing],
  'client.on close': [({ client }) => client.on('close', () => {}) === client, assert.ok],
  'res.write': [({ client }) => client.res?.write('data: w\n\n'), () => {}],
  'res.end': [({ client }) => client.res?.end(), () => {}],
  'socket.destroy': [({ client }) => client.res?.socket?.destroy(), () => {}],
  'hub.broadcast': [({ hub }) => hub.broadcast('x').matched >= 1, assert.ok],
  'target.send': [
    ({ hub, client }) => hub.client(client.id).send('x').matched,
    (matched, isLive) => assert.equal(matched, Number(isLive)),
  ],
  'target.join': [({ hub }) => hub.except([]).join(['j', 'r']), nothing],
  'target.leave': [({ hub }) => hub.to(['r', 's', 'j']).leave(['r', 's', 'j']), nothing],
  'target.disconnect': [({ hub, client }) => hub.client(client.id).disconnect(), nothing],
  'disconnect everyone': [({ hub }) => hub.except([]).disconnect({ data: 'bye' }), nothing],
  'hub.close': [({ hub }) => hub.close({ grace: 20 }) instanceof Promise, assert.ok],
  'hub.close, at once': [({ hub }) => hub.close({ grace: 0 }) instanceof Promise, assert.ok],
  'hub.stats': [({ hub }) => hub.stats().clients === hub.size, assert.ok],
  'a bad argument': [
    ({ client }) =>
      refuses(() => client.send('x', { retry: -1 }), RangeError, 'ERR_FAN_RANGE', 'retry'),
    () => {},
  ],
};
const ENDS_OTHERS = /everyone|hub\.close/;

describe('operations × callbacks', () => {
  let stage;

  before(async () => {
    stage = await Stage.on(null);
  });

  after(() => stage.close());

  async function scenario([listen, isLive, cause], [operate, check], endsOthers) {
    const hub = createHub({ heartbeat: false, limits: LIMITS });
    const count = { connect: 0, disconnect: 0, join: 0, leave: 0 };
    for (const name of Object.keys(count)) hub.on(name, () => count[name]++);
    stage.hub = hub;
    const other = await stage.connect({ rooms: 'other' });

    let calls = 0;
    const back = (client) => {
      calls++;
      check(operate({ hub, client }), isLive);
    };
    listen(hub, back);
    await cause(stage, back);
    await when(() => calls === 1, 'the callback');

    if (endsOthers) {
      await when(() => other.client.closed !== null, 'the other client ended');
    } else {
      other.client.send('still here');
      let event;
      do event = await other.stream.next();
      while (event.data !== 'still here');
    }
    const answer = await hub.close({ grace: 10 });
    assert.equal(typeof answer.ended + typeof answer.cut, 'numbernumber');
    assert.deepEqual([count.disconnect, count.leave], [count.connect, count.join]);
    assert.deepEqual([hub.size, hub.rooms.size, hub.stats().users], [0, 0, 0]);
    const { disconnects } = hub.stats();
    const ended = Object.values(disconnects).reduce((sum, n) => sum + n);
    assert.equal(ended, count.connect);
    // Another hub of this process may keep the loop: then it ends this one in a moment.
    await when(() => hub.stats().bufferedBytes === 0, 'nothing is held');
  }

  for (const [name, callback] of Object.entries(CALLBACKS)) {
    for (const [operation, row] of Object.entries(OPERATIONS)) {
      it(`${operation} inside ${name}`, () => scenario(callback, row, ENDS_OTHERS.test(operation)));
    }
  }
});

// callback → makes it throw, for the client named bad
const THROWS = {
  connect: `hub.on('connect', (c) => { if (c.data === 'bad') boom(); });`,
  join: `hub.on('join', (c) => { if (c.data === 'bad') boom(); });`,
  leave: `hub.on('leave', (c) => { if (c.data === 'bad') boom(); });`,
  close: `hub.on('connect', (c) => c.on('close', () => { if (c.data === 'bad') boom(); }));`,
  disconnect: `hub.on('disconnect', (c) => { if (c.data === 'bad') boom(); });`,
  drop: `hub.on('drop', (c) => { if (c.data === 'bad') boom(); });`,
  drain: `hub.on('connect', (c) => c.drain().then(() => { if (c.data === 'bad') boom(); }));`,
};

describe('a listener that throws', () => {
  for (const [name, listener] of Object.entries(THROWS)) {
    it(`${name}: an uncaught exception; nobody else loses an event, and the hub ends`, async () => {
      const { code, out, err } = await run(`
        const thrown = [];
        process.on('uncaughtException', (err) => thrown.push(err.message));
        const boom = () => { throw new Error('boom'); };
        const hub = createHub({ limits: { eventBytes: 65536, queueBytes: 65536 } });
        ${listener}
        const opts = (req) => ({ data: req.url.slice(1), rooms: ['r', 's'] });
        const server = await serve(hub.handler(opts));
        const good = await open(server.url + '/good');
        const bad = await deaf(server.port, '/bad');
        await when(() => hub.size === 2);
        const gone = await open(server.url + '/bad');
        hub.to('r').send('first');
        for (let i = 0; i < 20; i++) [...hub.clients.values()].find((c) => c.data === 'bad').send(big);
        gone.close();
        await when(() => hub.size === 1);
        hub.to('s').send('last');
        const data = await good.data(2);
        const closed = await hub.close({ grace: 50 });
        const { clients, rooms, disconnects } = hub.stats();
        console.log(JSON.stringify({ data, closed, clients, rooms, disconnects, thrown }));
        bad.destroy();
        await server.close();
      `);
      assert.equal(code, 0, err);
      const { data, closed, clients, rooms, disconnects, thrown } = JSON.parse(out);
      assert.deepEqual(data, ['first', 'last']);
      assert.deepEqual(closed, { ended: 1, cut: 0 });
      assert.deepEqual([clients, rooms, disconnects.client, disconnects.slow], [0, 0, 1, 1]);
      assert(thrown.length >= 1);
      for (const message of thrown) assert.equal(message, 'boom');
    });
  }

  it('without a handler for it, the process ends with the error', async () => {
    const { code, err } = await run(`
      const hub = createHub();
      hub.on('connect', () => { throw new Error('boom'); });
      const server = await serve(hub.handler({}));
      await open(server.url);
      await new Promise((resolve) => setTimeout(resolve, 5_000));
    `);
    assert.equal(code, 1);
    assert.match(err, /Error: boom/);
  });
});
