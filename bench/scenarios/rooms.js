'use strict';

const { goal, used } = require('../suite/scenario');
const { eventText, paced, random } = require('../suite/work');

/** Stream i is in the rooms (i + k * rooms / joined) % rooms, as the load says it. */
function membersOf({ clients, rooms, joined }) {
  const members = new Array(rooms).fill(0);
  for (let i = 0; i < clients; i++)
    for (let k = 0; k < joined; k++) members[(i + k * Math.floor(rooms / joined)) % rooms]++;
  return members;
}

/** Events to rooms, of which each is as likely as another; the same ones for every driver. Resolves with how many each has got. */
async function roomSends(server, { rooms, events, hz, burst, size }) {
  const padding = 'x'.repeat(size);
  const sent = new Array(rooms).fill(0);
  const next = random(3);
  const send = () => {
    const room = Math.floor(next() * rooms);
    return server.toRoom(String(room), `${room}:${eventText(++sent[room], padding)}`);
  };
  await paced(send, { events, hz, burst });
  return sent;
}

async function measure({ settings, start, load }) {
  const { clients, rooms, joined, events } = settings;
  const server = await start();
  const readers = await load(server);
  await readers.open('/events?rooms=%', { clients, rooms, joined });
  const before = await server.usage();
  const sent = await server.work('roomSends');
  const members = membersOf(settings);
  const total = sent.reduce((sum, n, room) => sum + n * members[room], 0);
  const got = await readers.arrived({ total });
  const { cpu_s, js_s } = used(before, await server.usage());
  return {
    js_us: js_s === undefined ? undefined : (js_s * 1e6) / events,
    cpu_us: (cpu_s * 1e6) / total,
    p50_ms: got.p50_ms,
    p99_ms: got.p99_ms,
  };
}

module.exports = {
  title: 'S3 many rooms',
  what: 'Sends to random rooms, with a few members each: what a send costs the JavaScript thread, and a delivery the server.',
  needs: ['rooms'],
  drivers: ['fanline', 'res-write'],
  more: [
    'fanline-relay',
    'fanline-detached',
    'socket-write',
    'better-sse',
    'nchan',
    'socket.io',
    'bare',
  ],
  variants: {
    rooms: { clients: 5000, rooms: 500, joined: 2, events: 2000, hz: 100, burst: 10, size: 100 },
  },
  columns: [
    { key: 'js_us', title: 'JS thread per send', unit: 'µs', digits: 1 },
    { key: 'cpu_us', title: 'CPU per delivery', unit: 'µs', digits: 2 },
    { key: 'p50_ms', title: 'latency p50', unit: 'ms', digits: 1 },
    { key: 'p99_ms', title: 'latency p99', unit: 'ms', digits: 1 },
  ],
  measure,
  work: { roomSends },
  goals: [
    goal(
      'JS thread per send: res.write',
      (of) => of('fanline', 'js_us') / of('res-write', 'js_us'),
      { must: '<= 0.2' },
    ),
  ],
};
