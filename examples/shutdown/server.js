'use strict';

// Rooms that restart without a storm, as on Kubernetes: SIGTERM turns the readiness probe to 503, streams end spread over
// the grace period with a time to come back, then their connections, then the server; the process ends by itself with 0.
// docs/shutdown.md tells the whole story.
//
//   node examples/shutdown/server.js
//   curl -N localhost:3000/rooms/lobby/events
//   curl -X POST localhost:3000/rooms/lobby -H 'Content-Type: text/plain' -d hello
//   kill -TERM <pid>

const express = require('express');
const { createHub } = require('fanline');

const PORT = Number(process.env.PORT ?? 3000);
const GRACE = Number(process.env.GRACE ?? 10_000); // ms in which all streams end
const DEADLINE = Number(process.env.DEADLINE ?? GRACE + 5_000); // ms; terminationGracePeriodSeconds must be longer

const hub = createHub();
const app = express();
let isEnding = false;

app.get('/ready', (_req, res) => {
  res.sendStatus(isEnding ? 503 : 200);
});

const listener = (req) => ({ rooms: req.params.room });
const welcome = (client) => client.send({ pid: process.pid }, { event: 'welcome' });
app.get('/rooms/:room/events', hub.handler(listener, welcome));

app.post('/rooms/:room', express.text(), (req, res) => {
  // Works during the grace period too, for those who are still there.
  const { matched } = hub.to(req.params.room).send(req.body ?? '', { event: 'said' });
  res.json({ matched });
});

app.use((err, _req, res, next) => {
  if (err.code === 'ERR_FAN_CLOSED') res.sendStatus(503);
  else next(err);
});

const server = app.listen(PORT, (err) => {
  if (err) throw err;
  console.log(`${process.pid} listens on port ${server.address().port}`);
});

function giveUp(why) {
  console.error(`Exit at once: ${why}`);
  process.exit(1);
}

async function end() {
  isEnding = true;
  setTimeout(giveUp, DEADLINE, 'the deadline has passed').unref();
  const { ended, cut } = await hub.close({ grace: GRACE });
  server.close(); // only now: until here newcomers were told when to come back
  console.log(`Streams ended: ${ended}, cut: ${cut}`);
  // Whatever else you have goes here: databases, queues. When nothing is left open, Node ends with exit code 0.
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => (isEnding ? giveUp(`a second ${signal}`) : end()));
}
