'use strict';

// Stock clients in Node, each behind the same few words: `log` of `[type, data]`, `isOver()`: it has given up, or was told to,
// `close()`. Those that never come back by themselves take `lastEventId`, and tell theirs.

const { spawn } = require('node:child_process');
const { createParser } = require('eventsource-parser');

const NAMES = ['message', 'named', 'fanline:reset', 'fanline:end'];

/** `endsOn`: the app closes it on an event of that name. */
const eventSource =
  (load) =>
  async (url, { endsOn } = {}) => {
    const { EventSource } = await load();
    const source = new EventSource(url);
    const log = [];
    for (const name of NAMES) {
      source.addEventListener(name, ({ type, data }) => {
        log.push([type, data]);
        if (type === endsOn) source.close();
      });
    }
    return {
      log,
      isOver: () => source.readyState === EventSource.CLOSED,
      close: () => source.close(),
    };
  };

/** Text that comes in pieces, read by eventsource-parser: the log, and the last id. */
class Reading {
  constructor() {
    this.log = [];
    this.lastEventId = undefined;
    this._isOver = false;
    this._parser = createParser({
      onEvent: ({ event = 'message', data, id }) => {
        this.log.push([event, data]);
        this.lastEventId = id ?? this.lastEventId;
      },
    });
  }

  feed(text) {
    this._parser.feed(text);
  }

  over() {
    this._isOver = true;
  }

  isOver() {
    return this._isOver;
  }
}

const withFetch =
  (load) =>
  async (url, { lastEventId } = {}) => {
    const { fetch } = await load();
    const reading = new Reading();
    const controller = new AbortController();
    const headers = lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId };
    const ask = () => fetch(url, { headers, signal: controller.signal });
    const read = async () => {
      // The first may go into a kept connection that the server has just closed: any app asks again then.
      const response = await ask().catch(ask);
      for await (const text of response.body.pipeThrough(new TextDecoderStream()))
        reading.feed(text);
    };
    read()
      .catch(() => {}) // cut, or closed by the test
      .finally(() => reading.over());
    reading.close = () => controller.abort();
    return reading;
  };

const curl = async (url, { lastEventId } = {}) => {
  const reading = new Reading();
  const header = lastEventId === undefined ? [] : ['-H', `Last-Event-ID: ${lastEventId}`];
  const child = spawn('curl', ['-sN', ...header, url], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.setEncoding('utf8').on('data', (text) => reading.feed(text));
  child.on('close', () => reading.over());
  reading.close = () => child.kill();
  return reading;
};

/**
 * `ended`, `cut`: what it does when the server has ended its stream in order, or the connection broke: it `returns` by itself, with
 * the last id, or the `app` has to ask again. `stays`: what keeps it away after `close({ reconnect: false })`: the `server` with a
 * 204, or the `app`, because it would ask for ever; null: it does not come back anyway. docs/clients.md says the same.
 */
const CLIENTS = [
  {
    name: 'npm eventsource 4',
    open: eventSource(() => import('eventsource')),
    ended: 'returns',
    cut: 'returns',
    stays: 'server',
  },
  {
    name: 'npm eventsource 5',
    open: eventSource(() => import('eventsource5')),
    ended: 'returns',
    cut: 'returns',
    stays: 'server',
  },
  {
    name: 'undici EventSource',
    open: eventSource(async () => require('undici')),
    ended: 'returns',
    cut: 'returns',
    stays: 'server',
  },
  {
    name: 'undici fetch + eventsource-parser',
    open: withFetch(async () => require('undici')),
    ended: 'app',
    cut: 'app',
    stays: null,
  },
  {
    name: 'Node’s fetch + eventsource-parser',
    open: withFetch(async () => globalThis),
    ended: 'app',
    cut: 'app',
    stays: null,
  },
  { name: 'curl', open: curl, ended: 'app', cut: 'app', stays: null },
];

module.exports = { CLIENTS };
