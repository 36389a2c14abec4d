'use strict';

// The moment of connecting: into a hub whose budget is used up, with middleware that throws, with listeners of `connect` that
// act at once, and on responses that no server of Node's has made.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { Duplex, Writable } = require('node:stream');
const { createHub, sse } = require('fanline');
const { Stage, when } = require('./support/stage');

const MIB = 1 << 20;
const SERVER_TIMEOUT = 7_000;

/** Everything that the hub tells, in order: `name room-or-reason`. */
function toldBy(hub) {
  const told = [];
  for (const name of ['connect', 'disconnect', 'join', 'leave', 'drop']) {
    hub.on(name, (_client, what) => told.push(what === undefined ? name : `${name} ${what}`));
  }
  return told;
}

/** Broadcasts within one stretch until no more is taken. False: the reader was ended first, and nobody was left to hold it for. */
function fill(hub) {
  try {
    for (let i = 0; i < 200; i++) hub.broadcast('x'.repeat(60_000));
    return false;
  } catch (err) {
    assert.equal(err.code, 'ERR_FAN_FULL');
    return true;
  }
}

describe('connect() where the budget is used up', () => {
  let hub;
  let stage;
  beforeEach(async () => {
    hub = createHub({
      heartbeat: false,
      limits: { totalBytes: 3 * MIB, eventBytes: MIB, queueBytes: MIB },
    });
    stage = await Stage.on(hub);
    await stage.connect(); // the hub has somebody to hold bytes for
  });
  afterEach(() => stage.close());

  /** A newcomer while the inbox is full, by `enter(req, res)`. */
  async function newcomer(enter) {
    for (let attempt = 0; attempt < 50; attempt++) {
      let full = false;
      const { path, result } = stage.expect((req, res) => {
        full = fill(hub);
        return enter(req, res);
      });
      const [answer, stream] = await Promise.all([result, stage.open(path)]);
      if (full) return { answer, stream };
      stream.close();
      await stage.connect();
    }
    return assert.fail('never full');
  }

  const WAYS = [
    ['hub.connect', (req, res) => hub.connect(req, res, { rooms: 'r' })],
    [
      'hub.connect with transport relay',
      (req, res) => hub.connect(req, res, { transport: 'relay' }),
    ],
    ['hub.handler', (req, res) => hub.handler({ rooms: 'r' })(req, res)],
  ];
  for (const [name, enter] of WAYS) {
    it(`${name}: the newcomer is let in and greeted`, async () => {
      let client;
      hub.on('connect', (last) => {
        client = last;
      });
      const { stream } = await newcomer(enter);
      assert.equal(stream.status, 200);
      await stream.until(({ text }) => /^retry: \d+\n/.test(text));
      assert.deepEqual([client.closed, hub.clients.get(client.id)], [null, client]);
      client.send('welcome');
      await stream.until(({ events }) => events.some(({ data }) => data === 'welcome'));
    });
  }

  it('without `retry` the greeting is a comment', async () => {
    const { stream } = await newcomer((req, res) => hub.connect(req, res, { retry: false }));
    await stream.until(({ text }) => text.startsWith(':\n'));
  });

  it('sse() knows nothing of it', async () => {
    const { answer, stream } = await newcomer((req, res) => {
      const client = sse(req, res);
      client.send('token');
      return client;
    });
    assert.equal((await stream.next()).data, 'token');
    answer.close();
    assert.equal(await stream.end(), 'end');
  });
});

describe('connect() that throws', () => {
  const HOOKS = {
    writeHead: 'when the headers are written',
    setHeader: 'before the headers',
    flushHeaders: 'instead of the headers',
  };
  for (const [name, moment] of Object.entries(HOOKS)) {
    it(`a ${name} that throws, ${moment}: the hub tells nothing and keeps nothing`, async () => {
      const hub = createHub();
      const told = toldBy(hub);
      const stage = await Stage.on(hub);
      stage._server.server.timeout = SERVER_TIMEOUT;
      const mistake = new Error('hook');
      const { path, result } = stage.expect((req, res) => {
        const { timeout } = res.socket;
        res[name] = () => {
          throw mistake;
        };
        assert.throws(
          () => hub.connect(req, res, { rooms: ['a', 'b'], user: 'u' }),
          (err) => err === mistake,
        );
        delete res[name];
        const later = res.socket.timeout;
        res.writeHead(200, { 'Content-Type': 'text/plain' }).end('an answer all the same');
        return { timeout, later };
      });
      const [seen, stream] = await Promise.all([result, stage.open(path)]);
      assert.deepEqual(seen, { timeout: SERVER_TIMEOUT, later: SERVER_TIMEOUT });
      assert.equal(await stream.end(), 'end');
      assert.equal(stream.text, 'an answer all the same');
      assert.deepEqual([told, hub.size, [...hub.rooms]], [[], 0, []]);
      const { clients, users, rooms, disconnects } = hub.stats();
      assert.deepEqual([clients, users, rooms], [0, 0, 0]);
      assert.deepEqual(Object.values(disconnects).filter(Boolean), []);
      await stage.close();
    });
  }

  it('because a hook that closes the hub throws: the hub closes all the same', async () => {
    const hub = createHub();
    const stage = await Stage.on(hub);
    let closing;
    const { path, result } = stage.expect((req, res) => {
      res.writeHead = () => {
        closing = hub.close({ grace: 100 });
        throw new Error('hook');
      };
      assert.throws(() => hub.connect(req, res), /hook/);
      delete res.writeHead;
      res.writeHead(200).end();
    });
    await Promise.all([result, stage.open(path)]);
    assert.equal((await closing).cut, 0);
    await stage.close();
  });

  it('the next client of such a hub is as any other', async () => {
    const hub = createHub({ limits: { clients: 1, clientsPerUser: 1 } });
    const stage = await Stage.on(hub);
    await stage.request((req, res) => {
      const { writeHead } = res;
      res.writeHead = () => {
        throw new Error('hook');
      };
      assert.throws(() => hub.connect(req, res, { user: 'u' }), { message: 'hook' });
      res.writeHead = writeHead;
      res.end();
    });
    const { client, stream } = await stage.connect({ user: 'u' });
    assert.equal(client.closed, null);
    assert.equal(hub.user('u').send('hello').matched, 1);
    assert.equal((await stream.next()).data, 'hello');
    await stage.close();
  });
});

