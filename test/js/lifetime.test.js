'use strict';

// The end of a process, of hubs and of the loop: nothing keeps a process alive that should not, whatever stage it is in
// when it ends; no thread, descriptor or hub is left. Each case in a process of its own.

const assert = require('node:assert/strict');
const { run } = require('./support/child');

const CLEAN = { code: 0, signal: null, err: '' };

/** The child ended by itself, in order, and printed this. */
function ended({ code, signal, err, out }, expected) {
  assert.deepEqual({ code, signal, err }, CLEAN);
  if (expected !== undefined) assert.equal(out.trim(), expected);
}

/** Threads and descriptors of the process. */
const COUNT = `
const threads = () => fs.readdirSync('/proc/self/task').length;
const fds = () => fs.readdirSync('/proc/self/fd').length;
`;

describe('a process with hubs and connected clients ends by itself', () => {
  const SETUP = `
    const hubs = [createHub({ heartbeat: 20 }), createHub({ transport: 'relay' })];
    const server = http.createServer((req, res) => {
      const hub = hubs[req.url.length % 2];
      hub.connect(req, res, { rooms: 'r', user: 'u' });
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = 'http://127.0.0.1:' + server.address().port;
    const streams = [];
    for (let i = 0; i < 6; i++) streams.push(await open(url + '/x'.repeat(i % 2)));
    for (const hub of hubs) hub.broadcast('hello');
    for (const stream of streams) await stream.next();
    process.on('exit', (code) => console.log('exit', code, hubs.map((hub) => hub.size).join()));
  `;

  const WAYS = {
    'after server.close() and hub.close()': `
      server.close();
      for (const hub of hubs) hub.close({ grace: 50 });`,
    'after hub.close() and server.close(), awaited': `
      await Promise.all(hubs.map((hub) => hub.close({ grace: 50 })));
      await new Promise((resolve) => server.close(resolve));
      console.log('closed');`,
    'after hub.close({ grace: 0 })': `
      server.close();
      for (const hub of hubs) hub.close({ grace: 0 });`,
    'without hub.close(), when server and connections close': `
      server.close();
      server.closeAllConnections();`,
    'without hub.close(), when the readers leave': `
      server.close();
      for (const stream of streams) stream.close();`,
    'with a stream that its reader left in the same moment': `
      server.close();
      for (const stream of streams) stream.close();
      for (const hub of hubs) { hub.broadcast('late'); hub.close({ grace: 50 }); }`,
  };
  for (const [name, body] of Object.entries(WAYS)) {
    it(name, async () => {
      const result = await run(SETUP + body);
      ended(result);
      assert.match(result.out, /exit 0 0,0\n$/);
      assert(result.ms < 5_000, `${result.ms} ms`);
    });
  }

  it('with hubs that nobody closed, as long as they have no clients', async () => {
    ended(
      await run(`
        for (let i = 0; i < 10; i++) createHub({ heartbeat: 5 }).broadcast('x');
        console.log('end');
      `),
      'end',
    );
  });

  it('not before its streams have ended', async () => {
    const result = await run(`
      const hub = createHub();
      const server = await serve(hub.handler({}));
      const stream = await open(server.url);
      server.server.close();
      setTimeout(() => {
        console.log(hub.size);
        stream.close();
      }, 100);
      process.on('exit', () => console.log('exit', hub.size));
    `);
    ended(result, '1\nexit 0');
  });
});

