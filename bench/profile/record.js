'use strict';

const { execFile, spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { once } = require('node:events');

const HZ = 4_000;
const READY_MS = 400; // perf doesn't say when it has begun

/** @returns {string | undefined} why there can be no profile here */
function whyNot() {
  if (process.platform !== 'linux') return 'perf is a tool of Linux';
  const paths = (process.env.PATH ?? '').split(path.delimiter);
  const found = paths.some((dir) => fs.existsSync(path.join(dir, 'perf')));
  return found ? undefined : 'perf is missing: apt-get install linux-perf';
}

/** perf's samples of some processes, from start() to stop(). */
class Recording {
  static async start(pids) {
    const recording = new Recording();
    recording.file = path.join(os.tmpdir(), `fanline-profile-${process.pid}-${Date.now()}.data`);
    const args = ['record', '-q', '-F', HZ, '-g', '-o', recording.file, '-p', pids.join(',')];
    recording.child = spawn('perf', args.map(String), { stdio: ['ignore', 'ignore', 'pipe'] });
    recording.said = '';
    recording.child.stderr.on('data', (text) => {
      recording.said += text;
    });
    await new Promise((resolve) => setTimeout(resolve, READY_MS));
    if (recording.child.exitCode !== null) throw new Error(`perf: ${recording.said.trim()}`);
    return recording;
  }

  /** @param {(sample: { tid: number, object: string, stack: string[] }) => void} onSample */
  async stop(onSample) {
    const closed = once(this.child, 'close');
    this.child.kill('SIGINT');
    await closed;
    const script = spawn('perf', ['script', '-i', this.file, '-F', 'tid,ip,sym,dso'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      await readSamples(script.stdout, onSample);
    } finally {
      script.kill();
      fs.rmSync(this.file, { force: true });
    }
  }
}

/** A sample is a line with its thread, a line for each function ("  7f… symbol (file)"), and an empty line. */
async function readSamples(stream, onSample) {
  let sample = null;
  for await (const line of readline.createInterface({ input: stream })) {
    if (line.trim() === '') {
      if (sample !== null) onSample(sample);
      sample = null;
    } else if (sample === null) {
      sample = { tid: Number.parseInt(line, 10), object: '', stack: [] };
    } else {
      const [, symbol, object] =
        /^\s*[0-9a-f]+\s+(.*?)(?:\+0x[0-9a-f]+)?\s+\((.*)\)$/.exec(line) ?? [];
      if (symbol === undefined) continue;
      if (sample.stack.length === 0) sample.object = object;
      sample.stack.push(symbol);
    }
  }
  if (sample !== null) onSample(sample);
}

/** The version of perf, for the report. */
function version() {
  return new Promise((resolve, reject) =>
    execFile('perf', ['--version'], (err, out) => (err ? reject(err) : resolve(out.trim()))),
  );
}

module.exports = { Recording, readSamples, version, whyNot };
