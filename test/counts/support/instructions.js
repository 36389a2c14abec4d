'use strict';

// Runs instructions.c under callgrind and reads what it wrote: how many instructions of our own code, and how many looks past the
// first-level cache, each scenario took. What is the C library's, the kernel's or the test's own is left out: it depends on the machine.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { OUT, ROOT, objects } = require('./addon');

const SOURCE = path.join(__dirname, 'instructions.c');
const PROGRAM = path.join(OUT, 'instructions');
const CACHES = ['--I1=32768,8,64', '--D1=32768,8,64', '--LL=8388608,16,64']; // the same whatever the machine has

/**
 * What each function scenario_* does, and how often: [what, times, unit]. Where two threads take turns, or nothing is looked up,
 * misses of the cache say nothing.
 */
const SCENARIOS = {
  publish: ['queueing an event of a room of 1,000', 1_000, 'client'],
  turn: ['writing it', 1_000, 'client'],
  publish_everyone: ['queueing an event for everyone', 1_000, 'client'],
  publish_two_rooms: ['queueing an event of two rooms that share members', 1_000, 'client'],
  publish_flood: ['queueing 16 events of a room of 1,000', 16_000, 'delivery'],
  turn_flood: ['writing 16 events at once', 16_000, 'delivery'],
  send: ['queueing a private event', 1_000, 'event'],
  turn_private: ['writing a private event', 1_000, 'event'],
  connect: ['a client that connects and joins rooms', 1_000, 'client'],
  leave: ['a client that is gone', 1_000, 'client'],
  heartbeats: ['a heartbeat', 1_000, 'client'],
  keep: ['keeping an event in the history', 100, 'event'],
  resume: ['giving a client the 100 events that it missed', 10_000, 'event'],
  encode: ['encoding an event of 100 bytes', 1_000, 'event'],
  encode_lines: ['encoding a text of many lines', 16_384, 'byte'],
  loop_one: ['an event through the loop to one socket', 1, 'event'],
  loop_many: ['an event through the loop to 99 sockets', 99, 'delivery'],
  loop_commands: ['a command through the loop', 100, 'command'],
};

const WITHOUT_MISSES = /^(encode|loop)/;

function build() {
  fs.mkdirSync(OUT, { recursive: true });
  const flags = ['-std=gnu11', '-O1', '-g', '-Wall', '-Wextra', '-Werror', '-pthread'];
  const wraps = ['epoll_wait', 'clock_gettime'].map((name) => `-Wl,--wrap=${name}`);
  const inputs = [`-I${path.join(ROOT, 'src')}`, SOURCE, ...objects(['core', 'io'])];
  execFileSync('gcc', [...flags, ...wraps, '-o', PROGRAM, ...inputs], { stdio: 'inherit' });
}

/** The names of all functions of our objects, as the compiler has left them. */
function ownFunctions() {
  const lines = execFileSync('nm', objects(['core', 'io']), { encoding: 'utf8' }).split('\n');
  return new Set(lines.map((line) => / [tT] (\S+)$/.exec(line)?.[1]).filter(Boolean));
}

/** callgrind writes a name once, with a number, and later the number alone. */
class Names {
  constructor() {
    this._known = new Map();
  }

  read(text) {
    const [, number, name] = /^\((\d+)\)(?: (.*))?$/.exec(text);
    if (name !== undefined) this._known.set(number, name);
    return this._known.get(number);
  }
}

/** What the functions of one file did by themselves. */
function ownCost(text, isOurs, names) {
  const sum = { instructions: 0, misses: 0 };
  let file;
  let fn;
  let isCall = false; // the next line is what a called function cost
  for (const line of text.split('\n')) {
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (key === 'calls') isCall = true;
    else if (key === 'ob' || key === 'cob') names.objects.read(value);
    else if (key === 'fl' || key === 'fi' || key === 'fe') file = names.files.read(value);
    else if (key === 'cfi' || key === 'cfl') names.files.read(value);
    else if (key === 'fn') fn = names.functions.read(value);
    else if (key === 'cfn') names.functions.read(value);
    else if (/^[+\-*\d]/.test(line)) {
      if (!isCall && isOurs(fn, file)) {
        const [, ir, , , , d1mr, d1mw] = line.split(' ').map(Number);
        sum.instructions += ir;
        sum.misses += (d1mr || 0) + (d1mw || 0);
      }
      isCall = false;
    }
  }
  return sum;
}

/** Scenario → what one of it costs. */
function measure() {
  build();
  const dir = fs.mkdtempSync(path.join(OUT, 'callgrind-'));
  const output = path.join(dir, 'part');
  const options = ['-q', '--tool=callgrind', '--cache-sim=yes', ...CACHES];
  const dumps = [`--callgrind-out-file=${output}`, '--dump-before=scenario_*'];
  const env = { PATH: process.env.PATH }; // what lies on the stack moves what lies beside it
  const said = execFileSync('valgrind', [...options, ...dumps, PROGRAM], {
    encoding: 'utf8',
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const own = ownFunctions();
  const isOurs = (fn, file) => own.has(fn.replace(/'\d+$/, '')) && file !== SOURCE;
  const names = { files: new Names(), functions: new Names(), objects: new Names() };
  const found = {};
  let scenario = null;
  for (let part = 1; fs.existsSync(`${output}.${part}`); part++) {
    const text = fs.readFileSync(`${output}.${part}`, 'utf8');
    const cost = ownCost(text, isOurs, names);
    const [, next] = /^desc: Trigger: --dump-before=scenario_(\w+)$/m.exec(text) ?? [];
    if (next === 'end') found[scenario] = cost; // of the second time, in the end
    scenario = next;
  }
  fs.rmSync(dir, { recursive: true });
  const results = {};
  for (const [name, [what, times, unit]] of Object.entries(SCENARIOS)) {
    const { instructions, misses } = found[name];
    results[what] = { unit, instructions: instructions / times };
    if (!WITHOUT_MISSES.test(name)) results[what].misses = misses / times;
  }
  return { results, buffers: Number(/buffers (\d+)/.exec(said)[1]) };
}

module.exports = { measure };
