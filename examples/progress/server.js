'use strict';

// Long tasks whose progress a page can watch.
//   GET /convert         a task that lives with its stream: whoever leaves has cancelled it
//   POST /jobs           a task that goes on without anybody; DELETE /jobs/:id cancels it
//   GET /jobs            all jobs: how they are, then every step
//   GET /jobs/:id        one job, until it is over

const path = require('node:path');
const express = require('express');
const { sse } = require('fanline');
const assets = require('../shared/assets');
const { orderOf, problem } = require('./input');
const { cancel, cancelAll, hub, start, watched, watcher } = require('./jobs');
const { convert, counts } = require('./work');

const PORT = Number(process.env.PORT || 3000);

const app = express();
app.use(assets());
app.use(express.static(path.join(__dirname, 'public')));

// curl -N 'localhost:3000/convert?pages=20'
app.get('/convert', async (req, res) => {
  const order = orderOf(req.query);
  await sse(req, res).pipe((signal) => convert(order, signal), {
    event: 'progress',
    done: { event: 'done', data: { pages: order.pages } },
    error: (err) => ({ event: 'failed', data: { error: err.message } }), // `error` is EventSource's own
  });
});

// curl -X POST localhost:3000/jobs --json '{"name":"Atlas","pages":200}'
app.post('/jobs', express.json({ limit: '8kb' }), (req, res) => {
  const job = start(orderOf(req.body));
  res.status(201).location(`/jobs/${job.id}`).json(job);
});

app.get('/jobs', hub.handler(watcher));
app.get('/jobs/:id', hub.handler(watcher, watched));
app.delete('/jobs/:id', (req, res) => res.status(202).json(cancel(req.params.id)));

app.get('/stats', (_req, res) => res.json({ ...counts, watching: hub.size }));

app.use((req) => {
  throw problem(404, `Nothing at ${req.method} ${req.path}`);
});

app.use((err, _req, res, next) => {
  if (res.headersSent) return next(err);
  const busy = err.code === 'ERR_FAN_FULL' || err.code === 'ERR_FAN_CLOSED';
  const status = busy ? 503 : (err.status ?? 500);
  if (status === 500) console.error(err);
  res.status(status).json({ error: status < 500 ? err.message : 'The server cannot do this now' });
});

const server = app.listen(PORT, (err) => {
  if (err) {
    const taken = `Port ${PORT} is in use. Choose another: PORT=${PORT + 1} node examples/progress/server.js`;
    console.error(err.code === 'EADDRINUSE' ? taken : err.message);
    process.exit(1);
  }
  console.log(`Progress is open at http://localhost:${server.address().port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await cancelAll();
    await hub.close({ grace: 1_000 });
    server.close();
    server.closeAllConnections(); // tasks that live with their streams end with them
  });
}
