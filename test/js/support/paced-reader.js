'use strict';

// A reader of one stream in a process of its own that does not read as fast as it can: at most so many bytes in a second, or with
// pauses. It compares each event, textOf(n, size) with n from 0, and counts.

const { fork } = require('node:child_process');
const http = require('node:http');
const { textOf } = require('./reader');

const STEP = 5; // ms between two looks at how far a throttled reader may go

/** Compares a body with the events that it should have, as it comes. */
class Comparison {
  constructor(size) {
    this.events = -1; // before them comes the opening comment
    this.wrong = 0;
    this.bytes = 0;
    this._size = size;
    this._expect(Buffer.from(':\n'));
  }

  _expect(frame) {
    this._frame = frame;
    this._at = 0; // how much of it has come
  }

  take(bytes) {
    this.bytes += bytes.length;
    for (let from = 0; from < bytes.length; ) {
      const part = Math.min(bytes.length - from, this._frame.length - this._at);
      const differs = this._frame.compare(bytes, from, from + part, this._at, this._at + part);
      if (differs !== 0) this.wrong++;
      from += part;
      this._at += part;
      if (this._at < this._frame.length) return;
      this.events++;
      this._expect(Buffer.from(`data: ${textOf(this.events, this._size)}\n\n`));
    }
  }
}

/** Reads at most `rate` bytes a second. */
function throttle(res, comparison, rate) {
  const begun = performance.now();
  const isAhead = () => comparison.bytes > ((performance.now() - begun) * rate) / 1_000;
  const look = setInterval(() => isAhead() || res.resume(), STEP);
  res.on('data', () => isAhead() && res.pause());
  res.on('close', () => clearInterval(look));
}

/** Pauses for `ms` behind every `bytes`. */
function rest(res, comparison, { bytes, ms }) {
  let next = bytes;
  res.on('data', () => {
    if (comparison.bytes < next) return;
    next += bytes;
    res.pause();
    setTimeout(() => res.resume(), ms);
  });
}

function read({ url, size, rate, pauses }) {
  http.get(url, { agent: false }, (res) => {
    const comparison = new Comparison(size);
    res.on('data', (bytes) => comparison.take(bytes));
    if (rate) throttle(res, comparison, rate);
    if (pauses) rest(res, comparison, pauses);
    res.on('error', () => {}); // `isComplete` tells
    res.on('close', () => {
      const { events, wrong, bytes } = comparison;
      process.send({ events, wrong, bytes, isComplete: res.complete }, () => process.exit());
    });
  });
}

/**
 * @param {{url: string, size: number, rate?: number, pauses?: {bytes: number, ms: number}}} how `rate`: bytes a second
 * @returns {{report: Promise<{events: number, wrong: number, bytes: number, isComplete: boolean}>, stop: () => void}}
 *   `report` comes with the end of the stream
 */
function readPaced(how) {
  const child = fork(__filename, [JSON.stringify(how)], { execArgv: [] });
  const report = new Promise((resolve, reject) => {
    child.on('message', resolve);
    child.on('exit', (code, signal) =>
      reject(new Error(`the reader has ended: ${code ?? signal}`)),
    );
  });
  report.catch(() => {}); // who waits for it is told, and a test that has failed is not
  return { report, stop: () => child.kill('SIGKILL') };
}

if (require.main === module) read(JSON.parse(process.argv[2]));

module.exports = { readPaced };
