'use strict';

// Who sees what: messages, counts, presence, in tabs of a real browser.

const assert = require('node:assert/strict');
const { eventually, openTab, post, received, say, shown, useApp } = require('./support/app');

describe('rooms', () => {
  useApp();

  describe('rooms', () => {
    it('two tabs in different rooms see exactly their own messages', async () => {
      const ada = await openTab('Ada', '?room=lobby');
      const grace = await openTab('Grace', '?room=music');
      const both = await openTab('Linus', '?room=lobby&room=music');
      for (let i = 1; i <= 10; i += 1) {
        await say(ada, `lobby ${i}`);
        await eventually(async () => (await shown.texts(ada)).length, i);
        assert.deepEqual(
          await post('music', JSON.stringify({ name: 'Grace', text: `music ${i}` })),
          { status: 200, matched: 2 },
        );
      }
      const lobby = Array.from({ length: 10 }, (_, i) => `lobby ${i + 1}`);
      const music = Array.from({ length: 10 }, (_, i) => `music ${i + 1}`);
      await eventually(() => shown.texts(grace), music);
      await eventually(() => shown.texts(ada), lobby);
      await eventually(() => shown.texts(both), lobby);
      await both.click('[data-room="music"]');
      await eventually(() => shown.texts(both), music);

      const streamed = (page) => received(page, 'message').map(({ text }) => text);
      assert.deepEqual(streamed(ada), lobby);
      assert.deepEqual(streamed(grace), music);
      assert.deepEqual(
        streamed(both),
        lobby.flatMap((text, i) => [text, music[i]]),
      );
    });

    it('a room can be joined and left while the stream goes on', async () => {
      const ada = await openTab('Ada', '?room=lobby');
      const grace = await openTab('Grace', '?room=ops');
      let streams = 0;
      ada.on('request', (request) => {
        if (request.url().includes('/events')) streams += 1;
      });
      await ada.click('[data-room="ops"]');
      await eventually(() => shown.members(grace), ['Grace', 'Ada']);
      await eventually(() => shown.members(ada), ['Ada', 'Grace']);
      await say(grace, 'welcome to ops');
      await eventually(() => shown.texts(ada), ['welcome to ops']);
      await ada.click('#leave');
      await eventually(() => shown.members(grace), ['Grace']);
      assert.equal((await post('ops', '{"text":"only Grace"}')).matched, 1);
      assert.equal(await ada.locator('#room-name').textContent(), '#lobby');
      assert.equal(streams, 0);
    });

    it('unread messages of a joined room are counted on its button', async () => {
      const ada = await openTab('Ada', '?room=lobby&room=ops');
      await post('ops', '{"text":"one"}');
      await post('ops', '{"text":"two"}');
      await eventually(() => ada.locator('[data-room="ops"] .unread-count').textContent(), '2');
      await ada.click('[data-room="ops"]');
      await eventually(() => shown.texts(ada), ['one', 'two']);
      assert.equal(await ada.locator('[data-room="ops"] .unread-count').isVisible(), false);
    });
  });

  describe('presence', () => {
    it('counts and members change when a tab opens and closes', async () => {
      const ada = await openTab('Ada', '?room=lobby');
      await eventually(() => shown.counts(ada), [1, 0, 0, 0]);
      const grace = await openTab('Grace', '?room=lobby&room=music');
      await eventually(() => shown.counts(ada), [2, 0, 0, 1]);
      await eventually(() => shown.members(ada), ['Ada', 'Grace']);
      await eventually(() => shown.members(grace), ['Grace', 'Ada']);
      await eventually(() => ada.locator('.line').last().textContent(), 'Grace joined');
      await grace.close();
      await eventually(() => shown.counts(ada), [1, 0, 0, 0]);
      await eventually(() => shown.members(ada), ['Ada']);
      await eventually(() => ada.locator('.line').last().textContent(), 'Grace left');
    });

    it('a new name reaches the others and is remembered', async () => {
      const ada = await openTab('Ada', '?room=lobby');
      const grace = await openTab('Grace', '?room=lobby');
      await grace.fill('#name', 'Grace Hopper');
      await grace.press('#name', 'Enter');
      await eventually(() => shown.members(ada), ['Ada', 'Grace Hopper']);
      await grace.reload();
      await grace.waitForSelector('[data-state="live"]');
      assert.equal(await grace.inputValue('#name'), 'Grace Hopper');
      await eventually(() => shown.members(ada), ['Ada', 'Grace Hopper']);
    });

    it('the welcome is private', async () => {
      const ada = await openTab('Ada', '?room=lobby');
      const grace = await openTab('Grace', '?room=lobby');
      await eventually(() => shown.members(ada), ['Ada', 'Grace']);
      const welcomes = (page) => page.locator('.line', { hasText: 'Welcome' }).allTextContents();
      await eventually(() => welcomes(grace), ['Welcome, Grace. Only you can see this line.']);
      assert.deepEqual(await welcomes(ada), ['Welcome, Ada. Only you can see this line.']);

      const own = [ada, grace].map((page) => received(page, 'welcome').map(({ you }) => you.name));
      assert.deepEqual(own, [['Ada'], ['Grace']]);
      const [{ id }] = received(ada, 'welcome');
      assert.equal(JSON.stringify(grace.events).includes(id), false);
    });
  });
});
