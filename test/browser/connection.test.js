'use strict';

// What a tab shows and does when the server dies, restarts or falls silent.

const assert = require('node:assert/strict');
const { WIDE, app, eventually, openTab, post, say, shown, useApp } = require('./support/app');
const { startServer } = require('./support/server');

const RETURN = 20_000; // EventSource waits up to 5 s between two tries, and Chromium adds to it

describe('connection', () => {
  useApp();

  it('shows that it reconnects when the server dies, and goes on when it is back', async function () {
    this.timeout(60_000);
    const ada = await openTab('Ada', '?room=lobby');
    await ada.click('[data-room="ops"]'); // joined later: not in the stream's address
    await eventually(() => shown.counts(ada), [1, 0, 1, 0]);
    await app.server.stop('SIGKILL');
    await ada.waitForFunction(
      () => /^Reconnecting… try [2-9]/.test(document.getElementById('state').textContent),
      null,
      { timeout: RETURN },
    );
    assert.equal(await ada.locator('#notice').isVisible(), true);
    await say(ada, 'into the void');
    await eventually(
      () => ada.locator('#hint').textContent(),
      'Not sent: the server cannot be reached. Your text is back above.',
    );
    assert.equal(await ada.inputValue('#text'), 'into the void');

    app.server = await startServer(app.server.port);
    await ada.waitForSelector('[data-state="live"]', { timeout: RETURN });
    assert.equal(await ada.locator('#state').textContent(), 'Live');
    assert.equal(await ada.locator('#notice').isVisible(), false);
    await eventually(() => shown.counts(ada), [1, 0, 1, 0]);
    await ada.press('#text', 'Enter');
    await eventually(() => shown.texts(ada), ['into the void']);
    assert.equal((await post('ops', '{"text":"both rooms are back"}')).matched, 1);
    await eventually(() => shown.texts(ada), ['into the void', 'both rooms are back']);
    await eventually(() => ada.locator('.line', { hasText: 'You are back, after' }).count(), 1);
  });

  it('comes back after an orderly restart too', async function () {
    this.timeout(60_000);
    const ada = await openTab('Ada', '?room=lobby');
    assert.deepEqual(await app.server.stop('SIGTERM'), { code: 0, signal: null });
    await eventually(() => shown.state(ada), 'waiting');
    app.server = await startServer(app.server.port);
    await ada.waitForSelector('[data-state="live"]', { timeout: RETURN });
    await post('lobby', '{"text":"hello again"}');
    await eventually(() => shown.texts(ada), ['hello again']);
  });

  it('notices a silent server by the heartbeats that do not come', async () => {
    const context = await app.browser.newContext({ viewport: WIDE });
    const page = await context.newPage();
    await page.clock.install();
    await page.goto(app.server.url);
    await page.waitForSelector('[data-state="live"]');
    app.server.signal('SIGSTOP');
    await page.clock.fastForward(40_000);
    await eventually(() => shown.state(page), 'waiting');
    assert.match(
      await page.locator('#notice').textContent(),
      /^Nothing heard from the server for \d+ s/,
    );
    app.server.signal('SIGCONT');
    await page.waitForSelector('[data-state="live"]', { timeout: RETURN });
  });

  it('an address with an unknown room leads to the lobby', async () => {
    const page = await openTab('Ada', '?room=attic');
    await eventually(() => page.locator('#room-name').textContent(), '#lobby');
    await eventually(() => shown.members(page), ['Ada']);
  });
});
