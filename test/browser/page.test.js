'use strict';

// The page itself: text is text, and nothing overlaps or is cut on any screen.

const assert = require('node:assert/strict');
const { NARROW, WIDE, app, eventually, openTab, post, shown, useApp } = require('./support/app');

describe('page', () => {
  useApp();

  describe('text', () => {
    it('shows markup and line breaks literally', async () => {
      const ada = await openTab('Ada', '?room=lobby');
      const text =
        '<b>bold</b>\n\n  <img src=x onerror="document.title=1"> &amp;\nevent: welcome\ndata: {}';
      await post('lobby', JSON.stringify({ name: '<i>Eve</i>', text }));
      await eventually(() => shown.texts(ada), [text]);
      assert.deepEqual(await ada.locator('.message .name').allTextContents(), ['<i>Eve</i>']);
      assert.equal(await ada.locator('.log b, .log i, .log img').count(), 0);
      const lines = await ada
        .locator('.message .text')
        .evaluate((element) => element.innerText.split('\n').length);
      assert.equal(lines, 5);
    });

    it('Shift + Enter makes a new line, Enter sends', async () => {
      const ada = await openTab('Ada', '?room=lobby');
      await ada.locator('#text').pressSequentially('one');
      await ada.press('#text', 'Shift+Enter');
      await ada.locator('#text').pressSequentially('two');
      await ada.press('#text', 'Enter');
      await eventually(() => shown.texts(ada), ['one\ntwo']);
      assert.equal(await ada.inputValue('#text'), '');
    });
  });

  describe('layout', () => {
    const boxes = (page) =>
      page.evaluate(() => {
        const box = (selector) => {
          const { top, bottom, left, right } = document
            .querySelector(selector)
            .getBoundingClientRect();
          return { top, bottom, left, right };
        };
        const cut = [
          ...document.querySelectorAll(
            '.state, .top h1, .room-head h2, .room-head button, .text, .hint, .notice',
          ),
        ]
          .filter((element) => element.checkVisibility())
          .filter((element) => {
            const { left, right } = element.getBoundingClientRect();
            const { right: edge } = element.parentElement.getBoundingClientRect();
            return left < 0 || right > edge + 0.5 || element.scrollWidth > element.clientWidth + 1;
          })
          .map((element) => element.className || element.id);
        return {
          overflow: document.scrollingElement.scrollWidth - innerWidth,
          log: box('#log'),
          composer: box('#composer'),
          head: box('.room-head'),
          cut,
          height: innerHeight,
        };
      });

    for (const [name, viewport] of Object.entries({
      narrow: NARROW,
      wide: WIDE,
      small: { width: 320, height: 568 },
      tablet: { width: 820, height: 1100 },
    })) {
      it(`nothing overlaps, is cut or overflows: ${name}`, async () => {
        const page = await openTab(
          'A person whose name is rather long indeed',
          '?room=lobby&room=ops',
          { viewport },
        );
        for (let i = 0; i < 25; i += 1)
          await post('lobby', JSON.stringify({ name: 'Bo', text: `line ${i}\nand another` }));
        await post('lobby', JSON.stringify({ name: 'W'.repeat(40), text: 'w'.repeat(900) }));
        await page.fill(
          '#text',
          'several\nlines\nin\nthe\ncomposer\nwhich\ngrows\nand\nthen\nscrolls',
        );
        await eventually(async () => (await shown.texts(page)).length, 26);
        const check = async () => {
          const seen = await boxes(page);
          assert.ok(seen.overflow <= 0, `overflows by ${seen.overflow} px`);
          assert.ok(seen.head.bottom <= seen.log.top + 0.5, 'head over list');
          assert.ok(seen.log.bottom <= seen.composer.top + 0.5, 'composer over list');
          assert.ok(seen.log.bottom - seen.log.top > 120, 'the list has room');
          assert.ok(seen.composer.bottom <= seen.height + 0.5, 'composer below the window');
          assert.deepEqual(seen.cut, []);
          const last = await page.locator('.message').last().boundingBox();
          assert.ok(last.y + last.height <= seen.log.bottom + 0.5, 'the last message is in view');
          return 'fine';
        };
        await eventually(check, 'fine');
        await app.server.stop('SIGKILL');
        await eventually(() => shown.state(page), 'waiting');
        await eventually(check, 'fine');
      });
    }

    it('on a phone the people are a sheet that the keyboard can open and close', async () => {
      const page = await openTab('Ada', '?room=lobby', { viewport: NARROW });
      assert.equal(await page.locator('#members').isVisible(), false);
      await page.focus('#people-open');
      await page.keyboard.press('Enter');
      await page.locator('#members').waitFor({ state: 'visible' });
      assert.equal(await page.evaluate(() => document.activeElement.id), 'people-close');
      await page.keyboard.press('Escape');
      await page.locator('#members').waitFor({ state: 'hidden' });
      assert.equal(await page.evaluate(() => document.activeElement.id), 'people-open');
    });
  });
});
