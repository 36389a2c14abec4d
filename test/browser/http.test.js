'use strict';

// The same server without the page: curl and plain requests.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { app, eventually, openTab, post, shown, useApp } = require('./support/app');
const { startServer } = require('./support/server');

describe('http', () => {
  useApp();

  it('curl -N sees the raw frames', async () => {
    const curl = spawn('curl', ['-sN', `${app.server.url}/events?room=music`]);
    let raw = '';
    curl.stdout.setEncoding('utf8').on('data', (text) => {
      raw += text;
    });
    try {
      await eventually(() => /\nevent: welcome\ndata: \{"id":"[^"]+",.*\}\n\n/.test(raw), true);
      await post('lobby', '{"text":"elsewhere"}');
      assert.deepEqual(await post('music', JSON.stringify({ name: 'Ada', text: 'a\nb' })), {
        status: 200,
        matched: 1,
      });
      await eventually(() => raw.includes('\nevent: message\n'), true);
      const [frame] = /^event: message\n.*\n\n/m.exec(raw);
      assert.match(
        frame,
        /^event: message\ndata: \{"room":"music","name":"Ada","text":"a\\nb","at":\d+\}\n\n$/,
      );
      assert.equal(raw.includes('elsewhere'), false);
    } finally {
      curl.kill();
    }
  });

  it('a message may be JSON, a form or bare words', async () => {
    const ada = await openTab('Ada', '?room=lobby');
    const form = 'application/x-www-form-urlencoded';
    for (const [body, type] of [
      ['{"text":"as JSON"}', 'application/json'],
      ['text=as+a+form&name=Bo', form],
      ['bare words, 100% & more', form],
      ['plain text=1', 'text/plain'],
    ])
      assert.deepEqual(await post('lobby', body, type), { status: 200, matched: 1 });
    await eventually(
      () => shown.texts(ada),
      ['as JSON', 'as a form', 'bare words, 100% & more', 'plain text=1'],
    );
  });

  it('says what is wrong with a bad request', async () => {
    const status = async (...args) => (await post(...args)).status;
    assert.equal(await status('attic', '{"text":"x"}'), 404);
    assert.equal(await status('__proto__', '{"text":"x"}'), 404);
    assert.equal(await status('lobby', '{"text":"  "}'), 400);
    assert.equal(await status('lobby', '{"text":7}'), 400);
    assert.equal(await status('lobby', '[]'), 400);
    assert.equal(await status('lobby', '{"text":'), 400);
    assert.equal(await status('lobby', '', 'application/x-www-form-urlencoded'), 400);
    assert.equal(await status('lobby', JSON.stringify({ text: 'x'.repeat(9_000) })), 413);
    assert.equal((await fetch(`${app.server.url}/events?room=attic`)).status, 404);
    const patch = (body) =>
      fetch(`${app.server.url}/clients/nobody`, {
        method: 'PATCH',
        body,
        headers: { 'Content-Type': 'application/json' },
      });
    assert.equal((await patch('{"rooms":["lobby"]}')).status, 404);
    assert.equal((await fetch(`${app.server.url}/stats`)).status, 200);
  });

  it('a port in use is told in one line', async () => {
    const error = await startServer(app.server.port).then(
      () => assert.fail('it started'),
      (reason) => reason,
    );
    assert.match(
      error.message,
      new RegExp(
        `\\nPort ${app.server.port} is in use\\. .*PORT=${app.server.port + 1} npm start\\n$`,
      ),
    );
  });

  it('SIGINT ends the streams and the process', async () => {
    await openTab('Ada', '?room=lobby');
    await openTab('Grace', '?room=lobby&room=ops');
    assert.deepEqual(await app.server.stop('SIGINT'), { code: 0, signal: null });
    assert.equal(app.server.printed().includes('Error'), false, app.server.printed());
  });
});
