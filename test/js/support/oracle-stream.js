'use strict';

// A stream as the oracle knows it: the pieces that were put into it, in order, and whether what has arrived is made of them.
// A piece is `{ text, event, key, mark }`: what is on the wire; what a page sees of it (`{ event, data, id }`), if it is an
// event; the key under which a later piece may take its place; the id, if it is a line that the next event has to begin with.

const FRAGMENT = 160; // characters that a message shows

/** A block, as WHATWG HTML 9.2.6 reads it. `text` may hold any line ends. */
function eventPiece({ id, event, retry, text, key }) {
  const lines = text.split(/\r\n|\r|\n/);
  const fields = [];
  if (id !== undefined) fields.push(`id: ${id}`);
  if (event !== undefined) fields.push(`event: ${event}`);
  if (retry !== undefined) fields.push(`retry: ${retry}`);
  for (const line of lines) fields.push(`data: ${line}`);
  return {
    text: `${fields.join('\n')}\n\n`,
    event: { event, data: lines.join('\n'), id },
    key,
  };
}

const commentPiece = (text) => ({ text: `:${text}\n` });
const retryPiece = (ms) => ({ text: `retry: ${ms}\n` });
const markPiece = (id) => ({ text: `id: ${id}\n`, mark: id });

/** What a page sees of these pieces. */
function eventsOf(pieces) {
  const events = [];
  let mark;
  for (const piece of pieces) {
    if (piece.mark !== undefined) mark = piece.mark;
    if (piece.event === undefined) continue;
    events.push({ ...piece.event, id: piece.event.id ?? mark });
    mark = undefined;
  }
  return events;
}

function mismatch(piece, text, at) {
  const show = (string) => JSON.stringify(string.slice(0, FRAGMENT));
  return new Error(
    `at character ${at} of ${text.length} should be ${show(piece.text)}, is ${show(text.slice(at))}`,
  );
}

class Follower {
  constructor(pieces, text, isLossy) {
    this._pieces = pieces;
    this._text = text;
    this._isLossy = isLossy;
    this._at = 0;
    this._isOver = new Set(); // places whose piece came at an earlier one
    this.received = [];
    this.replaced = 0;
    this.missing = 0;
  }

  run() {
    for (const place of this._pieces.keys()) {
      if (this._isOver.has(place) || this._take(place)) continue;
      if (this._isLossy) this.missing++;
      else break;
    }
    return this;
  }

  /** What came in this place is that piece, or a later one with the same key. */
  _take(place) {
    const places = this._candidates(place);
    const index = places.findIndex((at) => this._text.startsWith(this._pieces[at].text, this._at));
    if (index < 0) return false;
    const piece = this._pieces[places[index]];
    this._at += piece.text.length;
    this.received.push(piece);
    this.replaced += index;
    for (const at of places.slice(0, index + 1)) this._isOver.add(at);
    return true;
  }

  _candidates(place) {
    const { key } = this._pieces[place];
    if (key === undefined) return [place];
    const isSame = (at) => at >= place && this._pieces[at].key === key && !this._isOver.has(at);
    return [...this._pieces.keys()].filter(isSame);
  }

  /** Nothing is left of the text but the beginning of one piece, if the stream was cut. */
  check(isCut) {
    const rest = this._text.slice(this._at);
    const handled = this.received.length + this.replaced + this.missing;
    const left = this._pieces.filter((_piece, place) => !this._isOver.has(place));
    const next = this._isLossy ? left : this._next(left);
    if (!isCut && handled < this._pieces.length) throw mismatch(left[0], this._text, this._at);
    if (isCut && next.some(({ text }) => text.startsWith(rest))) return;
    if (rest !== '') throw mismatch(left[0] ?? { text: '(nothing)' }, this._text, this._at);
  }

  _next(left) {
    if (left.length === 0) return [];
    const [{ key }] = left;
    return key === undefined ? left.slice(0, 1) : left.filter((piece) => piece.key === key);
  }
}

/**
 * Finds the pieces in what has arrived.
 * @param {object[]} pieces in order
 * @param {string} text
 * @param {{isCut: boolean, isLossy: boolean}} how `isCut`: it may end anywhere; `isLossy`: pieces may be missing
 * @returns {{received: object[], replaced: number, missing: number}}
 * @throws {Error} it is not made of them
 */
function follow(pieces, text, { isCut, isLossy }) {
  const follower = new Follower(pieces, text, isLossy).run();
  follower.check(isCut);
  const { received, replaced, missing } = follower;
  return { received, replaced, missing };
}

module.exports = { commentPiece, eventPiece, eventsOf, follow, markPiece, retryPiece };
