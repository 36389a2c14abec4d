'use strict';

// A reader's side of the protocol, written from the specification (WHATWG HTML 9.2.6): what a byte stream means, and which id a
// reader would come back with if the connection ended right here. Small and strict; resume-parser.test.js holds it against
// eventsource-parser.

const { StringDecoder } = require('node:string_decoder');

const BREAK = /\r\n|\r|\n/g;
const HEAD_END = '\r\n\r\n';
const LF = 10;
const SIZE = /^[0-9a-f]+\r\n$/i;
const NEXT_SIZE = /^\r\n[0-9a-f]+\r\n$/i;

/** Text into events. */
class EventParser {
  /** @param {(event: {id?: string, event?: string, data: string}) => void} onEvent `id`: the one in its own block */
  constructor(onEvent) {
    this.lastEventId = ''; // what the next request would carry: the last id whose block is complete
    this.firstId = undefined; // of the stream, complete or not
    this._onEvent = onEvent;
    this._rest = '';
    this._skipsLf = false; // the last line ended with CR, and LF would belong to it
    this._idBuffer = '';
    this._clear();
  }

  feed(text) {
    if (text === '') return;
    if (this._skipsLf && text[0] === '\n') text = text.slice(1);
    this._skipsLf = text === '' ? false : text.endsWith('\r');
    const all = this._rest + text;
    let from = 0;
    for (const found of all.matchAll(BREAK)) {
      this._line(all.slice(from, found.index));
      from = found.index + found[0].length;
    }
    this._rest = all.slice(from);
  }

  /** Has a block begun that is not complete? */
  get isAmidBlock() {
    return this._rest !== '' || this._id !== undefined || this._data !== undefined;
  }

  _clear() {
    this._id = undefined;
    this._event = '';
    this._data = undefined;
  }

  _line(line) {
    if (line === '') {
      this._dispatch();
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return; // a comment
    const name = colon < 0 ? line : line.slice(0, colon);
    const from = line[colon + 1] === ' ' ? colon + 2 : colon + 1;
    this._field(name, colon < 0 ? '' : line.slice(from));
  }

  _field(name, value) {
    if (name === 'data') this._data = this._data === undefined ? value : `${this._data}\n${value}`;
    else if (name === 'event') this._event = value;
    else if (name === 'id' && !value.includes('\0')) {
      this._id = value;
      this._idBuffer = value;
      this.firstId ??= value;
    }
  }

  _dispatch() {
    const { _id: id, _event: event, _data: data } = this;
    this.lastEventId = this._idBuffer;
    this._clear();
    if (data !== undefined) this._onEvent({ id, event: event || undefined, data });
  }
}

/** The bytes of one HTTP/1.1 connection, with one chunked response, into events. */
class RawStream {
  constructor(onEvent) {
    this.head = null; // status line and headers, once complete
    this.parser = new EventParser(onEvent);
    this.isWhole = false; // the last chunk has come
    this._left = -1; // of the present chunk; -1: none has begun
    this._decoder = new StringDecoder('utf8');
    this._rest = null;
  }

  feed(bytes) {
    let all = this._rest === null ? bytes : Buffer.concat([this._rest, bytes]);
    this._rest = null;
    if (this.head === null) {
      const end = all.indexOf(HEAD_END);
      if (end < 0) {
        this._rest = all;
        return;
      }
      this.head = all.latin1Slice(0, end);
      all = all.subarray(end + HEAD_END.length);
    }
    this._chunks(all);
  }

  /** What of a chunk is there is read at once: its end may never come. */
  _chunks(all) {
    let at = 0;
    while (at < all.length) {
      if (this._left > 0) {
        const end = Math.min(all.length, at + this._left);
        this._left -= end - at;
        this.parser.feed(this._decoder.write(all.subarray(at, end)));
        at = end;
        continue;
      }
      const isBehind = this._left === 0; // a chunk, which CR LF ends
      const lineEnd = all.indexOf(LF, isBehind ? at + 2 : at);
      if (lineEnd < 0) break;
      const line = all.latin1Slice(at, lineEnd + 1);
      if (!(isBehind ? NEXT_SIZE : SIZE).test(line))
        throw new Error(`not the size of a chunk: ${JSON.stringify(line)}`);
      this._left = Number.parseInt(line, 16);
      if (this._left === 0) this.isWhole = true;
      at = lineEnd + 1;
    }
    if (at < all.length) this._rest = all.subarray(at);
  }
}

module.exports = { EventParser, RawStream };
