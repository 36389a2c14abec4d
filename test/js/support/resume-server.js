'use strict';

// A server in a process of its own that sends numbers to everybody who is in the room `numbers`, can be killed and started again on
// the same port, and goes on counting. The page at / is empty: a place for a browser's EventSource.

const { fork } = require('node:child_process');
const { once } = require('node:events');
const { setImmediate } = require('node:timers/promises');

const RETRY = 30;

/** In the child: commands `{ method, args }`, each answered with its result. */
async function serveNumbers({ port, from, hasSnapshot, transport }) {
  const http = require('node:http');
  const { createHub } = require('fanline');
  let last = from;
  let timer;
  const hub = createHub({
    retry: RETRY,
    transport,
    history: { events: 10_000 },
    snapshot: hasSnapshot
      ? async (client) => {
          client.send('begin', { event: 'state' });
          await setImmediate(); // meanwhile others go on
          client.send(String(client.data), { event: 'state' });
        }
      : undefined,
  });
  const server = http.createServer((req, res) => {
    if (req.url.startsWith('/events')) hub.connect(req, res, { rooms: 'numbers', data: last });
    else res.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>x</title>');
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');

  const methods = {
    say(count) {
      for (let i = 0; i < count; i++) hub.to('numbers').send(String(++last));
      return last;
    },
    begin(everyMs) {
      timer = setInterval(methods.say, everyMs, 1);
      return last;
    },
    end() {
      clearInterval(timer);
      return last;
    },
    size: () => hub.size,
    resets: () => hub.stats().resets,
  };
  process.on('message', ({ method, args }) => process.send({ result: methods[method](...args) }));
  process.on('disconnect', () => process.exit());
  process.send({ result: server.address().port });
}

class NumberServer {
  /** @param {{hasSnapshot?: boolean, transport?: string}} [how] */
  constructor(how = {}) {
    this._how = how;
    this.port = 0;
    this._last = 0;
  }

  async start() {
    const how = { transport: 'auto', ...this._how, port: this.port, from: this._last };
    this._child = fork(__filename, [JSON.stringify(how)], { execArgv: [] });
    this._exit = once(this._child, 'exit');
    this.port = await this._answer();
  }

  async _answer() {
    const ended = this._exit.then(([code, signal]) => {
      throw new Error(`the server has ended: ${code ?? signal}`);
    });
    const [{ result }] = await Promise.race([once(this._child, 'message'), ended]);
    return result;
  }

  async _call(method, ...args) {
    this._child.send({ method, args });
    return this._answer();
  }

  /** The next `count` numbers. @returns {Promise<number>} the last */
  async say(count) {
    this._last = await this._call('say', count);
    return this._last;
  }

  /** One number after the other, until `end`. */
  begin(everyMs) {
    return this._call('begin', everyMs);
  }

  async end() {
    this._last = await this._call('end');
    return this._last;
  }

  size() {
    return this._call('size');
  }

  resets() {
    return this._call('resets');
  }

  /** Ends it as a crash would. The next one counts on from the last number that was told here. */
  async kill() {
    if (this._child.exitCode === null && this._child.signalCode === null)
      this._child.kill('SIGKILL');
    await this._exit;
  }
}

if (require.main === module) serveNumbers(JSON.parse(process.argv[2]));

module.exports = { NumberServer };
