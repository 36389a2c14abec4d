'use strict';

// Workers: each has a loop of its own, and may be ended at any moment by itself or from outside. The process that runs them
// has a hub of its own, which must not notice. Each case in a process of its own, for what goes wrong here is a crash.

const assert = require('node:assert/strict');
const { HEAD, run } = require('./support/child');

/** In the parent: a hub that has a client, and what it takes to see that both are well. */
const PARENT = `
const own = createHub({ heartbeat: 1 });
const ownServer = await serve(own.handler({ rooms: 'r' }));
const reader = await open(ownServer.url);
let said = 0;
const isWell = async () => {
  own.to('r').send(++said);
  const { data } = await reader.next();
  if (data !== String(said)) throw new Error('the parent got ' + data);
};
const end = async () => {
  await isWell();
  await own.close({ grace: 20 });
  await ownServer.close();
  console.log('parent ended');
};
const threads = () => fs.readdirSync('/proc/self/task').length;
const HEAD = ${JSON.stringify(HEAD)};
const start = (source) => {
  const worker = new Worker(HEAD + '(async () => {' + source + '})();', { eval: true });
  worker.reached = new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', (err) => (err.message === 'uncaught here' ? resolve() : reject(err)));
  });
  worker.ended = new Promise((resolve) => worker.once('exit', resolve));
  return worker;
};
`;

/** In the worker: a hub with clients that the worker itself reads, `reached()` for the parent, a flood. */
const WORKER = `
const { parentPort } = require('node:worker_threads');
const hub = createHub({ heartbeat: 1 });
let opened, relay;
const server = http.createServer((req, res) => {
  const headers = req.url === '/blocked' ? { 'X-Block': 'x'.repeat(4 << 20) } : {};
  const handler = hub.handler({ headers, transport: relay, rooms: 'r', user: 'u' }, opened);
  handler(req, res, (err) => { throw err; });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address();
const url = 'http://127.0.0.1:' + port;
const some = (count) => Promise.all(Array.from({ length: count }, () => open(url)));
const flood = () => { for (let i = 0; i < 200; i++) hub.broadcast(big.slice(0, 2_000)); };
const tryFlood = () => { try { flood(); } catch (err) { if (!/^ERR_FAN_(FULL|CLOSED)$/.test(err.code)) throw err; } };
const spin = () => { for (;;) tryFlood(); };
const reached = () => parentPort.postMessage('reached');
`;

// stage → code of the worker that has just reached it; `now()` is the end
const STAGES = {
  'loaded, no client': `now();`,
  'inside the first connect': `hub.on('connect', now); await open(url);`,
  'inside handler’s opened': `opened = now; await open(url);`,
  'while opening': `await deaf(port, '/blocked'); await when(() => hub.size === 1); now();`,
  'in the middle of a broadcast': `await some(10); flood(); flood(); now();`,
  'on relay, blocks under way': `relay = 'relay'; await some(5); flood(); now();`,
  'inside a close listener': `hub.on('disconnect', now); (await open(url)).close();`,
  'inside a drop listener': `
    hub.on('drop', now); await deaf(port, '/blocked'); await when(() => hub.size === 1);
    for (let i = 0; i < 250; i++) hub.broadcast(big);`,
  'during hub.close': `
    await deaf(port, '/blocked'); await some(2); await when(() => hub.size === 3);
    hub.close({ grace: 10_000 }); now();`,
  'after hub.close': `await some(2); await hub.close({ grace: 20 }); now();`,
  'after a second loop was started': `
    await some(2); await hub.close({ grace: 20 });
    const again = createHub();
    const more = await serve(again.handler({}));
    await open(more.url); again.broadcast('x'); now();`,
};

// how → [what now() does in the worker, what the parent does then, the worker's exit code]
const ENDS = {
  'process.exit()': [`reached(); process.exit(7);`, ``, 7],
  'an uncaught throw': [`reached(); throw new Error('uncaught here');`, ``, 1],
  'terminate() while it works on': [
    `reached(); setImmediate(function again() { tryFlood(); setImmediate(again); });`,
    `worker.terminate();`,
    1,
  ],
  'terminate() while it spins': [`reached(); spin();`, `worker.terminate();`, 1],
};

/** The child ended by itself, in order. */
function ended({ code, signal, err, out }, expected) {
  assert.deepEqual(
    { code, signal, err, out: out.trim() },
    { code: 0, signal: null, err: '', out: expected },
  );
}

