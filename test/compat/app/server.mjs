// A small application of better-sse: news for all, private messages, a countdown, and who is here.

import { createChannel, createSession } from 'better-sse';
import express from 'express';

const news = createChannel({ state: { sent: 0 } });
const byName = new Map();

const app = express();
app.use(express.json());

app.get('/events', async (req, res) => {
  const name = String(req.query.name ?? 'nobody');
  const session = await createSession(req, res, { state: { name } });
  byName.set(name, session);
  session.once('disconnected', () => byName.delete(name));
  session.push({ since: session.lastId }, 'hello', 'hello-1');
  news.register(session);
});

app.post('/news', (req, res) => {
  news.state.sent++;
  news.broadcast(req.body, 'news', {
    eventId: `news-${news.state.sent}`,
    filter: req.query.except && ((session) => session.state.name !== req.query.except),
  });
  res.json({ sessions: news.sessionCount, sent: news.state.sent });
});

app.post('/tell/:name', async (req, res) => {
  const session = byName.get(req.params.name);
  if (!session) return res.sendStatus(404);
  await session.iterate([3, 2, 1], { eventName: 'countdown' });
  await session.batch((buffer) => {
    for (const line of req.body.lines) buffer.push(line, 'line', `line-${line}`);
  });
  res.json({ lastId: session.lastId.length });
});

app.get('/who', (_req, res) => {
  res.json(news.activeSessions.map(({ state }) => state.name));
});

news.on('session-registered', ({ state }) =>
  news.broadcast(state.name, 'joined', { eventId: `joined-${state.name}` }),
);
news.on('session-deregistered', ({ state }) =>
  news.broadcast(state.name, 'left', { eventId: `left-${state.name}` }),
);

const server = app.listen(0, '127.0.0.1', () => process.send(server.address().port));
process.on('disconnect', () => process.exit());
