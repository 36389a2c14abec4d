'use strict';

const { once } = require('node:events');
const { httpServer } = require('../suite/http-server');

const HEADERS = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' };

function begin(res) {
  res.writeHead(200, HEADERS);
  res.write(':\n\n');
}

function streamOf(res) {
  return {
    send: (text) => res.write(`data: ${text}\n\n`),
    async pipe(source) {
      for await (const text of source) {
        if (res.destroyed) break;
        if (!res.write(`data: ${text}\n\n`)) await once(res, 'drain');
      }
      res.end();
    },
    end: () => res.end(),
  };
}

/** The loop that applications write by hand. */
async function create({ onStream }) {
  const clients = new Set();
  const rooms = new Map(); // of a room its responses
  const enter = (room, res) => {
    if (!rooms.has(room)) rooms.set(room, new Set());
    rooms.get(room).add(res);
    res.on('close', () => rooms.get(room).delete(res));
  };
  const sendTo = (list, text) => {
    const event = `data: ${text}\n\n`;
    for (const res of list) res.write(event);
  };
  return {
    listen: httpServer({
      events(_req, res, asked) {
        begin(res);
        clients.add(res);
        res.on('close', () => clients.delete(res));
        for (const room of asked.rooms) enter(room, res);
      },
      stream(_req, res) {
        begin(res);
        onStream(streamOf(res));
      },
    }),
    broadcast: (text) => sendTo(clients, text),
    toRoom: (room, text) => sendTo(rooms.get(room) ?? [], text),
  };
}

module.exports = {
  what: 'a loop over res.write, as one writes it by hand',
  versions: () => ({}),
  has: ['broadcast', 'rooms', 'private', 'pipe', 'ping'],
  create,
};
