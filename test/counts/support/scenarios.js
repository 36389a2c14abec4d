'use strict';

// What is counted in a process that serves streams: each scenario is one thing that an application does, done again and again.

const { setTimeout: sleep } = require('node:timers/promises');

const TEXT = 'x'.repeat(1_000); // see PAYLOAD in counters.c
const BRIEF = 'z'.repeat(100); // so little that nobody is told how much of it waits
const LARGE = 'y'.repeat(65_536);
const BYTES = Buffer.from(TEXT);
const QUIET = { heartbeat: false, history: false };

/** `options` of the hub, `clients` that are open, `op` what is counted, done `times` in each of `rounds`. */
const SCENARIOS = {
  'a broadcast to 10': {
    options: QUIET,
    clients: 10,
    op: ({ hub }) => hub.broadcast(TEXT),
  },
  'a broadcast to 1,000': {
    options: QUIET,
    clients: 1_000,
    times: 4,
    op: ({ hub }) => hub.broadcast(TEXT),
  },
  'a broadcast of a Buffer': {
    options: QUIET,
    clients: 10,
    op: ({ hub }) => hub.broadcast(BYTES),
  },
  'a broadcast of 64 KiB': {
    options: QUIET,
    clients: 10,
    times: 4,
    op: ({ hub }) => hub.broadcast(LARGE),
  },
  'a broadcast that is kept': {
    options: { heartbeat: false },
    clients: 10,
    op: ({ hub }) => hub.broadcast(TEXT),
  },
  'a send to a room of 10': {
    options: QUIET,
    clients: 10,
    op: ({ hub }) => hub.to('room').send(TEXT),
  },
  'a send to two rooms': {
    options: QUIET,
    clients: 10,
    op: ({ hub }) => hub.to(['room', 'all']).send(TEXT),
  },
  '16 broadcasts in one stretch': {
    options: QUIET,
    clients: 10,
    op: ({ hub }) => {
      for (let i = 0; i < 16; i++) hub.broadcast(TEXT);
    },
  },
  'a private event': {
    options: QUIET,
    clients: 10,
    op: ({ clients }, i) => clients[i % 10].send(TEXT),
  },
  'a private event to each of 10': {
    options: QUIET,
    clients: 10,
    op: ({ clients }) => {
      for (const client of clients) client.send(BRIEF);
    },
  },
  'a delivery that is asked after': {
    options: QUIET,
    clients: 10,
    op: ({ hub }) => hub.to('room').deliver(TEXT),
  },
  'a broadcast to 10 by relay': {
    options: { ...QUIET, transport: 'relay' },
    clients: 10,
    op: ({ hub }) => hub.broadcast(TEXT),
  },
  'a broadcast to 10 that are detached': {
    options: { ...QUIET, transport: 'detached' },
    clients: 10,
    op: ({ hub }) => hub.broadcast(TEXT),
  },
  'a client that connects': {
    options: QUIET,
    clients: 0,
    op: (stage) => stage.open(),
  },
  'a client that leaves': {
    options: QUIET,
    clients: 70,
    op: (stage) => stage.leave(),
  },
  'a client that the hub ends': {
    options: QUIET,
    clients: 70,
    op: (stage) => stage.dismiss(),
  },
  'a detached client that connects': {
    options: { ...QUIET, transport: 'detached' },
    clients: 0,
    op: (stage) => stage.open(),
  },
  'a detached client that leaves': {
    options: { ...QUIET, transport: 'detached' },
    clients: 70,
    op: (stage) => stage.leave(),
  },
  'a second without anything to do': {
    options: QUIET,
    clients: 100,
    rounds: 1,
    times: 1,
    op: () => sleep(1_000),
  },
  'a moment in which no heartbeat is due': {
    options: { heartbeat: 60_000, history: false }, // whatever the machine does, it is not due
    clients: 100,
    rounds: 3,
    times: 1,
    op: () => sleep(250),
  },
};

module.exports = { SCENARIOS };
