'use strict';

// What becomes better on the way, and at which step of examples/migration; and that its README counts right.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { startExample, useExample } = require('./support/example-page');
const { MATCHES, Scoreboard } = require('./support/scoreboard');

const FOLDER = path.join(__dirname, '..', '..', 'examples', 'migration');
const FILES = ['0-by-hand.js', '1-headers.js', '2-sends.js', '3-rooms.js'];
const [OTTERS] = MATCHES;
const LINES = 200;
const LONG = 'x'.repeat(20_000); // LINES of them are 4 MB

for (const step of [0, 1, 2, 3]) {
  describe(`examples/migration, what is better at step ${step}`, () => {
    let board;
    beforeEach(async () => {
      board = new Scoreboard(await startExample('migration', { STEP: String(step) }));
    });
    afterEach(() => board.close());

    if (step < 1) {
      it('not yet: a reader that has stopped is kept, and all that it has not read', async () => {
        const reader = await board.watch(OTTERS);
        await reader.named(2);
        reader.pause();
        for (let i = 0; i < LINES; i++) await board.line(OTTERS, 'note', `${i} ${LONG.slice(9)}`);
        assert.deepEqual(await board.line(OTTERS, 'note', 'last'), { told: 1 });
        reader.resume();
        assert.equal((await reader.named(LINES + 1)).at(-1)[1].text, 'last');
      });

      it('not yet: a HEAD is never answered', async () => {
        const asked = board.stream('/events', { method: 'HEAD', timeout: 300 });
        await assert.rejects(asked, { code: 'ERR_FAN_TIMEOUT' });
      });
    } else {
      it('a reader that has stopped is let go, and comes back for the rest', async () => {
        const reader = await board.watch(OTTERS);
        const other = await board.watch(OTTERS);
        await reader.named(3);
        reader.pause();
        for (let i = 0; i < LINES; i++) await board.line(OTTERS, 'note', `${i} ${LONG.slice(9)}`);
        const isAlone = ({ event, data }) => event === 'watching' && data.endsWith('1}');
        await other.until(({ events }) => events.some(isAlone));
        reader.resume();
        await reader.end();
        const seen = reader.events.length;
        assert(seen > 0 && seen < LINES, `${seen} of ${LINES}`);
        const back = await board.watch(OTTERS, { lastEventId: reader.lastEventId });
        const numbers = (await back.named(LINES - seen)).map(([, { text }]) => parseInt(text, 10));
        assert.deepEqual([numbers[0], numbers.at(-1)], [seen, LINES - 1]);
      });

      it('a HEAD is answered, and harms nobody', async () => {
        const { status, headers } = await board.stream('/events', { method: 'HEAD' });
        assert.equal(status, 200);
        assert.equal(headers['content-type'], 'text/event-stream');
        const reader = await board.watch(OTTERS);
        assert.deepEqual(await board.goal(OTTERS, 'home'), { told: 1 });
        assert.equal((await reader.named(3))[2][0], 'goal');
      });

      it('readers are told different times to come back', async () => {
        const times = new Set();
        for (let i = 0; i < 8; i++) {
          const reader = await board.watch();
          await reader.until(({ retry }) => retry !== null);
          times.add(reader.retry);
        }
        assert(times.size > 1, [...times].join());
      });
    }

    const forged = `note\ndata: {}\n\nevent: goal\ndata: ${JSON.stringify({ match: OTTERS, by: 'nobody' })}\n\nevent: note`;
    if (step < 2) {
      it('not yet: a line break in a name makes an event that nobody has reported', async () => {
        const reader = await board.watch(OTTERS);
        await reader.named(2);
        await board.line(OTTERS, forged, 'harmless');
        const [, goal] = await reader.named(2);
        assert.deepEqual(goal, ['goal', { match: OTTERS, by: 'nobody' }]);
      });
    } else {
      it('a line break in a name is refused, and nobody sees anything of it', async () => {
        assert.match((await board.line(OTTERS, forged, 'harmless')).error, /event/);
        const reader = await board.watch(OTTERS);
        await reader.named(2);
        assert.match((await board.line(OTTERS, forged, 'harmless')).error, /event/);
        await board.goal(OTTERS, 'home', 'Ada');
        assert.equal((await reader.named(1))[0][1].by, 'Ada');
        const back = await board.watch(OTTERS, { lastEventId: reader.lastEventId });
        assert.equal((await back.named(1))[0][0], 'watching');
      });
    }

    // The process was started anew, or 200 other events have been sent since.
    const foreign = step < 3 ? '57' : 'k3b9x2ab-57';
    if (step < 3) {
      it('not yet: a cursor of another life is met with silence', async () => {
        await board.goal(OTTERS, 'home');
        const reader = await board.watch(OTTERS, { lastEventId: foreign });
        await board.line(OTTERS, 'note', 'new');
        const names = (await reader.named(2)).map(([name]) => name);
        assert.deepEqual(names, ['watching', 'note']);
      });
    } else {
      for (const lastEventId of [foreign, '57']) {
        it(`a cursor of another life, ${lastEventId}, is told, and the scores`, async () => {
          await board.goal(OTTERS, 'home');
          const reader = await board.watch(OTTERS, { lastEventId });
          const { event, data } = await reader.next();
          assert.equal(event, 'fanline:reset');
          assert.equal(data, lastEventId === foreign ? 'restart' : 'invalid');
          const [scores, watching] = await reader.named(2);
          assert.deepEqual([scores[0], scores[1][0].score], ['scores', [1, 0]]);
          assert.equal(watching[0], 'watching');
        });
      }

      it('a newcomer that loses its connection before its first event misses nothing', async () => {
        const reader = await board.watch(OTTERS);
        await reader.until(({ text }) => /^id: /m.test(text));
        const [, id] = /^id: (\S+)$/m.exec(reader.text);
        await reader.close();
        await board.goal(OTTERS, 'home', 'missed');
        const back = await board.watch(OTTERS, { lastEventId: id });
        assert.equal((await back.named(1))[0][1].by, 'missed');
      });
    }
  });
}

