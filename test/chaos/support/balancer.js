'use strict';

// Between clients and the processes: each connection goes to a process that lives, and to another one than that client's last. It
// passes bytes on, and cuts connections in the middle of a piece.

const net = require('node:net');

class Balancer {
  /** @param {object} random */
  constructor(random) {
    this._random = random;
    this._ports = new Map(); // name of a process that lives → its port
    this._last = new Map(); // client → where it was
    this._pairs = new Set();
    this._cutting = null;
    this.connections = 0;
    this.moved = 0; // of them: to another process than before
    this.cuts = 0;
    this.refused = 0; // nobody lived
    this._server = net.createServer((reader) => this._accept(reader));
  }

  async listen() {
    await new Promise((resolve) => this._server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${this._server.address().port}/`;
  }

  add(name, port) {
    this._ports.set(name, port);
  }

  /** It takes no more; what it has is cut by its end. */
  remove(name) {
    this._ports.delete(name);
  }

  /** Who asks stands in the first line of its request. */
  _accept(reader) {
    reader.on('error', () => {});
    let head = '';
    const onData = (chunk) => {
      head += chunk.toString('latin1');
      const found = /^GET \S*[?&]client=(\d+)\S* /.exec(head);
      if (found === null) return;
      reader.off('data', onData).pause();
      this._pass(reader, head, found[1]);
    };
    reader.on('data', onData);
  }

  _choose(client) {
    const names = [...this._ports.keys()];
    const others = names.filter((name) => name !== this._last.get(client));
    return this._random.pick(others.length > 0 ? others : names);
  }

  _pass(reader, head, client) {
    const name = this._choose(client);
    if (name === undefined) {
      this.refused++;
      reader.destroy();
      return;
    }
    const last = this._last.get(client);
    this.connections++;
    if (last !== undefined && last !== name) this.moved++;
    this._last.set(client, name);
    const server = net.connect(this._ports.get(name), '127.0.0.1');
    const pair = { reader, server, isCut: false };
    this._pairs.add(pair);
    const over = () => {
      this._pairs.delete(pair);
      reader.destroy();
      server.destroy();
    };
    for (const socket of [reader, server]) socket.on('error', over).on('close', over);
    server.write(head, 'latin1');
    reader.pipe(server);
    server.pipe(reader);
  }

  /** From now on so many connections a second are cut, each within what comes next. */
  cut(perSecond) {
    this._cutting = setInterval(() => {
      const pair = this._random.pick([...this._pairs]);
      if (pair === undefined || pair.isCut) return;
      pair.isCut = true;
      this.cuts++;
      pair.server.unpipe(pair.reader);
      pair.server.once('data', (chunk) => this._cutIn(pair, chunk)).resume();
    }, 1_000 / perSecond);
  }

  _cutIn({ reader, server }, chunk) {
    server.pause();
    reader.write(chunk.subarray(0, this._random.below(chunk.length + 1)), () => {
      if (this._random.chance(0.5)) reader.resetAndDestroy();
      else reader.destroy();
    });
  }

  stopCutting() {
    clearInterval(this._cutting);
  }

  close() {
    this.stopCutting();
    for (const { reader, server } of this._pairs) {
      reader.destroy();
      server.destroy();
    }
    this._server.close();
  }
}

module.exports = { Balancer };
