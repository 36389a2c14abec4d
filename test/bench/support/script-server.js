'use strict';

const { once } = require('node:events');
const net = require('node:net');

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n';
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;

/** One chunk of a body. */
const chunk = (text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

/** A server that answers with the bytes that a test says: `answer(socket, request)` is called with the text of each request. */
class ScriptServer {
  requests = [];
  sockets = [];

  static async start(answer) {
    const it = new ScriptServer();
    it._server = net.createServer((socket) => {
      it.sockets.push(socket);
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        const request = bytes.toString('latin1');
        it.requests.push(request);
        answer(socket, request);
      });
    });
    it._server.listen(0, '127.0.0.1');
    await once(it._server, 'listening');
    it.port = it._server.address().port;
    return it;
  }

  stop() {
    this._server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

module.exports = { CHUNKED, HEAD, ScriptServer, chunk };
