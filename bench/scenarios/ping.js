'use strict';

const http = require('node:http');
const { goal } = require('../suite/scenario');
const { broadcasts, sleep } = require('../suite/work');

function ping(port, agent) {
  return new Promise((resolve, reject) => {
    const start = process.hrtime.bigint();
    http
      .get({ port, host: '127.0.0.1', path: '/ping', agent }, (res) => {
        res.resume();
        res.on('end', () => resolve(Number(process.hrtime.bigint() - start) / 1e6));
      })
      .on('error', reject);
  });
}

/** Every 20 ms one request, on one connection. Resolves with a function that ends it: the times, sorted. */
function startPings(port) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const times = [];
  let running = true;
  const ended = (async () => {
    while (running) {
      times.push(await ping(port, agent));
      await sleep(20);
    }
    agent.destroy();
  })();
  ended.catch(() => {}); // told by the function below
  return async () => {
    running = false;
    await ended;
    return times.sort((a, b) => a - b);
  };
}

async function measure({ settings, start, load }) {
  const { clients, events } = settings;
  const server = await start();
  const readers = await load(server);
  await readers.open('/events', { clients, events });
  const stop = startPings(server.port);
  await server.work('broadcasts');
  await readers.arrived({ clients, events });
  const times = await stop();
  return {
    ping_p50_ms: times[times.length >> 1],
    ping_p99_ms: times[Math.floor(times.length * 0.99)],
  };
}

module.exports = {
  title: 'S10 ping',
  what: 'An ordinary request to the same server, every 20 ms during S1.',
  needs: ['broadcast', 'ping'],
  drivers: ['fanline', 'res-write', 'better-sse'],
  variants: { 'during S1': { clients: 4000, events: 50, hz: 10, size: 100 } },
  columns: [
    { key: 'ping_p50_ms', title: 'GET /ping p50', unit: 'ms', digits: 1 },
    { key: 'ping_p99_ms', title: 'GET /ping p99', unit: 'ms', digits: 1 },
  ],
  measure,
  work: { broadcasts },
  goals: [
    goal(
      'GET /ping p99: res.write',
      (of) => of('fanline', 'ping_p99_ms') / of('res-write', 'ping_p99_ms'),
      { must: '<= 0.2' },
    ),
  ],
};
