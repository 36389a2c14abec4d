'use strict';

// The addon, linked once more from the objects of its release build, with a counter in front of each function that it
// imports (counters.c says how), and what the counters say.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { GROUPS, groupsOf } = require('./groups');

const ROOT = path.join(__dirname, '..', '..', '..');
const OBJECTS = path.join(ROOT, 'build', 'Release', 'obj.target', 'fanline', 'src');
const OUT = path.join(ROOT, 'build', 'counts', String(process.pid)); // who measures at the same time has another
const LIST = 'imports.json'; // beside the addon; in the order of the counters
const TOTALS = ['crossings', 'copied bytes', 'allocated bytes', 'asleep', 'heard']; // enum total

/** What is added up besides the calls themselves; the arguments are a, b, c … as in counters.c. */
const SPECIAL = {
  memcpy: 'COPIES(memcpy, c)',
  memmove: 'COPIES(memmove, c)',
  __memcpy_chk: 'COPIES(__memcpy_chk, c)',
  __memmove_chk: 'COPIES(__memmove_chk, c)',
  napi_create_buffer_copy: 'COPIES(napi_create_buffer_copy, b)',
  napi_get_value_string_utf8: 'READS_TEXT(napi_get_value_string_utf8)',
  napi_get_cb_info: 'ENTERS(napi_get_cb_info)',
  malloc: 'ALLOCATES(malloc, a)',
  calloc: 'ALLOCATES(calloc, a *b)',
  realloc: 'ALLOCATES(realloc, b)',
  _Znwm: 'ALLOCATES(_Znwm, a)',
  _Znam: 'ALLOCATES(_Znam, a)',
  epoll_wait: 'WAITS(epoll_wait)',
  read: 'HEARS(read)',
};

function objects(layers) {
  return layers.flatMap((layer) => {
    const dir = path.join(OBJECTS, layer);
    if (!fs.existsSync(dir)) throw new Error(`${dir} is missing: npm run build`);
    const sources = fs.readdirSync(path.join(ROOT, 'src', layer));
    return fs
      .readdirSync(dir)
      .filter(
        (name) =>
          name.endsWith('.o') && sources.some((source) => source.startsWith(name.slice(0, -1))),
      )
      .map((name) => path.join(dir, name));
  });
}

/** The compiler that made the release build, as it wrote its name into the objects. */
function compiler() {
  const [object] = objects(['core']);
  const section = execFileSync('readelf', ['-p', '.comment', object], { encoding: 'utf8' });
  const [, name, version] = /(GCC|clang)[^\n]*?(\d+)\.\d+\.\d+/.exec(section);
  return `${name.toLowerCase()} ${version} ${process.arch}`;
}

/** Functions that the addon looks for elsewhere. Weak ones are the compiler's own business. */
function imports(addon) {
  const lines = execFileSync('nm', ['-D', '--undefined-only', addon], { encoding: 'utf8' });
  return lines
    .split('\n')
    .map((line) => /^\s+U ([^@\s]+)/.exec(line)?.[1])
    .filter((name) => name !== undefined);
}

/** Links it. Answers what the environment of a Node must say that is to use it and to count. */
function build() {
  const dir = path.join(OUT, 'build', 'Release');
  fs.mkdirSync(dir, { recursive: true });
  const names = imports(path.join(ROOT, 'build', 'Release', 'fanline.node'));
  const list = names.map((name) => `${SPECIAL[name] ?? `COUNTED(${name})`}\n`).join('');
  fs.writeFileSync(path.join(OUT, 'imports.h'), list);
  fs.writeFileSync(path.join(OUT, LIST), JSON.stringify(names));
  const counters = path.join(OUT, 'counters.o');
  const source = path.join(__dirname, 'counters.c');
  const flags = ['-std=gnu11', '-O2', '-fPIC', '-fno-builtin', '-Wall', '-Wextra', '-Werror'];
  execFileSync('gcc', [...flags, `-I${OUT}`, '-c', '-o', counters, source], { stdio: 'inherit' });
  const addon = path.join(dir, 'fanline.node');
  const wraps = names.map((name) => `-Wl,--wrap=${name}`);
  const linked = [...objects(['core', 'io', 'addon']), counters];
  execFileSync('g++', ['-shared', '-pthread', ...wraps, '-o', addon, ...linked], {
    stdio: 'inherit',
  });
  const counts = path.join(OUT, 'counts');
  fs.writeFileSync(counts, '');
  return { FANLINE_PREBUILD: OUT, FANLINE_COUNTS: counts };
}

/** Reads the counters by group, for each thread, in the environment that build() answers. */
class Counters {
  constructor({ FANLINE_PREBUILD: dir, FANLINE_COUNTS: file } = process.env) {
    const names = JSON.parse(fs.readFileSync(path.join(dir, LIST), 'utf8'));
    this._file = fs.openSync(file);
    this._names = names;
    this._cells = TOTALS.length + names.length;
    this._bytes = Buffer.alloc(2 * 8 * this._cells);
    this._groups = names.map(groupsOf);
  }

  /** Both rows as they are now. */
  read() {
    fs.readSync(this._file, this._bytes, 0, this._bytes.length, 0);
    const at = (row, cell) => Number(this._bytes.readBigUInt64LE(8 * (row * this._cells + cell)));
    const thread = (row) => {
      const [crossings, ...totals] = TOTALS.map((_, cell) => at(row, cell));
      const sums = { crossings };
      for (const group of Object.keys(GROUPS)) sums[group] = 0;
      for (const [i, groups] of this._groups.entries()) {
        for (const group of groups) sums[group] += at(row, TOTALS.length + i);
      }
      for (const [i, total] of totals.entries()) sums[TOTALS[i + 1]] = total;
      return sums;
    };
    return { js: thread(0), loop: thread(1) };
  }
}

module.exports = { Counters, OUT, ROOT, build, compiler, imports, objects };
