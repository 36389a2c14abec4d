'use strict';

// The page of examples/rooms; test/browser has the rest of its tests.

const { useExample } = require('./support/example-page');
const { looks } = require('./support/looks');

describe('rooms: the page', () => {
  const example = useExample('rooms');
  let page;

  beforeEach(async () => {
    const live = async (query) => {
      const each = await example.open(`/?${query}`);
      await each.waitForSelector('[data-state="live"]');
      return each;
    };
    page = await live('room=lobby&room=random');
    const other = await live('room=lobby');
    await other.fill(
      '#text',
      `A message of ${'quite a few words '.repeat(12)}and one-${'x'.repeat(80)}`,
    );
    await other.press('#text', 'Enter');
    await page.waitForSelector('.message');
  });

  it('looks right', () => looks(page, { name: 'rooms' }));

  it('looks right with the list of people open', () =>
    looks(page, {
      name: 'rooms-people',
      async prepare(_page, { size }) {
        if (size === 'narrow' && !(await page.isVisible('#people-close'))) {
          await page.click('#people-open');
        }
      },
    }));
});
