'use strict';

// Each driver of the benchmark does what it says it has: numbers of one that loses, doubles or mixes up events mean nothing.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const { driverNames, loadDriver, whyNot } = require('../../bench/suite/driver');
const { DriverProcess } = require('./support/driver-process');
const { Reader } = require('./support/reader');

const CLIENTS = 20;
const EVENTS = 10;
const SOON = 5_000; // ms
const LARGE = 'ä€😀'.repeat(30_000); // 270 000 bytes

const texts = (name, count = EVENTS) => Array.from({ length: count }, (_, i) => `${i + 1} ${name}`);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** One that has ended, and that nobody has asked for yet, does not. */
function runs(pid) {
  try {
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

function get({ port, tls }, path) {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, agent: false, rejectUnauthorized: false };
    const request = (tls ? https : http).get(options, (res) => {
      let body = '';
      res.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      res.on('end', () => resolve({ status: res.statusCode, body }));
    });
    request.on('error', reject);
  });
}

/** By what they state; NEEDS has the capability that each is about. */
const tests = {
  async 'sends a broadcast to each client once and in order'({ server, open }) {
    const readers = await open('/events', CLIENTS);
    for (const text of texts('broadcast')) await server.ask('broadcast', text);
    for (const reader of readers) {
      await reader.has(EVENTS);
      assert.deepEqual(reader.texts, texts('broadcast'));
    }
  },
  async 'sends large text as it is'({ server, open }) {
    const [reader] = await open('/events');
    await server.ask('broadcast', LARGE);
    await reader.has(1);
    assert.ok(reader.texts[0] === LARGE, `${reader.texts[0].length} of ${LARGE.length} characters`);
  },
  async 'goes on when others have left'({ server, open }) {
    const readers = await open('/events', CLIENTS);
    const [first, ...rest] = texts('leaving');
    await server.ask('broadcast', first);
    for (const reader of readers.splice(0, CLIENTS / 2)) reader.close();
    for (const text of rest) {
      await server.ask('broadcast', text);
      await sleep(1); // that they have left is told in between
    }
    for (const reader of readers) {
      await reader.has(EVENTS);
      assert.deepEqual(reader.texts, texts('leaving'));
    }
  },
  async 'sends to a room those who are in it, and broadcasts to everybody'({ server, open }) {
    const [one] = await open('/events?rooms=1');
    const [both] = await open('/events?rooms=1,2');
    const [none] = await open('/events');
    await server.ask('toRoom', '1', 'to 1');
    await server.ask('toRoom', '2', 'to 2');
    await server.ask('toRoom', '3', 'to nobody');
    await server.ask('broadcast', 'to all');
    await Promise.all([one.has(2), both.has(3), none.has(1)]);
    assert.deepEqual(one.texts, ['to 1', 'to all']);
    assert.deepEqual(both.texts, ['to 1', 'to 2', 'to all']);
    assert.deepEqual(none.texts, ['to all']);
  },
  async 'sends to a room from the moment of joining to that of leaving'({ server, open }) {
    const readers = await open('/events', 3);
    await server.ask('toRoom', '4', 'before');
    assert.ok((await server.ask('moved', '4', 'join')) >= 3);
    await server.ask('toRoom', '4', 'within');
    await server.ask('moved', '4', 'leave');
    await server.ask('toRoom', '4', 'after');
    await server.ask('broadcast', 'end');
    for (const reader of readers) {
      await reader.has(2);
      assert.deepEqual(reader.texts, ['within', 'end']);
    }
  },
  async 'sends each stream of its own what belongs to it'({ server, open }) {
    const from = await server.ask('streams');
    const readers = [];
    for (let i = 0; i < 3; i++) readers.push(...(await open('/stream')));
    assert.equal(await server.ask('streams'), from + 3);
    for (const text of texts('own'))
      for (let i = 0; i < 3; i++) await server.ask('send', from + i, `${text} ${i}`);
    for (const [i, reader] of readers.entries()) {
      await reader.has(EVENTS);
      assert.deepEqual(
        reader.texts,
        texts('own').map((text) => `${text} ${i}`),
      );
    }
  },
  async 'ends a stream of its own behind what was sent'({ server, open }) {
    const from = await server.ask('streams');
    const [reader] = await open('/stream');
    const [other] = await open('/stream');
    for (const text of texts('last')) await server.ask('send', from, text);
    await server.ask('end', from);
    await reader.end();
    assert.deepEqual(reader.texts, texts('last'));
    assert.equal(other.ended, false);
  },
  async 'pipes a source of its own into each stream, to its end'({ server, open }) {
    const from = await server.ask('streams');
    const readers = await open('/stream', 3);
    const piped = readers.map((_reader, i) => server.ask('pipe', from + i, texts('piped')));
    await Promise.all(piped);
    for (const reader of readers) {
      await reader.end();
      assert.deepEqual(reader.texts, texts('piped'));
    }
  },
  async 'replays what a client has missed, and then sends on'({ name, started, open }) {
    const server = await started(name, { history: 100 });
    const [reader] = await open('/events', 1, { server });
    await server.ask('broadcast', 'seen');
    await reader.has(1);
    reader.close();
    for (const text of texts('missed')) await server.ask('broadcast', text);
    const { lastEventId } = reader;
    const back = await open('/events', 3, { server, lastEventId });
    const [fresh] = await open('/events', 1, { server });
    for (const reader of back) await reader.has(EVENTS);
    await server.ask('broadcast', 'live');
    for (const one of back) {
      await one.has(EVENTS + 1);
      assert.deepEqual(one.texts, [...texts('missed'), 'live']);
    }
    await fresh.has(1);
    assert.deepEqual(fresh.texts, ['live']);
  },
  async 'answers an ordinary request'({ server }) {
    assert.deepEqual(await get(server, '/ping'), { status: 200, body: 'pong' });
  },
  async 'counts its clients'({ server, open }) {
    const before = await server.ask('stats');
    await open('/events', 2);
    const { clients } = await server.ask('stats');
    assert.equal(clients, before.clients + 2);
  },
};

