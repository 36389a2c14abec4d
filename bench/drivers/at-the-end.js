'use strict';

const { httpServer } = require('../suite/http-server');

async function create({ onStream }) {
  return {
    listen: httpServer({
      events: (_req, res) => res.end(),
      stream(_req, res) {
        res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
        res.write(':\n\n');
        let body = '';
        onStream({
          send(text) {
            body += `data: ${text}\n\n`;
          },
          async pipe(source) {
            for await (const text of source) body += `data: ${text}\n\n`;
            res.end(body);
          },
          end: () => res.end(body),
        });
      },
    }),
  };
}

module.exports = {
  what: 'takes all of a source and writes it once: what the sources cost before anything is sent',
  versions: () => ({}),
  has: ['private', 'pipe', 'ping'],
  create,
};
