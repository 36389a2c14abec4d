'use strict';

// The parser of these tests against an independent one, on text that no server of ours would send.

const assert = require('node:assert/strict');
const { createParser } = require('eventsource-parser');
const { EventParser, RawStream } = require('../js/support/event-parser');

const PIECES = [
  ...['data: one', 'data:two', 'data', 'data:  three', 'data: ', 'Data: no', ' data: no'],
  ...['event: a', 'event:', 'event: b c', 'id: 1', 'id', 'id: a\0b', 'id: fanline', 'retry: 7'],
  ...[': comment', ':', 'unknown: x', 'data: ü€😀', 'data: a:b', 'x'],
];
const BREAKS = ['\n', '\n', '\r\n', '\r'];

const pick = (list) => list[Math.floor(Math.random() * list.length)];

function randomText() {
  let text = '';
  for (let i = 0; i < 40; i++)
    text +=
      (Math.random() < 0.35 ? '' : pick(PIECES)) + pick(BREAKS) + (Math.random() < 0.2 ? '\n' : '');
  return `${text}\n\n`; // eventsource-parser waits for what may follow a CR
}

/** Cut at random places, also within a character where it is bytes. */
function feedInPieces(whole, feed) {
  for (let from = 0; from < whole.length; ) {
    const to = from + 1 + Math.floor(Math.random() * 12);
    feed(whole.slice(from, to));
    from = to;
  }
}

function readByUs(text) {
  const events = [];
  const parser = new EventParser((event) => events.push(event));
  feedInPieces(text, (piece) => parser.feed(piece));
  return events;
}

function readByThem(text) {
  const events = [];
  const parser = createParser({
    onEvent: ({ id, event, data }) => events.push({ id, event, data }),
  });
  feedInPieces(text, (piece) => parser.feed(piece));
  return events;
}

describe('the reader of the resume tests', () => {
  it('finds the same events as eventsource-parser, however the text is cut', () => {
    let count = 0;
    for (let i = 0; i < 500; i++) {
      const text = randomText();
      const events = readByUs(text);
      assert.deepEqual(events, readByThem(text), JSON.stringify(text));
      count += events.length;
    }
    assert.ok(count > 1_000, `${count} events`);
  });

  it('takes an id only when its block is complete, and then also without data', () => {
    const parser = new EventParser(() => {});
    parser.feed('id: 1\nretry: 3\n');
    assert.equal(parser.lastEventId, '');
    assert.equal(parser.firstId, '1');
    parser.feed('data: x\n\nid: 2\ndata: y\n');
    assert.equal(parser.lastEventId, '1');
    parser.feed('\n');
    assert.equal(parser.lastEventId, '2');
    parser.feed('id: 3\n\n');
    assert.equal(parser.lastEventId, '3');
    parser.feed('data: no id keeps the last\n\n');
    assert.equal(parser.lastEventId, '3');
    parser.feed('id\n\n');
    assert.equal(parser.lastEventId, '');
  });

  it('reads a chunked response cut at every byte', () => {
    const body = Buffer.from('id: 1\ndata: ü€😀\n\ndata: two\n\n');
    const chunk = (bytes) => [
      Buffer.from(`${bytes.length.toString(16)}\r\n`),
      bytes,
      Buffer.from('\r\n'),
    ];
    const whole = Buffer.concat([
      Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'),
      ...chunk(body.subarray(0, 14)), // in the middle of a character
      ...chunk(body.subarray(14)),
      Buffer.from('0\r\n\r\n'),
    ]);
    for (let cut = 0; cut <= whole.length; cut++) {
      const events = [];
      const stream = new RawStream((event) => events.push(event.data));
      stream.feed(whole.subarray(0, cut));
      stream.feed(whole.subarray(cut));
      assert.deepEqual(events, ['ü€😀', 'two'], `cut at ${cut}`);
      assert.equal(stream.head, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked');
      assert.ok(stream.isWhole);
    }
    assert.throws(() =>
      new RawStream(() => {}).feed(Buffer.from('HTTP/1.1 200 OK\r\n\r\nxyz\r\n')),
    );
  });
});
