'use strict';

// The core of the behaviours, with clients that others wrote.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { hasCurl, startCurl, startEventSource, startFetch } = require('./readers');

const SENT = [
  ['plain'],
  ['two\nlines'],
  ['zażółć 😀', { event: 'tick', id: 7 }],
  [{ n: 1 }, { event: 'tick' }],
  [Buffer.from('bytes')],
];
const WIRE = [
  ':\n',
  'data: plain\n\n',
  'data: two\ndata: lines\n\n',
  'id: 7\nevent: tick\ndata: zażółć 😀\n\n',
  'event: tick\ndata: {"n":1}\n\n',
  'data: bytes\n\n',
].join('');
const EVENTS = [
  { event: 'message', data: 'plain', id: '' },
  { event: 'message', data: 'two\nlines', id: '' },
  { event: 'tick', data: 'zażółć 😀', id: '7' },
  { event: 'tick', data: '{"n":1}', id: '' },
  { event: 'message', data: 'bytes', id: '' },
];
const NAMES = ['message', 'tick', 'fanline:end'];

/** Every connection to a new path becomes a client; `clients` of them so far. */
async function listening(world, options) {
  const w = await world(options);
  const clients = [];
  const url = w.route((req, res) => clients.push(w.hub.connect(req, res, w.options())));
  const arrived = () =>
    clients.length > 0 ? clients[0] : once(w.hub, 'connect').then(([client]) => client);
  return { w, url, clients, arrived };
}

function streams({ combo, world }, name, start, orderly) {
  it(`${name} reads every byte, each when it is sent, and the end`, async () => {
    const { w, url, arrived } = await listening(world);
    const reader = start(combo, url);
    const client = await arrived();
    for (const args of SENT) client.send(...args);
    await reader.until((text) => text.length >= WIRE.length);
    assert.equal(reader.text, WIRE);
    w.hub.broadcast('last');
    client.close();
    assert.equal(await reader.ended, orderly);
    assert.equal(reader.text, `${WIRE}data: last\n\n`);
  });

  it(`${name} leaving is noticed`, async () => {
    const { w, url, arrived } = await listening(world);
    const reader = start(combo, url);
    const client = await arrived();
    await reader.until((text) => text === ':\n');
    const closed = once(client, 'close');
    await reader.stop();
    assert.deepEqual(await closed, ['client']);
    assert.equal(w.hub.size, 0);
  });

  it(`${name} reads 3 MB unharmed`, async () => {
    const { url, arrived } = await listening(world);
    const reader = start(combo, url);
    const client = await arrived();
    const block = 'é'.repeat(15_000);
    for (let i = 0; i < 100; i++) client.send(`${i}${block}`);
    client.close();
    assert.equal(await reader.ended, orderly);
    const expected = Array.from({ length: 100 }, (_, i) => `data: ${i}${block}\n\n`);
    assert.equal(reader.text, `:\n${expected.join('')}`);
  });
}

function eventSource({ combo, world }) {
  const opened = [];
  const open = (url) => {
    const reader = startEventSource(combo, url, NAMES);
    opened.push(reader);
    return reader;
  };
  afterEach(() => {
    for (const reader of opened.splice(0)) reader.stop();
  });

  it('npm eventsource gets every event', async () => {
    const { url, arrived } = await listening(world);
    const { events, until } = bound(open(url));
    const client = await arrived();
    for (const args of SENT) client.send(...args);
    await until(() => events.length === EVENTS.length);
    assert.deepEqual(events, EVENTS);
  });

  it('npm eventsource returns after an end, with the last id', async () => {
    const { w, url, clients, arrived } = await listening(world, { heartbeat: false, retry: 10 });
    const { events, until } = bound(open(url));
    const client = await arrived();
    client.send('first', { id: 'abc' });
    await until(() => events.length === 1);
    const again = once(w.hub, 'connect');
    client.close();
    await again;
    assert.equal(clients[1].lastEventId, 'abc');
    clients[1].send('second');
    await until(() => events.length === 2);
    assert.equal(events[1].data, 'second');
  });

  it('npm eventsource stops for good after reconnect: false', async () => {
    const { url, clients, arrived } = await listening(world, { heartbeat: false, retry: 10 });
    const reader = open(url);
    const client = await arrived();
    const failed = new Promise((resolve) => {
      reader.source.addEventListener('error', ({ code }) => code && resolve(code));
    });
    client.close({ reconnect: false });
    assert.equal(await failed, 204);
    assert.equal(reader.source.readyState, reader.source.CLOSED);
    assert.deepEqual(
      reader.events.map(({ event, data }) => [event, data]),
      [['fanline:end', 'fanline:end']],
    );
    assert.deepEqual(
      clients.map(({ closed }) => closed),
      ['server', 'server'],
    );
  });

  it('npm eventsource leaving is noticed', async () => {
    const { w, url, arrived } = await listening(world);
    const reader = open(url);
    const client = await arrived();
    const closed = once(client, 'close');
    reader.stop();
    assert.deepEqual(await closed, ['client']);
    assert.equal(w.hub.size, 0);
  });
}

function bound(reader) {
  return { events: reader.events, until: (condition) => reader.until(condition) };
}

module.exports = function others(context) {
  eventSource(context);
  if (context.combo.kind === 'http') streams(context, 'fetch', startFetch, 200);
  if (hasCurl()) streams(context, 'curl', startCurl, 0);
};
