'use strict';

// Frames out of chunks, wherever these are cut.

const assert = require('node:assert/strict');
const {
  FrameReader,
  entryOf,
  eventsFrom,
  frame,
  setPlace,
  split,
} = require('../../lib/cluster/frames');

describe('frames of fanline/cluster', () => {
  const bodies = ['', 'a', 'bc'.repeat(40), '', 'ä🦊'].map((text) => Buffer.from(text));
  const all = Buffer.concat(bodies.map((body, i) => frame(i + 1, body)));

  function read(chunks) {
    const found = [];
    const reader = new FrameReader((kind, body) => found.push([kind, String(body)]));
    for (const chunk of chunks) reader.push(chunk);
    return found;
  }

  it('come as they were sent, cut at any byte, or at all of them', () => {
    const expected = bodies.map((body, i) => [i + 1, String(body)]);
    assert.deepEqual(read([all]), expected);
    assert.deepEqual(read([...all].map((byte) => Buffer.of(byte))), expected);
    for (let at = 1; at < all.length; at++) {
      assert.deepEqual(read([all.subarray(0, at), all.subarray(at)]), expected, `cut at ${at}`);
      const end = Math.min(all.length, at + 7);
      const three = [all.subarray(0, at), all.subarray(at, end), all.subarray(end)];
      assert.deepEqual(read(three), expected);
    }
    assert.deepEqual(read([all.subarray(0, all.length - 1)]), expected.slice(0, -1));
  });

  it('hold events that are whole, and nothing else', () => {
    const data = Buffer.from([0, 255]);
    const events = split(
      eventsFrom(2 ** 40, [
        { head: 'ä', data },
        { head: '', data: Buffer.of() },
      ]),
    );
    setPlace(events[1], 1_795_193_038_507 * 2_048 + 7);
    assert.deepEqual(entryOf(events[0]), { id: '0-0', number: 2 ** 40, head: 'ä', data });
    const { id, number, head } = entryOf(events[1]);
    assert.deepEqual([id, number, head], ['1795193038507-7', 2 ** 40 + 1, '']);
    const bytes = Buffer.concat(events);
    for (let length = 1; length < bytes.length; length++) {
      if (length === events[0].length) continue;
      assert.throws(() => split(bytes.subarray(0, length)), RangeError);
    }
  });
});
