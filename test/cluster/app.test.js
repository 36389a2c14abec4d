'use strict';

// The app of docs/adapters.md, as it stands there.

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { open } = require('fanline/testing');
const { freePort } = require('../redis/support/server');

describe('the app of docs/adapters.md', function () {
  this.timeout(20_000);
  let app;
  let url;

  before(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const env = { ...process.env, PORT: port };
    app = fork(path.join(__dirname, 'support', 'app.js'), { execArgv: [], env, silent: true });
    const limit = Date.now() + 10_000;
    while (!(await fetch(`${url}/rooms/x`).catch(() => null))) assert(Date.now() < limit);
  });

  after(async () => {
    const over = once(app, 'exit');
    app.kill('SIGKILL');
    await over;
  });

  const post = async (body) => {
    const headers = { 'content-type': 'text/plain' };
    return (await fetch(`${url}/rooms/x`, { method: 'POST', body, headers })).json();
  };

  it('is one for its readers, whichever worker serves them, also after one has been killed', async () => {
    const streams = [];
    while (streams.length < 9) streams.push(await open(`${url}/events/x`));
    assert.equal((await (await fetch(`${url}/rooms/x`)).json()).size, 9);
    const { by } = await post('hello');
    for (const stream of streams) assert.equal((await stream.next()).data, 'hello');
    process.kill(by, 'SIGKILL');
    const ended = await Promise.race(streams.map((stream) => stream.end().then(() => stream)));
    let sent;
    while (sent === undefined) sent = await post('missed').catch(() => undefined);
    const back = await open(ended.url, { lastEventId: ended.lastEventId });
    const event = await back.next();
    assert.deepEqual(event, { id: sent.id, data: 'missed' });
    for (const stream of [...streams, back]) stream.close();
  });
});
