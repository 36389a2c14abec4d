'use strict';

// Jobs go on whether or not anybody watches. Who watches is in a room: `jobs` hears of all of them, `job:<id>` of one.

const { randomUUID } = require('node:crypto');
const { createHub } = require('fanline');
const { problem } = require('./input');
const { convert } = require('./work');

const RUNNING_MAX = 10;
const KEPT = 30; // jobs that are remembered, those that have ended included

const jobs = new Map(); // id → job, the oldest first

const hub = createHub({
  // A newcomer, and a page that was loaded anew: how things are now. Whoever was away for a moment gets what it has missed.
  snapshot: (client) => {
    const { job } = client.data;
    if (job) client.send(told(job), { event: 'job' });
    else client.send([...jobs.values()].map(told), { event: 'jobs' });
  },
});

const roomOf = (job) => `job:${job.id}`;
const told = ({ id, name, pages, page, state, error }) => ({ id, name, pages, page, state, error });

/** For hub.handler(): the stream of all jobs, or of one. */
function watcher(req) {
  const { id } = req.params;
  if (id === undefined) return { rooms: 'jobs', data: {} };
  const job = jobOf(id);
  return { rooms: roomOf(job), data: { job } };
}

/** The last event of a job's own stream. No EventSource comes back after it. */
const goodbye = (job) => ({ event: 'job', data: told(job), reconnect: false });

/** For hub.handler(): the job may have ended before this client came, or while it was away. */
function watched(client) {
  const { job } = client.data;
  if (job && job.state !== 'running') client.close(goodbye(job));
}

function jobOf(id) {
  const job = jobs.get(id);
  if (!job) throw problem(404, 'No such job');
  return job;
}

function start(order) {
  const running = [...jobs.values()].filter(({ state }) => state === 'running');
  if (running.length === RUNNING_MAX) throw problem(429, `${RUNNING_MAX} jobs run already`);
  const id = randomUUID().slice(0, 8);
  const job = { ...order, id, page: 0, state: 'running', abort: new AbortController() };
  jobs.set(id, job);
  if (jobs.size > KEPT) jobs.delete([...jobs.values()].find(({ state }) => state !== 'running').id);
  job.over = run(job);
  return told(job);
}

/** Never rejects: a failure is the job's last state. */
async function run(job) {
  hub.to('jobs').send(told(job), { event: 'job' });
  const { signal } = job.abort;
  try {
    for await (const { page } of convert(job, signal)) {
      job.page = page;
      hub.to(['jobs', roomOf(job)]).send(told(job), { event: 'job' });
    }
    job.state = 'done';
  } catch (err) {
    job.state = signal.aborted ? 'cancelled' : 'failed';
    if (!signal.aborted) job.error = err.message;
  }
  hub.to('jobs').send(told(job), { event: 'job' });
  hub.to(roomOf(job)).disconnect(goodbye(job));
}

/** Does nothing to a job that is over. */
function cancel(id) {
  const job = jobOf(id);
  job.abort.abort();
  return told(job);
}

/** Resolves once everybody has been told. */
async function cancelAll() {
  for (const { abort } of jobs.values()) abort.abort();
  await Promise.all([...jobs.values()].map(({ over }) => over));
}

module.exports = { cancel, cancelAll, hub, start, watched, watcher };
