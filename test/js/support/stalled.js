'use strict';

// What a reader that stops reading in the middle of a flood of numbered events must have got in the end, under each policy.

const assert = require('node:assert/strict');

const SYMBOLS = 100;
const EVERY = 20; // one in so many has no key

/** The key of event `n` where there are keys; each comes again after SYMBOLS events. */
function keyOf(n) {
  return n % EVERY === 0 ? undefined : `s${n % SYMBOLS}`;
}

function range(from, to) {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** How many of these count up from `first`. */
function prefixLength(numbers, first) {
  let length = 0;
  while (numbers[length] === first + length) length++;
  return length;
}

/**
 * Each is given the numbers that arrived, the first and the last that were sent, and how many fit into a queue. Without keys all
 * were sent as they are, with keys as keyOf() says.
 */
const POLICIES = {
  disconnect: {
    overflow: 'disconnect',
    check(got, first, last, fit) {
      assert.deepEqual(got, range(first, first + got.length - 1));
      assert.ok(got.length > 0 && got.length < last - first - fit, `${got.length} arrived`);
    },
  },
  dropOldest: {
    overflow: 'dropOldest',
    check(got, first, last, fit) {
      const prefix = prefixLength(got, first);
      const newest = got.length - prefix;
      assert.ok(prefix > 0, 'nothing was on its way');
      assert.ok(newest >= fit && got.length < last - first, `the newest ${newest}`);
      assert.deepEqual(got, [
        ...range(first, first + prefix - 1),
        ...range(last - newest + 1, last),
      ]);
    },
  },
  dropNewest: {
    overflow: 'dropNewest',
    check(got, first, last, fit) {
      assert.deepEqual(got, range(first, first + got.length - 1));
      assert.ok(got.length >= fit && got.length < last - first, `${got.length} arrived`);
    },
  },
  key: {
    overflow: 'disconnect',
    keyed: true,
    check(got, first, last) {
      const unkeyed = (n) => keyOf(n) === undefined;
      assert.deepEqual(got.filter(unkeyed), range(first, last).filter(unkeyed));
      const latest = new Map();
      for (const n of got) {
        const key = keyOf(n);
        if (key === undefined) continue;
        assert.ok(!(latest.get(key) > n), `${n} behind ${latest.get(key)}`);
        latest.set(key, n);
      }
      for (const n of range(last - SYMBOLS + 1, last)) {
        const key = keyOf(n);
        if (key !== undefined) assert.equal(latest.get(key), n, key);
      }
    },
  },
};

module.exports = { POLICIES, keyOf };
