'use strict';

// hub.response() and the process: no end of a body brings it down, and no open body keeps it.

const assert = require('node:assert/strict');
const { run } = require('../js/support/child');

describe('hub.response(), the process', () => {
  it('lives on whatever becomes of a body, and whatever is done with it twice', async () => {
    const { code, out, err } = await run(
      `
      const hub = createHub({ retry: false, history: false, limits: { stallTimeout: 20, queueBytes: 1 << 20 } });
      const nothing = () => {};
      const WAYS = {
        cancel: ({ body }) => body.cancel().catch(nothing),
        abort: ({ abort }) => abort.abort(),
        close: ({ client }) => client.close(),
        flood: ({ client }) => { for (let i = 0; i < 40; i++) client.send(big); },
        stall: () => new Promise((resolve) => setTimeout(resolve, 60)),
        wait: () => new Promise((resolve) => setImmediate(resolve)),
        read: ({ body }) => {
          if (body.locked) return;
          const reader = body.getReader();
          reader.read().catch(nothing);
          reader.closed.catch(nothing);
          reader.releaseLock();
        },
        drop: (it) => { it.body = new ReadableStream(); },
      };
      let opened = 0;
      async function live(...names) {
        const abort = new AbortController();
        const request = new Request('http://x', { signal: abort.signal });
        const it = { abort };
        it.body = hub.response(request, {}, (client) => { it.client = client; opened++; }).body;
        for (const name of names) await WAYS[name](it);
      }
      const lives = [];
      for (const first in WAYS) {
        for (const second in WAYS) {
          for (const third of ['cancel', 'abort', 'close', 'wait']) lives.push(live(first, second, third));
        }
      }
      await Promise.all(lives);
      gc();
      await hub.close({ grace: 50 });
      console.log(opened, hub.size, hub.stats().refused);
    `,
      { args: ['--expose-gc'] },
    );
    assert.equal(err, '');
    assert.equal(code, 0);
    assert.equal(out, '256 0 {}\n');
  });

  it('ends although a body is open that somebody waits for', async () => {
    const { code, out, err } = await run(`
      const hub = createHub();
      const { body } = hub.response(new Request('http://x'));
      const reader = body.getReader();
      process.on('exit', () => console.log(hub.size));
      for (;;) await reader.read();
    `);
    assert.deepEqual({ code, out, err }, { code: 0, out: '1\n', err: '' });
  });

  it('ends in the middle of it, by process.exit() as by an error', async () => {
    for (const [how, status] of [
      ['process.exit(7)', 7],
      ['throw new Error("mine")', 1],
    ]) {
      const { code, signal } = await run(`
        const hub = createHub();
        const bodies = Array.from({ length: 50 }, () => hub.response(new Request('http://x')).body);
        for (let i = 0; i < 20; i++) hub.broadcast(big);
        for (const body of bodies.slice(0, 25)) body.getReader().read();
        setImmediate(() => { ${how}; });
      `);
      assert.deepEqual({ code, signal }, { code: status, signal: null }, how);
    }
  });
});
