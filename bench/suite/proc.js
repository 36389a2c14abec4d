'use strict';

const fs = require('node:fs');

/** A thread's CPU time in nanoseconds; one that has ended in the meantime has none. */
function threadCpu(pid, tid) {
  try {
    return Number(fs.readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'latin1').split(' ')[0]);
  } catch {
    return 0;
  }
}

function residentBytes(pid) {
  const [, kib] =
    /^VmRSS:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return Number(kib ?? 0) * 1024;
}

/**
 * What processes have used, as the operating system counts it.
 * @param {number[]} pids
 * @param {number} [jsPid]  the one whose first thread runs JavaScript
 */
function usageOf(pids, jsPid) {
  let cpu = 0;
  let rss = 0;
  for (const pid of pids) {
    for (const tid of fs.readdirSync(`/proc/${pid}/task`)) cpu += threadCpu(pid, tid);
    rss += residentBytes(pid);
  }
  return {
    cpu_s: cpu / 1e9,
    js_s: jsPid === undefined ? undefined : threadCpu(jsPid, jsPid) / 1e9,
    rss,
  };
}

module.exports = { usageOf };
