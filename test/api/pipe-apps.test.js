'use strict';

// client.pipe() in a route handler whose source fails: the reader gets what was sent, and an end in order; the framework gets
// the error, behind all that.

const assert = require('node:assert/strict');
const { App, FRAMEWORKS, numbered } = require('../js/support/apps');
const { unhandledIn } = require('../js/support/pipes');

const SECRET = 'password=hunter2 at db.internal';

/** Hands a rejection over as one does with each of them. */
const HAND_OVER = {
  http: (app, _req, promise) => void promise.catch((err) => app.errors.push(err)),
  'Express 4': (_app, req, promise) => void promise.catch(req.next),
  'Express 5': (_app, _req, promise) => promise,
};

for (const framework of FRAMEWORKS) {
  for (const transport of ['auto', 'relay']) {
    describe(`client.pipe() of a source that fails: ${framework.name}, ${transport}`, () => {
      let app;
      let conn;
      beforeEach(async () => {
        app = await new App(framework, { hub: { transport } }).start();
        conn = app.connection();
      });
      afterEach(() => app.end());

      /** Asks for a stream with what `source` has. `settled` resolves with how pipe() has ended, and where the response was then. */
      function ask(source, opts) {
        const settled = new Promise((resolve) => {
          const path = app.route((req, res) => {
            const piped = app.hub.connect(req, res).pipe(source, opts);
            const tell = (how) => resolve({ ...how, isFinished: res.writableFinished });
            piped.then(
              (answer) => tell({ answer }),
              (err) => tell({ err }),
            );
            return HAND_OVER[framework.name](app, req, piped);
          });
          conn.ask(path);
        });
        return settled;
      }

      /** The connection as an application has it behind an error: Express closes it. */
      async function assertAfter() {
        if (framework.name === 'http') assert.equal((await app.pong(conn, 1)).length, 2);
        else await conn.end();
      }

      const failing = (count, fill) =>
        async function* () {
          yield* numbered(count, 0, fill).data;
          throw new Error(SECRET);
        };

      it('without `error`: the events before it, the end, and then a rejection', async () => {
        let how;
        const unhandled = await unhandledIn(async () => {
          const settled = ask(failing(3), { done: '[DONE]' });
          const { body, status } = await conn.response();
          assert.deepEqual([status, body], [200, `:\n${numbered(3).wire}`]);
          how = await settled;
          await assertAfter();
        });
        assert.equal(how.err?.message, SECRET);
        assert.equal(how.isFinished, true);
        assert.deepEqual(app.errors, [how.err]);
        assert(!conn.text.includes('hunter2'), conn.text);
        assert.deepEqual(unhandled, []);
      });

      it('with `error`: what that answers, the end, and no rejection', async () => {
        let how;
        const unhandled = await unhandledIn(async () => {
          const settled = ask(failing(3), {
            done: '[DONE]',
            error: (err) => ({ event: 'failed', data: { isError: err instanceof Error } }),
          });
          const { body } = await conn.response();
          assert.match(
            body,
            /^:\n(data: \d\n\n){3}id: fanline:end:\d+\nevent: failed\ndata: {"isError":true}\n\n$/,
          );
          how = await settled;
          assert.equal((await app.pong(conn, 1)).length, 2);
        });
        const { error, ...answer } = how.answer;
        assert.deepEqual(answer, { sent: 3, closed: 'server' });
        assert.equal(error.message, SECRET);
        assert.equal(how.isFinished, true);
        assert.deepEqual(app.errors, []);
        assert(!conn.text.includes('hunter2'), conn.text);
        assert.deepEqual(unhandled, []);
      });

      it('a reader that lags behind loses nothing by the handling of the error', async () => {
        const fill = `-${'x'.repeat(4_000)}`;
        conn.pause();
        const settled = ask(failing(500, fill));
        conn.readSlowly();
        const { body } = await conn.response();
        assert.equal(body, `:\n${numbered(500, 0, fill).wire}`);
        const { err, isFinished } = await settled;
        assert.deepEqual([err.message, isFinished], [SECRET, true]);
        await assertAfter();
      });

      it('a function that throws before there is a source is a source that fails', async () => {
        const settled = ask(() => {
          throw new Error(SECRET);
        });
        const { body, status } = await conn.response();
        assert.deepEqual([status, body], [200, ':\n']);
        assert.equal((await settled).err.message, SECRET);
        await assertAfter();
        assert.equal(app.errors.length, 1);
      });
    });
  }
}
