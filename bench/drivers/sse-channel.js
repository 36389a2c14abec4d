'use strict';

const { httpServer } = require('../suite/http-server');
const { versionOf } = require('../suite/version');
const { Rooms } = require('./support/rooms');

/** It keeps events that have an id, and sends what a client has missed. */
async function create({ history, onStream }) {
  const SseChannel = require('sse-channel');
  const all = new SseChannel(history ? { historySize: history } : {});
  const one = new SseChannel();
  const rooms = new Rooms();
  let id = 0;
  const listen = httpServer({
    events(req, res, asked) {
      all.addClient(req, res);
      if (asked.rooms.length === 0) return;
      for (const room of asked.rooms) rooms.join(room, res);
      res.on('close', () => rooms.leaveAll(res));
    },
    stream(req, res) {
      one.addClient(req, res);
      const to = [res];
      onStream({
        send: (text) => one.send(text, to),
        async pipe(source) {
          for await (const text of source) one.send(text, to);
          res.end();
        },
        end: () => res.end(),
      });
    },
  });
  return {
    listen,
    broadcast: (text) => all.send(history ? { data: text, id: ++id } : text),
    toRoom: (room, text) => all.send(text, [...rooms.of(room)]),
  };
}

module.exports = {
  what: 'sse-channel: one channel, its own history; a room is a list of clients that a send is given',
  versions: () => ({ 'sse-channel': versionOf('sse-channel') }),
  has: ['broadcast', 'rooms', 'private', 'pipe', 'replay', 'ping'],
  create,
};
