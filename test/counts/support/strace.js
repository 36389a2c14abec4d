'use strict';

// What the kernel counts: the system calls of the loop's thread for a broadcast, whoever made them, as strace sees them. The counts
// of imports (addon.js) do not know of what the C library does by itself: a lock that is waited for, memory given back.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const CLIENTS = 20;
const BROADCASTS = 100;
const KINDS = {
  'socket writes': /^(sendmsg|sendto|sendmmsg|writev)$/,
  waits: /^(epoll_p?wait2?|p?poll)$/,
  reads: /^(read|readv|recvmsg|recvfrom)$/,
  'other system calls': /./,
};
const STRETCH = /"fanline-counts-begin"(.*)"fanline-counts-end"/s; // marks that broadcasts.js leaves

/** Kind → how often the loop's thread made such a call: the thread that writes with MSG_DONTWAIT. */
function callsOf(trace) {
  const [, stretch] = STRETCH.exec(trace);
  const calls = [...stretch.matchAll(/^(\d+) +(\w+)\(([^\n]*)/gm)];
  const isOurs = ([, , name, rest]) => /^send/.test(name) && rest.includes('MSG_DONTWAIT');
  const loop = calls.find(isOurs)?.[1];
  if (loop === undefined) throw new Error('no thread of this process writes as the loop does');
  const sums = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, 0]));
  for (const [, thread, name] of calls) {
    if (thread === loop) sums[Object.keys(KINDS).find((kind) => KINDS[kind].test(name))]++;
  }
  return sums;
}

/** Of one broadcast. */
function measure() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-strace-'));
  const file = path.join(dir, 'trace');
  const program = [process.execPath, path.join(__dirname, 'broadcasts.js')];
  try {
    execFileSync('strace', ['-f', '-o', file, ...program, CLIENTS, BROADCASTS].map(String), {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: 60_000,
    });
    const sums = callsOf(fs.readFileSync(file, 'utf8'));
    return Object.fromEntries(
      Object.entries(sums).map(([kind, count]) => [kind, count / BROADCASTS]),
    );
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
}

module.exports = { CLIENTS, measure };
