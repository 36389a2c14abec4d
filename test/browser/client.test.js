'use strict';

// fanline/client in Chromium: what fails, how it is told, how it goes on, and that nothing is left behind.

const assert = require('node:assert/strict');
const path = require('node:path');
const zlib = require('node:zlib');
const { ROOT, Server, bundle, useClient, when } = require('./client/support');

const SIZE_MAX = 4_096; // bytes
const QUICK = { min: 20, max: 100 };
const NEVER = { min: 600_000, max: 600_000 };

describe('fanline/client in Chromium', () => {
  const it_ = useClient();
  const told = ({ code, status, state }) => [code, status, state];

  it('is at most 4 KB, minified and gzipped, with its parser', () => {
    const code = bundle(path.join(ROOT, 'lib', 'browser', 'client.mjs'));
    const size = zlib.gzipSync(code, { level: 9 }).length;
    console.log(`      fanline/client: ${code.length} bytes minified, ${size} gzipped`);
    assert.ok(size <= SIZE_MAX, `${size} bytes`);
    assert.match(code.toString(), /export\{\w+ as EventSource\}/);
  });

  it('server killed and restarted: error, then open, fanline:reset and what is new', async () => {
    const { tab, server } = it_;
    await tab.follow('a', '/events', { retry: QUICK });
    await tab.until('a', 'open');
    await when(async () => (await server.state()).size === 1);
    await server.ask('/send?data=1');
    const first = await tab.until('a', 'message');
    await server.kill();
    assert.deepEqual(told(await tab.until('a', 'error')), ['ERR_FAN_NETWORK', 0, 0]);
    const third = await tab.until('a', 'error', 3); // nobody listens
    assert.equal(third.attempt, 3);
    assert.ok(third.delay >= QUICK.min && third.delay <= QUICK.max, `${third.delay}`);

    it_.server = await Server.start(it_.file, server.port);
    const reset = await tab.until('a', 'fanline:reset');
    assert.deepEqual([reset.data, reset.state], ['restart', 1]);
    const { seen } = await it_.server.state();
    assert.equal(seen[0].lastEventId, first.lastEventId);
    await it_.server.ask('/send?data=2');
    await tab.until('a', 'message', 2);
    const types = (await tab.types('a')).filter((type) => type !== 'error');
    assert.deepEqual(types, ['open', 'message', 'open', 'fanline:reset', 'message']);
  });

  it('network cut: error; back as soon as the network is, with what came meanwhile', async () => {
    const { tab, server, context } = it_;
    await tab.follow('a', '/events', { retry: NEVER, silence: 1_500 });
    await tab.until('a', 'open');
    await when(async () => (await server.state()).size === 1);
    await server.ask('/send?data=1');
    await tab.until('a', 'message');
    await tab.follow('b', '/events', { retry: QUICK });
    await tab.until('b', 'open');
    await context.setOffline(true);
    const { code, delay, state } = await tab.until('a', 'error');
    assert.deepEqual([code, delay, state], ['ERR_FAN_NETWORK', NEVER.min, 0]);
    await tab.until('b', 'error', 4); // it tries, and fails
    assert.equal((await server.state()).size, 0);
    await server.ask('/send?data=2');
    await context.setOffline(false);
    await tab.until('a', 'message', 2);
    assert.deepEqual(await tab.types('a'), ['open', 'message', 'error', 'open', 'message']);
    const data = (await tab.log('a')).map((event) => event.data).filter(Boolean);
    assert.deepEqual(data, ['1', '2']);
    await tab.until('b', 'open', 2);
  });

  it('silence: error, and another attempt; heartbeats are none', async () => {
    const { tab, server } = it_;
    await tab.follow('a', '/events', { retry: QUICK, silence: 1_000 });
    await tab.until('a', 'open');
    await new Promise((resolve) => setTimeout(resolve, 1_500)); // heartbeats, each 100 ms
    assert.deepEqual(await tab.types('a'), ['open']);
    server.signal('SIGSTOP');
    assert.deepEqual(told(await tab.until('a', 'error')), ['ERR_FAN_SILENT', 0, 0]);
    server.signal('SIGCONT');
    await tab.until('a', 'open', 2);
    await when(async () => (await server.state()).size === 1);
  });

  it('fanline:reset: the event, with the reason as data, and the stream goes on', async () => {
    const { tab, server } = it_;
    await tab.follow('a', '/events', { lastEventId: 'none of yours' });
    const { data, state } = await tab.until('a', 'fanline:reset');
    assert.deepEqual([data, state], ['invalid', 1]);
    await server.ask('/send?data=1');
    await tab.until('a', 'message');
    assert.deepEqual(await tab.types('a'), ['open', 'fanline:reset', 'message']);
  });

  it('fanline:end: the event, closed, no error and no other request', async () => {
    const { tab, server } = it_;
    await tab.follow('a', '/events', { retry: QUICK });
    await tab.until('a', 'open');
    await when(async () => (await server.state()).size === 1);
    await server.ask('/end');
    const { state, lastEventId } = await tab.until('a', 'fanline:end');
    assert.equal(state, 2);
    await tab.follow('b', '/events', { retry: QUICK, lastEventId }); // is answered 204
    await tab.until('b', 'fanline:end');
    assert.deepEqual(await tab.types('a'), ['open', 'fanline:end']);
    assert.deepEqual(await tab.types('b'), ['fanline:end']);
    assert.equal((await server.state()).seen.length, 2);
  });

  it('401: error with the status, closed, no other request', async () => {
    const { tab, server } = it_;
    await tab.follow('a', '/status?code=401', { retry: QUICK });
    const event = await tab.until('a', 'error');
    assert.deepEqual([...told(event), event.delay], ['ERR_FAN_STATUS', 401, 2, null]);
    await tab.follow('b', '/status?code=401', { retry: QUICK });
    await tab.until('b', 'error');
    assert.equal((await server.state()).seen.length, 2);
  });

  it('503: error with the status, and another attempt after Retry-After', async () => {
    const { tab, server } = it_;
    await tab.follow('a', '/status?code=503&after=1', { retry: QUICK });
    const { code, status, delay, state } = await tab.until('a', 'error');
    assert.deepEqual([code, status, state], ['ERR_FAN_STATUS', 503, 0]);
    assert.ok(delay >= 1_000 && delay <= 1_000 + QUICK.max, `${delay}`);
    await tab.until('a', 'error', 2);
    assert.equal((await server.state()).seen.length, 2);
  });

  it('attempt limit: the last error says so, closed, no other request', async () => {
    const { tab, server } = it_;
    await tab.follow('a', '/status?code=500', { retry: { ...QUICK, attempts: 2 } });
    await tab.until('a', 'error', 3);
    assert.deepEqual((await tab.log('a')).map(told), [
      ['ERR_FAN_STATUS', 500, 0],
      ['ERR_FAN_STATUS', 500, 0],
      ['ERR_FAN_ATTEMPTS', 500, 2],
    ]);
    assert.equal((await server.state()).seen.length, 3);
  });

  it('another origin: POST, Authorization and Last-Event-ID, where CORS allows them', async () => {
    const { tab, server } = it_;
    const url = `http://127.0.0.1:${server.port}/events`;
    const headers = { Authorization: 'Bearer x' };
    await tab.follow('a', url, { method: 'POST', body: 'x', headers, lastEventId: 'y' });
    const { origin } = await tab.until('a', 'fanline:reset');
    assert.equal(origin, `http://127.0.0.1:${server.port}`);
    const expected = {
      url: '/events',
      method: 'POST',
      lastEventId: 'y',
      authorization: 'Bearer x',
    };
    assert.deepEqual((await server.state()).seen, [expected]);
    await tab.follow('b', `http://127.0.0.1:${server.port}/raw?text=x`, { retry: false });
    assert.equal((await tab.until('b', 'error')).code, 'ERR_FAN_ATTEMPTS'); // the browser lets nothing through
  });

  const TEXTS = {
    'names, several lines and ids':
      'id: 1\nevent: a\ndata: x\ndata:  y\n\ndata: z\n\nid\ndata: w\n\n',
    'an id in a block without data': 'id: 7\n\ndata: a\n\n',
    'CR and CR LF': 'data: a\r\rid: 5\r\ndata: b\r\n\r\ndata: c\n\n',
    'a byte order mark, comments and unknown fields':
      '\ufeffdata: a\n: x\nfoo: bar\n\n: y\ndata\n\n',
    'fanline:reset': 'event: fanline:reset\nid: z\ndata: expired\n\ndata: a\n\n',
    'text of every plane': 'event: é\ndata: é€😀\u2028\n\n',
  };
  for (const [what, text] of Object.entries(TEXTS)) {
    it(`tells the same as Chromium’s EventSource: ${what}`, async () => {
      const { tab } = it_;
      const url = `/raw?text=${encodeURIComponent(`${text}event: last\ndata:\n\n`)}`;
      const names = ['a', 'é', 'last'];
      await tab.follow('ours', url, { names });
      await tab.follow('stock', url, { names, isStock: true });
      for (const name of ['ours', 'stock']) await tab.until(name, 'last');
      const [ours, stock] = [await tab.log('ours'), await tab.log('stock')];
      assert.ok(stock.length > 2);
      assert.deepEqual(ours, stock);
    });
  }
});
