'use strict';

// A log file in a directory of its own, and viewers of it that see lines, however they were sent.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { open } = require('../../../lib/testing');

class LogFile {
  constructor() {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'log-file-'));
    this.path = path.join(this.dir, 'app.log');
    fs.writeFileSync(this.path, '');
  }

  append(...lines) {
    fs.appendFileSync(this.path, lines.map((line) => `${line}\n`).join(''));
  }

  /** As logrotate does it: the file gets another name, and a new one takes its place. */
  rotate() {
    fs.renameSync(this.path, `${this.path}.1`);
    fs.writeFileSync(this.path, '');
  }

  truncate() {
    fs.truncateSync(this.path);
  }

  remove() {
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

/** The lines in an event: a batch has many. */
function linesIn({ event, data }) {
  if (event === 'line') return [JSON.parse(data)];
  return event === 'batch' ? JSON.parse(data).map((item) => item.data) : [];
}

class Viewer {
  static async open(url, options) {
    const viewer = new Viewer();
    viewer.stream = await open(url, { timeout: 10_000, ...options });
    return viewer;
  }

  get lines() {
    return this.stream.events.flatMap(linesIn);
  }

  /** What the file had, without tail's own words. */
  get texts() {
    return this.lines.filter(({ level }) => level !== 'notice').map(({ text }) => text);
  }

  get notices() {
    return this.lines.filter(({ level }) => level === 'notice').map(({ text }) => text);
  }

  /** Waits for a line with this text, and answers all that came up to now. */
  async upTo(text) {
    await this.stream.until(() => this.stream.text.includes(text) && this.texts.includes(text));
    return this.texts;
  }

  close() {
    return this.stream.close();
  }
}

/** The ids of the `tail` processes that a process has started. Linux only. */
function tailsOf(pid) {
  const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.split(' ').filter((child) => child && isTail(child));
}

function isTail(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/comm`, 'utf8') === 'tail\n';
  } catch {
    return false; // it has ended in the meantime
  }
}

/** How much a process has read since it began. Linux only. */
function bytesRead(pid) {
  return Number(/^rchar: (\d+)/m.exec(fs.readFileSync(`/proc/${pid}/io`, 'utf8'))[1]);
}

module.exports = { LogFile, Viewer, bytesRead, isTail, tailsOf };
