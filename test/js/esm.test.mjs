// The package as an ES module sees it: the same functions, one copy of the library, and a stream that works.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import fanline, { createHub, sse } from 'fanline';
import * as everything from 'fanline';

const require = createRequire(import.meta.url);
const { open } = require('./support/open');
const { serve } = require('./support/serve');

describe('import', () => {
  it('names and default are what require answers: one copy of the library', () => {
    const required = require('fanline');
    assert.equal(fanline, required);
    assert.equal(createHub, required.createHub);
    assert.equal(sse, required.sse);
    assert.deepEqual(Object.keys(everything).sort(), ['createHub', 'default', 'sse']);
    assert.deepEqual(Object.keys(required).sort(), ['createHub', 'sse']);
  });

  it('there is no way to the inside', async () => {
    for (const path of ['fanline/lib/hub.js', 'fanline/lib/index.js', 'fanline/hub']) {
      await assert.rejects(import(path), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' });
      assert.throws(() => require(path), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' });
    }
    assert.equal(require('fanline/package.json').name, 'fanline');
  });

  it('errors are the same classes and codes', () => {
    assert.throws(() => createHub({ heartbeet: 5 }), {
      name: 'TypeError',
      code: 'ERR_FAN_OPTION',
      message: /Did you mean "heartbeat"/,
    });
    assert.throws(() => sse(null, null), { name: 'TypeError', code: 'ERR_FAN_ARG' });
  });

  it('a hub and a single stream work', async () => {
    const hub = createHub();
    const server = await serve((req, res) => {
      if (req.url === '/hub') hub.connect(req, res, { rooms: 'r' });
      else sse(req, res).close({ event: 'done', data: { n: 1 } });
    });
    const connected = once(hub, 'connect');
    const stream = await open(`${server.url}/hub`);
    const [client] = await connected;
    const closed = once(client, 'close');
    const { matched, accepted } = hub.to('r').send({ a: 1 }, { event: 'e' });
    assert.equal(matched, 1);
    const id = await accepted;
    assert.match(id, /^[a-z][a-z0-9]{7}-1$/);
    assert.deepEqual(await stream.next(), { data: '{"a":1}', event: 'e', id });
    const single = await open(`${server.url}/one`);
    assert.deepEqual(await single.next(), { data: '{"n":1}', event: 'done' });
    assert.equal(await single.end(), 'end');
    assert.deepEqual(await hub.close({ grace: 50 }), { ended: 1, cut: 0 });
    assert.deepEqual(await closed, ['shutdown']);
    await server.close();
  });
});
