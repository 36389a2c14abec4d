'use strict';

// Many readers that do as EventSource does: they wait as long as `retry` says when a stream has ended, and come back, on
// the old connection if the server has left it open. Raw sockets, made for thousands; times are of the system's clock, so
// that other processes can be compared.

const net = require('node:net');

const HEAD_END = '\r\n\r\n';
const LAST_CHUNK = '\r\n0\r\n\r\n';

class Returning {
  constructor(port, path) {
    this.streams = []; // one for each answer with a `welcome` event: { pid, begun, ended, ending }
    this.tries = []; // when it came (back), answered or not
    this.sentAway = 0; // answers without a stream
    this.refused = 0; // connections that were refused
    this.onOld = 0; // came back on a connection that had carried a stream before
    this.firstOut = null; // who has ended the first connection: 'server', or this 'reader'
    this._request = `GET ${path} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n`;
    this._port = port;
    this._retry = 3_000; // what browsers do untold
  }

  come() {
    this.tries.push(Date.now());
    this._text = '';
    this._stream = null;
    this._isOver = false;
    if (this._socket !== undefined && !this._socket.destroyed) {
      this.onOld++;
      this._socket.write(this._request);
      return;
    }
    // Half-open, so that it is seen who ends the connection first.
    const socket = net.connect({ port: this._port, host: '127.0.0.1', allowHalfOpen: true });
    this._socket = socket;
    socket.setEncoding('latin1');
    socket.on('connect', () => socket.write(this._request));
    socket.on('data', (text) => this._feed(text));
    socket.on('end', () => this._connectionEnded(socket));
    socket.on('error', (err) => {
      if (err.code === 'ECONNREFUSED') this.refused++;
      this._over(err.code === 'ECONNREFUSED' ? 'refused' : 'cut');
    });
  }

  close() {
    this.firstOut ??= 'reader';
    clearTimeout(this._timer);
    this._socket.destroy();
  }

  _feed(text) {
    this._text += text;
    const head = this._text.indexOf(HEAD_END);
    if (head < 0) return;
    const body = this._text.slice(head + HEAD_END.length);
    for (const [, ms] of body.matchAll(/retry: (\d+)\n/g)) this._retry = Number(ms);
    const pid = /"pid":(\d+)/.exec(body);
    if (pid !== null && this._stream === null) {
      this._stream = { pid: Number(pid[1]), begun: Date.now(), ended: null, ending: null };
      this.streams.push(this._stream);
    }
    const length = /\r\ncontent-length: (\d+)/i.exec(this._text.slice(0, head));
    const isWhole = length ? body.length === Number(length[1]) : this._text.endsWith(LAST_CHUNK);
    if (isWhole) this._over('whole');
  }

  /** The answer has ended, or will not come. */
  _over(how) {
    if (this._isOver) return;
    this._isOver = true;
    if (this._stream !== null) {
      this._stream.ended = Date.now();
      this._stream.ending = how;
    } else if (how === 'whole') {
      this.sentAway++;
    }
    this._timer = setTimeout(() => this.come(), this._retry);
  }

  _connectionEnded(socket) {
    this._over('cut');
    this.firstOut ??= 'server';
    socket.destroy();
  }
}

module.exports = { Returning };
