'use strict';

// Clients that others wrote: fetch, curl, and the EventSource of npm. Each is started with a URL of a world, and is
// { text() what came, until(condition), ended: Promise, stop() }.

const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const http2 = require('node:http2');
const https = require('node:https');
const { Readable } = require('node:stream');
const { EventSource } = require('eventsource');

class Reader {
  constructor() {
    this.text = '';
    this._wake = () => {};
  }

  add(text) {
    this.text += text;
    this._wake();
  }

  async until(condition) {
    while (!condition(this.text)) {
      await new Promise((resolve) => {
        this._wake = resolve;
      });
    }
  }
}

function startFetch(combo, url) {
  const reader = new Reader();
  const abort = new AbortController();
  const read = async () => {
    const response = await fetch(url, { signal: abort.signal, headers: combo.request });
    const decoder = new TextDecoder();
    for await (const chunk of response.body) reader.add(decoder.decode(chunk, { stream: true }));
    return response.status;
  };
  reader.ended = read();
  reader.stop = () => {
    abort.abort();
    return reader.ended.catch(() => {});
  };
  return reader;
}

/** What `ended` resolves with is curl's exit code: 0 only for an end in order. */
function startCurl(combo, url) {
  const reader = new Reader();
  const args = ['--no-buffer', '--silent', '--show-error', '--max-time', '8', '--insecure'];
  if (combo.kind === 'http2') args.push('--http2');
  if (combo.encoding) args.push('--compressed');
  const child = spawn('curl', [...args, url], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.setEncoding('utf8').on('data', (text) => reader.add(text));
  child.stderr.resume();
  reader.ended = once(child, 'close').then(([code]) => code);
  reader.stop = () => {
    child.kill();
    return reader.ended;
  };
  return reader;
}

let curl;

function hasCurl() {
  curl ??= spawnSync('curl', ['--version']).status === 0;
  return curl;
}

// ---- npm eventsource ----

/** fetch() for a server with a certificate of its own. */
function fetchHttps(url, { headers, signal }) {
  return new Promise((resolve, reject) => {
    const req = https.get(url, { headers, signal, agent: false, rejectUnauthorized: false });
    req.on('error', reject);
    req.on('response', (res) => resolve(responseOf(res, res.statusCode, res.headers)));
  });
}

function fetchHttp2(url, { headers, signal }) {
  const { origin, pathname } = new URL(url);
  const session = http2.connect(origin, { rejectUnauthorized: false });
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return new Promise((resolve, reject) => {
    session.on('error', reject);
    const req = session.request({ ':path': pathname, ...Object.fromEntries(lower) }, { signal });
    req.on('error', reject);
    req.on('close', () => session.destroy());
    req.on('response', ({ ':status': status, ...rest }) => resolve(responseOf(req, status, rest)));
  });
}

function responseOf(body, status, headers) {
  const own = Object.entries(headers).filter(([name]) => !name.startsWith(':'));
  const init = { status, headers: Object.fromEntries(own) };
  if (status !== 204) return new Response(Readable.toWeb(body), init);
  body.resume();
  return new Response(null, init);
}

const FETCH = { http: fetch, https: fetchHttps, http2: fetchHttp2 };

/** What it was told lies in `events`, as `{ event, data, id }`. */
function startEventSource(combo, url, names) {
  const reader = new Reader();
  const source = new EventSource(url, { fetch: FETCH[combo.kind] });
  reader.source = source;
  reader.events = [];
  for (const name of names) {
    source.addEventListener(name, ({ data, lastEventId }) => {
      reader.events.push({ event: name, data, id: lastEventId });
      reader.add('');
    });
  }
  reader.stop = () => source.close();
  return reader;
}

module.exports = { hasCurl, startCurl, startEventSource, startFetch };
