'use strict';

// examples/logs by HTTP: what viewers of one file get, whether they share a tail or have their own.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { closeAll } = require('../../lib/testing');
const { when } = require('../js/support/stage');
const { startExample } = require('./support/example-page');
const { LogFile, Viewer, bytesRead, isTail, tailsOf } = require('./support/log-file');

const LEVELS = ['DEBUG', 'INFO', 'WARN', 'ERROR'];
const numbered = (from, count) => Array.from({ length: count }, (_, i) => `INFO line ${from + i}`);
const REFUSED = [
  ...['lines=-1', 'lines=1001', 'lines=1e3', 'lines=5;ls', 'lines=', 'lines=5&lines=6'],
  ...['level=all', 'level=', 'level=constructor'],
];
const isLinux = process.platform === 'linux';
const onLinux = isLinux ? it : it.skip;

describe('examples/logs', () => {
  let file;
  let server;

  async function start(...lines) {
    file.append(...lines);
    server = await startExample('logs', { LOG_FILE: file.path });
  }

  const view = (path, options) => Viewer.open(server.url + path, options);

  /** Not only once: nobody tells when a tail that begins with no lines has begun. */
  async function appendUntil(condition, text) {
    const limit = Date.now() + 5_000;
    while (!condition() && Date.now() < limit) {
      file.append(text);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  beforeEach(() => {
    file = new LogFile();
  });
  afterEach(async () => {
    await closeAll();
    await server.close();
    file.remove();
  });

  for (const path of ['/events', '/tail']) {
    describe(path, () => {
      it('begins with the last lines, then goes on with what is appended', async () => {
        await start(...numbered(1, 50));
        const viewer = await view(`${path}?lines=3`);
        await viewer.upTo('INFO line 50');
        file.append(...numbered(51, 2));
        assert.deepEqual(await viewer.upTo('INFO line 52'), numbered(48, 5));
      });

      it('begins with nothing when no lines are asked for', async () => {
        await start('INFO old');
        await (await view(`${path}?lines=1`)).upTo('INFO old');
        const viewer = await view(`${path}?lines=0`);
        await appendUntil(() => viewer.texts.length > 0, 'INFO new');
        assert.equal(viewer.texts[0], 'INFO new');
        assert(!viewer.texts.includes('INFO old'));
      });

      it('has the lines of a level and of those above', async () => {
        await start();
        const viewer = await view(`${path}?level=warn`);
        const other = await view(`${path}?level=error`);
        file.append(...LEVELS.map((level) => `${level} a`), 'ERROR last');
        assert.deepEqual(await viewer.upTo('ERROR last'), ['WARN a', 'ERROR a', 'ERROR last']);
        assert.deepEqual(await other.upTo('ERROR last'), ['ERROR a', 'ERROR last']);
      });

      it('takes a line without a level for a part of the one before', async () => {
        await start();
        const viewer = await view(`${path}?level=error`);
        file.append('INFO a', '  of a', 'ERROR b', '  at c (d.js:1)', 'INFO e', 'ERROR last');
        const expected = ['ERROR b', '  at c (d.js:1)', 'ERROR last'];
        assert.deepEqual(await viewer.upTo('ERROR last'), expected);
      });

      it('has thousands of lines a second, all of them and in order', async function () {
        this.timeout(30_000);
        const [count, turns] = [10_000, 20]; // in a second
        await start('INFO line 0');
        const viewer = await view(`${path}?level=info`);
        await viewer.upTo('INFO line 0');
        for (let turn = 0; turn < turns; turn += 1) {
          file.append(...numbered(1 + (turn * count) / turns, count / turns));
          await new Promise((resolve) => setTimeout(resolve, 1_000 / turns));
        }
        await viewer.stream.until(({ text }) => text.includes(`line ${count}"`));
        assert.deepEqual(viewer.texts, ['INFO line 0', ...numbered(1, count)]);
      });

      it('follows the name when the file is rotated, and what tail says of it is there', async () => {
        await start('INFO old');
        const viewer = await view(path);
        await viewer.upTo('INFO old');
        file.append('INFO last of the old');
        file.rotate();
        file.append('INFO first of the new');
        const expected = ['INFO old', 'INFO last of the old', 'INFO first of the new'];
        assert.deepEqual(await viewer.upTo(expected.at(-1)), expected);
        await viewer.stream.until(() => viewer.notices.join().includes('following new file'));
        assert(!viewer.notices.join().includes(file.dir), 'where the file is, is not told');
      });

      it('goes on after the file was truncated', async () => {
        await start('INFO old and long');
        const viewer = await view(path);
        await viewer.upTo('INFO old and long');
        file.truncate();
        await viewer.stream.until(() => viewer.notices.join().includes('truncated'));
        file.append('INFO new');
        assert.deepEqual(await viewer.upTo('INFO new'), ['INFO old and long', 'INFO new']);
      });

      it('cuts a line that does not end', async () => {
        await start();
        const viewer = await view(path);
        file.append(`WARN ${'é'.repeat(3 << 20)}`, 'INFO next');
        const [long] = await viewer.upTo('INFO next');
        assert.equal(long, `WARN ${'é'.repeat(3_995)}…`);
      });

      it('shows text as text, without the colours of a terminal', async () => {
        await start();
        const viewer = await view(path);
        file.append('INFO \u001b[31mred\u001b[0m', 'data: x', 'event: y\r', 'INFO end');
        const expected = ['INFO red', 'data: x', 'event: y', 'INFO end'];
        assert.deepEqual(await viewer.upTo('INFO end'), expected);
      });

      it('refuses what is no level and no number of lines', async () => {
        await start();
        for (const query of REFUSED) {
          const answer = await fetch(`${server.url}${path}?${query}`);
          assert.equal(answer.status, 400, query);
          assert.match((await answer.json()).error, /^"(lines|level)" is /);
        }
      });
    });
  }

  describe('one tail for all', () => {
    onLinux('is one process, however many look', async () => {
      await start('INFO a');
      const viewers = await Promise.all(
        ['', '?level=warn', '?level=info'].map((query) => view(`/events${query}`)),
      );
      await viewers[0].upTo('INFO a');
      assert.equal(tailsOf(server.pid).length, 1);
    });

    it('has the last lines of a level, not those of that level among the last', async () => {
      await start('ERROR first', ...numbered(1, 100));
      const viewer = await view('/events?level=error&lines=5');
      assert.deepEqual(await viewer.upTo('ERROR first'), ['ERROR first']);
    });

    it('gives who comes back what was missed, once and in order', async () => {
      await start('INFO 1');
      const first = await view('/events');
      await first.upTo('INFO 1');
      file.append('INFO 2');
      await first.upTo('INFO 2');
      const { lastEventId } = first.stream;
      await first.close();
      const other = await view('/events');
      file.append('INFO 3');
      await other.upTo('INFO 3');
      const again = await view('/events', { lastEventId });
      file.append('INFO 4');
      assert.deepEqual(await again.upTo('INFO 4'), ['INFO 3', 'INFO 4']);
    });

    it('tells who comes back after a restart, and begins anew with the last lines', async () => {
      await start('INFO 1', 'INFO 2');
      const viewer = await view('/events?lines=1', { lastEventId: 'k3b9x2ab-41' });
      assert.deepEqual(await viewer.upTo('INFO 2'), ['INFO 2']);
      assert.deepEqual(viewer.stream.events[0].event, 'fanline:reset');
    });

    it('gives a newcomer every line once while lines are flowing', async () => {
      await start('INFO line 1');
      await (await view('/events')).upTo('INFO line 1');
      const viewers = [];
      for (let n = 2; n <= 300; n += 1) {
        file.append(`INFO line ${n}`);
        const lastEventId = n % 100 === 0 ? 'k3b9x2ab-41' : ''; // of a hub that is gone
        if (n % 50 === 0) viewers.push(await view('/events?lines=1000', { lastEventId }));
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      for (const viewer of viewers) {
        assert.deepEqual(await viewer.upTo('INFO line 300'), numbered(1, 300));
      }
    });

    onLinux('starts its tail again when that has ended, and says so', async () => {
      await start('INFO 1');
      const viewer = await view('/events');
      await viewer.upTo('INFO 1');
      const [pid] = tailsOf(server.pid);
      process.kill(Number(pid));
      await viewer.stream.until(() => viewer.notices.join().includes('tail has ended'));
      await when(() => tailsOf(server.pid).length === 1);
      await appendUntil(() => viewer.texts.length > 1, 'INFO 2');
      assert.deepEqual(viewer.texts.slice(0, 2), ['INFO 1', 'INFO 2']);
    });
  });

  describe('a tail of one’s own', () => {
    onLinux('is a process for each reader, gone when the reader has left', async () => {
      await start('INFO 1');
      await (await view('/events')).upTo('INFO 1');
      const [shared] = tailsOf(server.pid);
      const viewers = [await view('/tail'), await view('/tail')];
      for (const viewer of viewers) await viewer.upTo('INFO 1');
      const own = tailsOf(server.pid).filter((pid) => pid !== shared);
      assert.equal(own.length, 2);
      await viewers[0].close();
      await when(() => own.filter(isTail).length === 1, 'one tail gone');
      await viewers[1].close();
      await when(() => own.filter(isTail).length === 0, 'both gone');
      assert.deepEqual(tailsOf(server.pid), [shared]);
    });

    onLinux('waits when its reader does, and nothing of it is lost', async function () {
      this.timeout(20_000);
      await start('INFO line 0');
      const viewer = await view('/tail');
      await viewer.upTo('INFO line 0');
      const [pid] = tailsOf(server.pid).slice(-1);
      viewer.stream.pause();
      const count = 200_000;
      for (let n = 1; n <= count; n += 1_000) file.append(...numbered(n, 1_000));
      const has = fs.statSync(file.path).size;
      let read = 0;
      let since = Date.now();
      await when(() => {
        const now = bytesRead(pid);
        if (now > read) since = Date.now();
        read = now;
        return read > 0 && Date.now() - since > 200;
      }, 'tail waits');
      assert(read < has, `tail has read ${read} bytes of ${has}`);
      viewer.stream.resume();
      await viewer.stream.until(({ text }) => text.includes(`line ${count}"`));
      assert.equal(viewer.texts.length, 1 + count);
    });

    it('is refused while too many run', async () => {
      await start('INFO 1');
      const viewers = [];
      for (let i = 0; i < 20; i += 1) viewers.push(await view('/tail'));
      const answer = await fetch(`${server.url}/tail`);
      assert.equal(answer.status, 503);
      assert.match((await answer.json()).error, /Too many tails/);
      await viewers[0].close();
      const limit = Date.now() + 5_000;
      let again = await view('/tail');
      while (again.stream.status === 503 && Date.now() < limit) again = await view('/tail');
      assert.equal(again.stream.status, 200);
    });
  });

  describe('the server', () => {
    onLinux('leaves nothing behind at the end, and its readers may come back', async () => {
      await start('INFO 1');
      const viewers = [await view('/events'), await view('/tail')];
      for (const viewer of viewers) await viewer.upTo('INFO 1');
      const tails = tailsOf(server.pid);
      assert.equal(tails.length, 2);
      server.signal('SIGTERM');
      for (const { stream } of viewers) assert.equal(await stream.end(), 'end');
      assert.deepEqual(await server.exit, { code: 0, signal: null });
      assert.deepEqual(tails.filter(isTail), []);
      assert.equal(server.err, '');
    });

    onLinux('leaves no tail behind when it is killed', async () => {
      await start('INFO 1');
      const viewer = await view('/tail');
      await viewer.upTo('INFO 1');
      const tails = tailsOf(server.pid);
      assert.equal(tails.length, 2);
      server.signal('SIGKILL');
      await server.exit;
      await when(() => !tails.some(isTail), 'no tail left');
    });

    onLinux('leaves neither its own log nor who wrote it behind, killed or not', async () => {
      for (const signal of ['SIGKILL', 'SIGTERM']) {
        server = await startExample('logs');
        const viewer = await view('/events');
        await viewer.stream.until(() => viewer.texts.length > 0);
        assert.deepEqual(viewer.notices, []);
        const tails = tailsOf(server.pid);
        const [name] = tails.map((pid) =>
          fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').at(-2),
        );
        assert(fs.existsSync(name));
        server.signal(signal);
        await server.exit;
        await when(() => !tails.some(isTail), 'no tail left');
        await when(() => !fs.existsSync(path.dirname(name)), 'no directory left');
      }
    });

    it('writes no file that it was given', async () => {
      await start('INFO 1');
      const answer = await fetch(`${server.url}/writer`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{"rate":5000}',
      });
      assert.equal(answer.status, 404);
    });

    it('says what is wrong when nothing is there', async () => {
      await start();
      const answer = await fetch(`${server.url}/nothing`);
      assert.deepEqual(
        [answer.status, await answer.json()],
        [404, { error: 'Nothing at GET /nothing' }],
      );
    });
  });
});
