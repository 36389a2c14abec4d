'use strict';

// What a server really wrote, head and transfer coding included.

const net = require('node:net');
const tls = require('node:tls');

class Raw {
  constructor(socket) {
    this.socket = socket;
    this.text = ''; // one character per byte
    this.ended = false;
    this._wake = () => {};
    socket.setEncoding('latin1');
    socket.on('error', () => {});
    socket.on('data', (text) => {
      this.text += text;
      this._wake();
    });
    socket.on('close', () => {
      this.ended = true;
      this._wake();
    });
  }

  /** Resolves when `condition(text)` holds, or the connection has ended. */
  async until(condition, ms = 5_000) {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this._wake();
    }, ms);
    while (!condition(this.text) && !this.ended && !late) {
      await new Promise((resolve) => {
        this._wake = resolve;
      });
    }
    clearTimeout(timer);
    if (late) throw new Error(`nothing came; so far ${JSON.stringify(this.text.slice(-300))}`);
  }

  close() {
    this.socket.destroy();
  }
}

/**
 * @param {string} url http or https
 * @param {string} text what is sent
 */
function openRaw(url, text) {
  const { hostname, port, protocol } = new URL(url);
  const options = { host: hostname, port, rejectUnauthorized: false };
  const socket = protocol === 'https:' ? tls.connect(options) : net.connect(options);
  socket.write(text);
  return new Raw(socket);
}

/** A chunked response taken apart: `{ head, chunks, rest }`; `rest` is what follows the terminator, null without one. */
function dechunk(text) {
  const body = text.indexOf('\r\n\r\n') + 4;
  const head = text.slice(0, body);
  const chunks = [];
  let at = body;
  for (;;) {
    const end = text.indexOf('\r\n', at);
    if (end < 0) return { head, chunks, rest: null };
    const line = text.slice(at, end);
    if (!/^[0-9a-fA-F]+$/.test(line)) throw new Error(`not a chunk size: ${JSON.stringify(line)}`);
    const size = Number.parseInt(line, 16);
    const next = end + 2 + size;
    if (text.length < next + 2) return { head, chunks, rest: null };
    if (text.slice(next, next + 2) !== '\r\n') throw new Error('a chunk is longer than it says');
    if (size === 0) return { head, chunks, rest: text.slice(next + 2) };
    chunks.push(text.slice(end + 2, next));
    at = next + 2;
  }
}

module.exports = { dechunk, openRaw };
