'use strict';

// What is around the stream, and no step changes: the page, the list of matches, errors as JSON, the port, the signals.

const path = require('node:path');
const express = require('express');
const assets = require('../shared/assets');
const { matches, problem } = require('./matches');

const PORT = Number(process.env.PORT ?? 3000);
const STATUS = { ERR_FAN_ARG: 400, ERR_FAN_FULL: 503, ERR_FAN_CLOSED: 503 }; // by code of the library

function createApp() {
  const app = express();
  app.use(assets());
  app.use(express.static(path.join(__dirname, 'public')));
  app.use(express.json({ limit: '100kb' }), express.urlencoded({ extended: false }));
  app.get('/matches', (_req, res) => res.json(matches));
  return app;
}

/** @param {() => unknown} end ends the streams; awaited before the server closes */
function listen(app, step, end) {
  app.get('/step', (_req, res) => res.json({ step }));

  app.use((req) => {
    throw problem(404, `Nothing at ${req.method} ${req.path}`);
  });

  app.use((err, _req, res, next) => {
    if (res.headersSent) return next(err);
    const status = STATUS[err.code] ?? err.status ?? 500;
    if (status === 500) console.error(err);
    res
      .status(status)
      .json({ error: status < 500 ? err.message : 'The server cannot do this now' });
  });

  const server = app.listen(PORT, (err) => {
    if (err) {
      const taken = `Port ${PORT} is in use. Stop what runs there, or choose another with PORT=${PORT + 1}`;
      console.error(err.code === 'EADDRINUSE' ? taken : err.message);
      process.exit(1);
    }
    console.log(`Scoreboard (${step}) is open at http://localhost:${server.address().port}`);
  });

  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, async () => {
      await end();
      server.close();
    });
  }
}

module.exports = { createApp, listen };
