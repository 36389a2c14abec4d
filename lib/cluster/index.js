'use strict';

// `fanline/cluster`: hubs of the workers of node:cluster, and of their primary, on one machine. The primary gives every event its
// place. It listens on a local socket rather than to the workers' own channel: that one makes JSON of bytes unless the
// application has chosen otherwise, has no limit to what waits in it, and hands out the connections besides.

const cluster = require('node:cluster');
const { isMainThread } = require('node:worker_threads');
const errors = require('../errors');
const { OPTION, checkKeys, integer, isPlain } = require('../checks');
const { LocalLink } = require('./local');
const { findDoor, openDoor } = require('./primary');
const { sequencerOf } = require('./sequencer');
const { WorkerLink } = require('./worker');

const DEFAULTS = Object.freeze({
  prefix: 'fanline',
  maxLen: 10_000,
  maxBytes: 64 << 20,
  maxPendingBytes: 16 << 20,
});
const PREFIX_MAX = 256;

function optionsOf(options = {}) {
  if (!isPlain(options)) throw errors.optionError('options', 'a plain object', options);
  checkKeys(options, Object.keys(DEFAULTS), '', OPTION, 'clusterAdapter()');
  const all = { ...DEFAULTS, ...options };
  const { maxBytes, maxLen, maxPendingBytes, prefix } = all;
  if (typeof prefix !== 'string' || prefix === '' || prefix.length > PREFIX_MAX) {
    throw errors.optionError('prefix', `a string of 1 to ${PREFIX_MAX} characters`, prefix);
  }
  integer(maxLen, 'maxLen', 1, 2 ** 31 - 1, 'events', OPTION);
  integer(maxBytes, 'maxBytes', 1, Number.MAX_SAFE_INTEGER, 'bytes', OPTION);
  integer(maxPendingBytes, 'maxPendingBytes', 1, Number.MAX_SAFE_INTEGER, 'bytes', OPTION);
  return all;
}

function checkThread() {
  if (isMainThread) return;
  throw errors.adapter('fanline/cluster works in main threads: a worker thread is no process');
}

/**
 * In the primary, before it forks: opens it to its workers. Does nothing the second time, and nothing in a worker.
 * @throws {Error} `ERR_FAN_ADAPTER` in a worker thread
 */
function setupPrimary() {
  checkThread();
  if (cluster.isPrimary) openDoor();
}

/**
 * An adapter for createHub(), in workers and in the primary.
 * @param {{prefix?: string, maxLen?: number, maxBytes?: number, maxPendingBytes?: number}} [options]
 * @throws {TypeError|RangeError} `ERR_FAN_OPTION`
 * @throws {Error} `ERR_FAN_ADAPTER`: the primary was not set up, or this is a worker thread
 */
function clusterAdapter(options) {
  const checked = optionsOf(options);
  const { maxBytes, maxLen, maxPendingBytes, prefix } = checked;
  checkThread();
  if (cluster.isPrimary) {
    openDoor();
    const open = (host) => {
      const sequencer = sequencerOf(prefix);
      sequencer.keep(maxLen, maxBytes);
      return new LocalLink(sequencer, host);
    };
    return { maxPendingBytes, open };
  }
  const door = findDoor();
  if (door === null) {
    throw errors.adapter(
      'The primary of this worker has not called setupPrimary() of fanline/cluster before it forked, or has ended',
    );
  }
  return { maxPendingBytes, open: (host) => new WorkerLink(door, checked, host) };
}

module.exports = { clusterAdapter, setupPrimary };
