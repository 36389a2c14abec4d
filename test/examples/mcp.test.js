'use strict';

// examples/mcp, read by the official SDK of the Model Context Protocol.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const path = require('node:path');
const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
const {
  StreamableHTTPClientTransport,
} = require('@modelcontextprotocol/sdk/client/streamableHttp.js');
const {
  ErrorCode,
  LoggingMessageNotificationSchema,
} = require('@modelcontextprotocol/sdk/types.js');
const { CuttingProxy } = require('../js/support/cutting-proxy');
const { when } = require('../js/support/stage');
const { splittingFetch } = require('./support/chat-server');
const { startExample } = require('./support/example-page');

const SCRIPT = path.join(__dirname, '..', '..', 'examples', 'mcp', 'client', 'client.js');
const SCRIPTS = 'Grüß Gott! Добрый день! שלום! 你好！ नमस्ते! 👩‍👩‍👧‍👦 𝄞';
const eventually = (condition, what) => when(condition, what, 10_000);
const upTo = (count) => Array.from({ length: count }, (_, i) => i + 1);

describe('examples/mcp', () => {
  let server;
  const clients = [];
  const start = async (env) => {
    server = await startExample('mcp', env);
  };
  afterEach(async () => {
    await Promise.all(clients.splice(0).map(({ client }) => client.close()));
    await server?.close();
    server = undefined;
  });

  const stats = async () => (await fetch(`${server.url}/stats`)).json();
  async function until(condition) {
    for (;;) {
      const now = await stats();
      if (condition(now)) return now;
    }
  }
  async function announce(text, level) {
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json' } };
    const body = JSON.stringify({ text, level });
    assert.equal((await fetch(`${server.url}/announce`, { ...init, body })).status, 200);
  }

  /** A client that is connected, and listens. */
  async function connect({ port = server.port, ...options } = {}) {
    const transport = new StreamableHTTPClientTransport(new URL(`http://localhost:${port}/mcp`), {
      reconnectionOptions: {
        initialReconnectionDelay: 50,
        maxReconnectionDelay: 500,
        reconnectionDelayGrowFactor: 1,
        maxRetries: 20,
      },
      ...options,
    });
    const client = new Client({ name: 'test', version: '1' });
    const said = [];
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
      said.push(params.data);
    });
    const before = (await stats()).streams;
    await client.connect(transport);
    if (!options.sessionId) await until(({ streams }) => streams > before);
    const own = { client, transport, said };
    clients.push(own);
    return own;
  }

  /** Calls the tool; `steps` grows with its progress. */
  function convert({ client }, args, options) {
    const steps = [];
    const onprogress = ({ progress, total }) => {
      assert.equal(total, args.pages);
      steps.push(progress);
    };
    const answer = client.callTool({ name: 'convert', arguments: args }, undefined, {
      onprogress,
      ...options,
    });
    answer.catch(() => {});
    return { answer, steps };
  }
  const textOf = ({ content }) => content[0].text;

  describe('a session', () => {
    beforeEach(() => start());

    it('begins with the latest version, lists the tools, answers a ping', async () => {
      const { client, transport } = await connect();
      assert.equal(transport.protocolVersion, '2025-11-25');
      assert.match(transport.sessionId, /^[\x21-\x7e]{36}$/);
      assert.equal(client.getServerVersion().name, 'fanline-example');
      assert.deepEqual(await client.ping(), {});
      const { tools } = await client.listTools();
      assert.deepEqual(
        tools.map(({ name }) => name),
        ['convert'],
      );
    });

    it('a tool says how far it is, then its answer', async () => {
      const { answer, steps } = convert(await connect(), { pages: 7, pace: 5 });
      assert.equal(textOf(await answer), 'Converted 7 pages');
      assert.deepEqual(steps, upTo(7));
      await until(({ streams, running }) => streams === 1 && running === 0); // the GET's is left
    });

    it('a tool that fails answers with an error that the model can read', async () => {
      const { answer, steps } = convert(await connect(), { pages: 4, pace: 0, fails: true });
      const result = await answer;
      assert.equal(result.isError, true);
      assert.equal(textOf(result), 'Page 3 cannot be read');
      assert.deepEqual(steps, [1, 2]);
    });

    it('what cannot be asked for is an error of JSON-RPC, which the client throws', async () => {
      const own = await connect();
      const refused = { code: ErrorCode.InvalidParams };
      await assert.rejects(own.client.callTool({ name: 'none', arguments: {} }), refused);
      await assert.rejects(convert(own, { pages: 0 }).answer, refused);
      await assert.rejects(own.client.setLoggingLevel('none'));
      await assert.rejects(own.client.listPrompts(), { code: ErrorCode.MethodNotFound });
      assert.equal((await stats()).pages, 0);
    });

    it('to abort is to cancel: the tool stops', async () => {
      const stop = new AbortController();
      const own = await connect();
      const { answer, steps } = convert(own, { pages: 1_000, pace: 10 }, { signal: stop.signal });
      await eventually(() => steps.length > 2, 'progress');
      stop.abort('enough');
      await assert.rejects(answer, /enough/);
      const { pages } = await until(({ running }) => running === 0);
      assert.ok(pages < 100, `${pages} pages`);
      assert.equal(textOf(await convert(own, { pages: 1, pace: 0 }).answer), 'Converted 1 pages');
    });

    it('to leave is not to cancel: the tool goes on, and another connection gets the rest', async () => {
      const first = await connect();
      const { sessionId } = first.transport;
      let token;
      const onresumptiontoken = (id) => {
        token = id;
      };
      const { steps } = convert(first, { pages: 10, pace: 10 }, { onresumptiontoken });
      await eventually(() => steps.length > 2, 'progress');
      await first.client.close();
      await until(({ pages, running }) => pages === 10 && running === 0);

      const second = await connect({ sessionId });
      second.transport.setProtocolVersion('2025-11-25');
      const messages = [];
      second.transport.onmessage = (message) => messages.push(message);
      await second.transport.resumeStream(token);
      await eventually(() => messages.at(-1)?.result, 'the answer');
      const rest = messages.slice(0, -1).map(({ params }) => params.progress);
      assert.deepEqual([...steps, ...rest], upTo(10));
    });

    it('fifty calls at a time are not mixed up; one more is refused', async () => {
      const own = await connect();
      const calls = upTo(50).map((i) => convert(own, { pages: 30 + i, pace: 20 }));
      await until(({ running }) => running === 50);
      await assert.rejects(convert(own, { pages: 1 }).answer, /Too many/);
      for (const [i, { answer, steps }] of calls.entries()) {
        assert.equal(textOf(await answer), `Converted ${31 + i} pages`);
        assert.deepEqual(steps, upTo(31 + i));
      }
    });

    it('the end of a session stops its tools, and is not the end of another', async () => {
      const own = await connect();
      const other = await connect();
      const { steps } = convert(own, { pages: 1_000, pace: 10 });
      const { answer } = convert(other, { pages: 20, pace: 10 });
      await eventually(() => steps.length > 2, 'progress');
      const { sessionId } = own.transport;
      await own.transport.terminateSession();
      await until(({ sessions }) => sessions === 1);
      assert.equal(textOf(await answer), 'Converted 20 pages');
      await until(({ running }) => running === 0);
      const headers = { 'Mcp-Session-Id': sessionId, Accept: 'text/event-stream' };
      assert.equal((await fetch(`${server.url}/mcp`, { headers })).status, 404);
    });

    it('what the server says by itself reaches every session, by its own stream, cut anywhere', async () => {
      const own = await connect({ fetch: splittingFetch });
      const other = await connect();
      await announce(SCRIPTS);
      await announce('second');
      for (const { said } of [own, other]) {
        await eventually(() => said.length === 2, 'both');
        assert.deepEqual(said, [SCRIPTS, 'second']);
      }
    });

    it('a level that is not wanted is not sent', async () => {
      const { client, said } = await connect();
      await client.setLoggingLevel('error');
      await announce('quiet', 'info');
      await announce('loud', 'error');
      await eventually(() => said.length > 0, 'something');
      assert.deepEqual(said, ['loud']);
    });

    it('SIGTERM: tools stop, streams end, the process ends with 0', async () => {
      const { steps } = convert(await connect(), { pages: 1_000, pace: 10 });
      await eventually(() => steps.length > 0, 'progress');
      await clients.pop().client.close(); // so that nobody holds the hub up
      server.signal('SIGTERM');
      assert.deepEqual(await server.exit, { code: 0, signal: null });
      assert.equal(server.err, '');
    });

    it('the client of the example calls the tool', async () => {
      const env = { ...process.env, NODE_PATH: path.join(__dirname, 'node_modules') };
      const child = spawn(process.execPath, [SCRIPT, `${server.url}/mcp`, '2'], { env });
      let out = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text) => {
          out += text;
        });
      }
      const code = await new Promise((resolve) => child.on('close', resolve));
      assert.equal(out, 'tools: convert\nPage 1 of 2\nPage 2 of 2\nConverted 2 pages\n');
      assert.equal(code, 0);
      assert.equal((await stats()).sessions, 0);
    });
  });

  describe('a connection that breaks', () => {
    let proxy;
    beforeEach(async () => {
      await start();
      proxy = new CuttingProxy(() => server.port);
      await proxy.listen();
    });
    afterEach(() => proxy.close());

    it('in the middle of a tool: the client comes back, and has every step once, and the answer', async () => {
      const own = await connect({ port: proxy.port });
      const { answer, steps } = convert(own, { pages: 60, pace: 25 });
      for (const seen of [5, 30]) {
        await eventually(() => steps.length >= seen, 'progress');
        proxy.cutAll();
      }
      assert.equal(textOf(await answer), 'Converted 60 pages');
      assert.deepEqual(steps, upTo(60));
    });

    it('what the server says meanwhile is there when the client is back', async () => {
      const own = await connect({ port: proxy.port });
      await announce('before');
      await eventually(() => own.said.length === 1, 'the first');
      proxy.cutAll();
      await until(({ streams }) => streams === 0);
      await announce('meanwhile');
      await eventually(() => own.said.length === 2, 'the second');
      await announce('after');
      await eventually(() => own.said.length === 3, 'the third');
      assert.deepEqual(own.said, ['before', 'meanwhile', 'after']);
    });
  });

  it('streams that the server ends to be asked again: nothing is lost, nothing comes twice', async () => {
    await start({ LIFETIME: '250' });
    const own = await connect();
    const { answer, steps } = convert(own, { pages: 60, pace: 20 });
    assert.equal(textOf(await answer), 'Converted 60 pages');
    assert.deepEqual(steps, upTo(60));
  });
});
