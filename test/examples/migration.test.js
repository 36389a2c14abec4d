'use strict';

// The scoreboard of examples/migration: whatever the step from res.write to rooms, readers and pages see the same.

const assert = require('node:assert/strict');
const { looks } = require('./support/looks');
const { openPage, startExample, useBrowser } = require('./support/example-page');
const { MATCHES, Scoreboard } = require('./support/scoreboard');

const STEPS = ['0', '1', '2', '3'];
const [OTTERS, FOXES] = MATCHES;

/** What fills a card, and what would break out of it. */
async function reportMuch(board) {
  for (const by of ['Bo', 'Cleo, with a header from far outside', 'Di']) {
    await board.goal(OTTERS, 'home', by);
    await board.goal(FOXES, 'away', by);
  }
  await board.line(FOXES, 'card', 'Yellow for Emil, who had been warned about it twice before');
  await board.line(OTTERS, 'note', `A word without end: ${'otter'.repeat(20)}`);
  await board.line(OTTERS, 'note', 'Full time');
}

for (const STEP of STEPS) {
  describe(`examples/migration, step ${STEP}, by HTTP`, () => {
    let board;
    const start = async (env) => {
      board = new Scoreboard(await startExample('migration', { STEP, ...env }));
    };
    afterEach(() => board.close());

    it('answers a stream that nobody keeps or buffers', async () => {
      await start();
      const { status, headers } = await board.watch(OTTERS);
      assert.equal(status, 200);
      assert.match(headers['content-type'], /^text\/event-stream/);
      assert.match(headers['cache-control'], /^no-cache/);
      assert.equal(headers['x-accel-buffering'], 'no');
      assert.equal(headers['content-length'], undefined);
    });

    it('tells a newcomer the scores of what it watches, then how many watch', async () => {
      await start();
      await board.goal(OTTERS, 'away');
      const two = await board.watch(OTTERS, FOXES);
      const [scores, ...watching] = await two.named(3);
      assert.equal(scores[0], 'scores');
      assert.deepEqual(
        scores[1].map(({ match, score }) => [match, score]),
        [
          [OTTERS, [0, 1]],
          [FOXES, [0, 0]],
        ],
      );
      assert.deepEqual(watching, [
        ['watching', { match: OTTERS, count: 1 }],
        ['watching', { match: FOXES, count: 1 }],
      ]);
      const all = await board.watch();
      assert.equal((await all.named(1))[0][1].length, MATCHES.length);
    });

    it('tells goals and lines to those who watch that match, in order', async () => {
      await start();
      const reader = await board.watch(OTTERS);
      const other = await board.watch(FOXES);
      await reader.named(2);
      await other.named(2);
      assert.deepEqual(await board.goal(OTTERS, 'home', 'Ada'), { told: 1 });
      const text = 'first\nsecond\r\n\r\ndata: third';
      await board.line(OTTERS, 'weather', text);
      await board.goal(OTTERS, 'home', 'Bo');
      assert.deepEqual(await board.goal('wrens-lynxes', 'home'), { told: 0 });
      assert.deepEqual(await reader.named(3), [
        ['goal', { match: OTTERS, side: 'home', by: 'Ada', score: [1, 0] }],
        ['weather', { match: OTTERS, text }],
        ['goal', { match: OTTERS, side: 'home', by: 'Bo', score: [2, 0] }],
      ]);
      await board.line(FOXES, 'note', 'only this');
      assert.deepEqual(await other.named(1), [['note', { match: FOXES, text: 'only this' }]]);
    });

    it('tells those who stay who comes and goes', async () => {
      await start();
      const stays = await board.watch(OTTERS);
      await stays.named(2);
      const goes = await board.watch(OTTERS);
      assert.deepEqual(await stays.named(1), [['watching', { match: OTTERS, count: 2 }]]);
      await goes.close();
      assert.deepEqual(await stays.named(1), [['watching', { match: OTTERS, count: 1 }]]);
      assert.deepEqual(await board.goal(OTTERS, 'home'), { told: 1 });
    });

    it('gives who comes back what it missed, once, then what is new', async () => {
      await start();
      const first = await board.watch(OTTERS);
      await first.named(2);
      await board.goal(OTTERS, 'home', 'seen');
      await first.named(1);
      await first.close();
      await board.goal(OTTERS, 'home', 'missed');
      await board.goal(FOXES, 'home', 'not watched');
      await board.line(OTTERS, 'note', 'missed, too');

      const back = await board.watch(OTTERS, { lastEventId: first.lastEventId });
      await board.goal(OTTERS, 'away', 'new');
      const seen = (await back.named(4)).filter(([name]) => name !== 'watching');
      assert.deepEqual(
        seen.map(([, { by, text }]) => by ?? text),
        ['missed', 'missed, too', 'new'],
      );
    });

    it('breaks silence with a comment, which is no event', async () => {
      await start({ HEARTBEAT: '40' });
      const reader = await board.watch(OTTERS);
      await reader.named(2);
      await reader.until(({ comments }) => comments.length >= 3);
      await board.goal(OTTERS, 'home');
      assert.equal((await reader.named(1))[0][0], 'goal');
    });

    it('refuses what it does not know', async () => {
      await start();
      assert.equal((await board.stream('/events?match=x')).status, 404);
      assert.match((await board.post('matches/x/goals', { side: 'home', by: 'A' })).error, /match/);
      assert.match((await board.post(`matches/${OTTERS}/goals`, { by: 'A' })).error, /side/);
      assert.match((await board.post(`matches/${OTTERS}/lines`, { kind: 'note' })).error, /text/);
      const reader = await board.watch(OTTERS);
      await board.goal(OTTERS, 'home');
      assert.deepEqual((await reader.named(3))[2][1].score, [1, 0]);
    });

    it('ends its streams in order on SIGTERM, then itself', async () => {
      await start();
      const readers = [await board.watch(OTTERS), await board.watch()];
      for (const reader of readers) await reader.named(1);
      board.example.signal('SIGTERM');
      for (const reader of readers) assert.equal(await reader.end(), 'end');
      assert.deepEqual(await board.example.exit, { code: 0, signal: null });
      assert.equal(board.example.err, '');
    });
  });
}

