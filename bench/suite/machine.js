'use strict';

const os = require('node:os');

function machineOf() {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memory_gib: Math.round((os.totalmem() / 2 ** 30) * 10) / 10,
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
  };
}

module.exports = { machineOf };
