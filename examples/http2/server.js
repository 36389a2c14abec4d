'use strict';

// One page with ten streams, over HTTP/1.1 and over HTTP/2. A browser opens six connections to a host over HTTP/1.1, for all of
// its tabs together, and a stream holds one for as long as it lives; over HTTP/2 all streams share one connection.
// What travels, by event name:
//   past          to one client: the last readings of its station, in m/s
//   wind          to those who listen to a station: the next one; a slow reader gets the latest
//   connections   to all who came over one protocol: { streams, connections }

const fs = require('node:fs');
const http = require('node:http');
const http2 = require('node:http2');
const path = require('node:path');
const { createHub } = require('fanline');
const { certificate } = require('./certificate');

const PORT = Number(process.env.PORT || 3000);
const SECURE_PORT = Number(process.env.SECURE_PORT || (PORT && PORT + 443));
const STATIONS = [
  ...['Anholt', 'Borkum', 'Dover', 'Esbjerg', 'Fair Isle'],
  ...['Gibraltar', 'Humber', 'Jersey', 'Lindesnes', 'Texel'],
];

const hub = createHub();

// ---- The streams ------------------------------------------------------------------------------------

const PAST = 40; // readings that a page shows

const near = (speed) => Math.min(24, Math.max(0, speed + 2 * (Math.random() - 0.5)));
const readings = new Map(STATIONS.map((station) => [station, [4 + 8 * Math.random()]]));

function blow() {
  for (const [station, past] of readings) {
    past.push(near(past.at(-1)));
    if (past.length > PAST) past.shift();
    hub.to(station).send(past.at(-1), { event: 'wind', key: station });
  }
}
for (let i = 0; i < PAST; i++) blow();
setInterval(blow, 700).unref();

const protocolOf = (req) => (req.httpVersionMajor === 2 ? 'HTTP/2' : 'HTTP/1.1');

// curl -N 'localhost:3000/events?station=Dover'
const listen = hub.handler((req) => {
  const station = new URL(req.url, 'http://localhost').searchParams.get('station');
  if (!STATIONS.includes(station))
    throw Object.assign(new Error('No such station'), { status: 404 });
  const connection = req.stream?.session ?? req.socket; // a stream of HTTP/2 belongs to a session
  return { rooms: [station, protocolOf(req)], data: { station, connection } };
}, welcome);

function welcome(client) {
  client.send(readings.get(client.data.station), { event: 'past' });
}

function tellConnections(_client, room) {
  if (STATIONS.includes(room)) return; // the other room is the protocol
  const clients = hub.to(room).clients();
  const connections = new Set(clients.map(({ data }) => data.connection)).size;
  hub.to(room).send({ streams: clients.length, connections }, { event: 'connections', key: 'c' });
}
hub.on('join', tellConnections);
hub.on('leave', tellConnections);

// ---- Everything else: Express does not speak HTTP/2, and these few answers need no framework ---------

const TYPES = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript' };
const file = (...parts) => {
  const type = TYPES[path.extname(parts.at(-1))];
  return { type: `${type}; charset=utf-8`, body: fs.readFileSync(path.join(__dirname, ...parts)) };
};
const FILES = new Map([
  ['/', file('public', 'index.html')],
  ['/app.js', file('public', 'app.js')],
  ['/style.css', file('public', 'style.css')],
  ['/shared/base.css', file('..', 'shared', 'base.css')],
]);

function json(res, status, value) {
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
  res.writeHead(status, headers).end(JSON.stringify(value));
}

function answer(req, res) {
  const { pathname } = new URL(req.url, 'http://localhost');
  if (req.method !== 'GET' && req.method !== 'HEAD') return json(res, 405, { error: 'GET only' });
  if (pathname === '/events') return listen(req, res);
  if (pathname === '/about') return json(res, 200, about(req));
  if (pathname === '/time') return json(res, 200, { now: Date.now() });
  const found = FILES.get(pathname);
  if (!found) return json(res, 404, { error: `Nothing at ${pathname}` });
  return res.writeHead(200, { 'Content-Type': found.type }).end(found.body);
}

const plain = http.createServer(answer);
const secure = http2.createSecureServer({ ...tls(), allowHTTP1: true }, answer);

function tls() {
  try {
    return certificate();
  } catch (err) {
    console.error(err.message);
    return process.exit(1);
  }
}

function about(req) {
  const ports = { 'HTTP/1.1': plain.address().port, 'HTTP/2': secure.address().port };
  return { protocol: protocolOf(req), ports, stations: STATIONS };
}

// ---- Start and end ----------------------------------------------------------------------------------

const sessions = new Set(); // close() of an HTTP/2 server waits for them
secure.on('session', (session) => {
  sessions.add(session);
  session.on('close', () => sessions.delete(session));
});

function start(server, port, listening) {
  server.once('error', (err) => {
    const taken = `Port ${port} is in use. Stop what runs there, or choose others: PORT=${port + 1}`;
    console.error(err.code === 'EADDRINUSE' ? taken : err.message);
    process.exit(1);
  });
  server.listen(port, listening);
}

start(secure, SECURE_PORT, () => {
  start(plain, PORT, () => {
    console.log(`Ten streams is open at http://localhost:${plain.address().port} (HTTP/1.1)`);
    console.log(`and over HTTP/2 at https://localhost:${secure.address().port}`);
    console.log('(its certificate is made by this program: the browser asks whether you trust it)');
  });
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await hub.close({ grace: 1_000 });
    plain.close();
    secure.close();
    for (const session of sessions) session.close();
  });
}
