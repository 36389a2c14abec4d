'use strict';

// Between readers and a server on loopback: passes bytes on, and cuts connections, at random moments or all at once.

const net = require('node:net');

class CuttingProxy {
  /** @param {() => number} target the server's port at this moment */
  constructor(target) {
    this._pairs = new Set();
    this._meanMs = 0;
    this.cuts = 0;
    this._server = net.createServer((reader) => this._pass(reader, target()));
  }

  async listen() {
    await new Promise((resolve) => this._server.listen(0, '127.0.0.1', resolve));
    this.port = this._server.address().port;
  }

  _pass(reader, port) {
    const pair = { reader, server: net.connect(port, '127.0.0.1'), timer: undefined };
    this._pairs.add(pair);
    const over = () => this._end(pair);
    for (const socket of [pair.reader, pair.server]) {
      socket.on('error', over);
      socket.on('close', over);
    }
    reader.pipe(pair.server);
    pair.server.pipe(reader);
    this._arm(pair);
  }

  _arm(pair) {
    if (this._meanMs === 0) return;
    pair.timer = setTimeout(() => this._cut(pair), Math.random() * 2 * this._meanMs);
  }

  _cut(pair) {
    this.cuts++;
    if (Math.random() < 0.5) pair.reader.resetAndDestroy();
    this._end(pair);
  }

  _end(pair) {
    if (!this._pairs.delete(pair)) return;
    clearTimeout(pair.timer);
    pair.reader.destroy();
    pair.server.destroy();
  }

  /** From now on each connection lasts a random time; 0: as long as it likes. */
  cutEach(meanMs) {
    this._meanMs = meanMs;
    for (const pair of this._pairs) {
      clearTimeout(pair.timer);
      this._arm(pair);
    }
  }

  cutAll() {
    for (const pair of [...this._pairs]) this._cut(pair);
  }

  async close() {
    this.cutEach(0);
    for (const pair of [...this._pairs]) this._end(pair);
    await new Promise((resolve) => this._server.close(resolve));
  }
}

module.exports = { CuttingProxy };
