'use strict';

// What travels with an event: to whom, and how. Text, so that an engine need not know what it says.

const { addressOf } = require('./address');

const ROOMS = 1_024; // whose events' head is remembered

/** Is nothing said of an event but what it is? */
const isPlain = ({ event, id, retry, key }) =>
  event === undefined && id === undefined && retry === undefined && key === undefined;

class Heads {
  /** @param {string} process this one */
  constructor(process) {
    this._process = process;
    this._rooms = new Map(); // room → head of a plain event for it
  }

  /**
   * Of an event. Most are for one room, and plain: those of a room have the same head.
   * @param {object} target
   * @param {{event?: string, id?: string, retry?: number, key?: string}} fields
   * @param {boolean} isKept for those who come back
   */
  of(target, fields, isKept) {
    const room = isKept && isPlain(fields) ? target._onlyRoom : null;
    if (room === null) return this._new(target, fields, isKept);
    const known = this._rooms.get(room);
    if (known !== undefined) return known;
    const head = this._new(target, fields, isKept);
    if (this._rooms.size >= ROOMS) this._rooms.clear();
    this._rooms.set(room, head);
    return head;
  }

  _new(target, { event, id, retry, key }, isKept) {
    const t = addressOf(target);
    const h = isKept ? 1 : undefined;
    return JSON.stringify({ t, e: event, i: id, r: retry, k: key, h, s: this._process });
  }

  /** Of a command for the clients of a target. */
  ofCommand(target, verb, argument) {
    return JSON.stringify({ t: addressOf(target), v: verb, o: argument, s: this._process });
  }
}

module.exports = { Heads };
