'use strict';

/** The loop that applications write by hand. */
module.exports = function driver() {
  const clients = new Set();
  return {
    connect(_req, res) {
      res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
      res.write(':\n\n');
      clients.add(res);
      res.on('close', () => clients.delete(res));
    },
    broadcast(text) {
      const event = `data: ${text}\n\n`;
      for (const res of clients) res.write(event);
    },
  };
};
