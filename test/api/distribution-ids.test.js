'use strict';

// Ids of events that an adapter orders: as text and as numbers.

const assert = require('node:assert/strict');
const fc = require('fast-check');
const { PER_MS, idOf, nextSeq, seqOf } = require('../../lib/distribution/ids');

const LAST_MS = 2 ** 42 - 1; // with PER_MS ids each that is 2^53

describe('ids of a stream', () => {
  it('are numbers that rise as they do', () => {
    const place = fc.tuple(fc.nat({ max: LAST_MS }), fc.nat({ max: PER_MS - 1 }));
    const property = fc.property(place, place, ([ms, n], [otherMs, otherN]) => {
      const [seq, other] = [seqOf(`${ms}-${n}`), seqOf(`${otherMs}-${otherN}`)];
      assert.equal(idOf(seq), `${ms}-${n}`);
      assert.equal(Math.sign(seq - other), Math.sign(ms - otherMs) || Math.sign(n - otherN));
    });
    fc.assert(property);
  });

  it('are written in one way only: whatever else a client sends is none', () => {
    const none = [
      '',
      '-',
      '1',
      '1-',
      '-1',
      '01-1',
      '1-01',
      '1-1-1',
      ' 1-1',
      '1-1 ',
      '+1-1',
      '1e3-1',
    ];
    const large = ['1-2048', '1-99999', '12345678901234-1', `${'9'.repeat(5_000)}-1`];
    const foreign = ['１-1', '1–1', 'fanline:end:5', undefined, null, 5, {}, Buffer.from('1-1')];
    for (const id of [...none, ...large, ...foreign]) assert.equal(seqOf(id), -1, `${id}`);
    assert.equal(seqOf('0-0'), 0);
    assert.equal(seqOf('9999999999999-2047'), 9_999_999_999_999 * PER_MS + 2047);
  });

  it('go on behind the last one, also when the clock goes back or many are given in a millisecond', () => {
    assert.equal(idOf(nextSeq(seqOf('5-3'), 7)), '7-0');
    assert.equal(idOf(nextSeq(seqOf('7-0'), 7)), '7-1');
    assert.equal(idOf(nextSeq(seqOf('7-0'), 5)), '7-1');
    assert.equal(idOf(nextSeq(seqOf('7-2047'), 7)), '8-0');
  });
});
