'use strict';

const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');

/**
 * For drivers on Node's own server: the three addresses of driver.js.
 *
 * @param {object} handlers
 * @param {(req, res, asked: { rooms: string[], lastEventId: number }) => void} handlers.events  GET /events
 * @param {(req, res) => void} [handlers.stream]  GET /stream
 * @param {{ key: string, cert: string }} [tls]  files; https
 * @returns {() => Promise<number>} listen
 */
function httpServer({ events, stream }, tls) {
  const onRequest = (req, res) => {
    if (req.url === '/ping') return res.end('pong');
    if (req.url === '/stream' && stream) return stream(req, res);
    if (!req.url.startsWith('/events')) return res.writeHead(404).end();
    events(req, res, {
      rooms: /[?&]rooms=([^&]+)/.exec(req.url)?.[1].split(',') ?? [],
      lastEventId: Number(req.headers['last-event-id'] ?? 0),
    });
  };
  const server = tls
    ? https.createServer({ key: fs.readFileSync(tls.key), cert: fs.readFileSync(tls.cert) })
    : http.createServer();
  server.on('request', onRequest);
  return () =>
    new Promise((resolve, reject) => {
      server.on('error', reject);
      server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
        resolve(server.address().port),
      );
    });
}

module.exports = { httpServer };
