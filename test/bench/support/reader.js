'use strict';

const assert = require('node:assert/strict');
const http = require('node:http');
const https = require('node:https');
const path = require('node:path');
const { createParser } = require('eventsource-parser');

const SOON = 5_000; // ms

/** What a driver of the benchmark sends to one client, read by a strict parser; `texts` are the data of its events, in order. */
class Reader {
  texts = [];
  lastEventId = '';
  ended = false;
  _wake = () => {};

  /** @param {string} path /events or /stream, with its query */
  static async open(server, path, { lastEventId } = {}) {
    const reader = server.protocol === 'socket.io' ? new SocketReader() : new StreamReader();
    await reader._open(server, path, lastEventId);
    return reader;
  }

  /** Resolves when so many events are there. */
  async has(count) {
    await this._until(
      () => this.texts.length >= count,
      () => `${count} events`,
    );
  }

  async end() {
    await this._until(
      () => this.ended,
      () => 'the end',
    );
  }

  async _until(holds, what) {
    const end = Date.now() + SOON;
    while (!holds()) {
      const left = end - Date.now();
      if (left <= 0) assert.fail(`waiting for ${what()} there are ${this.texts.length}`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left);
        this._wake = () => resolve(clearTimeout(timer));
      });
    }
  }

  _take(text) {
    this.texts.push(text);
    this._wake();
  }

  _over() {
    this.ended = true;
    this._wake();
  }
}

class StreamReader extends Reader {
  _open({ port, tls }, path, lastEventId) {
    const parser = createParser({
      onEvent: ({ data, event, id }) => {
        if (event?.startsWith('fanline:')) return; // about the stream, not of it
        if (id) this.lastEventId = id;
        this._take(data.startsWith('"') ? JSON.parse(data) : data);
      },
      onError: (err) => assert.fail(`not an event stream: ${err.message}`),
    });
    const headers = { Accept: 'text/event-stream' };
    if (lastEventId) headers['Last-Event-ID'] = lastEventId;
    return new Promise((resolve, reject) => {
      this._request = (tls ? https : http).get(
        { host: '127.0.0.1', port, path, headers, agent: false, rejectUnauthorized: false },
        (res) => {
          assert.equal(res.statusCode, 200);
          assert.match(res.headers['content-type'], /^text\/event-stream/);
          res.setEncoding('utf8').on('data', (text) => parser.feed(text));
          res.on('end', () => this._over());
          res.on('error', () => this._over());
          resolve();
        },
      );
      this._request.on('error', reject);
    });
  }

  close() {
    this._request.destroy();
  }
}

/** The same events by WebSocket, with the client of socket.io. */
class SocketReader extends Reader {
  _open({ port }, address) {
    const modules = path.join(__dirname, '..', '..', '..', 'bench', 'node_modules');
    const { io } = require(path.join(modules, 'socket.io-client'));
    const { pathname, searchParams } = new URL(address, 'http://localhost');
    const query = pathname === '/stream' ? { stream: 1 } : Object.fromEntries(searchParams);
    this._socket = io(`http://127.0.0.1:${port}`, {
      query,
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
    });
    this._socket.on('message', (text) => this._take(text));
    this._socket.on('disconnect', () => this._over());
    return new Promise((resolve, reject) => {
      this._socket.on('connect', resolve).on('connect_error', reject);
    });
  }

  close() {
    this._socket.disconnect();
  }
}

module.exports = { Reader };
