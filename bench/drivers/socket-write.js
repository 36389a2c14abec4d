'use strict';

const { once } = require('node:events');
const { byHand } = require('./support/by-hand');
const { eventOf } = require('./support/event');

/** An event as a chunk of the response: Node's own framing, of which this knows that it is chunked. */
function chunkOf(event) {
  return `${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`;
}

const way = {
  encode: (event) => Buffer.from(chunkOf(event)),
  write: (res, chunk) => res.socket.write(chunk),
  writeAll({ socket }, chunks) {
    socket.cork();
    for (const chunk of chunks) socket.write(chunk);
    socket.uncork();
  },
  streamOf: (res) => ({
    send: (text) => res.socket.write(chunkOf(eventOf(text))),
    async pipe(source) {
      for await (const text of source) {
        if (res.destroyed) break;
        if (!res.socket.write(chunkOf(eventOf(text)))) await once(res.socket, 'drain');
      }
      res.end();
    },
    end: () => res.end(),
  }),
};

module.exports = {
  what: 'written by hand, the most that JavaScript can do: bytes framed once for all, and socket.write past the response',
  versions: () => ({}),
  has: byHand.has,
  create: async (options) => byHand(options, way),
};
