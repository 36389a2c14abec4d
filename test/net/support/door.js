'use strict';

// A process at one end of a link, in a network namespace of its own that lives as long as it does. It opens sockets there and hands
// them to its parent, so that server and readers run where the test is. Orders are messages `{ call, method, args }`.

const { execFileSync } = require('node:child_process');
const { once } = require('node:events');
const net = require('node:net');

const METHODS = {
  /** Runs commands of the shell in this namespace. */
  run: (script) => ({ result: execFileSync('sh', ['-ec', script], { encoding: 'utf8' }) }),

  async listen() {
    const server = net.createServer();
    server.listen(0, '0.0.0.0');
    await once(server, 'listening');
    return { result: server.address().port, handle: server };
  },

  async connect(port, host) {
    const socket = net.connect(port, host);
    socket.pause(); // what arrives is the parent's to read
    await once(socket, 'connect');
    return { handle: socket };
  },
};

process.on('message', async ({ call, method, args }) => {
  try {
    const { result, handle } = await METHODS[method](...args);
    // A listening handle that stayed open here would go on accepting.
    process.send({ call, result }, handle, () => handle?.close?.());
  } catch (err) {
    process.send({ call, error: `${method} ${args.join(' ')}: ${err.stderr || err.message}` });
  }
});

process.on('disconnect', () => process.exit());
