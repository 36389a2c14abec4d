'use strict';

// What the hub asks of a request and a response, on top of an application's own Connection.

const { EventEmitter } = require('node:events');

class ConnectionRequest {
  constructor({ request }) {
    this.method = request.method;
    this.httpVersionMajor = 1;
    this.headers = {};
  }

  on() {
    return this;
  }
}

class ConnectionResponse extends EventEmitter {
  constructor(connection) {
    super();
    const { signal } = connection.request;
    this.headersSent = false;
    this.writableEnded = false;
    this.writableLength = 0;
    this.destroyed = signal.aborted;
    this._connection = connection;
    this._decoder = new TextDecoder(); // what the hub writes may end within a character
    if (!signal.aborted) signal.addEventListener('abort', () => this.destroy(), { once: true });
  }

  /** The head is the connection's own. */
  setHeader() {}

  removeHeader() {}

  writeHead() {}

  flushHeaders() {
    this.headersSent = true;
    this._connection.sendHead();
  }

  write(bytes) {
    const chunk = this._decoder.decode(bytes, { stream: true });
    if (chunk !== '') this._connection.sendChunk(chunk);
    return true;
  }

  end() {
    if (this.writableEnded) return;
    this.writableEnded = true;
    setImmediate(() => this.emit('finish'));
  }

  destroy() {
    if (this.destroyed) return;
    this.destroyed = true;
    process.nextTick(() => this.emit('close'));
  }
}

module.exports = { ConnectionRequest, ConnectionResponse };
