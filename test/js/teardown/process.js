'use strict';

// A process that reaches a stage and ends:   node process.js STAGE WAY
// Prints the port of its server.

const { run } = require('./stages');

const [stage, way] = process.argv.slice(2);

const WAYS = {
  'process.exit': () => process.exit(7),
  throw: () => {
    throw new Error('on purpose');
  },
  /** Nobody closes the hub; the peers leave (see the test), and then nothing keeps the process. */
  naturally: ({ server, flood }) => {
    clearInterval(flood);
    server.close();
    console.log('over');
  },
  'hub.close': ({ server, hub, flood }) => {
    clearInterval(flood);
    server.close();
    setTimeout(() => server.closeAllConnections(), 100); // those of other hubs
    hub.close({ grace: 50 });
  },
  SIGTERM: () => process.kill(process.pid, 'SIGTERM'),
};

run(stage, (port) => console.log(port), WAYS[way]);
