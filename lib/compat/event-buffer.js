'use strict';

// Events written field by field, to be read as text or sent in one go (Session.batch). It keeps fields and not text, so that what is
// sent passes through the same door as every other event.

const { randomUUID } = require('node:crypto');
const errors = require('../errors');
const { codecOf, linesOf, oneLine } = require('./codec');
const { detachable } = require('./detachable');
const sources = require('./sources');

const COMMENT = '';
const DISPATCH = null;
const RETRY_MAX = 2 ** 31 - 1;

class EventBuffer {
  constructor(options) {
    this._codec = codecOf(options);
    this._fields = []; // pairs of name and value
  }

  _add(name, value) {
    this._fields.push([name, value]);
    return this;
  }

  event(type) {
    return this._add('event', oneLine(this._codec.sanitize(type), 'type'));
  }

  data(data) {
    return this._add('data', this._codec.text(data));
  }

  id(id = '') {
    return this._add('id', oneLine(this._codec.sanitize(id), 'id'));
  }

  retry(time) {
    if (Number.isInteger(time) && time >= 0 && time <= RETRY_MAX) return this._add('retry', time);
    throw errors.rangeError('time', `an integer from 0 to ${RETRY_MAX} (ms)`, time);
  }

  comment(text = '') {
    return this._add(COMMENT, this._codec.sanitize(text));
  }

  dispatch() {
    return this._add(DISPATCH);
  }

  push(data, eventName = 'message', eventId = randomUUID()) {
    return this.event(eventName).id(eventId).data(data).dispatch();
  }

  stream(source, options) {
    return sources.stream(this, source, options);
  }

  iterate(iterable, options) {
    return sources.iterate(this, iterable, options);
  }

  clear() {
    this._fields = [];
    return this;
  }

  read() {
    const lines = [];
    for (const [name, value] of this._fields) {
      if (name === DISPATCH) lines.push('');
      else for (const line of linesOf(String(value))) lines.push(`${name}:${line}`);
    }
    return lines.map((line) => `${line}\n`).join('');
  }

  /** What is not dispatched, and an event without data, a page would not see either: they are not sent. */
  _sendTo(client) {
    let event = { data: [] };
    for (const [name, value] of this._fields) {
      if (name === COMMENT) for (const line of linesOf(value)) client.comment(line);
      else if (name === 'data') event.data.push(value);
      else if (name !== DISPATCH) event[name] = value;
      else {
        const { data, ...fields } = event;
        if (fields.event === '') delete fields.event;
        if (data.length > 0) client.send(data.join('\n'), fields);
        else if (fields.retry !== undefined) client.retry(fields.retry);
        event = { data: [] };
      }
    }
  }
}

detachable(EventBuffer, [
  ...['data', 'id', 'retry', 'comment', 'dispatch', 'push', 'stream', 'iterate', 'clear', 'read'],
]);

function createEventBuffer(options) {
  return new EventBuffer(options);
}

module.exports = { EventBuffer, createEventBuffer };
