'use strict';

// fanline/client in Chromium leaves nothing behind, however a source has come to its end.

const assert = require('node:assert/strict');
const { useClient, when } = require('./client/support');
const { watch } = require('./client/left');

const NEVER = { min: 600_000, max: 600_000 };
const SILENCE = 60_000;
const ROUNDS = [0, 1, 2, 3];

describe('what fanline/client leaves behind in Chromium', () => {
  const it_ = useClient();
  let count;

  beforeEach(async () => {
    count = await watch(it_);
  });

  /** Nothing is at work; and when the page lets go of the sources, they are gone. */
  async function nothingIsLeft(sources) {
    assert.deepEqual(await count(), { timers: 0, listeners: 0, sources });
    await it_.tab.page.evaluate(() => window.forget());
    await when(async () => (await count()).sources === 0, 'the sources are collected');
  }

  it('is nothing of sources that were closed: open, waiting, refused', async () => {
    const { tab, server } = it_;
    const how = { silence: SILENCE, retry: NEVER };
    for (const i of ROUNDS) {
      await tab.follow(`open ${i}`, '/events', how);
      await tab.follow(`waiting ${i}`, 'http://localhost:1/', how);
      await tab.follow(`401 ${i}`, '/status?code=401', how);
    }
    for (const i of ROUNDS) {
      await tab.until(`open ${i}`, 'open');
      await tab.until(`waiting ${i}`, 'error');
      await tab.until(`401 ${i}`, 'error');
    }
    assert.deepEqual(await count(), { timers: 8, listeners: 8, sources: 12 });
    assert.equal((await server.state()).size, 4);

    for (const i of ROUNDS) {
      for (const name of ['open', 'waiting', '401']) await tab.close(`${name} ${i}`);
    }
    await when(async () => (await server.state()).size === 0, 'the server sees them go');
    await nothingIsLeft(12);
  });

  it('is nothing of sources that are over by themselves: 204, 401, attempts used up, a complete answer, an end for good', async () => {
    const { tab, server } = it_;
    const how = { silence: SILENCE, retry: { min: 1, max: 1, attempts: 1 } };
    for (const i of ROUNDS) {
      await tab.follow(`204 ${i}`, '/status?code=204', how);
      await tab.follow(`401 ${i}`, '/status?code=401', how);
      await tab.follow(`attempts ${i}`, '/status?code=500', how);
      await tab.follow(`answer ${i}`, '/answer', { ...how, method: 'POST' });
    }
    for (const i of ROUNDS) {
      await tab.until(`204 ${i}`, 'fanline:end');
      await tab.until(`401 ${i}`, 'error');
      await tab.until(`attempts ${i}`, 'error', 2);
      await tab.until(`answer ${i}`, 'fanline:end');
      await tab.follow(`end ${i}`, '/events', how);
      await tab.until(`end ${i}`, 'open');
    }
    await when(async () => (await server.state()).size === 4);
    await server.ask('/end');
    for (const i of ROUNDS) await tab.until(`end ${i}`, 'fanline:end');
    assert.equal((await server.state()).size, 0);
    await nothingIsLeft(20);
  });

  it('is, while it waits, one timer and one listener, whatever was before: a kill, silence, 503; closed then, nothing', async () => {
    const { tab, server } = it_;
    const how = { silence: SILENCE, retry: NEVER };
    await tab.follow('killed', '/events', how);
    await tab.follow('silent', '/raw?text=:%0A', { ...how, silence: 100 });
    await tab.follow('503', '/status?code=503&after=600', how);
    await tab.until('killed', 'open');
    assert.equal((await tab.until('silent', 'error')).code, 'ERR_FAN_SILENT');
    await tab.until('503', 'error');
    await server.kill();
    await tab.until('killed', 'error');
    // Of an answer the network is not to blame: its return would change nothing.
    assert.deepEqual(await count(), { timers: 3, listeners: 2, sources: 3 });
    for (const name of ['killed', 'silent', '503']) await tab.close(name);
    await nothingIsLeft(3);
  });

  it('is, after the network went and came back, what it was before; closed then, nothing', async () => {
    const { tab, context } = it_;
    await tab.follow('a', '/events', { silence: SILENCE, retry: NEVER });
    await tab.until('a', 'open');
    const open = await count();
    await context.setOffline(true);
    await tab.until('a', 'error');
    await context.setOffline(false);
    await tab.until('a', 'open', 2);
    assert.deepEqual(await count(), open);
    assert.deepEqual(open, { timers: 1, listeners: 1, sources: 1 });
    await tab.close('a');
    await nothingIsLeft(1);
  });
});
