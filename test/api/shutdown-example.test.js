'use strict';

// examples/shutdown: what a probe, a reader, a newcomer and a sender see from SIGTERM on, and how the process ends.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const net = require('node:net');
const { Example } = require('../js/support/example');
const { open } = require('../js/support/open');

describe('examples/shutdown', () => {
  const toClose = [];
  afterEach(() => Promise.all(toClose.splice(0).map((it) => it.close())));

  async function start(env) {
    const example = new Example('shutdown', env);
    toClose.push(example);
    const [, port] = await example.prints(/listens on port (\d+)/);
    return { example, port: Number(port), url: `http://127.0.0.1:${port}` };
  }

  /** A stream of room `lobby`, past its welcome. */
  async function listen({ url }) {
    const stream = await open(`${url}/rooms/lobby/events`);
    toClose.push(stream);
    const { event, data } = await stream.next();
    assert.equal(event, 'welcome');
    return { stream, pid: JSON.parse(data).pid };
  }

  /** Not by keep-alive: a connection of its own each time, as probes and newcomers have. */
  async function fetched(url, { method, body } = {}) {
    const headers = { 'Content-Type': 'text/plain' };
    const answer = await open(url, { method, body, headers });
    await answer.end();
    return answer;
  }

  /** Sends SIGTERM; resolves when the process has begun to end. */
  async function terminate({ example, url }) {
    example.signal('SIGTERM');
    while ((await fetched(`${url}/ready`)).status !== 503);
  }

  it('SIGTERM: not ready, streams end in order, nothing is cut, exit code 0', async () => {
    const it = await start({ GRACE: '1000' });
    assert.equal((await fetched(`${it.url}/ready`)).status, 200);
    const first = await listen(it);
    const second = await listen(it);
    assert.equal(first.pid, it.example.pid);
    await terminate(it);

    assert.equal(await first.stream.end(), 'end');
    const { text } = await fetched(`${it.url}/rooms/lobby`, { method: 'POST', body: 'still here' });
    assert.equal(text, '{"matched":1}');
    assert.equal((await second.stream.next()).data, 'still here');
    const newcomer = await fetched(`${it.url}/rooms/lobby/events`);
    assert.equal(newcomer.status, 200);
    assert.match(newcomer.text, /^retry: \d+\n$/);

    assert.equal(await second.stream.end(), 'end');
    for (const { stream } of [first, second]) assert.ok(stream.retry >= 2_000);
    assert.deepEqual(await it.example.exit, { code: 0, signal: null });
    assert.match(it.example.out, /Streams ended: 2, cut: 0/);
    assert.equal(it.example.err, '');
  });

  it('a second SIGTERM exits at once, with 1', async () => {
    const it = await start({ GRACE: '60000' });
    await listen(it); // ends at once; the other one has half a minute
    await listen(it);
    await terminate(it);
    it.example.signal('SIGTERM');
    assert.deepEqual(await it.example.exit, { code: 1, signal: null });
    assert.match(it.example.err, /a second SIGTERM/);
  });

  it('the deadline exits, with 1, whoever still holds a connection', async () => {
    const it = await start({ GRACE: '100', DEADLINE: '400' });
    const socket = net.connect(it.port, '127.0.0.1');
    toClose.push({ close: () => socket.destroy() });
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write('POST /rooms/lobby HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n');
    socket.write('Content-Length: 5\r\n\r\n'); // and not a byte of it
    assert.equal((await fetched(`${it.url}/ready`)).status, 200); // it has come
    const begun = performance.now();
    it.example.signal('SIGTERM');
    assert.deepEqual(await it.example.exit, { code: 1, signal: null });
    assert.ok(performance.now() - begun >= 390);
    assert.match(it.example.err, /the deadline has passed/);
  });
});
