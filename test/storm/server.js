'use strict';

// The server of the storm, a process of its own: plain http and Express in front of one hub. It floods two rooms, sends
// private events, moves clients between the rooms and ends some in every way it can, at random moments. test/storm/reader.h
// tells what each event says and what its reader makes of it. Commands come from the parent process (test/storm/harness.js).

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const express = require('express');
const { createHub } = require(process.env.FANLINE_STORM_LIB ?? path.join(__dirname, '../..'));

const ROOMS = ['a', 'b'];
const TICK = 4; // ms
const HEARTBEAT_BYTES = 100; // at most: the hub's own heartbeat frame is kept
const HISTORY = { maxAge: 1_000, bytes: 128 << 10 }; // an eighth of that for rooms without events, of which there are many
const RING_BYTES = 96; // of a room without events in the history
const ROOM_SETS = { a: 1, b: 2, ab: 3 };

const hub = createHub({
  heartbeat: 150,
  batchDelay: Number(process.env.FANLINE_STORM_DELAY ?? 0),
  history: process.env.FANLINE_STORM_HISTORY === 'off' ? false : HISTORY,
  limits: { queueBytes: 192 * 1024, stallTimeout: 1_500 },
});
const next = [1, 1]; // of each room
const open = []; // of clients: { client, res, token, rooms, sent, at }
const done = {}; // what was done → how often

function below(limit) {
  return Math.floor(Math.random() * limit);
}

function filler(number) {
  const size = below(50) === 0 ? below(24_000) : below(600);
  return `${size} ${String.fromCharCode(97 + (number % 26)).repeat(size)}`;
}

function count(what) {
  done[what] = (done[what] ?? 0) + 1;
}

/** False: the hub has no room, and nothing was sent. */
function accepted(send) {
  try {
    send();
    return true;
  } catch (err) {
    if (err.code !== 'ERR_FAN_FULL') throw err;
    count('full');
    return false;
  }
}

// ---- clients ----

function names(rooms) {
  return ROOMS.filter((_, i) => rooms & (1 << i));
}

/** Tells the client in which rooms it is from here on, and what comes next in them. */
function tellRooms(entry, rooms) {
  const text = `M ${entry.token} ${entry.sent + 1} ${rooms} ${next[0]} ${next[1]}`;
  if (!accepted(() => entry.client.send(text))) {
    entry.client.close(); // it would take the next event for a hole
    return;
  }
  entry.sent++;
  entry.rooms = rooms;
}

function enter(req, res) {
  const query = new URL(req.url, 'http://localhost').searchParams;
  const moves = query.get('rooms') === 'm';
  const rooms = moves ? 1 + below(3) : ROOM_SETS[query.get('rooms')];
  const token = query.get('token');
  const transport = query.get('relay') === '1' ? 'relay' : 'auto';
  const client = hub.connect(req, res, { user: token, rooms: names(rooms), transport });
  if (client.closed !== null) return;
  const entry = { client, res, token, moves, rooms: 0, sent: 0, at: open.length };
  client.data = entry;
  open.push(entry);
  tellRooms(entry, rooms);
}

function forget(entry) {
  if (entry.at < 0) return;
  const last = open.pop();
  if (last !== entry) {
    open[entry.at] = last;
    last.at = entry.at;
  }
  entry.at = -1;
}

hub.on('disconnect', (client) => client.data && forget(client.data));

// ---- what is done to them ----

function sendPrivate(entry) {
  const { client, res, token } = entry;
  const number = entry.sent + 1;
  const text = `P ${token} ${number} ${filler(number)}`;
  const cut = below(text.length);
  const ways = [
    () => client.send(text),
    () => hub.client(client.id).send(text),
    () => hub.user(token).send(text, { event: 'private' }),
    () => {
      res.write(`data: ${text.slice(0, cut)}`);
      res.write(`${text.slice(cut)}\n\n`);
    },
  ];
  // Text of old code that does not fit is lost in its middle: never here, where the budget may be short.
  const way = ways[below(hub.stats().bufferedBytes < 1e8 ? 4 : 3)];
  if (accepted(way)) entry.sent++;
}

