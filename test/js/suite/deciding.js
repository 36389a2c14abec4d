'use strict';

// hub.handler(): connect as middleware.

const assert = require('node:assert/strict');
const { once } = require('node:events');

module.exports = function deciding({ combo, world }) {
  describe('hub.handler()', () => {
    const isExpress = combo.framework.name !== 'http';

    it('takes options', async () => {
      const w = await world();
      const opened = [];
      const handler = w.hub.handler(w.options({ rooms: 'r', user: 'u' }), (client, req) => {
        opened.push([client, req.method]);
        client.send('hello');
      });
      const stream = await w.visit(handler);
      assert.deepEqual(await stream.data(1), ['hello']);
      const [client] = w.hub.clients.values();
      assert.deepEqual(opened, [[client, 'GET']]);
      assert.equal(w.hub.to('r').size, 1);
      assert.equal(client.user, 'u');
    });

    for (const [name, wrap] of [
      ['a function', (answer) => answer],
      ['an async function', (answer) => async (req) => answer(req)],
    ]) {
      it(`takes ${name} of the request`, async () => {
        const w = await world();
        const decide = wrap((req) => w.options({ user: req.headers['x-user'] }));
        const stream = await w.visit(w.hub.handler(decide), { headers: { 'X-User': 'ann' } });
        assert.equal(w.hub.user('ann').send('hello').matched, 1);
        assert.deepEqual(await stream.data(1), ['hello']);
      });

      it(`takes ${name}: null is 401`, async () => {
        const w = await world();
        const handler = w.hub.handler(
          wrap(() => null),
          () => assert.fail('opened'),
        );
        const stream = await w.visit(handler);
        assert.equal(stream.status, 401);
        assert.equal(await stream.end(), 'end');
        assert.equal(w.hub.size, 0);
        assert.deepEqual(w.errors, []);
      });

      const failures = [
        ['an error is 500, or goes to next', new Error('broken'), 500],
        ['err.status is the status', Object.assign(new Error('no'), { status: 403 }), 403],
      ];
      for (const [what, err, status] of failures) {
        it(`takes ${name}: ${what}`, async () => {
          const w = await world();
          const decide = wrap(() => {
            throw err;
          });
          const stream = await w.visit(w.hub.handler(decide));
          assert.equal(stream.status, status);
          assert.equal(await stream.end(), 'end');
          assert.equal(stream.text.includes(err.message), false);
          assert.equal(w.hub.size, 0);
          assert.deepEqual(w.errors, isExpress ? [err] : []);
        });
      }

      it(`takes ${name}: anything but options or null is an error`, async () => {
        for (const answer of [undefined, false, 'room', { rooom: 'r' }]) {
          const w = await world();
          const stream = await w.visit(w.hub.handler(wrap(() => answer)));
          assert.equal(stream.status, 500, String(answer));
          if (isExpress) assert.equal(w.errors[0].code, 'ERR_FAN_ARG');
          assert.equal(w.hub.size, 0);
        }
      });
    }

    it('the client leaving during the async function leaves nothing behind', async () => {
      const w = await world();
      for (const name of ['connect', 'join']) w.hub.on(name, () => assert.fail(name));
      let asked;
      let done;
      const arrived = new Promise((resolve) => {
        asked = resolve;
      });
      const answered = new Promise((resolve) => {
        done = resolve;
      });
      const decide = async () => {
        const res = asked();
        await res;
        setImmediate(done);
        return w.options({ rooms: 'r', user: 'u' });
      };
      const handler = w.hub.handler(decide, () => assert.fail('opened'));
      let gone;
      const url = w.route((req, res, next) => {
        gone = once(res, 'close');
        const told = asked;
        asked = () => {
          told();
          return gone;
        };
        handler(req, res, next);
      });
      const abort = new AbortController();
      const opening = w.read(url, { abort: abort.signal }).catch(() => {});
      await arrived;
      abort.abort();
      await Promise.all([opening, answered]);
      assert.equal(w.hub.size, 0);
      assert.equal(w.hub.rooms.size, 0);
      assert.equal(w.hub.user('u').size, 0);
      assert.deepEqual(w.errors, []);
    });

    it('answers 204 to who was told to stay away, before it asks', async () => {
      const w = await world();
      const url = w.route(w.hub.handler(() => w.options({})));
      const stream = await w.read(url);
      w.hub.except([]).disconnect({ reconnect: false });
      const { id } = await stream.next();
      const fenced = w.route(w.hub.handler(() => assert.fail('asked')));
      const again = await w.read(fenced, { lastEventId: id });
      assert.equal(again.status, 204);
    });

    it('refuses bad options at once', async () => {
      const w = await world();
      assert.throws(() => w.hub.handler({ rooom: 'r' }), { code: 'ERR_FAN_ARG' });
      assert.throws(() => w.hub.handler({}, 'opened'), { code: 'ERR_FAN_ARG' });
    });
  });
};
