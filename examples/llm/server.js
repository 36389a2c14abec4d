'use strict';

// A chat whose answers arrive token by token, in two styles that clients of others speak:
//   POST /v1/chat/completions   the OpenAI API's (openai.js)
//   POST /api/chat              the AI SDK's UI message stream (ui-stream.js)
// There is no model behind it: parrot.js stands where its SDK's call would be.

const path = require('node:path');
const express = require('express');
const assets = require('../shared/assets');
const { problem } = require('./input');
const openai = require('./openai');
const { counts } = require('./parrot');
const uiStream = require('./ui-stream');

const PORT = Number(process.env.PORT || 3000);

const app = express();
app.use(assets());
app.use(express.static(path.join(__dirname, 'public')));

// curl -N localhost:3000/v1/chat/completions --json '{"model":"parrot","stream":true,"messages":[{"role":"user","content":"Hi"}]}'
app.use('/v1', openai);
app.use('/api/chat', uiStream);

// curl localhost:3000/stats
app.get('/stats', (_req, res) => res.json(counts));

app.use((req) => {
  throw problem(404, `Nothing at ${req.method} ${req.path}`);
});

app.use((err, _req, res, next) => {
  if (res.headersSent) return next(err);
  const status = err.status ?? 500;
  if (status === 500) console.error(err);
  res.status(status).json({ error: status < 500 ? err.message : 'The server cannot do this now' });
});

const server = app.listen(PORT, (err) => {
  if (err) {
    const taken = `Port ${PORT} is in use. Choose another: PORT=${PORT + 1} node examples/llm/server.js`;
    console.error(err.code === 'EADDRINUSE' ? taken : err.message);
    process.exit(1);
  }
  console.log(`Chat is open at http://localhost:${server.address().port}`);
});

// Answers that are being given may come to their end; after the grace they are cut.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close();
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 1_000).unref();
  });
}