describe('a process that ends at any stage', () => {
  // stage → code that has just reached it; `now()` is the end
  const STAGES = {
    'loaded, no hub': `now();`,
    'a hub without clients': `createHub(); now();`,
    'inside the first connect': `hub.on('connect', now); await open(url);`,
    'inside handler’s opened': `opened = now; await open(url);`,
    'right after connect': `onRequest = (req, res) => { hub.connect(req, res); now(); }; open(url).catch(() => {});`,
    'while opening': `await deaf(port, '/blocked'); await when(() => hub.size === 1); now();`,
    'in the middle of a broadcast': `
      const streams = await Promise.all(Array.from({ length: 30 }, () => open(url)));
      for (let i = 0; i < 500; i++) { hub.broadcast(big.slice(0, 2000)); if (i === 400) now(); }`,
    'on relay, blocks under way': `
      relay = 'relay';
      const stream = await open(url);
      hub.broadcast(big); hub.broadcast(big); hub.broadcast(big);
      await stream.next(); now();`,
    'inside a close listener': `
      hub.on('connect', (c) => c.on('close', now)); (await open(url)).close();`,
    'inside a drop listener': `
      hub.on('drop', now); await deaf(port, '/blocked'); await when(() => hub.size === 1);
      for (let i = 0; i < 250; i++) hub.broadcast(big);`,
    'after hub.close': `await open(url); await hub.close({ grace: 20 }); now();`,
    'in an exit listener': `
      await open(url); process.on('exit', () => { hub.broadcast('x'); hub.stats(); }); now();`,
  };
  const ENDS = {
    'process.exit()': [`process.exit(7)`, 7, /^$/],
    'an uncaught throw': [`{ throw new Error('uncaught here') }`, 1, /uncaught here/],
  };
  const program = (stage, end) => `
    const now = () => { process.stdout.write('reached\\n'); ${end}; };
    let opened; let relay; let onRequest;
    const hub = createHub({ heartbeat: 1 });
    const server = http.createServer((req, res) => {
      if (onRequest) return onRequest(req, res);
      const headers = req.url === '/blocked' ? { 'X-Block': 'x'.repeat(4 << 20) } : {};
      hub.handler({ headers, transport: relay, rooms: 'r' }, opened)(req, res, (err) => { throw err; });
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    const url = 'http://127.0.0.1:' + port;
    ${stage}
  `;

  for (const [how, [end, expected, message]] of Object.entries(ENDS)) {
    it(`by ${how}`, async function () {
      this.timeout(30_000);
      const names = Object.keys(STAGES);
      const one = async (name) => {
        const { code, signal, out, err } = await run(program(STAGES[name], end));
        assert.deepEqual(
          { name, code, signal, out },
          { name, code: expected, signal: null, out: 'reached\n' },
          err,
        );
        assert.match(err, message, name);
      };
      while (names.length > 0) await Promise.all(names.splice(0, 4).map(one));
    });
  }
});

describe('threads and descriptors', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip(); // counted in /proc
  });

  it('1,000 hubs with a client each, closed: none is left', async function () {
    this.timeout(20_000);
    const { out, ...result } = await run(
      `${COUNT}
      let hub;
      const server = http.createServer((req, res) => hub.connect(req, res));
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
      const url = 'http://127.0.0.1:' + server.address().port;
      const settled = () => new Promise((resolve) => setTimeout(resolve, 50));
      const rounds = async (count) => {
        for (let i = 0; i < count; i++) {
          hub = createHub();
          const stream = await open(url);
          await hub.close({ grace: 0 });
          stream.close();
        }
        await settled();
      };
      await rounds(20);
      const before = [threads(), fds()];
      await rounds(980);
      console.log(JSON.stringify([before, [threads(), fds()]]));
      server.close();
      `,
      { ms: 20_000 },
    );
    ended({ out, ...result });
    const [before, later] = JSON.parse(out);
    assert.ok(later[0] <= before[0] && later[1] <= before[1], `${before} became ${later}`);
  });

  // options, whether they send, what they cost: the loop's thread and its two descriptors
  for (const [what, options, sends, cost] of [
    ['without history, that send', { history: false }, true, /^0 0\n0 0$/],
    ['with history, that send nothing', {}, false, /^0 0\n0 0$/],
    ['with history, that send: one loop keeps it for all of them', {}, true, /^[01] 2\n0 0$/],
  ]) {
    it(`1,000 hubs that never had a client, ${what}`, async () => {
      const result = await run(`${COUNT}
        // Node itself may still be opening and ending some.
        let before;
        do {
          before = [threads(), fds()];
          await new Promise((resolve) => setTimeout(resolve, 100));
        } while (String(before) !== String([threads(), fds()]));
        const hubs = Array.from({ length: 1_000 }, () => createHub(${JSON.stringify(options)}));
        if (${sends}) for (const hub of hubs) hub.broadcast('x');
        // Threads of Node's own may end meanwhile: then there are no more than before.
        const more = () => console.log(Math.max(0, threads() - before[0]), Math.max(0, fds() - before[1]));
        more();
        await Promise.all(hubs.map((hub) => hub.close()));
        more();
      `);
      ended(result);
      assert.match(result.out.trim(), cost);
    });
  }

  it('the loop stops with the last hub, and starts again for a new one', async () => {
    const result = await run(`${COUNT}
      let hub;
      const server = http.createServer((req, res) => hub.connect(req, res, { rooms: 'r' }));
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
      const url = 'http://127.0.0.1:' + server.address().port;
      const base = threads();
      for (let round = 0; round < 5; round++) {
        const [first, second] = [createHub(), createHub()];
        hub = first;
        const a = await open(url);
        hub = second;
        const b = await open(url);
        first.to('r').send('one'); second.to('r').send('two');
        const data = [(await a.next()).data, (await b.next()).data];
        const during = threads() - base;
        await first.close({ grace: 50 });
        const between = threads() - base;
        second.to('r').send('still');
        data.push((await b.next()).data);
        await second.close({ grace: 50 });
        console.log(...data, during, between, threads() - base, first.stats().clients);
      }
      server.close();
    `);
    ended(result, Array(5).fill('one two still 1 1 0 0').join('\n'));
  });
});

