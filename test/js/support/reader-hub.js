'use strict';

// A hub with one client in a room, and a reader of it.

const { createHub } = require('fanline');
const { open } = require('./open');
const { serve } = require('./serve');

/** @param {object} [options] of the hub; there is neither heartbeat nor retry line. */
async function connected(options) {
  const hub = createHub({ retry: false, heartbeat: false, history: false, ...options });
  let client;
  const server = await serve((req, res) => {
    client = hub.connect(req, res, { rooms: 'room', user: 'u' });
  });
  const stream = await open(server.url);
  await stream.until(({ text }) => text === ':\n');
  const senders = {
    'hub.broadcast': (data, opts) => hub.broadcast(data, opts),
    'Target.send': (data, opts) => hub.to('room').send(data, opts),
    'Target.send to nobody': (data, opts) => hub.to('nobody').send(data, opts),
    'Client.send': (data, opts) => client.send(data, opts),
  };
  async function close() {
    await hub.close({ grace: 0 });
    await server.close();
  }
  return { hub, client, stream, senders, close };
}

module.exports = { connected };
