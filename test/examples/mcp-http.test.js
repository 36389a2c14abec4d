'use strict';

// examples/mcp: what the specification of Streamable HTTP says about requests, ids and blocks, by plain HTTP.

const assert = require('node:assert/strict');
const { closeAll, open } = require('../../lib/testing');
const { blocksOf } = require('./support/chat-server');
const { startExample } = require('./support/example-page');

const LATEST = '2025-11-25';
const BOTH = 'application/json, text/event-stream';

describe('examples/mcp: HTTP', () => {
  let server;
  beforeEach(async () => {
    server = await startExample('mcp');
  });
  afterEach(async () => {
    await closeAll();
    await server.close();
  });

  const request = (method, params = {}, id = 1) => ({ jsonrpc: '2.0', id, method, params });
  let calls = 0;
  const convert = (args, _meta) =>
    request('tools/call', { name: 'convert', arguments: args, _meta }, ++calls);
  const post = (body, headers = {}) =>
    open(server.url, '/mcp', { body, headers: { Accept: BOTH, ...headers } });
  const get = (headers, options) => open(server.url, '/mcp', { headers, ...options });

  /** The answer of a request that has no stream. */
  async function answerOf(stream) {
    await stream.end();
    return stream.text && JSON.parse(stream.text);
  }

  async function begin(version = LATEST) {
    const stream = await post(
      request('initialize', { protocolVersion: version, capabilities: {} }),
    );
    const { result } = await answerOf(stream);
    const session = stream.headers['mcp-session-id'];
    return { result, headers: { 'Mcp-Session-Id': session } };
  }

  it('a version that is known is agreed to, another is answered with the latest', async () => {
    assert.equal((await begin('2025-06-18')).result.protocolVersion, '2025-06-18');
    assert.equal((await begin('2024-11-05')).result.protocolVersion, LATEST);
    assert.equal((await begin('1999-12-31')).result.protocolVersion, LATEST);
  });

  it('what may not be asked so is refused, with the status that the specification has for it', async () => {
    const { headers } = await begin();
    const ping = request('ping');
    const statusOf = async (stream) => (await stream).status;
    assert.equal(await statusOf(post(ping, headers)), 200);
    assert.equal(await statusOf(post(ping)), 400); // no session
    assert.equal(await statusOf(post(ping, { 'Mcp-Session-Id': 'none' })), 404);
    assert.equal(
      await statusOf(post(ping, { ...headers, 'Mcp-Protocol-Version': '1999-12-31' })),
      400,
    );
    assert.equal(await statusOf(post(ping, { ...headers, Accept: 'application/json' })), 406);
    assert.equal(
      await statusOf(post(ping, { ...headers, Origin: 'http://localhost.example' })),
      403,
    );
    assert.equal(await statusOf(post(ping, { ...headers, Origin: 'http://localhost:8080' })), 200);
    assert.equal(await statusOf(post([ping], headers)), 400); // batches are gone since 2025-06-18
    assert.equal(await statusOf(post({ id: 1, method: 'ping' }, headers)), 400);
    assert.equal(await statusOf(get({ ...headers, Accept: '*/*' })), 406);
    const put = await open(server.url, '/mcp', { method: 'PUT', headers });
    assert.equal(put.status, 405);
    assert.equal(put.headers.allow, 'GET, POST, DELETE');
    const broken = await fetch(`${server.url}/mcp`, {
      method: 'POST',
      headers: { ...headers, Accept: BOTH, 'Content-Type': 'application/json' },
      body: '{"jsonrpc"',
    });
    assert.equal(broken.status, 400);
    assert.equal((await broken.json()).error.code, -32000);
  });

  it('a notification and an answer are accepted, without a body', async () => {
    const { headers } = await begin();
    for (const message of [
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'none' } },
      { jsonrpc: '2.0', id: 5, result: {} },
    ]) {
      const stream = await post(message, headers);
      assert.equal(await answerOf(stream), '');
      assert.equal(stream.status, 202);
    }
  });

  it('every block has data and an id of its own; the first is there before there is anything to say', async () => {
    const { headers } = await begin();
    const streams = [];
    for (const pages of [2, 3]) {
      const stream = await post(convert({ pages, pace: 20 }, { progressToken: pages }), headers);
      assert.deepEqual((await stream.take(1))[0].data, '');
      streams.push(stream);
    }
    const ids = [];
    for (const stream of streams) {
      assert.equal(await stream.end(), 'end');
      for (const block of blocksOf(stream.text)) {
        const lines = block.split('\n').filter((line) => !/^(retry|id): /.test(line));
        assert.equal(lines.length, 1);
        assert.match(lines[0], /^data: /);
        ids.push(/^id: (.*)$/m.exec(block)[1]);
      }
      assert.equal(JSON.parse(stream.events.at(-1).data).result.isError, false);
    }
    assert.equal(ids.length, 1 + 2 + 1 + 1 + 3 + 1);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('a client of a version before that, which takes no empty data, is sent none', async () => {
    const { headers } = await begin('2025-06-18');
    const stream = await post(convert({ pages: 2, pace: 5 }, { progressToken: 'a' }), headers);
    await stream.end();
    const messages = stream.events.map(({ data }) => JSON.parse(data));
    assert.deepEqual(
      messages.map(({ method }) => method),
      ['notifications/progress', 'notifications/progress', undefined],
    );
  });

  it('no progress is sent to who has not asked for it', async () => {
    const { headers } = await begin();
    const stream = await post(convert({ pages: 3, pace: 0 }), headers);
    await stream.end();
    const [, answer, ...more] = stream.events;
    assert.equal(JSON.parse(answer.data).result.isError, false);
    assert.deepEqual(more, []);
  });

  it('a stream is resumed from any of its events, and gets nothing of another', async () => {
    const { headers } = await begin();
    const first = await post(convert({ pages: 4, pace: 5 }, { progressToken: 'a' }), headers);
    const other = await post(convert({ pages: 4, pace: 5 }, { progressToken: 'b' }), headers);
    await Promise.all([first.end(), other.end()]);
    for (const [at, { id }] of first.events.entries()) {
      const rest = first.events.slice(at + 1);
      const stream = await get(headers, { lastEventId: id });
      if (rest.length === 0) {
        assert.equal(stream.status, 204); // it is over, and nothing was missed
      } else {
        assert.equal(await stream.end(), 'end');
        assert.deepEqual(stream.events, rest);
      }
    }
  });

  it('an event of another session, and one that never was, resume nothing', async () => {
    const own = await begin();
    const stream = await post(convert({ pages: 1, pace: 0 }), own.headers);
    await stream.end();
    const foreign = await begin();
    const lastEventId = stream.events.at(-1).id;
    assert.equal((await get(foreign.headers, { lastEventId })).status, 400);
    for (const id of ['x', '99-1', '-1-1', '0', '1'.repeat(99)]) {
      assert.equal((await get(own.headers, { lastEventId: id })).status, 400);
    }
  });

  it('who comes back to a stream takes the place of a connection that nobody knows to be gone', async () => {
    const { headers } = await begin();
    const stale = await post(convert({ pages: 20, pace: 20 }, { progressToken: 'a' }), headers);
    const [, second] = await stale.take(2);
    const back = await get(headers, { lastEventId: second.id });
    assert.equal(await stale.end(), 'end');
    assert.ok(stale.events.length < 10, `${stale.events.length} events`);
    await back.end();
    const steps = [second, ...back.events].map(({ data }) => JSON.parse(data).params?.progress);
    assert.deepEqual(steps, [...Array.from({ length: 20 }, (_, i) => i + 1), undefined]);
  });

  it('a session has one stream of its own at a time', async () => {
    const { headers } = await begin();
    const first = await get(headers);
    assert.equal(first.status, 200);
    assert.equal((await get(headers)).status, 409);
    await first.close();
    for (;;) if ((await get(headers)).status === 200) break;
  });

  it('DELETE ends it, with its streams', async () => {
    const { headers } = await begin();
    const own = await get(headers);
    const gone = await open(server.url, '/mcp', { method: 'DELETE', headers });
    assert.equal(gone.status, 204);
    assert.equal(await own.end(), 'end');
    assert.equal((await get(headers)).status, 404);
    assert.equal((await post(request('ping'), headers)).status, 404);
  });
});