describe('a worker that ends at any stage; the process lives on', () => {
  for (const [how, [now, then, code]] of Object.entries(ENDS)) {
    it(`by ${how}`, async function () {
      this.timeout(30_000);
      const sources = Object.values(STAGES).map(
        (stage) =>
          `${WORKER} let isOver = false; const now = () => { if (isOver) return; isOver = true; ${now} }; ${stage}`,
      );
      const result = await run(
        `${PARENT}
        for (const [i, source] of ${JSON.stringify(sources)}.entries()) {
          const worker = start(source);
          await worker.reached;
          await isWell();
          ${then}
          const code = await worker.ended;
          if (code !== ${code}) throw new Error('stage ' + i + ' ended with ' + code);
          await isWell();
        }
        await end();
      `,
        { ms: 25_000 },
      );
      ended(result, 'parent ended');
    });
  }
});

describe('a worker', () => {
  it('ends by itself when its server and hub are closed, or its readers leave', async () => {
    const result = await run(`${PARENT}
      const ways = [
        'server.close(); hub.close({ grace: 20 });',
        'server.close(); hub.close({ grace: 0 });',
        'server.close(); server.closeAllConnections();',
        'server.close(); for (const stream of streams) stream.close();',
      ];
      for (const way of ways) {
        const worker = start(${JSON.stringify(`${WORKER} const streams = await some(3); flood();`)} + way);
        const code = await worker.ended;
        if (code !== 0) throw new Error(way + ' ended with ' + code);
        await isWell();
      }
      await end();
    `);
    ended(result, 'parent ended');
  });

  it('has hubs, events and counters of its own', async () => {
    const result = await run(`${PARENT}
      const worker = start(${JSON.stringify(`${WORKER}
        const [stream] = await some(1);
        hub.to('r').send('from the worker');
        parentPort.postMessage([(await stream.next()).data, hub.size]);
        await hub.close({ grace: 20 });
        server.close();
      `)});
      const [data, size] = await worker.reached;
      console.log(data, size, own.size, own.stats().events);
      await worker.ended;
      await end();
    `);
    ended(result, 'from the worker 1 1 0\nparent ended');
  });

  it('leaves no thread, however many have come and gone', async function () {
    if (process.platform !== 'linux') this.skip();
    this.timeout(20_000);
    const result = await run(
      `${PARENT}
      const round = async (count) => {
        for (let i = 0; i < count; i++) {
          const worker = start(${JSON.stringify(`${WORKER} await some(3); flood(); reached(); spin();`)});
          await worker.reached;
          await worker.terminate();
        }
      };
      await round(2);
      const before = threads();
      await round(15);
      await when(() => threads() <= before, 'threads gone');
      await end();
    `,
      { ms: 20_000 },
    );
    ended(result, 'parent ended');
  });

  it('that is ended with hubs not yet collected, and some collected before', async () => {
    const result = await run(
      `${PARENT}
      for (let round = 0; round < 5; round++) {
        const worker = start(${JSON.stringify(`${WORKER}
          for (let i = 0; i < 20; i++) {
            let other = createHub();
            const there = await serve(other.handler({}));
            const stream = await open(there.url);
            other.broadcast('x');
            if (i % 3 === 0) stream.close();
            if (i % 3 === 1) other.close({ grace: 0 });
            other = null;
            if (i % 5 === 0) gc();
          }
          await some(2);
          reached();
          spin();
        `)});
        await worker.reached;
        if (round % 2) gc();
        await worker.terminate();
        gc();
        await isWell();
      }
      await end();
    `,
      { args: ['--expose-gc'] },
    );
    ended(result, 'parent ended');
  });

  it('that is ended while it makes hubs', async () => {
    const result = await run(`${PARENT}
      for (let round = 0; round < 40; round++) {
        const worker = start('require("node:worker_threads").parentPort.postMessage("reached");' +
          ' for (;;) createHub();');
        await worker.reached;
        await new Promise((resolve) => setTimeout(resolve, round % 5));
        await worker.terminate();
      }
      await end();
    `);
    ended(result, 'parent ended');
  });

  it('several at once, each with clients, ended in the middle of their broadcasts', async () => {
    const result = await run(`${PARENT}
      const workers = [];
      for (let i = 0; i < 6; i++) {
        const worker = start(${JSON.stringify(`${WORKER} await some(5); reached(); spin();`)});
        workers.push(worker);
      }
      await Promise.all(workers.map((worker) => worker.reached));
      await isWell();
      await Promise.all(workers.map((worker) => worker.terminate()));
      await end();
    `);
    ended(result, 'parent ended');
  });
});
