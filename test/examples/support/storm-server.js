'use strict';

// A server for storm.js, in a process of its own: `node storm-server.js '{"port":0,"retry":…}'`. Says its port; ends in order, over
// `grace`, at SIGTERM.

const http = require('node:http');
const { createHub } = require('../../..');

const { port, retry, grace } = JSON.parse(process.argv[2]);
const hub = createHub({ retry, heartbeat: false });

const server = http.createServer(
  hub.handler({ rooms: 'all' }, (client) =>
    client.send({ pid: process.pid }, { event: 'welcome' }),
  ),
);
server.listen(port, '127.0.0.1', 4_096, () => process.send({ port: server.address().port }));

process.once('SIGTERM', async () => {
  await hub.close({ grace });
  server.close();
  process.disconnect();
});
