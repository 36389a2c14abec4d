'use strict';

// What the browser client's tests talk to: a page with the client, a hub, and answers of every kind.
//   node server.js <port> <the client's bundle>      prints the port once it listens

const fs = require('node:fs');
const http = require('node:http');
const { createHub } = require('../../..');

const HEARTBEAT = 100;
const STREAM = { 'Content-Type': 'text/event-stream' };
const CORS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Headers': 'Authorization, Last-Event-ID',
  'Access-Control-Allow-Methods': 'GET, POST',
};
const [port, bundle] = process.argv.slice(2);
const hub = createHub({ retry: false, heartbeat: HEARTBEAT });
const seen = []; // requests for streams: { url, method, lastEventId, authorization }

const routes = {
  '/': (_req, res) => {
    res.setHeader('Content-Type', 'text/html');
    res.end('<!doctype html><title>client</title><script type="module" src="/page.js"></script>');
  },
  '/page.js': (_req, res) => {
    res.setHeader('Content-Type', 'text/javascript');
    res.end(fs.readFileSync(bundle));
  },
  '/events': (req, res) => hub.connect(req, res, { headers: CORS }),
  /** Text as it is, then nothing. */
  '/raw': (_req, res, query) => res.writeHead(200, STREAM).write(query.get('text')),
  /** Text that is complete. */
  '/answer': (_req, res) => res.writeHead(200, STREAM).end('data: all\n\n'),
  '/status': (_req, res, query) => {
    const after = query.get('after');
    res.writeHead(Number(query.get('code')), after === null ? {} : { 'Retry-After': after }).end();
  },
  '/send': (_req, res, query) => {
    hub.broadcast(query.get('data'));
    res.end();
  },
  '/end': (_req, res) => {
    for (const client of hub.clients.values()) client.close({ reconnect: false });
    res.end();
  },
  '/seen': (_req, res) => {
    server.getConnections((_err, connections) => {
      res.end(JSON.stringify({ size: hub.size, connections, seen }));
    });
  },
};

const server = http.createServer((req, res) => {
  const { pathname, searchParams } = new URL(req.url, 'http://localhost');
  if (req.method === 'OPTIONS') {
    res.writeHead(204, CORS).end();
    return;
  }
  if (['/events', '/raw', '/status'].includes(pathname)) {
    const { authorization, 'last-event-id': lastEventId } = req.headers;
    seen.push({ url: req.url, method: req.method, lastEventId, authorization });
  }
  const route = routes[pathname];
  if (route) route(req, res, searchParams);
  else res.writeHead(404).end();
});
server.listen(Number(port), () => console.log(server.address().port));
