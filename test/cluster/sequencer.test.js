'use strict';

// The engine in the primary, by itself.

const assert = require('node:assert/strict');
const { Sequencer } = require('../../lib/cluster/sequencer');
const { entryOf, eventsFrom } = require('../../lib/cluster/frames');

describe('the sequencer of fanline/cluster', () => {
  const sends = (count, size) =>
    Array.from({ length: count }, () => ({ head: '{}', data: Buffer.alloc(size, 'x') }));

  function sequencer(maxLen, maxBytes = 1 << 30) {
    const made = new Sequencer();
    made.keep(maxLen, maxBytes);
    return made;
  }

  it('answers pages of so many bytes, with one event at least', () => {
    const engine = sequencer(1_000);
    const { seq } = engine.append('a', 1, eventsFrom(1, sends(10, 1_000)));
    assert.equal(engine.after(seq - 1, 100, 3_100).length, 3);
    assert.equal(engine.after(seq - 1, 2, 3_100).length, 2);
    assert.equal(engine.after(seq - 1, 100, 10).length, 1);
    assert.equal(engine.after(seq + 9, 100, 10).length, 0);
  });

  it('keeps as many events, and bytes, as it was asked to, and the last batch', () => {
    for (const engine of [sequencer(100), sequencer(1_000_000, 100 * 1_300)]) {
      let last;
      for (let n = 1; n < 20_000; n += 10)
        last = engine.append('a', n, eventsFrom(n, sends(10, 1_000)));
      const kept = engine.after(0, 1_000_000, Infinity).map(entryOf);
      assert(kept.length <= 120 && kept.length >= 80, `${kept.length}`);
      assert.equal(kept.at(-1).number, 20_000);
      assert(engine.letGo < last.seq);
    }
    const small = sequencer(1, 1);
    small.append('a', 1, eventsFrom(1, sends(10, 1_000)));
    assert.equal(small.after(0, 100, Infinity).length, 10);
  });

  it('gives places that rise, and follow the clock', () => {
    const engine = sequencer(10_000);
    const begun = Date.now();
    let last = engine.last;
    for (let n = 1; n < 10_000; n += 100) {
      const { seq, count } = engine.append('a', n, eventsFrom(n, sends(100, 1)));
      assert(seq > last);
      last = seq + count - 1;
      assert.equal(engine.last, last);
    }
    assert(engine.placeAt(begun - 1) <= engine.last && engine.placeAt(begun + 60_000) === last);
    assert(Math.abs(last / 2_048 - Date.now()) < 5_000);
  });

  it('knows the last batch of a bounded number of those who are gone', () => {
    const engine = sequencer(10);
    for (let i = 0; i < 3_000; i++) {
      const member = { process: `${i}`, users: new Map(), wake() {}, answered() {} };
      engine.join(member);
      engine.append(member.process, 1, eventsFrom(1, sends(1, 1)));
      engine.leave(member, false);
    }
    const before = engine.last;
    assert.equal(engine.append('2999', 1, eventsFrom(1, sends(1, 1))).seq, before);
    assert.equal(engine.last, before); // known: nothing was put there
    assert.equal(engine._batches.size, 1_000);
  });
});
