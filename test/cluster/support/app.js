'use strict';

// The app of docs/adapters.md.

const cluster = require('node:cluster');
const express = require('express');
const { createHub } = require('fanline');
const { clusterAdapter, setupPrimary } = require('fanline/cluster');

if (cluster.isPrimary) {
  setupPrimary(); // before the first fork
  for (let i = 0; i < 3; i++) cluster.fork();
  cluster.on('exit', () => cluster.fork());
} else {
  const hub = createHub({ adapter: clusterAdapter() });
  const app = express();

  const decide = (req) => ({ rooms: req.params.room });
  app.get('/events/:room', hub.handler(decide));

  app.post('/rooms/:room', express.text(), async (req, res) => {
    const id = await hub.to(req.params.room).send(req.body).accepted;
    res.json({ id, by: process.pid });
  });

  app.get('/rooms/:room', async (req, res) => {
    res.json(await hub.presence({ room: req.params.room }));
  });

  app.listen(process.env.PORT ?? 3000);
}
