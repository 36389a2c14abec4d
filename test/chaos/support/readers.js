'use strict';

// Clients, many in one process: EventSources that connect again by themselves, of the library that is wanted.

const { decode, isMeant, roomsOf } = require('./events');

const TELL = 50; // ms
const { library, url, clients } = JSON.parse(process.argv[2]);
const LIBRARIES = {
  eventsource: async () => (await import('eventsource')).EventSource,
  eventsource5: async () => (await import('eventsource5')).EventSource,
  'fanline/client': async () => {
    const { EventSource } = await import('fanline/client');
    const options = { retry: { min: 100, max: 1_000 }, silence: 10_000 };
    return class extends EventSource {
      constructor(where) {
        super(where, options);
      }
    };
  },
};

let news = [];

function read(EventSource, client) {
  const rooms = roomsOf(client);
  const source = new EventSource(`${url}?client=${client}`);
  const tell = (what, ...more) => news.push([what, client, ...more]);
  let away = Date.now(); // since when; 0: it has a stream
  source.onopen = () => {
    if (away === 0) return;
    tell('open', Date.now() - away);
    away = 0;
  };
  source.onerror = ({ message, code }) => {
    if (away === 0) away = Date.now();
    if (source.readyState === EventSource.CLOSED) tell('wrong', `gave up: ${code} ${message}`);
  };
  source.onmessage = ({ data, lastEventId }) => {
    try {
      const event = decode(data);
      if (!isMeant(event, rooms)) throw new Error(`${event.by}:${event.number} is not for it`);
      tell('event', lastEventId, event, Date.now());
    } catch (err) {
      tell('wrong', err.message);
    }
  };
  source.addEventListener('fanline:reset', ({ data }) => tell('reset', data));
}

setInterval(() => {
  if (news.length > 0) process.send(news);
  news = [];
}, TELL);
process.on('disconnect', () => process.exit());

LIBRARIES[library]().then((EventSource) => {
  for (const client of clients) read(EventSource, client);
});
