'use strict';

const { spawn } = require('node:child_process');
const readline = require('node:readline');
const { nativePath } = require('./native');

const FAULTS = ['fell_short', 'holes', 'disorder', 'strays', 'resets'];
const SOCKET_IO = '/socket.io/?EIO=4&transport=websocket';

/** `{ n: 3, missed: undefined }` as `n=3`. */
const words = (options) =>
  Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${value === true ? 1 : value}`)
    .join('');

/** `/stream` as `…&stream=1`, `/events?rooms=%` as `…&rooms=%`. */
function socketIoPath(path) {
  const [name, query] = path.split('?');
  return [SOCKET_IO, ...(name === '/stream' ? ['stream=1'] : []), ...(query ? [query] : [])].join(
    '&',
  );
}

/**
 * The load in a process of its own, for one server: one thread in C that reads thousands of streams and looks at every event. Streams
 * are in groups ('main' unless said), which are counted apart. What the commands mean in detail: native/load/commands.c.
 */
class Load {
  #child;
  #server;
  #seconds;
  #asked = []; // { did, resolve, reject }
  #error;

  static async start(server, seconds) {
    const load = new Load();
    load.#server = server;
    load.#seconds = seconds;
    load.#child = spawn(nativePath('load'), { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    load.#listen();
    if (server.tls) {
      const { tls } = await load.ask('features');
      if (!tls)
        throw new Error('the load was built without TLS: the headers of OpenSSL are missing');
    }
    return load;
  }

  #listen() {
    const child = this.#child;
    readline.createInterface({ input: child.stdout }).on('line', (line) => {
      const { did, ...result } = JSON.parse(line);
      const at = this.#asked.findIndex((one) => one.did === did);
      const [{ resolve, reject }] = this.#asked.splice(at, 1);
      if (result.error === undefined) resolve(result);
      else reject(new Error(`load: ${did}: ${result.error}`));
    });
    child.stdin.on('error', () => {}); // its exit tells more
    child.on('close', (code, signal) => {
      this.#error = new Error(`the load ended (${code ?? signal})`);
      for (const { reject } of this.#asked.splice(0)) reject(this.#error);
    });
  }

  /** One command; resolves with its answer. */
  ask(did, options = {}) {
    if (this.#error) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      this.#asked.push({ did, resolve, reject });
      this.#child.stdin.write(`${did}${words(options)}\n`);
    });
  }

  /**
   * Opens streams. '%' in the path stands for the rooms of a stream, `joined` of `rooms`.
   * @param {string} path
   * @param {{ clients: number, group?: string, ahead?: number, from?: number, rooms?: number, joined?: number, window?: number }} options
   *   `ahead`: so many are on their way at once, at most (256); `from`: the number of the first event (1; 0: any number may come first);
   *   `window`: receive buffer in bytes
   * @returns {Promise<{ opened: number, began_ms: number, seconds: number, first_p50_ms: number, first_p99_ms: number, first_max_ms: number }>}
   *   seconds: from the first connect (began_ms) to the last answer; first: from a stream's connect to the head of its answer
   */
  async open(path, { clients, ...options }) {
    const { port, tls, protocol } = this.#server;
    const ws = protocol === 'socket.io';
    return this.#opened(
      await this.ask('open', {
        port,
        tls,
        ws: ws || undefined,
        path: ws ? socketIoPath(path) : path,
        n: clients,
        ...options,
        seconds: this.#seconds,
      }),
    );
  }

  /**
   * Opens the closed streams of a group again; `missed`: with Last-Event-ID.
   * @param {{ group?: string, missed?: boolean, ahead?: number }} [options]
   */
  async reopen({ missed, ...options } = {}) {
    const flags = { missed: missed || undefined, seconds: this.#seconds };
    return this.#opened(await this.ask('reopen', { ...options, ...flags }));
  }

  #opened(result) {
    if (result.failed === 0) return result;
    const all = result.opened + result.failed;
    throw new Error(`${result.failed} of ${all} streams did not open: ${result.why}`);
  }

  /**
   * Resolves with what has arrived once each stream of the group has had `events`, or all together `total`, since they were opened or since
   * reset(); throws if that is not all, or more, or not in order, or if a stream has ended (`ends`: they may, when they have had all).
   * Nothing at all for `silence` seconds (10) is the end of waiting.
   * @returns {Promise<{ events: number, bytes: number, last_ms: number, span_s: number, p50_ms: number, p99_ms: number, max_ms: number, load_cpu_s: number }>}
   *   span_s: from the sending of the first to the arrival of the last (last_ms); latencies: from sending to arrival
   */
  async arrived({ group, events, total, ends = false, silence }) {
    const limits = { seconds: this.#seconds, silence };
    const got = await this.ask('wait', { group, each: events, total, ...limits });
    const wrong = FAULTS.filter((key) => got[key] > 0);
    if (got.ended > 0 && !ends) wrong.push('ended');
    if (got.timed_out || (total !== undefined && got.events !== total))
      wrong.push('events', 'open');
    if (wrong.length > 0)
      throw new Error(
        `not all has arrived: ${wrong.map((key) => `${key} ${got[key]}`).join(', ')}`,
      );
    return got;
  }

  /** What a group has had; nothing is waited for and nothing judged. */
  report(group) {
    return this.ask('report', { group });
  }

  /** Counts begin anew; the order of events goes on. */
  reset() {
    return this.ask('reset');
  }

  /** So many streams of a group, evenly spread, stop reading. They are in the group 'stalled' from now on. */
  stall(n, group) {
    return this.ask('stall', { n, group });
  }

  /** Closes the first `n` streams of a group, or all; `abort`: by RST, which leaves no TIME_WAIT. */
  close({ group, n, abort } = {}) {
    return this.ask('close', { group, n, abort: abort || undefined });
  }

  /** Ordinary requests at a fixed rate, whatever has become of the ones before. */
  ping({ path, every_us } = {}) {
    const { port, tls } = this.#server;
    return this.ask('ping', { port, tls, path, every_us });
  }

  /** Ends ping(): `{ pings, waiting, skipped, p50_ms, p99_ms, max_ms }` */
  pings() {
    return this.ask('pings');
  }

  get pid() {
    return this.#child.pid;
  }

  kill() {
    this.#child.kill('SIGKILL');
  }
}

module.exports = { Load };