describe('examples/migration, a page over a restart', () => {
  const example = useExample('migration', { STEP: '3' });

  it('shows the scores of the server that is there now', async () => {
    const page = await example.open(`/?match=${OTTERS}`);
    const shows = (wanted) => page.locator('.goals', { hasText: wanted }).waitFor();
    await shows('0 : 0');
    await new Scoreboard(example.server).goal(OTTERS, 'home');
    await shows('1 : 0');
    const PORT = String(example.server.port);
    await example.server.close();
    await page.waitForSelector('[data-state="connecting"]');
    example.server = await startExample('migration', { STEP: '3', PORT });
    await shows('0 : 0');
    await page.waitForSelector('[data-state="live"]');
  });
});

describe('examples/migration, its README', () => {
  const linesOf = (file) => fs.readFileSync(path.join(FOLDER, file), 'utf8').trimEnd().split('\n');

  /** How many lines of two files are the same, in order. */
  function common(a, b) {
    let row = new Array(b.length + 1).fill(0);
    for (const line of a) {
      const next = [0];
      for (const [i, other] of b.entries()) {
        next.push(line === other ? row[i] + 1 : Math.max(next[i], row[i + 1]));
      }
      row = next;
    }
    return row.at(-1);
  }

  it('says how many lines each step has, takes away and adds', () => {
    const readme = fs.readFileSync(path.join(FOLDER, 'README.md'), 'utf8');
    for (const [step, file] of FILES.entries()) {
      const lines = linesOf(file);
      const row = readme.split('\n').find((each) => each.includes(`\`${file}\``));
      assert(row, file);
      const cells = row.split('|').map((cell) => cell.trim());
      let changed = '';
      if (step > 0) {
        const before = linesOf(FILES[step - 1]);
        const same = common(before, lines);
        changed = `−${before.length - same} +${lines.length - same}`;
      }
      assert.deepEqual([cells[2], cells[3]], [String(lines.length), changed]);
    }
  });
});
