'use strict';

// examples/progress: a task that lives with its stream, jobs that live without, and the page of both.

const assert = require('node:assert/strict');
const { closeAll, open } = require('../../lib/testing');
const { when } = require('../js/support/stage');
const { startExample, useExample } = require('./support/example-page');
const { looks } = require('./support/looks');

const eventually = (condition, what) => when(condition, what, 10_000);

/** Asks the server until `condition` holds for its numbers; answers them. */
async function statsOf(server, condition) {
  for (;;) {
    const stats = await (await fetch(`${server.url}/stats`)).json();
    if (condition(stats)) return stats;
  }
}

const post = (server, order) =>
  fetch(`${server.url}/jobs`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(order),
  });
const start = async (server, order) => (await post(server, order)).json();
const parsed = ({ data }) => JSON.parse(data);

describe('examples/progress', () => {
  describe('GET /convert', () => {
    let server;
    beforeEach(async () => {
      server = await startExample('progress');
    });
    afterEach(async () => {
      await closeAll();
      await server.close();
    });

    it('tells each step, then that it is done, and is over for good', async () => {
      const stream = await open(server.url, '/convert?pages=3');
      const events = await stream.take(4);
      assert.equal(await stream.end(), 'end');
      assert.deepEqual(
        events.map(({ event, data }) => [event, data]),
        [
          ['progress', '{"page":1,"pages":3}'],
          ['progress', '{"page":2,"pages":3}'],
          ['progress', '{"page":3,"pages":3}'],
          ['done', '{"pages":3}'],
        ],
      );
      const { lastEventId } = stream;
      const again = await open(server.url, '/convert?pages=3', { lastEventId });
      assert.equal(again.status, 204);
      assert.deepEqual(await statsOf(server, () => true), { running: 0, pages: 3, watching: 0 });
    });

    it('a failure is told, and it is over for good', async () => {
      const stream = await open(server.url, '/convert?pages=4&fails=on');
      const events = await stream.take(2);
      assert.equal(await stream.end(), 'end');
      assert.deepEqual(
        [events[1].event, events[1].data],
        ['failed', '{"error":"Page 2 cannot be read"}'],
      );
      const again = await open(server.url, '/convert', { lastEventId: stream.lastEventId });
      assert.equal(again.status, 204);
    });

    it('whoever leaves has cancelled the task', async () => {
      const stream = await open(server.url, '/convert?pages=1000');
      await stream.take(2);
      assert.equal((await statsOf(server, () => true)).running, 1);
      await stream.close();
      const { pages } = await statsOf(server, ({ running }) => running === 0);
      assert.ok(pages >= 2 && pages <= 4, `${pages} pages`);
    });

    it('what cannot be done is refused before a stream begins', async () => {
      for (const pages of ['0', '1001', '1.5', 'x']) {
        const answer = await fetch(`${server.url}/convert?pages=${pages}`);
        assert.equal(answer.status, 400);
        assert.match((await answer.json()).error, /from 1 to 1000/);
      }
    });
  });

  describe('jobs', () => {
    let server;
    beforeEach(async () => {
      server = await startExample('progress');
    });
    afterEach(async () => {
      await closeAll();
      await server.close();
    });

    it('a job goes on while nobody watches; who comes then is told how it is', async () => {
      const { id } = await start(server, { name: 'Atlas', pages: 8 });
      await statsOf(server, ({ pages }) => pages >= 3);
      const stream = await open(server.url, `/jobs/${id}`);
      const first = parsed(await stream.next());
      assert.ok(first.page >= 3 && first.page < 8, `at page ${first.page}`);
      assert.equal(await stream.end(), 'end');
      const pages = stream.events.map((event) => parsed(event).page);
      const rest = Array.from({ length: 8 - first.page }, (_, i) => first.page + 1 + i);
      assert.deepEqual(pages, [...rest, 8]);
      assert.equal(parsed(stream.events.at(-1)).state, 'done');
    });

    it('a tab that was away gets exactly what it has missed', async () => {
      const { id } = await start(server, { pages: 9 });
      const whole = await open(server.url, `/jobs/${id}`);
      const cut = await open(server.url, `/jobs/${id}`);
      const [, second] = await cut.take(2);
      await cut.close();
      await statsOf(server, ({ pages }) => pages >= parsed(second).page + 3);
      const back = await open(server.url, `/jobs/${id}`, { lastEventId: second.id });
      await Promise.all([whole.end(), back.end()]);
      const pagesOf = ({ events }) => events.map((event) => parsed(event).page);
      const all = pagesOf(whole);
      assert.deepEqual(pagesOf(back), all.slice(all.indexOf(parsed(second).page) + 1));
      assert.equal(back.events.filter(({ event }) => event !== 'job').length, 0);
    });

    it('the stream of a job ends for good with it: for who watched, who comes later, who comes back later', async () => {
      const { id } = await start(server, { pages: 4, fails: true });
      const watching = await open(server.url, `/jobs/${id}`);
      const left = await open(server.url, `/jobs/${id}`);
      const [, seen] = await left.take(2);
      await left.close();
      assert.equal(await watching.end(), 'end');
      const late = await open(server.url, `/jobs/${id}`);
      const back = await open(server.url, `/jobs/${id}`, { lastEventId: seen.id });
      for (const stream of [watching, late, back]) {
        assert.equal(await stream.end(), 'end');
        const { state, error } = parsed(stream.events.at(-1));
        assert.deepEqual([state, error], ['failed', 'Page 2 cannot be read']);
        const { lastEventId } = stream;
        assert.equal((await open(server.url, `/jobs/${id}`, { lastEventId })).status, 204);
      }
    });

    it('DELETE cancels a job: it stops, and everybody is told', async () => {
      const all = await open(server.url, '/jobs');
      assert.deepEqual(parsed(await all.next()), []);
      const { id } = await start(server, { pages: 1000 });
      const one = await open(server.url, `/jobs/${id}`);
      await one.take(2);
      assert.equal((await fetch(`${server.url}/jobs/${id}`, { method: 'DELETE' })).status, 202);
      assert.equal(await one.end(), 'end');
      assert.equal(parsed(one.events.at(-1)).state, 'cancelled');
      await all.until(({ events }) => parsed(events.at(-1)).state === 'cancelled');
      assert.equal((await statsOf(server, () => true)).running, 0);
    });

    it('no more than ten run at a time', async () => {
      const answers = [];
      for (let i = 0; i < 11; i++) answers.push(await post(server, { pages: 100 }));
      const statuses = answers.map(({ status }) => status);
      assert.deepEqual(statuses, [...Array(10).fill(201), 429]);
    });

    it('an unknown job is 404, for its stream as well', async () => {
      for (const method of ['GET', 'DELETE']) {
        assert.equal((await fetch(`${server.url}/jobs/none`, { method })).status, 404);
      }
    });

    it('SIGTERM: jobs are cancelled, who watches is told, the process ends with 0', async () => {
      const all = await open(server.url, '/jobs');
      await start(server, { pages: 1000 });
      const task = await open(server.url, '/convert?pages=1000');
      await Promise.all([task.next(), all.take(3)]);
      server.signal('SIGTERM');
      await Promise.all([all.end(), task.end()]);
      assert.equal(parsed(all.events.at(-1)).state, 'cancelled');
      assert.deepEqual(await server.exit, { code: 0, signal: null });
      assert.equal(server.err, '');
    });
  });

  describe('page', () => {
    const examples = useExample('progress');
    const text = (page, selector) => page.locator(selector).textContent();

    async function order(page, { name, pages, fails = false }) {
      await page.fill('#order [name=name]', name);
      await page.fill('#order [name=pages]', String(pages));
      await page.setChecked('#order [name=fails]', fails);
      await page.click('#order button');
      await page.locator('.job', { hasText: name }).waitFor();
    }
    const stateOf = (page, name) => text(page, `.job:has-text("${name}") .badge`);

    it('the bar of a task rises to the end; the server is not asked a second time', async () => {
      const page = await examples.open();
      let asked = 0;
      page.on('request', (request) => {
        if (request.url().includes('/convert')) asked++;
      });
      await page.fill('#convert [name=pages]', '6');
      const values = [];
      await page.exposeFunction('seen', (value) => values.push(value));
      await page.evaluate(() => {
        const bar = document.querySelector('#task-bar');
        new MutationObserver(() => window.seen(bar.value)).observe(bar, { attributes: true });
      });
      await page.click('#convert-button');
      await page.locator('#task-text', { hasText: 'Done: 6 pages.' }).waitFor();
      await eventually(() => values.at(-1) === 6, 'the last step');
      assert.deepEqual(
        values,
        values.toSorted((a, b) => a - b),
      );
      assert.deepEqual(
        [...new Set(values)].filter((value) => value > 0),
        [1, 2, 3, 4, 5, 6],
      );
      assert.equal(await text(page, '#convert-button'), 'Convert');
      assert.equal(asked, 1);
    });

    it('a failure is shown', async () => {
      const page = await examples.open();
      await page.fill('#convert [name=pages]', '4');
      await page.check('#convert [name=fails]');
      await page.click('#convert-button');
      await page.locator('#task-text', { hasText: 'It failed. Page 2 cannot be read.' }).waitFor();
    });

    it('the button stops the server, and so does closing the tab', async () => {
      const page = await examples.open();
      const { server } = examples;
      await page.fill('#convert [name=pages]', '1000');
      await page.click('#convert-button');
      await page.locator('#task-text', { hasText: 'Page 2' }).waitFor();
      await page.click('#convert-button');
      await page.locator('#task-text', { hasText: 'Cancelled' }).waitFor();
      const { pages } = await statsOf(server, ({ running }) => running === 0);
      await page.click('#convert-button');
      await statsOf(server, (stats) => stats.running === 1 && stats.pages > pages);
      await page.close();
      await statsOf(server, ({ running }) => running === 0);
    });

    it('several jobs, in two tabs alike; a reload shows how they are; cancelling is for all', async () => {
      const page = await examples.open();
      await order(page, { name: 'Atlas', pages: 1000 });
      await order(page, { name: 'Letters', pages: 4, fails: true });
      await order(page, { name: 'Cook book', pages: 3 });
      const other = await examples.open('/', { context: page.context() });
      for (const tab of [page, other]) {
        await tab
          .locator('.job[data-state=failed]', { hasText: 'Page 2 cannot be read.' })
          .waitFor();
        await tab.locator('.job[data-state=done]', { hasText: 'Cook book' }).waitFor();
      }
      await page.reload();
      await page.locator('.job[data-state=running]', { hasText: 'Atlas' }).waitFor();
      assert.equal(await stateOf(page, 'Letters'), 'failed');
      assert.equal(await stateOf(page, 'Cook book'), 'done');
      assert.ok(
        (await page.locator('.job:has-text("Atlas") progress').evaluate((bar) => bar.value)) > 1,
      );
      await page.click('.job:has-text("Atlas") .cancel');
      await other.locator('.job[data-state=cancelled]', { hasText: 'Atlas' }).waitFor();
      assert.equal(await other.locator('.cancel:visible').count(), 0);
    });

    it('looks right, with jobs in each state', async () => {
      const page = await examples.open();
      await order(page, { name: 'Letters', pages: 6, fails: true });
      await order(page, { name: 'Cook book', pages: 2 });
      await order(page, {
        name: 'A title that is too long for one line of a telephone',
        pages: 999,
      });
      await page.click('.job:has-text("telephone") .cancel');
      await order(page, { name: 'Atlas', pages: 999 });
      await page.click('#convert-button');
      await page.locator('.job[data-state=failed]').waitFor();
      await page.locator('.job[data-state=cancelled]').waitFor();
      await looks(page, { name: 'progress' });
    });
  });
});
