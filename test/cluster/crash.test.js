'use strict';

// Workers that die, lag, and lose their primary.

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { setupPrimary } = require('fanline/cluster');
const { Probe } = require('../adapters/support/probe');
const { remoteAdapter } = require('../adapters/support/remote');
const { Wanderer } = require('../adapters/support/wanderer');
const { when } = require('../js/support/stage');
const { WorkerSite } = require('./support/sites');

setupPrimary();
let worlds = 0;

/** Bytes of buffers. */
function held() {
  global.gc();
  const { arrayBuffers, external } = process.memoryUsage();
  return arrayBuffers + external;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('workers of node:cluster', function () {
  this.timeout(30_000);
  let sites = [];
  let prefix;

  beforeEach(() => {
    prefix = `crash-${++worlds}`;
  });

  afterEach(async () => {
    const over = sites;
    sites = [];
    for (const site of over) site.signal('SIGCONT'); // where a test has failed in the middle
    for (const site of over) assert.deepEqual(await site.close(), [0, null]);
  });

  function start(options = {}) {
    const site = new WorkerSite({ ...options, adapter: { prefix, ...options.adapter } });
    sites.push(site);
    return site.ready();
  }

  it('lose nothing that was accepted when some are killed, and tell nothing twice', async () => {
    const [a, b, c] = await Promise.all([start(), start(), start()]);
    const living = [a, b, c];
    const clients = Array.from({ length: 6 }, (_, i) => new Wanderer(living, i));
    const begun = Promise.all(clients.map((client) => client.begin()));
    await delay(200);
    await a.send('begin', 1);
    await begun;
    const sent = [a.send('a', 150)];
    for (const site of [b, c]) site.send(`dies ${site.port}`, 1_000);
    for (const site of [b, c]) {
      await when(() => site.accepted.length >= 40, 'some of its events');
      const at = living.indexOf(site);
      const fresh = await start();
      living[at] = fresh; // clients go where somebody is
      await site.kill();
      sites.splice(sites.indexOf(site), 1);
      sent.push(fresh.send(`again ${at}`, 50));
    }
    await Promise.all(sent);
    await a.send('end', 1);
    const accepted = [a, b, c, ...living.slice(1)].flatMap((site) => site.accepted);
    const known = new Map(accepted.map(([id, text]) => [text, id]));
    const seen = await Promise.all(clients.map((client) => client.finish()));
    for (const [i, events] of seen.entries()) {
      assert.deepEqual(events, seen[0], `client ${i}`);
      assert.equal(new Set(events).size, events.length);
    }
    const missing = accepted.filter(([, text]) => !seen[0].includes(text));
    assert.deepEqual(missing, []);
    // What was accepted in the last moment, and the word of it lost with the process, may come besides.
    assert(seen[0].filter((text) => !known.has(text)).length <= 2);
  });

  it('are missing among the processes at once when they are killed', async () => {
    const [a, b] = await Promise.all([start(), start()]);
    const streams = [await a.listen(), await b.listen()];
    assert.equal((await a.ask('presence', { room: 'x' })).size, 2);
    await b.kill();
    sites.pop();
    const since = Date.now();
    assert.equal((await a.ask('presence', { room: 'x' })).size, 1);
    assert(Date.now() - since < 1_000, 'it was waited for');
    for (const stream of streams) stream.close();
  });

  it('that lag cost the primary a bounded memory, and tell their clients what they have lost', async () => {
    const adapter = { maxLen: 1_000, maxBytes: 4 << 20 };
    const [slow, fast] = await Promise.all([start({ adapter }), start({ adapter })]);
    const stream = await slow.listen();
    await fast.send('before', 1);
    assert.match((await stream.next()).data, /^before/);
    slow.signal('SIGSTOP');
    const before = held();
    await fast.send('flood', 2_000, 'x'.repeat(50_000)); // 100 MB
    await when(() => held() - before < 24 << 20, 'a growth below 24 MiB');
    slow.signal('SIGCONT');
    await stream.until(() => stream.events.some(({ event }) => event === 'fanline:reset'));
    await fast.send('after', 1);
    await stream.until(() => stream.events.some(({ data }) => data.startsWith('after')));
    const data = stream.events.map((event) => event.data);
    assert.equal(data.filter((text) => text === 'expired').length, 1);
    assert(data.filter((text) => text.startsWith('flood')).length < 2_000);
    stream.close();
  });

  it('are not kept by a hub that nobody has closed', async () => {
    const adapter = remoteAdapter(require.resolve('./support/adapter'), { prefix });
    const probe = await new Probe(adapter).ready();
    await probe.publish('x');
    await probe.until(() => probe.entries.length === 1, 'it');
    assert.deepEqual(await adapter.leave(), [[0, null]]);
  });

  it('end with their primary', async () => {
    const primary = fork(path.join(__dirname, 'support', 'primary.js'), { execArgv: [] });
    const [pids] = await once(primary, 'message');
    assert.deepEqual(pids.map(isAlive), [true, true]);
    const over = once(primary, 'exit');
    primary.kill('SIGKILL');
    await over;
    await when(() => !pids.some(isAlive), 'the end of both');
  });
});
