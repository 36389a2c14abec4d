'use strict';

// Follows a file with `tail -F`, which copes with a file that is rotated, truncated, or not there yet.

const { spawn, spawnSync } = require('node:child_process');
const { basename } = require('node:path');
const { PassThrough, Transform } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { stripVTControlCharacters } = require('node:util');

const LEVELS = ['debug', 'info', 'warn', 'error'];
const LEVEL = /\b(?:(TRACE|DEBUG)|(INFO|NOTICE)|(WARN(?:ING)?)|(ERROR|FATAL|CRITICAL))\b/i;
const LINE_MAX = 4_000; // characters: what a line has beyond is never kept

// GNU's tail can look after us, and end when we were killed; others notice when there is another line.
const isGnu = String(spawnSync('tail', ['--version']).stdout).includes('GNU');
const WITH_US = isGnu ? [`--pid=${process.pid}`] : [];

/** The level that a line names near its beginning. One that names none, as in a stack trace, belongs to the line before. */
function levelOf(text, before) {
  const match = LEVEL.exec(text.slice(0, 80));
  return match ? LEVELS[match.slice(1).findIndex(Boolean)] : before;
}

/** Text, as it comes, into arrays of entries: one array for each piece of text. */
function lines(entryOf) {
  let rest = '';
  const entry = (line) => {
    const text = stripVTControlCharacters(line);
    return entryOf(text.length > LINE_MAX ? `${text.slice(0, LINE_MAX)}…` : text);
  };
  return new Transform({
    decodeStrings: false,
    readableObjectMode: true,
    readableHighWaterMark: 1,
    transform(text, _encoding, done) {
      const whole = (rest + text).split(/\r?\n/);
      rest = whole.pop().slice(0, 2 * LINE_MAX);
      done(null, whole.length > 0 ? whole.map(entry) : undefined);
    },
    flush(done) {
      done(null, rest ? [entry(rest)] : undefined);
    },
  });
}

/**
 * The last lines of a file, then what is appended to it: a stream of arrays of `{ level, text }`. What tail itself has to
 * say, on its stderr, is there too, with the level `notice`. A slow reader makes tail wait. `destroy()` ends tail; if tail
 * ends by itself, so does the stream.
 * @param {string} file
 * @param {number} last how many lines to begin with
 * @returns {import('node:stream').Readable}
 */
function follow(file, last) {
  const tail = spawn('tail', [...WITH_US, '-n', String(last), '-F', '--', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' }, // so that its words are the same everywhere
  });
  let level = 'info';
  const fromOut = lines((text) => {
    level = levelOf(text, level);
    return { level, text };
  });
  // It names the file by its path, which is nobody's business.
  const fromErr = lines((text) => ({
    level: 'notice',
    text: text.replaceAll(file, basename(file)),
  }));
  const entries = new PassThrough({ objectMode: true, highWaterMark: 1 });
  Promise.all([
    pipeline(tail.stdout.setEncoding('utf8'), fromOut, entries, { end: false }),
    pipeline(tail.stderr.setEncoding('utf8'), fromErr, entries, { end: false }),
  ]).then(
    () => entries.end(),
    (err) => entries.destroy(err),
  );
  tail.on('error', (err) => entries.destroy(err)); // there is no such program
  entries.on('close', () => tail.kill());
  return entries;
}

module.exports = { LEVELS, follow };
