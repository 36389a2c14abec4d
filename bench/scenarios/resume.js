'use strict';

const { goal, used } = require('../suite/scenario');
const { eventText, paced, sleep } = require('../suite/work');

/** `events` more to everybody, a hundred in one stretch of code: numbers go on where they were. */
let number = 0;
function more(server, { size, events }) {
  const padding = 'x'.repeat(size);
  const send = () => server.broadcast(eventText(++number, padding));
  return paced(send, { events, hz: 0, burst: 100 }).then(() => {});
}

/** All leave, `missed` events are sent, all come back at once. */
async function comeBack(server, readers, { clients, ahead, settle_ms }, missed, isMissed) {
  await readers.close({ abort: true });
  await sleep(settle_ms); // until the server has noticed all of them
  await server.work('more', { events: missed });
  await readers.reset();
  const before = await server.usage();
  const opened = await readers.reopen({ missed: isMissed, ahead });
  let ms = opened.seconds * 1000;
  if (isMissed) {
    const got = await readers.arrived({ events: missed });
    if (got.events !== missed * clients) throw new Error(`${got.events} events, some twice`);
    ms = Math.max(ms, got.last_ms - opened.began_ms);
  }
  return { ms, ...used(before, await server.usage()) };
}

const byTime = (a, b) => a.ms - b.ms;
const middleOf = (storms) => storms.sort(byTime)[storms.length >> 1];

/** Pairs of storms, without and with: V8 compiles and collects when it likes, which is a fifth of one storm. */
async function measure({ settings, start, load }) {
  const { clients, missed, ahead, pairs } = settings;
  const server = await start({ history: 2 * missed });
  const readers = await load(server);
  await readers.open('/events', { clients, ahead });
  await server.work('more', { events: 1 }); // an id for everybody
  await readers.arrived({ events: 1 });
  await comeBack(server, readers, settings, 1, false); // a storm that nothing is prepared for does not count
  const without = [];
  const replayed = [];
  for (let i = 0; i < pairs; i++) {
    without.push(await comeBack(server, readers, settings, 1, false));
    await readers.reset();
    await server.work('more', { events: 1 });
    await readers.arrived({ events: 1 });
    replayed.push(await comeBack(server, readers, settings, missed, true));
  }
  const [plain, full] = [middleOf(without), middleOf(replayed)];
  return {
    without_ms: plain.ms,
    total_ms: full.ms,
    ratio: full.ms / plain.ms,
    cpu_ms: (full.cpu_s * 1000) / clients,
    cpu_ratio: full.cpu_s / plain.cpu_s,
  };
}

module.exports = {
  title: 'S9 reconnect storm with replay',
  what: 'Everybody comes back at once and has missed a hundred events each; in the same process, in turn with it, the same connects with nothing to be replayed (the middle of three each). By hand it is a res.write for each event missed.',
  needs: ['broadcast', 'replay'],
  drivers: ['fanline', 'res-write'],
  more: [
    'fanline-relay',
    'fanline-detached',
    'fanline-tls',
    'res-write-tls',
    'socket-write',
    'better-sse',
    'sse-channel',
    'nchan',
  ],
  variants: {
    storm: { clients: 5000, missed: 100, size: 100, ahead: 1000, settle_ms: 300, pairs: 3 },
  },
  columns: [
    { key: 'without_ms', title: 'connects without replay', unit: 'ms', digits: 0 },
    { key: 'total_ms', title: 'until all have all', unit: 'ms', digits: 0 },
    { key: 'ratio', title: 'ratio', digits: 2 },
    { key: 'cpu_ms', title: 'CPU per client', unit: 'ms', digits: 2 },
    { key: 'cpu_ratio', title: 'beside without replay', digits: 2 },
  ],
  charts: [
    {
      type: 'bars',
      key: 'total_ms',
      title: 'S9 until everybody has all that was missed',
      unit: 'ms',
    },
  ],
  measure,
  work: { more },
  goals: [
    goal('until all have all: without replay', (of) => of('fanline', 'ratio'), {
      must: '<= 1.15',
    }),
    goal(
      'faster than 100 res.write each',
      (of) => of('res-write', 'total_ms') / of('fanline', 'total_ms'),
      { must: '>= 1.6' },
    ),
  ],
};