describe('examples/migration, its page', () => {
  const chromium = useBrowser();
  let example;
  afterEach(async () => {
    for (const context of chromium.browser.contexts()) await context.close();
    await example.close();
  });

  for (const STEP of STEPS) {
    it(`of step ${STEP} shows what others report, at once`, async () => {
      example = await startExample('migration', { STEP });
      const page = await openPage(chromium.browser, example.url);
      const one = await openPage(chromium.browser, `${example.url}/?match=${OTTERS}`);
      await page.waitForSelector('[data-state="live"]');
      const card = (tab) => tab.locator('.match').first();
      const text = (tab, selector, wanted) =>
        card(tab).locator(selector, { hasText: wanted }).waitFor();
      await text(one, '.watching', '2 watching');
      await one.getByLabel('In words').fill('Ada');
      await one.getByRole('button', { name: 'Report' }).click();
      await text(page, '.goals', '1 : 0');
      await text(page, '.lines li', 'Ada, for the Otters');
      await card(one).getByLabel('What happened').selectOption('Card');
      await one.getByLabel('In words').fill('Bo, for arguing');
      await one.getByLabel('In words').press('Enter');
      await text(page, '.lines li:first-child', 'Bo, for arguing');
      assert.equal(await one.locator('.match').count(), 1);
      assert.equal(await page.locator('.match').count(), 3);
      await one.close();
      await text(page, '.watching', '1 watching');
      assert.deepEqual(page.problems, []);
    });
  }

  it('looks well, wide and narrow, with all matches and with one', async () => {
    example = await startExample('migration');
    for (const query of ['', `?match=${OTTERS}`]) {
      const page = await openPage(chromium.browser, `${example.url}/${query}`);
      await page.waitForSelector('[data-state="live"]');
      await reportMuch(new Scoreboard(example));
      await page.locator('.lines li:first-child', { hasText: 'Full time' }).waitFor();
      await looks(page, { name: query ? 'migration-one' : 'migration' });
    }
  });
});
