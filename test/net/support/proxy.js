'use strict';

// A link for where there are no namespaces: a proxy on loopback that passes on so many bytes in a second, late, and that can stop
// passing anything on. What it cannot do: packets are never lost, and the kernel goes on acknowledging when it is down.

const { once } = require('node:events');
const net = require('node:net');

const TICK = 10; // ms
const DELAY = 100; // ms
const MOST = 4_096; // bytes that wait in the proxy for one connection before it reads no more

/** One direction of one connection. */
class Lane {
  constructor(from, to, slow = false, delay = 0) {
    this._from = from;
    this._to = to;
    this._slow = slow;
    this._delay = delay;
    this._queue = []; // { due, bytes }
    this._size = 0;
    this._end = null; // what to call when all has passed
    this._ended = false;
    from.on('data', (bytes) => this._take(bytes));
    from.on('error', (err) => this._over(err.code === 'ECONNRESET' ? 'resetAndDestroy' : 'end'));
    from.on('end', () => this._over('end'));
    from.on('close', () => this._over('end'));
  }

  _take(bytes) {
    this._queue.push({ due: Date.now() + this._delay, bytes });
    this._size += bytes.length;
    if (this._size > MOST) this._from.pause();
  }

  _over(how) {
    this._end ??= how;
  }

  _pastEnd() {
    if (this._end === null || this._ended) return;
    this._ended = true;
    this._to[this._end]();
  }

  /** Passes on at most so many bytes. @returns {number} how many */
  pass(most) {
    const now = Date.now();
    let passed = 0;
    while (this._queue.length > 0 && this._queue[0].due <= now && passed < most) {
      const first = this._queue[0];
      const part = first.bytes.subarray(0, most - passed);
      first.bytes = first.bytes.subarray(part.length);
      if (first.bytes.length === 0) this._queue.shift();
      passed += part.length;
      this._to.write(part);
    }
    this._size -= passed;
    if (this._size <= MOST && this._from.isPaused()) this._from.resume();
    if (this._queue.length === 0) this._pastEnd();
    return passed;
  }
}

class ProxyLink {
  static async open(quality = {}) {
    return new ProxyLink(quality);
  }

  constructor({ kbit = Infinity }) {
    this._delay = kbit < Infinity ? DELAY : 0;
    this._bytesPerTick = (kbit * 1_000 * TICK) / 8 / 1_000;
    this._down = false;
    this._lanes = [];
    this._sockets = [];
    this._listeners = new Map(); // by the port of the server behind
    this._turn = 0;
    this._timer = setInterval(() => this._pass(), TICK);
  }

  _pass() {
    if (this._down) return;
    let left = this._bytesPerTick;
    for (let i = 0; i < this._lanes.length; i++) {
      const lane = this._lanes[(this._turn + i) % this._lanes.length];
      if (lane._slow) left -= lane.pass(left);
      else lane.pass(Infinity);
    }
    this._turn++;
  }

  _join(near, port) {
    const far = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this._sockets.push(near, far);
    this._lanes.push(new Lane(near, far), new Lane(far, near, true, this._delay));
  }

  async listen(server) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const listener = net.createServer({ allowHalfOpen: true }, (near) => this._join(near, port));
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    this._listeners.set(port, listener);
    return port;
  }

  connect(port) {
    return this.connectNear(this._listeners.get(port).address().port);
  }

  async connectNear(port) {
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  }

  async down() {
    this._down = true;
  }

  async up() {
    this._down = false;
  }

  async close() {
    clearInterval(this._timer);
    for (const socket of this._sockets) socket.destroy();
    for (const listener of this._listeners.values()) listener.close();
  }
}

module.exports = { ProxyLink };
