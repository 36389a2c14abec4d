'use strict';

// An app as a worker of the test: a hub behind a server on a port of its own, that does what the test says.

const http = require('node:http');
const { createHub } = require('fanline');
const { clusterAdapter } = require('fanline/cluster');

const options = JSON.parse(process.env.SITE ?? '{}');
const hub = createHub({ adapter: clusterAdapter(options.adapter), ...options.hub });
const server = http.createServer(hub.handler(() => ({ rooms: 'x' })));
const say = (...what) => process.connected && process.send(what);

hub.once('adapter', () => {
  server.listen({ port: 0, host: '127.0.0.1', exclusive: true }, () =>
    say('port', server.address().port),
  );
});

const DOES = {
  /** Sends them one by one, and tells of each when it is accepted. */
  async send(name, count, text) {
    for (let n = 0; n < count; n++) {
      const id = await hub.to('x').send(`${name}:${n}:.${text}`).accepted;
      say('accepted', id, `${name}:${n}`);
    }
    say('sent', name);
  },
  async ask(n, verb, ...args) {
    say('answer', n, await hub[verb](...args));
  },
  async close() {
    await hub.close({ grace: 0 });
    server.closeAllConnections();
    server.close();
    process.disconnect();
  },
};

process.on('message', ([verb, ...args]) => DOES[verb](...args));