function move(entry) {
  if (!entry.moves) return;
  const rooms = below(4);
  const { client } = entry;
  const target = below(2) ? client : hub.client(client.id);
  target.leave(names(~rooms & 3));
  target.join(names(rooms));
  tellRooms(entry, rooms);
  count('moved');
}

function bye(entry, opts) {
  const { client, token } = entry;
  const data = `B ${token} ${entry.sent + 1} ${next[0]} ${next[1]}`;
  forget(entry);
  accepted(() => client.close({ data, event: 'bye', ...opts }));
}

const ENDS = {
  close: (entry) => bye(entry),
  closeForGood: (entry) => bye(entry, { reconnect: false }),
  closeSilently: ({ client }) => client.close({ reconnect: below(2) === 0 }),
  end: ({ res }) => res.end(),
  destroy: ({ res }) => res.destroy(),
  resetAndDestroy: ({ res }) => res.socket?.resetAndDestroy(),
  /** More than its queue may hold, at once: who does not read is evicted. */
  overwhelm: (entry) => {
    for (let i = 0; i < 80 && entry.at >= 0; i++) sendPrivate(entry);
  },
};

function harm() {
  if (open.length === 0) return;
  const entry = open[below(open.length)];
  const names = Object.keys(ENDS);
  const name = names[below(names.length)];
  forget(entry); // but for overwhelm, nothing more is done to it
  if (name === 'overwhelm') {
    entry.at = open.length;
    open.push(entry);
  }
  ENDS[name](entry);
  count(name);
}

function flood() {
  for (let i = 0; i < ROOMS.length; i++) {
    for (let n = below(4) === 0 ? below(6) : 0; n > 0; n--) {
      const text = `R ${ROOMS[i]} ${next[i]} ${filler(next[i])}`;
      if (accepted(() => hub.to(ROOMS[i]).send(text))) next[i]++;
    }
  }
}

function step() {
  flood();
  for (let n = below(8); n > 0 && open.length > 0; n--) sendPrivate(open[below(open.length)]);
  for (let n = below(4); n > 0 && open.length > 0; n--) move(open[below(open.length)]);
  for (let n = below(3); n > 0; n--) harm();
  flood();
}

// ---- what is left ----

function frames(bytes) {
  return bytes <= HEARTBEAT_BYTES ? 0 : bytes;
}

async function measure() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const connections = await new Promise((resolve, reject) =>
    server.getConnections((err, n) => (err ? reject(err) : resolve(n))),
  );
  const { clients, rooms, users, bufferedBytes, inboxBytes, historyEvents, historyBytes } =
    hub.stats();
  const core = hub._native.stats();
  const remembered = hub._rooms._names.size + hub._users._names.size;
  const gauges = {
    size: hub.size,
    'open in this file': open.length,
    clients,
    rooms,
    users,
    bufferedBytes: frames(bufferedBytes),
    inboxBytes,
    historyEvents,
    'rooms that only lib/ remembers': Math.max(
      0,
      remembered - Math.floor(historyBytes / RING_BYTES),
    ),
    connections,
    'clients of the loop': core.clients,
    'memberships of the loop': core.memberships,
    'rooms of the loop': core.rooms,
    'bytes held by the loop': frames(core.held_bytes),
  };
  const { rss, heapUsed } = process.memoryUsage();
  return {
    gauges,
    rss,
    heapUsed,
    fds: fs.readdirSync('/proc/self/fd').length,
    threads: fs.readdirSync('/proc/self/task').length,
  };
}

// ---- life ----

const app = express();
app.use('/express', enter);
const server = http.createServer((req, res) => {
  if (req.url.startsWith('/plain')) enter(req, res);
  else app(req, res);
});
let timer = null;

const COMMANDS = {
  flood() {
    timer = setInterval(step, TICK);
  },
  calm() {
    clearInterval(timer);
  },
  measure,
  totals: () => ({ done, stats: hub.stats(), events: next.map((number) => number - 1) }),
  async close() {
    const closed = await hub.close({ grace: 1_000 });
    server.close();
    setImmediate(() => process.disconnect()); // from here on nothing should keep this process
    return closed;
  },
};

process.on('message', async ({ command }) => {
  process.send({ [command]: (await COMMANDS[command]()) ?? null });
});
server.listen(0, '127.0.0.1', 1_024, () => process.send({ port: server.address().port }));
