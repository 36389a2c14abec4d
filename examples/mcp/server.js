'use strict';

// An MCP server over Streamable HTTP (versions 2025-03-26 to 2025-11-25), without an SDK:
//   POST /mcp     one JSON-RPC message; a tool is answered with a stream
//   GET /mcp      what the server says by itself; with Last-Event-ID, the rest of a stream that broke
//   DELETE /mcp   the end of the session
// Besides, POST /announce has something to say to all sessions.

const express = require('express');
const {
  PRIMED,
  VERSIONS,
  answerTo,
  call,
  hear,
  refusalOf,
  versionFor,
  welcome,
} = require('./calls');
const { failure, isRequest, messageOf, problem, result } = require('./rpc');
const { hub, newSession, sessionOf, sessions } = require('./sessions');
const { counts } = require('./tools');

const PORT = Number(process.env.PORT || 3000);

const app = express();
const json = express.json({ limit: '1mb' });

/** A page of another site must not reach a server on its reader's machine, whatever its DNS says. */
function checkOrigin(req, _res, next) {
  const origin = req.get('Origin');
  const isOurs = !origin || /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(origin);
  next(isOurs ? undefined : problem(403, `Not from ${origin}`));
}

function checkVersion(req, _res, next) {
  const version = req.get('Mcp-Protocol-Version');
  const isOurs = version === undefined || VERSIONS.includes(version);
  next(isOurs ? undefined : problem(400, `Versions: ${VERSIONS}`));
}

/** The header must name all of them. */
const accepts = (...types) =>
  function checkAccept(req, _res, next) {
    const header = req.get('Accept') ?? '';
    const isAll = types.every((type) => header.includes(type));
    next(isAll ? undefined : problem(406, `Accept must have ${types.join(' and ')}`));
  };

const sessionHeader = ({ id }) => ({ 'Mcp-Session-Id': id });

app.use('/mcp', checkOrigin, checkVersion);

app.post('/mcp', accepts('application/json', 'text/event-stream'), json, (req, res) => {
  const message = messageOf(req.body);
  if (message.method === 'initialize' && isRequest(message)) {
    const version = versionFor(message.params.protocolVersion);
    res.set(sessionHeader(newSession(version))).json(result(message.id, welcome(version)));
    return;
  }

  const session = sessionOf(req);
  if (!isRequest(message)) {
    hear(session, message);
    res.status(202).end();
  } else if (message.method !== 'tools/call') {
    res.json(answerTo(session, message));
  } else {
    const refusal = refusalOf(session, message);
    if (refusal) return res.json(refusal);
    const stream = session.newStream();
    stream.connect(req, res, sessionHeader(session), session.version >= PRIMED);
    call(session, stream, message);
  }
});

app.get('/mcp', accepts('text/event-stream'), (req, res) => {
  const session = sessionOf(req);
  const eventId = req.get('Last-Event-ID');
  if (eventId) {
    const { stream, number } = session.find(eventId);
    stream.resume(req, res, sessionHeader(session), number);
  } else if (session.notices.isOpen) {
    throw problem(409, 'This session has its stream'); // each message goes to one stream only
  } else {
    session.notices.connect(req, res, sessionHeader(session), session.version >= PRIMED);
  }
});

app.delete('/mcp', (req, res) => {
  sessionOf(req).close();
  res.status(204).end();
});

// curl localhost:3000/announce --json '{"text":"Tea is ready"}'
app.post('/announce', json, (req, res) => {
  const { text, level = 'info' } = req.body ?? {};
  if (typeof text !== 'string' || !text) throw problem(400, '"text" is missing');
  for (const session of sessions.values()) session.log(level, text);
  res.json({ sessions: sessions.size });
});

app.get('/stats', (_req, res) => {
  res.json({ ...counts, sessions: sessions.size, streams: hub.size });
});

app.use((req, res) => {
  if (req.path === '/mcp') res.set('Allow', 'GET, POST, DELETE');
  throw problem(req.path === '/mcp' ? 405 : 404, `Nothing at ${req.method} ${req.path}`);
});

app.use((err, _req, res, next) => {
  if (res.headersSent) return next(err);
  const status = err.status ?? 500;
  if (status === 500) console.error(err);
  const message = status === 500 ? 'The server cannot do this now' : err.message;
  res.status(status).json(failure(null, Number.isInteger(err.code) ? err.code : -32000, message));
});

const server = app.listen(PORT, '127.0.0.1', (err) => {
  if (err) {
    const taken = `Port ${PORT} is in use. Choose another: PORT=${PORT + 1} node examples/mcp/server.js`;
    console.error(err.code === 'EADDRINUSE' ? taken : err.message);
    process.exit(1);
  }
  console.log(`MCP is open at http://localhost:${server.address().port}/mcp`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    for (const session of [...sessions.values()]) session.close();
    await hub.close({ grace: 1_000 });
    server.close();
  });
}
