'use strict';

const http = require('node:http');
const { versionOf } = require('../suite/version');

/** No event stream: WebSocket at /socket.io/; `rooms` and `stream` of the query say what /events and /stream say elsewhere. */
async function create({ onStream }) {
  const { Server } = require('socket.io');
  const server = http.createServer((req, res) => {
    if (req.url === '/ping') res.end('pong');
    else res.writeHead(404).end();
  });
  const io = new Server(server, { transports: ['websocket'], serveClient: false });
  io.on('connection', (socket) => {
    const { rooms, stream } = socket.handshake.query;
    if (stream === undefined) {
      socket.join(['all', ...(rooms?.split(',') ?? [])]);
      return;
    }
    onStream({
      send: (text) => socket.emit('message', text),
      async pipe(source) {
        for await (const text of source) socket.emit('message', text);
        socket.disconnect(true);
      },
      end: () => socket.disconnect(true),
    });
  });
  return {
    protocol: 'socket.io',
    listen: () =>
      new Promise((resolve, reject) => {
        server.on('error', reject);
        server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
          resolve(server.address().port),
        );
      }),
    broadcast: (text) => io.to('all').emit('message', text),
    toRoom: (room, text) => io.to(room).emit('message', text),
    clients: () => Array.from(io.sockets.sockets.values()),
  };
}

module.exports = {
  what: 'socket.io: WebSocket only, its default engine; everybody is in one room',
  versions: () => ({ 'socket.io': versionOf('socket.io'), ws: versionOf('ws') }),
  has: ['broadcast', 'rooms', 'private', 'pipe', 'churn', 'ping'],
  create,
};
