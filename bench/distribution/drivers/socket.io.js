'use strict';

const { createAdapter } = require('@socket.io/redis-streams-adapter');
const { Server } = require('socket.io');

const ROOM = 'all';

module.exports = async function driver(server, client, { window, maxLen }) {
  const io = new Server(server, {
    adapter: createAdapter(client, { maxLen }),
    transports: ['websocket'],
  });
  let got = 0;
  let wake = null;
  io.on('connection', (socket) => {
    socket.join(ROOM);
    socket.on('got', (number) => {
      got = number;
      wake?.();
    });
  });
  return {
    send: (text, room = ROOM) => io.to(room).emit('message', text),
    async paced(sent) {
      while (sent - got > window) {
        await new Promise((resolve) => {
          wake = resolve;
        });
      }
    },
  };
};
