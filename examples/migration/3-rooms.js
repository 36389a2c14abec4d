'use strict';

// Step 3: matches are rooms, and what was kept by hand is the hub's history.

const { createHub } = require('fanline');
const { createApp, listen } = require('./app');
const { goal, line, scoresOf, watched } = require('./matches');

const HEARTBEAT = Number(process.env.HEARTBEAT ?? 15_000); // ms

const hub = createHub({
  heartbeat: HEARTBEAT,
  limits: { queueBytes: 1 << 20 }, // what may wait for one reader
  snapshot: (client) => client.send(scoresOf([...client.rooms]), { event: 'scores' }),
});
const app = createApp();

app.get(
  '/events',
  hub.handler((req) => ({ rooms: watched(req.query.match) })),
);

function tellWatching(_client, match) {
  const count = hub.rooms.get(match) ?? 0;
  hub.to(match).send({ match, count }, { event: 'watching', history: false });
}
hub.on('join', tellWatching);
hub.on('leave', tellWatching);

app.post('/matches/:match/goals', (req, res) => {
  const data = goal(req.params.match, req.body);
  res.json({ told: hub.to(data.match).send(data, { event: 'goal' }).matched });
});

app.post('/matches/:match/lines', (req, res) => {
  const { kind, data } = line(req.params.match, req.body);
  res.json({ told: hub.to(data.match).send(data, { event: kind }).matched });
});

listen(app, 'step 3: rooms', () => hub.close({ grace: 1_000 }));
