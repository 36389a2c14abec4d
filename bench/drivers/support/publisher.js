'use strict';

const net = require('node:net');

/** What ends the head of a response. */
const BLANK = '\r\n\r\n';

/**
 * Publishes to nchan: POSTs on one connection that stays open, sent at once and answered in their order. It is not the server that
 * is measured, so it is no more than that.
 */
class Publisher {
  static connect(port) {
    return new Promise((resolve, reject) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(new Publisher(socket)));
      socket.once('error', reject);
    });
  }

  constructor(socket) {
    this._socket = socket.setNoDelay(true).setEncoding('latin1');
    this._waiting = []; // of each POST without an answer, in order
    this._text = '';
    this._error = null;
    socket.on('data', (text) => this._take(text));
    socket.on('error', (error) => this._fail(error));
    socket.on('close', () =>
      this._fail(new Error('nginx has closed the connection of the publisher')),
    );
  }

  /** Resolves when the server has taken it. */
  publish(room, text) {
    if (this._error) return Promise.reject(this._error);
    const body = Buffer.byteLength(text);
    this._socket.write(
      `POST /publish?room=${encodeURIComponent(room)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body}\r\n\r\n${text}`,
    );
    return new Promise((resolve, reject) => this._waiting.push({ resolve, reject }));
  }

  close() {
    this._socket.destroy();
  }

  _take(text) {
    this._text += text;
    for (;;) {
      const head = this._text.indexOf(BLANK);
      if (head < 0) return;
      const [, length] = /\r\ncontent-length: (\d+)/i.exec(this._text.slice(0, head + 2)) ?? [];
      const end = head + BLANK.length + Number(length ?? 0);
      if (this._text.length < end) return;
      this._answer(Number(this._text.slice(9, 12)));
      this._text = this._text.slice(end);
    }
  }

  _answer(status) {
    const { resolve, reject } = this._waiting.shift();
    if (status === 201 || status === 202) resolve();
    else reject(new Error(`nchan has answered ${status}`));
  }

  _fail(error) {
    this._error ??= error;
    for (const { reject } of this._waiting.splice(0)) reject(this._error);
  }
}

module.exports = { Publisher };
