'use strict';

const { once } = require('node:events');

const HEADERS = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' };

/** The loop that applications write by hand. */
module.exports = function driver() {
  const clients = new Set();
  return {
    connect(_req, res) {
      res.writeHead(200, HEADERS);
      res.write(':\n\n');
      clients.add(res);
      res.on('close', () => clients.delete(res));
    },
    stream(_req, res) {
      res.writeHead(200, HEADERS);
      res.write(':\n\n');
      return async (source) => {
        for await (const text of source) {
          if (res.destroyed) break;
          if (!res.write(`data: ${text}\n\n`)) await once(res, 'drain');
        }
        res.end();
      };
    },
    broadcast(text) {
      const event = `data: ${text}\n\n`;
      for (const res of clients) res.write(event);
    },
  };
};
