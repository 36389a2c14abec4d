'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { Worker } = require('node:worker_threads');
const { cpuTimes } = require('../../bench/suite/machine');
const { usageOf } = require('../../bench/suite/proc');

const BURN = `
  const end = process.cpuUsage().user + 150e3;
  while (process.cpuUsage().user < end);
`;

describe('bench: what a process has used', () => {
  it('a thread beside the JavaScript thread counts for the process, not for the JavaScript thread', async () => {
    const before = usageOf([process.pid], process.pid);
    const worker = new Worker(
      `${BURN} require('worker_threads').parentPort.once('message', () => {}).postMessage(1)`,
      { eval: true },
    );
    await once(worker, 'message');
    const after = usageOf([process.pid], process.pid);
    const cpu = after.cpu_s - before.cpu_s;
    const js = after.js_s - before.js_s;
    await worker.terminate();
    assert.ok(cpu >= 0.1, `${cpu} s`);
    assert.ok(js < cpu / 2, `${js} of ${cpu} s`);
  });

  it('several processes are added up; without a JavaScript thread there is no time of one', async () => {
    const children = [1, 2].map(() =>
      spawn(process.execPath, ['-e', `${BURN} console.log(1); setInterval(() => {}, 1e3)`]),
    );
    try {
      await Promise.all(children.map((child) => once(child.stdout, 'data')));
      const each = children.map(({ pid }) => usageOf([pid]));
      const both = usageOf(children.map(({ pid }) => pid));
      for (const { cpu_s, rss } of each)
        assert.ok(cpu_s >= 0.14 && rss > 20e6, `${cpu_s} s, ${rss} bytes`);
      assert.ok(both.cpu_s >= each[0].cpu_s + each[1].cpu_s);
      assert.ok(Math.abs(both.rss - each[0].rss - each[1].rss) < 5e6);
      assert.equal(both.js_s, undefined);
    } finally {
      for (const child of children) child.kill('SIGKILL');
    }
  });

  it('what a process has used that was killed belongs to the run, not to others', async () => {
    const before = cpuTimes();
    const child = spawn(process.execPath, [
      '-e',
      `${BURN} console.log(1); setInterval(() => {}, 1e3)`,
    ]);
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'close');
    const { ours, busy, all } = cpuTimes();
    assert.ok(ours - before.ours >= 0.13, `${ours - before.ours} s`);
    assert.ok(busy - before.busy >= 0.1 && all > busy, 'the machine was busy with it');
  });
});