const NEEDS = [
  ['broadcast', 'sends a broadcast to each client once and in order'],
  ['broadcast', 'sends large text as it is'],
  ['broadcast', 'goes on when others have left'],
  ['rooms', 'sends to a room those who are in it, and broadcasts to everybody'],
  ['churn', 'sends to a room from the moment of joining to that of leaving'],
  ['private', 'sends each stream of its own what belongs to it'],
  ['private', 'ends a stream of its own behind what was sent'],
  ['pipe', 'pipes a source of its own into each stream, to its end'],
  ['replay', 'replays what a client has missed, and then sends on'],
  ['ping', 'answers an ordinary request'],
  ['stats', 'counts its clients'],
];

/** By intent. */
const NOT = {
  'at-the-end': ['sends each stream of its own what belongs to it'], // before it ends
  bare: ['ends a stream of its own behind what was sent'],
};

/** What the rows of fanline stand for. */
const TRANSPORTS = {
  fanline: 'fd',
  'fanline-detached': 'detached',
  'fanline-relay': 'relay',
  'fanline-tls': 'relay',
};

const OTHER_PROCESSES = ['bare', 'nchan'];

describe('drivers of the benchmark', () => {
  for (const name of driverNames()) {
    const driver = loadDriver(name);

    describe(name, () => {
      let server;
      let servers;
      let readers;

      const started = async (...args) => {
        const one = await DriverProcess.start(...args);
        servers.push(one);
        return one;
      };

      const open = async (path, count = 1, { server: from = server, ...options } = {}) => {
        const opened = [];
        for (let i = 0; i < count; i++) opened.push(await Reader.open(from, path, options));
        readers.push(...opened);
        return [...opened];
      };

      before(async function () {
        const reason = whyNot(driver);
        if (reason) {
          if (process.env.CI === 'true') throw new Error(reason);
          console.log(`  not run: ${reason}`);
          this.skip();
        }
        servers = [];
        readers = [];
        server = await started(name);
      });
      afterEach(() => {
        for (const reader of readers.splice(0)) reader.close();
      });
      after(async () => {
        const pids = server?.pids ?? [];
        const said = [];
        for (const one of servers ?? []) said.push(await one.stop());
        assert.equal(said.join(''), '');
        assert.deepEqual(pids.filter(runs), []);
      });

      it('says what it is, and which versions', () => {
        assert.equal(typeof driver.what, 'string');
        for (const version of Object.values(driver.versions())) assert.match(version, /^\d.*\.\d/);
      });

      if (TRANSPORTS[name]) {
        it(`reaches its clients by ${TRANSPORTS[name]}`, async () => {
          await open('/events', 2);
          const wanted = `${TRANSPORTS[name]} ${TRANSPORTS[name]}`;
          const end = Date.now() + SOON;
          let transports;
          do transports = await server.ask('transports');
          while (transports !== wanted && Date.now() < end); // one is detached a moment after its head
          assert.equal(transports, wanted);
        });
      }

      if (OTHER_PROCESSES.includes(name)) {
        it('leaves no process behind when its own is killed', async () => {
          const killed = await started(name);
          assert.ok(killed.pids.every(runs));
          await killed.kill();
          const end = Date.now() + SOON;
          while (killed.pids.some(runs) && Date.now() < end) await sleep(20);
          assert.deepEqual(killed.pids.filter(runs), []);
        });
      }

      for (const [capability, title] of NEEDS) {
        if (!driver.has.includes(capability) || NOT[name]?.includes(title)) continue;
        it(title, () => tests[title]({ name, server, open, started }));
      }
    });
  }
});
