'use strict';

const assert = require('node:assert/strict');
const { paced, tokens } = require('../../bench/suite/work');

describe('bench: what is sent, and when', () => {
  it('stretches are at the rate asked for, each with a burst of sends, all numbers in order', async () => {
    const sent = [];
    const { seconds } = await paced((number) => sent.push(number), {
      events: 20,
      hz: 50,
      burst: 10,
    });
    assert.deepEqual(
      sent,
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    assert.ok(seconds >= 0.039 && seconds < 0.3, `${seconds} s`);
  });

  it('a stretch that comes late is made up for: the rate stays', async () => {
    let late = true;
    const send = () => {
      const end = performance.now() + (late ? 60 : 0);
      late = false;
      while (performance.now() < end);
    };
    const { seconds } = await paced(send, { events: 10, hz: 100 });
    assert.ok(seconds < 0.15, `${seconds} s`);
  });

  it('without a rate a stretch follows the other, each in a turn of its own', async () => {
    const turns = [];
    let turn = 0;
    const count = () => {
      turn++;
      if (turns.length < 6) setImmediate(count);
    };
    setImmediate(count);
    await paced(() => turns.push(turn), { events: 6, hz: 0, burst: 2 });
    const [a, b, c] = [turns[0], turns[2], turns[4]];
    assert.deepEqual(turns, [a, a, b, b, c, c]);
    assert.ok(a < b && b < c, turns.join());
  });

  it('what a send waits for is waited for: no two are under way at once', async () => {
    let underWay = 0;
    let most = 0;
    const send = async () => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
    };
    await paced(send, { events: 6, hz: 0, burst: 3 });
    assert.equal(most, 1);
  });

  it('a source gives its tokens in order, each when it is due and none before', async () => {
    const start = performance.now();
    const seen = [];
    for await (const text of tokens({ events: 5, hz: 100, size: 3 })) {
      const [number, , padding] = text.split(' ');
      seen.push([Number(number), padding]);
      assert.ok(performance.now() - start >= 10 * Number(number) - 1);
    }
    assert.deepEqual(
      seen,
      [1, 2, 3, 4, 5].map((number) => [number, 'xxx']),
    );
  });
});
