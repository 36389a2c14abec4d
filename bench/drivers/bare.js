'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { buildNative, nativePath } = require('../suite/native');

/** Texts go to it through a pipe; when that is full, it has enough to do. */
async function create() {
  buildNative();
  const child = spawn(nativePath('bare'), { stdio: ['pipe', 'pipe', 'inherit'] });
  const [port] = await once(child.stdout.setEncoding('latin1'), 'data');
  return {
    listen: async () => Number(port),
    pids: () => [child.pid],
    stop: () => child.kill('SIGKILL'),
    broadcast(text) {
      if (!child.stdin.write(`${text}\n`)) return once(child.stdin, 'drain').then(() => {});
    },
  };
}

module.exports = {
  what: 'one thread in C that does nothing but send(): the floor',
  versions: () => ({}),
  has: ['broadcast'],
  create,
};
