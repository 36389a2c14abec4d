'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const readline = require('node:readline');
const { buildNative, nativePath } = require('../suite/native');

/** Texts go to it through a pipe; when that is full, it has enough to do. */
async function create({ onStream }) {
  buildNative();
  const child = spawn(nativePath('bare'), { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = readline.createInterface({ input: child.stdout });
  const [port] = await once(lines, 'line');
  const say = (line) => {
    if (!child.stdin.write(`${line}\n`)) return once(child.stdin, 'drain').then(() => {});
  };
  lines.on('line', (line) => {
    const [, number] = /^stream (\d+)$/.exec(line);
    onStream({ send: (text) => say(`#${number} ${text}`), end() {} });
  });
  return {
    listen: async () => Number(port),
    pids: () => [child.pid],
    stop() {
      child.kill('SIGKILL');
      return once(child, 'exit');
    },
    broadcast: say,
    toRoom: (room, text) => say(`@${room} ${text}`),
  };
}

module.exports = {
  what: 'one thread in C that does nothing but send(): the floor',
  versions: () => ({}),
  has: ['broadcast', 'rooms', 'private', 'ping'],
  create,
};
