'use strict';

// 1 GB through client.pipe() to a reader in another process that takes 10 MB a second: memory stays flat, however long it lasts.

const assert = require('node:assert/strict');
const { sse } = require('fanline');
const { readPaced } = require('../js/support/paced-reader');
const { textOf } = require('../js/support/reader');
const { serve } = require('../js/support/serve');

const MIB = 1 << 20;
const CHUNK = 16 << 10;
const CHUNKS = Math.ceil(1e9 / CHUNK);
const RATE = 10e6; // bytes a second
const WARM = CHUNKS / 10; // until then V8 and the allocator find their size
const GROWTH = 16 * MIB;

describe('soak: client.pipe() of 1 GB to a reader at 10 MB/s', function () {
  this.timeout(300_000);

  for (const transport of ['auto', 'relay']) {
    it(`keeps memory flat, transport ${transport}`, async () => {
      const rss = [];
      let given = 0;
      async function* source() {
        for (; given < CHUNKS; given++) {
          if (given >= WARM && given % 64 === 0) rss.push(process.memoryUsage.rss());
          yield textOf(given, CHUNK);
        }
      }
      let answer;
      const server = await serve((req, res) => {
        const client = sse(req, res, { transport, heartbeat: false });
        answer = client.pipe(source(), { end: false }).finally(() => client.close());
      });
      const cpu = process.cpuUsage();
      const begun = performance.now();
      const reader = readPaced({ url: server.url, size: CHUNK, rate: RATE });
      try {
        const { bytes, ...report } = await reader.report;
        const seconds = (performance.now() - begun) / 1_000;
        assert.deepEqual(report, { events: CHUNKS, wrong: 0, isComplete: true });
        assert.deepEqual(await answer, { sent: CHUNKS, closed: null });
        assert(seconds > bytes / RATE / 1.1, `it took ${seconds} s, so nobody was throttled`);
        const { user, system } = process.cpuUsage(cpu);
        const most = Math.max(...rss) - rss[0];
        const last = rss.at(-1) - rss[0];
        console.log(
          `      ${(bytes / 1e6).toFixed(0)} MB in ${seconds.toFixed(0)} s; RSS at most ${(most / MIB).toFixed(1)} MiB` +
            ` more, ${(last / MIB).toFixed(1)} MiB in the end; CPU ${((user + system) / 1e6).toFixed(1)} s`,
        );
        assert(most <= GROWTH, `${(most / MIB).toFixed(1)} MiB more`);
      } finally {
        reader.stop();
        await server.close();
      }
    });
  }
});
