'use strict';

// A link of the kernel's own: two network namespaces, joined by a veth pair. `tc` makes it slow (tbf: a rate, and a queue in front of it,
// whose length is the delay of a link that is busy) and lossy (a classic BPF program that draws a number for each packet).

const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');

const SERVER = '192.0.2.1'; // of TEST-NET-1, RFC 5737: nobody's
const READERS = '192.0.2.2';
const READERS_MAC = '02:00:00:00:00:02'; // 02: given by hand
const DEVICE = 'fan0';
const ENV = { ...process.env, PATH: `${process.env.PATH}:/usr/local/sbin:/usr/sbin:/sbin` };

const BURST = 3_000; // bytes: two packets
const QUEUE = 200; // ms

const slow = (kbit) =>
  `tc qdisc add dev ${DEVICE} root tbf rate ${kbit}kbit burst ${BURST} latency ${QUEUE}ms`;

/** Drops so many of 100 packets. The program: `ld #random` (SKF_AD_RANDOM); `jge share, keep`; `ret TC_ACT_SHOT`; `keep: ret TC_ACT_UNSPEC`. */
function lossy(percent) {
  const share = Math.round((percent / 100) * 2 ** 32);
  const program = `4,32 0 0 4294963256,53 1 0 ${share},6 0 0 2,6 0 0 4294967295`;
  return [
    `tc qdisc add dev ${DEVICE} clsact`,
    `tc filter add dev ${DEVICE} ingress bpf da bytecode "${program}"`,
  ];
}

/** @returns {string|null} why there cannot be such links here */
function refusal() {
  const commands = [`ip link add ${DEVICE} type veth peer name other`, slow(1_000), ...lossy(1)];
  const args = ['--net', 'sh', '-ec', commands.join('\n')];
  const { status, error, stderr } = spawnSync('unshare', args, { env: ENV, encoding: 'utf8' });
  if (status === 0) return null;
  return error?.message ?? stderr.trim().split('\n')[0];
}

/** A process in a namespace of its own (door.js). */
class Door {
  constructor() {
    this._child = spawn('unshare', ['--net', process.execPath, path.join(__dirname, 'door.js')], {
      env: ENV,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this._calls = new Map();
    this._last = 0;
    this._child.on('message', ({ call, result, error }, handle) => {
      const { resolve, reject } = this._calls.get(call);
      this._calls.delete(call);
      if (error === undefined) resolve({ result, handle });
      else reject(new Error(error));
    });
    this.gone = this._ending();
  }

  /** Resolves when the process has ended; what was asked of it and not answered is then rejected. */
  async _ending() {
    let why = '';
    const { stderr } = this._child;
    stderr?.setEncoding('utf8').on('data', (text) => {
      why += text;
    });
    try {
      const [code, signal] = await once(this._child, 'exit');
      if (stderr.readableEnded === false) await once(stderr, 'end');
      why = why.trim() || `the process at the end of the link is gone: ${signal ?? code}`;
    } catch (err) {
      why = err.message;
    }
    for (const { reject } of this._calls.values()) reject(new Error(why));
    this._calls.clear();
  }

  get pid() {
    return this._child.pid;
  }

  ask(method, ...args) {
    const call = ++this._last;
    return new Promise((resolve, reject) => {
      this._calls.set(call, { resolve, reject });
      // When the process is gone, its end tells why.
      this._child.send({ call, method, args }, (err) => err && this.gone.then(() => reject(err)));
    });
  }

  /** Commands of the shell, in this namespace. */
  run(...commands) {
    return this.ask('run', commands.join('\n'));
  }

  async close() {
    if (this._child.connected) this._child.disconnect();
    await this.gone;
  }
}

class NamespaceLink {
  /**
   * @param {{kbit?: number, loss?: number, far?: boolean}} [quality] `loss` in per cent of the packets towards the readers; `far`:
   *   as behind a router, so that the kernel finds no fault with the way when the link is down (next door, it asks who has the address)
   * @returns {Promise<NamespaceLink>} rejects where there is no permission, no iproute2, or nothing of that in the kernel
   */
  static async open(quality = {}) {
    const link = new NamespaceLink();
    try {
      await link._build(quality);
    } catch (err) {
      await link.close();
      throw err;
    }
    return link;
  }

  constructor() {
    this._here = new Door();
    this._there = new Door();
  }

  async _build({ kbit, loss, far }) {
    const { _here: here, _there: there } = this;
    await there.run('ip link set lo up'); // it is in its namespace now
    await here.run(
      // Which every kernel has: what it holds of a stream must not depend on the machine.
      'echo reno > /proc/sys/net/ipv4/tcp_congestion_control',
      'ip link set lo up',
      `ip link add ${DEVICE} type veth peer name ${DEVICE} address ${READERS_MAC} netns ${there.pid}`,
      `ip addr add ${SERVER}/30 dev ${DEVICE}`,
      `ip link set ${DEVICE} up`,
    );
    await there.run(`ip addr add ${READERS}/30 dev ${DEVICE}`, `ip link set ${DEVICE} up`);
    const known = `${READERS} lladdr ${READERS_MAC} dev ${DEVICE}`;
    if (far) await here.run(`ip neigh replace ${known} nud permanent`);
    if (kbit) await here.run(slow(kbit));
    if (loss) await there.run(...lossy(loss));
  }

  /** Has a server of `http`, `https` or `net` listen at this end. @returns {Promise<number>} its port */
  async listen(server) {
    const { result, handle } = await this._here.ask('listen');
    await new Promise((resolve) => server.listen(handle, resolve));
    return result;
  }

  /** A connection across the link. @returns {Promise<net.Socket>} */
  async connect(port) {
    return (await this._there.ask('connect', port, SERVER)).handle;
  }

  /** A connection that does not cross it. */
  async connectNear(port) {
    return (await this._here.ask('connect', port, '127.0.0.1')).handle;
  }

  /** The most that the kernel of the server holds of one connection and has not sent yet. */
  async unsent() {
    const { result } = await this._here.run('ss -tinH state established');
    const found = [...result.matchAll(/ notsent:(\d+)/g)];
    return Math.max(0, ...found.map(([, bytes]) => Number(bytes)));
  }

  /** From now on nothing passes, and nobody is told: neither FIN nor RST. */
  down() {
    return this._there.run(`ip link set ${DEVICE} down`);
  }

  up() {
    return this._there.run(`ip link set ${DEVICE} up`);
  }

  async close() {
    await Promise.all([this._here.close(), this._there.close()]);
  }
}

module.exports = { NamespaceLink, refusal };
