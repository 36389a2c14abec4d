'use strict';

// The example's server as a child process, on a port of its own.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');

const SCRIPT = path.join(__dirname, '..', '..', '..', 'examples', 'rooms', 'server.js');

async function startServer(port = 0) {
  const child = spawn(process.execPath, [SCRIPT], {
    env: { ...process.env, PORT: String(port) },
    stdio: 'pipe',
  });
  const exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  let printed = '';
  const address = await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        printed += text;
        const at = /http:\/\/localhost:(\d+)\n/.exec(printed);
        if (at) resolve(Number(at[1]));
      });
    }
    exited.then(() => reject(new Error(`the server ended before it listened:\n${printed}`)));
  });

  return {
    port: address,
    url: `http://localhost:${address}`,
    exited,
    printed: () => printed,
    signal: (name) => child.kill(name),
    async stop(name = 'SIGKILL') {
      if (child.exitCode === null && child.signalCode === null) child.kill(name);
      return exited;
    },
  };
}

module.exports = { startServer, SCRIPT };
