'use strict';

// docs/recipes/troubleshooting.md, second half: what clients come back for, headers, and the ways to the server. As in
// troubleshooting.test.js, each symptom is made, its curl line run, and run again when it is cured.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http2 = require('node:http2');
const https = require('node:https');
const path = require('node:path');
const compression = require('compression');
const { EventSource } = require('eventsource');
const express = require('express');
const { open } = require('../js/support/open');
const { TLS } = require('../js/support/serve');
const { when } = require('../js/support/stage');
const { CUT, ENDED, OPEN, run, sections, stage } = require('./support/troubleshooting');

describe('docs/recipes/troubleshooting.md, what clients see', () => {
  const { toClose, hubOf, listen, source, isClosed } = stage();

  it('every section has a line, and a test that runs it', () => {
    const files = ['troubleshooting.test.js', 'troubleshooting-clients.test.js'];
    const source = files
      .map((file) => fs.readFileSync(path.join(__dirname, file), 'utf8'))
      .join('');
    const all = sections();
    assert.ok(all.length >= 17);
    for (const { title, lines } of all) {
      assert.match(lines ?? '', /curl /, title);
      assert.ok(
        source.includes(`'${title}'`) || source.includes(`"${title}"`),
        `not run: ${title}`,
      );
    }
  });

  it('curl’s exit codes mean what the page’s table says', async () => {
    const exitCode = (...args) =>
      new Promise((resolve) =>
        spawn('curl', ['-sNk', '-o', '/dev/null', ...args]).on('close', resolve),
      );
    const begin = (res) => res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(':\n');
    const server = await listen((req, res) => {
      if (req.url === '/nothing') return req.socket.destroy();
      begin(res);
      if (req.url === '/end') return res.end();
      return req.url === '/cut' && setTimeout(() => req.socket.destroy(), 50);
    });
    const second = http2.createSecureServer(TLS, (_req, res) => {
      begin(res);
      setTimeout(() => res.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR), 50);
    });
    await new Promise((resolve) => second.listen(0, '127.0.0.1', resolve));
    toClose.push(() => second.close());
    assert.equal(await exitCode('--max-time', '0.3', server.url), OPEN);
    assert.equal(await exitCode(`${server.url}/end`), ENDED);
    assert.equal(await exitCode(`${server.url}/cut`), CUT);
    assert.equal(await exitCode(`https://127.0.0.1:${second.address().port}/`), 92);
    assert.equal(await exitCode(`${server.url}/nothing`), 52);
    assert.equal(await exitCode('http://127.0.0.1:1/'), 7);
  });

  describe('Events are lost after a reconnect', () => {
    const TITLE = 'Events are lost after a reconnect';

    it('over a restart: one `fanline:reset`, and with a snapshot the state', async () => {
      const bare = hubOf();
      const told = hubOf({ snapshot: (client) => client.send('the state', { event: 'state' }) });
      for (const [hub, after] of [
        [bare, ''],
        [told, 'event: state\ndata: the state\n\n'],
      ]) {
        const { out } = await run(TITLE, await listen(hub.handler({ rooms: 'news' })));
        assert.match(out, /^event: fanline:reset\n(id: .*\n)?data: restart\n\n/m);
        assert.ok(out.includes(after), out);
      }
    });

    it('what went to a client alone, or with a key, was never kept; what went to the room comes', async () => {
      const hub = hubOf();
      const { port, url } = await listen(hub.handler({ rooms: 'news' }));
      const stream = await open(url);
      hub.to('news').send('first');
      const { id } = await stream.next();
      const [client] = hub.clients.values();
      await stream.close();
      await when(() => hub.size === 0);
      client.send('alone');
      hub.to('news').send('latest', { key: 'k' });
      hub.to('news').send('kept');
      const { out } = await run(TITLE, { port, id });
      assert.deepEqual(out.match(/^data: .*$/gm), ['data: kept']);
      assert.doesNotMatch(out, /fanline:reset/);
    });
  });

  describe('Events come twice', () => {
    async function line(send) {
      const hub = hubOf();
      const server = await listen(hub.handler({ rooms: ['a', 'b'] }, () => send(hub)));
      const { out } = await run('Events come twice', server);
      return out.match(/^data: .*$/gm);
    }

    it('where each of two rooms is sent to, and not where both are in one send', async () => {
      const twice = await line((hub) => {
        hub.to('a').send('hello');
        hub.to('b').send('hello');
      });
      assert.deepEqual(twice, ['data: hello', 'data: hello']);
      assert.deepEqual(await line((hub) => hub.to(['a', 'b']).send('hello')), ['data: hello']);
    });

    it('where the page has two EventSources: `hub.size` says it', async () => {
      const hub = hubOf();
      const { port } = await listen(hub.handler({ rooms: 'a' }));
      const seen = [];
      for (const own of [source(port), source(port)]) own.onmessage = ({ data }) => seen.push(data);
      await when(() => hub.size === 2);
      hub.to('a').send('hello');
      await when(() => seen.length === 2);
    });
  });

  describe('No reconnect after 401 or 204', () => {
    const TITLE = 'No reconnect after 401 or 204';

    it('401 ends an EventSource for good; a new one after the log-in is let in', async () => {
      let isLoggedIn = false;
      const hub = hubOf();
      const server = await listen(hub.handler(() => (isLoggedIn ? {} : null)));
      const { code, out } = await run(TITLE, server);
      assert.equal(code, ENDED);
      assert.match(out, /^HTTP\/1.1 401 Unauthorized$/m);
      const old = source(server.port);
      await isClosed(old);
      isLoggedIn = true;
      source(server.port);
      await when(() => hub.size === 1);
      assert.equal(old.readyState, EventSource.CLOSED);
      assert.equal((await run(TITLE, server)).code, OPEN);
    });

    it('503 is what `atCapacity: reject` says, and ends it as well', async () => {
      const hub = hubOf({ atCapacity: 'reject', limits: { clients: 1 } });
      const server = await listen(hub.handler({}));
      source(server.port);
      await when(() => hub.size === 1);
      assert.match((await run(TITLE, server)).out, /^HTTP\/1.1 503 /m);
      await isClosed(source(server.port));
    });

    it('204 is the answer to who was sent away for good, and not to a new EventSource', async () => {
      const hub = hubOf();
      const server = await listen(hub.handler({ rooms: 'news' }));
      const old = source(server.port);
      await when(() => hub.size === 1);
      hub.to('news').disconnect({ reconnect: false });
      await isClosed(old);
      source(server.port);
      await when(() => hub.size === 1);
    });
  });

  it('ERR_FAN_HEADERS_SENT: what was written before is in front of the end; without it the stream opens', async () => {
    const TITLE = 'ERR_FAN_HEADERS_SENT';
    const hub = hubOf();
    const codes = [];
    const broken = express()
      .get('/events', (req, res) => {
        res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(': ok\n\n');
        hub.connect(req, res);
      })
      .use((err, _req, res, _next) => {
        codes.push(err.code);
        res.end();
      });
    const { code, out } = await run(TITLE, await listen(broken));
    assert.deepEqual(codes, ['ERR_FAN_HEADERS_SENT']);
    assert.equal(code, ENDED);
    assert.match(out, /\n: ok\n\n$/);

    const cured = express().get('/events', (req, res) => {
      res.setHeader('X-Own', 'kept');
      hub.connect(req, res);
    });
    const second = await run(TITLE, await listen(cured));
    assert.equal(second.code, OPEN);
    assert.match(second.out, /^X-Own: kept$/m);
  });

  it('The seventh tab hangs: the server takes seven, and more', async () => {
    const hub = hubOf();
    const { out } = await run('The seventh tab hangs', await listen(hub.handler({})));
    assert.equal(out, '200\n'.repeat(7));
  });

  it('HTTPS, and still six: HTTP/2: curl says which version a server speaks', async () => {
    for (const [version, create] of [
      ['1.1', https.createServer],
      ['2', http2.createSecureServer],
    ]) {
      const server = create(TLS, hubOf().handler({}));
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
      toClose.push(() => server.close());
      const { port: secure } = server.address();
      const { code, out } = await run('HTTPS, and still six: HTTP/2', { secure });
      assert.deepEqual([code, out], [OPEN, `${version}\n`]);
    }
  });

  it('client.transport says relay: something compresses; with `no-transform` it does not', async () => {
    const TITLE = 'client.transport says relay';
    async function line(headers) {
      const hub = hubOf();
      const transports = [];
      const app = express().use(compression());
      app.get(
        '/events',
        hub.handler({ headers }, (client) => {
          client.send('hello');
          setTimeout(() => transports.push(client.transport), 100);
        }),
      );
      const { code, out } = await run(TITLE, await listen(app));
      assert.equal(code, OPEN);
      assert.match(out, /^data: hello$/m, 'it arrives, compressed or not');
      return { out, transports, relay: hub.stats().relay };
    }
    const packed = await line({ 'Cache-Control': 'no-cache' });
    assert.match(packed.out, /^Content-Encoding: (br|gzip)$/m);
    assert.deepEqual([packed.transports, packed.relay], [['relay'], { encoding: 1 }]);
    const plain = await line({});
    assert.doesNotMatch(plain.out, /^Content-Encoding/m);
    assert.deepEqual([plain.transports, plain.relay], [['fd'], {}]);
  });

  describe('Serverless', () => {
    /** A platform that gives each request 600 ms, whatever happens. */
    async function platform(options) {
      const hub = hubOf();
      const listener = hub.handler(options, (client) => {
        const beat = setInterval(() => client.send('beat'), 50);
        client.on('close', () => clearInterval(beat));
      });
      const server = await listen((req, res) => {
        const end = setTimeout(() => req.socket.destroy(), 600);
        res.on('close', () => clearTimeout(end));
        listener(req, res);
      });
      const { code, out } = await run('Serverless', server);
      return { code, seconds: Number(out) };
    }

    it('where each request has its time, the stream is cut then, events or not', async () => {
      for (let i = 0; i < 2; i++) {
        const { code, seconds } = await platform({});
        assert.equal(code, CUT);
        assert.ok(seconds >= 0.59 && seconds < 1, `${seconds} s`);
      }
    });

    it('a `lifetime` below it makes an end in order of it', async () => {
      const { code, seconds } = await platform({ lifetime: 400 });
      assert.equal(code, ENDED);
      assert.ok(seconds >= 0.35 && seconds < 0.6, `${seconds} s`);
    });
  });
});
