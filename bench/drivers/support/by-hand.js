'use strict';

const { httpServer } = require('../../suite/http-server');
const { HEADERS, eventOf } = require('./event');
const { History } = require('./history');
const { Rooms } = require('./rooms');

/**
 * What applications write by hand: a set of responses and a loop over it.
 *
 * @param {object} options of the driver
 * @param {object} way how bytes get into a response
 * @param {(event: string) => any} way.encode once for each event, for all who get it
 * @param {(res, encoded) => void} way.write
 * @param {(res, encoded: any[]) => void} way.writeAll what a client has missed
 * @param {(res) => object} way.streamOf `send`, `pipe` and `end` of a stream that belongs to nobody else
 * @param {{ key: string, cert: string }} [tls]
 */
function byHand({ history: size, onStream }, { encode, write, writeAll, streamOf }, tls) {
  const clients = new Set();
  const rooms = new Rooms();
  const history = new History(size);
  const begin = (res) => {
    res.writeHead(200, HEADERS);
    res.write(':\n\n');
  };
  const sendTo = (list, encoded) => {
    for (const res of list) write(res, encoded);
  };
  const listen = httpServer(
    {
      events(_req, res, asked) {
        begin(res);
        if (asked.lastEventId) writeAll(res, history.after(asked.lastEventId));
        clients.add(res);
        for (const room of asked.rooms) rooms.join(room, res);
        res.on('close', () => {
          clients.delete(res);
          rooms.leaveAll(res);
        });
      },
      stream(_req, res) {
        begin(res);
        onStream(streamOf(res));
      },
    },
    tls,
  );
  return {
    listen,
    broadcast(text) {
      const encoded = encode(eventOf(text, history.next()));
      history.keep(encoded);
      sendTo(clients, encoded);
    },
    toRoom: (room, text) => sendTo(rooms.of(room), encode(eventOf(text))),
    clients: () =>
      Array.from(clients, (res) => ({
        join: (room) => rooms.join(room, res),
        leave: (room) => rooms.leave(room, res),
      })),
  };
}

/** What it can do. */
byHand.has = ['broadcast', 'rooms', 'private', 'pipe', 'replay', 'churn', 'ping'];

module.exports = { byHand };
