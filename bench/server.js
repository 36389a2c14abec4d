'use strict';

// One driver in a process of its own: `node --expose-gc server.js DRIVER SCENARIO OPTIONS`. Does what suite/process.js asks by IPC.

const { createServer } = require('./suite/driver');
const { loadScenario } = require('./suite/scenario');

const [name, scenario, options] = process.argv.slice(2);
const { work } = loadScenario(scenario);
const streams = []; // of a client of its own each

let server;

const turn = () => new Promise((resolve) => setImmediate(resolve));

const ACTS = {
  async listen() {
    server = await createServer(name, {
      ...JSON.parse(options),
      onStream: (stream) => streams.push(stream),
    });
    const port = await server.listen();
    return {
      port,
      tls: server.tls === true,
      protocol: server.protocol,
      pids: server.pids?.(),
    };
  },
  work: ({ name, settings }) => work[name](server, settings, streams),
  async gc() {
    for (let i = 0; i < 2; i++) {
      globalThis.gc();
      await turn();
    }
  },
  stats: () => server.stats?.(),
  stop: () => server?.stop?.(),
};

process.on('message', async ({ id, act, ...rest }) => {
  try {
    const value = await ACTS[act](rest);
    process.send({ id, value });
  } catch (err) {
    process.send({ id, error: err.stack });
  }
});
process.on('disconnect', async () => {
  await server?.stop?.();
  process.exit();
});
