'use strict';

// The app of docs/adapters.md, as it stands there.

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { open } = require('fanline/testing');
const { freePort } = require('../redis/support/server');

describe('the app of docs/adapters.md', function () {
  this.timeout(40_000);
  let app;
  let url;
  let said = '';

  const ask = (path, options) =>
    fetch(`${url}${path}`, { signal: AbortSignal.timeout(2_000), ...options });

  before(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const env = { ...process.env, PORT: port };
    app = fork(path.join(__dirname, 'support', 'app.js'), { execArgv: [], env, silent: true });
    app.stderr.on('data', (text) => {
      said += text;
    });
    const limit = Date.now() + 20_000;
    while (!(await ask('/rooms/x').catch(() => null))) {
      assert(Date.now() < limit, `it does not answer: ${said}`);
      await delay(20);
    }
  });

  after(async () => {
    const over = once(app, 'exit');
    app.kill('SIGKILL');
    await over;
    for (const pipe of [app.stdout, app.stderr]) pipe.destroy(); // its workers, which end a little later, have it too
  });

  const post = async (body) => {
    const headers = { 'content-type': 'text/plain' };
    return (await ask('/rooms/x', { method: 'POST', body, headers })).json();
  };

  it('is one for its readers, whichever worker serves them, also after one has been killed', async () => {
    const streams = [];
    while (streams.length < 9) streams.push(await open(`${url}/events/x`));
    assert.equal((await (await ask('/rooms/x')).json()).size, 9);
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
