'use strict';

// The door of the primary: a socket that only its workers can open. Where it is they find in their environment.

const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { newId } = require('../id');
const { Desk } = require('./desk');

const VARIABLE = 'FANLINE_CLUSTER';
const ABSTRACT = 1_046; // libuv 1.46: Linux' sockets without a file

let door = null;

/**
 * Where to listen.
 * @param {string} platform
 * @param {string} uv version of libuv
 * @returns {{path: string, dir: string|null}} `dir`: made for it
 */
function place(platform = process.platform, uv = process.versions.uv) {
  const name = `fanline-${newId()}`;
  const [major, minor] = uv.split('.').map(Number);
  if (platform === 'win32') return { path: `\\\\.\\pipe\\${name}`, dir: null };
  if (platform === 'linux' && major * 1_000 + minor >= ABSTRACT)
    return { path: `\0${name}`, dir: null };
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-')); // nobody else's
  return { path: path.join(dir, 's'), dir };
}

/** @returns {net.Server} that does not keep the process */
function listen({ path: where, dir }, token) {
  const server = net.createServer((socket) => new Desk(socket, Buffer.from(token, 'latin1')));
  server.on('error', (err) => {
    if (!server.listening) throw err;
    // A worker that was not let in, for want of descriptors say, tries again.
  });
  if (dir !== null) process.on('exit', () => fs.rmSync(dir, { recursive: true, force: true }));
  return server.listen(where).unref();
}

/** Opens the door, once, and tells workers that are forked from here on. */
function openDoor() {
  if (door !== null) return;
  const where = place();
  const token = newId();
  door = listen(where, token);
  process.env[VARIABLE] = JSON.stringify({ pid: process.pid, path: where.path, token });
}

/**
 * For a worker.
 * @returns {{path: string, token: string}|null} null: its primary has not opened one
 */
function findDoor() {
  try {
    const { pid, ...found } = JSON.parse(process.env[VARIABLE]);
    return pid === process.ppid ? found : null; // a primary's own variable may come from further up
  } catch {
    return null;
  }
}

module.exports = { findDoor, listen, openDoor, place };