describe('in a `connect` listener', () => {
  let hub;
  let stage;
  beforeEach(async () => {
    hub = createHub({ heartbeat: false });
    stage = await Stage.on(hub);
  });
  afterEach(() => stage.close());

  it('the client is in its rooms, and what is sent there reaches it', async () => {
    const seen = [];
    hub.on('connect', (client) => {
      seen.push([...client.rooms], [...hub.rooms]);
      seen.push(hub.to('a').send('by room').matched, hub.to(['a', 'b']).size);
      seen.push(hub.except('b').clients().length);
    });
    const { stream } = await stage.connect({ rooms: ['a', 'b'] });
    assert.deepEqual(seen, [
      ['a', 'b'],
      [
        ['a', 1],
        ['b', 1],
      ],
      1,
      1,
      0,
    ]);
    hub.broadcast('later');
    assert.deepEqual(await stream.data(2), ['by room', 'later']);
  });

  it('in no room, its set is its own, and shows what it joins later', async () => {
    const clients = [];
    for (let i = 0; i < 2; i++) clients.push((await stage.connect()).client);
    const [first, second] = clients.map((client) => client.rooms);
    clients[0].join('a');
    assert.deepEqual([[...first], [...second]], [['a'], []]);
  });

  it('`join` is told after `connect`, once for each room', async () => {
    const told = toldBy(hub);
    await stage.connect({ rooms: ['a', 'b'] });
    assert.deepEqual(told, ['connect', 'join a', 'join b']);
  });

  it('a room that it leaves there is told neither as joined nor as left', async () => {
    const told = toldBy(hub);
    hub.prependListener('connect', (client) => client.leave('a'));
    const { client } = await stage.connect({ rooms: ['a', 'b'] });
    assert.deepEqual(told, ['connect', 'join b']);
    assert.deepEqual([[...client.rooms], [...hub.rooms]], [['b'], [['b', 1]]]);
    assert.equal(hub.to('a').send('nobody').matched, 0);
  });

  it('a client that is closed there was in no room that was told', async () => {
    const told = toldBy(hub);
    hub.prependListener('connect', (client) => client.close());
    const { client, stream } = await stage.connect({ rooms: ['a'] });
    assert.equal(await stream.end(), 'end');
    await when(() => client.closed !== null);
    const joined = told.filter((what) => what === 'join a').length;
    const left = told.filter((what) => what === 'leave a').length;
    assert.equal(joined, left, told.join());
    assert.deepEqual([...hub.rooms], []);
  });
});

describe('a response that no server of Node’s has made', () => {
  /** As test tools make them: light-my-request, node-mocks-http. */
  function mocked(socket) {
    const req = new http.IncomingMessage(null);
    Object.assign(req, { method: 'GET', url: '/', httpVersionMajor: 1, httpVersionMinor: 1 });
    const res = new http.ServerResponse(req);
    res.assignSocket(socket);
    return { req, res };
  }

  const SOCKETS = {
    'a Writable': (write) => new Writable({ write }),
    'a Duplex': (write) => new Duplex({ write, read() {} }),
    'a socket whose setTimeout is missing': (write) => {
      const socket = new Duplex({ write, read() {} });
      return Object.assign(socket, { setTimeout: undefined, remoteAddress: '127.0.0.1' });
    },
  };
  for (const [name, create] of Object.entries(SOCKETS)) {
    it(`on ${name}: relayed, because there is no descriptor`, async () => {
      const hub = createHub({ heartbeat: false, retry: false, history: false });
      let text = '';
      const socket = create((chunk, _encoding, callback) => {
        text += chunk;
        setImmediate(callback);
      });
      const { req, res } = mocked(socket);
      const client = hub.connect(req, res, { rooms: 'r' });
      assert.deepEqual([client.closed, client.transport], [null, 'relay']);
      assert.deepEqual(hub.stats().relay, { descriptor: 1 });
      assert.equal(hub.to('r').send('one').matched, 1);
      client.close({ data: 'two' });
      await when(() => client.closed !== null, 'the end');
      assert.deepEqual([client.closed, hub.size], ['server', 0]);
      await when(() => text.endsWith('0\r\n\r\n'), 'the terminator');
      assert.match(text, /^HTTP\/1\.1 200 OK\r\n.*:\n.*data: one\n\n.*data: two\n\n/s);
      assert.equal(res.writableFinished, true);
    });
  }
});

describe('a response of a class of its own', () => {
  it('may add to the headers that it writes: no other has them', async () => {
    class OwnResponse extends http.ServerResponse {
      writeHead(status, headers) {
        if (this.req.url === '/first') headers['Set-Cookie'] = 'of=first';
        return super.writeHead(status, headers);
      }
    }
    const hub = createHub();
    const server = http.createServer({ ServerResponse: OwnResponse }, hub.handler({}));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const cookies = [];
    for (const path of ['/first', '/second']) {
      const [answer] = await once(http.get({ port: server.address().port, path }), 'response');
      cookies.push(answer.headers['set-cookie']);
      answer.destroy();
    }
    assert.deepEqual(cookies, [['of=first'], undefined]);
    server.close();
    await hub.close({ grace: 0 });
  });
});