describe('a hub that is dropped without close', () => {
  const SETUP = `
    const collected = new Set();
    const registry = new FinalizationRegistry((name) => collected.add(name));
    let hub = null;
    const server = http.createServer((req, res) => hub.connect(req, res, { rooms: 'r', user: 'u' }));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = 'http://127.0.0.1:' + server.address().port;
    const make = (name) => { hub = createHub(); registry.register(hub, name); };
    const forget = async (ms) => {
      hub = null;
      const limit = Date.now() + ms;
      while (Date.now() < limit && collected.size === 0) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        gc();
      }
    };
  `;
  const gcRun = (body) => run(SETUP + body, { args: ['--expose-gc'] });

  for (const [what, send] of [
    ['never had a client', ''],
    ['never had a client, and keeps events', `for (const n of [1, 2, 3]) hub.to('r').send(n);`],
  ]) {
    it(`is collected when it ${what}`, async () => {
      const body = `make('a'); ${send} await forget(5_000); console.log(...collected);`;
      ended(await gcRun(`${body} server.close();`), 'a');
    });
  }

  it('is collected when its clients have gone, its loop alive or not', async () => {
    const result = await gcRun(`
      make('keeps the loop');
      const kept = hub;
      const stream = await open(url);
      make('a');
      await (async () => {
        const gone = await open(url);
        hub.broadcast('x');
        await gone.next();
        gone.close();
        await when(() => hub.size === 0);
      })();
      await forget(5_000);
      console.log(...collected);
      kept.broadcast('alive');
      console.log((await stream.next()).data);
      await kept.close({ grace: 20 });
      server.close();
    `);
    ended(result, 'a\nalive');
  });

  it('is kept alive by its clients, and collected after them', async () => {
    const result = await gcRun(`
      make('a');
      let client;
      hub.once('connect', (c) => { client = new WeakRef(c); c.on('close', () => {}); });
      const stream = await open(url);
      await forget(300);
      console.log(collected.size, client.deref() !== undefined);
      client.deref().send('alive');
      console.log((await stream.next()).data);
      stream.close();
      await forget(5_000);
      console.log(...collected);
      server.close();
    `);
    ended(result, '0 true\nalive\na');
  });

  it('when it was closed behind a loop that is busy with another', async () => {
    const result = await gcRun(`
      const busy = createHub({ limits: { queueBytes: 1 << 20 } });
      const port = server.address().port;
      hub = busy;
      await deaf(port, '/');
      await when(() => busy.size === 1);
      for (let round = 0; round < 12; round++) {
        make('a');
        const stream = await open(url);
        stream.close();
        while (hub.size > 0) await new Promise((resolve) => setTimeout(resolve, 1));
        for (let i = 0; i < 3_000; i++) busy.broadcast(big.slice(0, 1_000));
        hub.close();
        await forget(100);
        collected.clear();
      }
      console.log('alive');
      process.exit();
    `);
    ended(result, 'alive');
  });
});
