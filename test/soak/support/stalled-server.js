'use strict';

// A server in a process of its own: clients of `/healthy` read, the one of `/stalled` does not. On `{ flood: { from, to } }` it sends
// these numbers to all, as fast as those who read take them and at most `hz` in a second; on `{ close: true }` it closes the latter.
//
//     node stalled-server.js '{ "driver": "fanline" | "res.write", "size", "burst", "hz", "keyed", "hub": options }'

const http = require('node:http');
const { setImmediate: turn, setTimeout: sleep } = require('node:timers/promises');
const { keyOf } = require('../../js/support/stalled');
const { createHub } = require('../../..');

const { driver, size, burst, hz, keyed, hub: options } = JSON.parse(process.argv[2]);

const DRIVERS = {
  fanline() {
    const hub = createHub({ history: false, heartbeat: false, ...options });
    let stalled;
    const told = {}; // by `drop`: reason → { events, bytes }
    hub.on('drop', (_client, { reason, events, bytes }) => {
      const sum = told[reason] ?? { events: 0, bytes: 0 };
      told[reason] = { events: sum.events + events, bytes: sum.bytes + bytes };
    });
    const all = hub.to('all');
    const healthy = hub.to('healthy');
    return {
      connect: (req, res, name) => {
        const client = hub.connect(req, res, { rooms: ['all', name] });
        if (name === 'stalled') stalled = client;
      },
      close: () => stalled.close(),
      send: (text, key) => all.send(text, { key }),
      // The application's own backpressure: the event behind the others says when they are through.
      through: () => healthy.deliver('through'),
      stats: () => ({ ...hub.stats(), told }),
    };
  },
  'res.write'() {
    const responses = new Map();
    return {
      connect(_req, res, name) {
        res.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
        responses.set(res, name);
        res.on('close', () => responses.delete(res));
      },
      send(text) {
        for (const res of responses.keys()) res.write(`data: ${text}\n\n`);
      },
      async through() {
        for (const [res, name] of responses) {
          while (name === 'healthy' && res.writableLength > 0) await turn();
        }
      },
      stats: () => null,
    };
  },
};

const { connect, close, send, through, stats } = DRIVERS[driver]();

async function flood({ from, to }) {
  const padding = 'x'.repeat(size);
  const begun = performance.now();
  for (let n = from; n <= to; ) {
    for (let i = 0; i < burst && n <= to; i++, n++) {
      send(`${n} ${process.hrtime.bigint()} ${padding}`, keyed ? keyOf(n) : undefined);
    }
    await through();
    const early = ((n - from) * 1_000) / hz - (performance.now() - begun);
    if (early >= 1) await sleep(early);
  }
  return (performance.now() - begun) / 1_000;
}

process.on('message', async (message) => {
  if (message.flood) process.send({ seconds: await flood(message.flood), stats: stats() });
  else {
    if (message.close) close();
    process.send({ stats: stats() });
  }
});
process.on('disconnect', () => process.exit());

const server = http.createServer((req, res) => connect(req, res, req.url.slice(1)));
server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }, () => {
  process.send({ port: server.address().port });
});
