'use strict';

// Values for Last-Event-ID that no reader of ours would send, and what each must lead to.

const net = require('node:net');
const { RawStream } = require('./event-parser');

const LONG = 64 * 1024;
const EPOCH = /^[a-z][a-z0-9]{7}$/;
const CANONICAL = /^(0|[1-9][0-9]*)$/;
const FENCE = 'fanline:end:';

const random = (most) => Math.floor(Math.random() * most);
const pick = (list) => list[random(list.length)];
const repeat = (length, make) => Array.from({ length }, make).join('');

const minutes = () => Math.floor(Date.now() / 60_000);
const letters = (length) => repeat(length, () => pick('abcdefghijklmnopqrstuvwxyz0123456789'));
const bytes = (length) => repeat(length, () => String.fromCharCode(33 + random(223)));
const digits = (length) => repeat(length, () => String(random(10)));

/** Kind → a value. `now`: `{ epoch, kept, letGo }` of the hub. */
const KINDS = {
  bytes: () => bytes(1 + random(60)),
  digits: () => digits(1 + random(30)),
  negative: ({ epoch }) => `${epoch}--${random(100)}`,
  fraction: ({ epoch }) => `${epoch}-${random(100)}.${random(100)}`,
  exponent: ({ epoch }) => `${epoch}-1e${random(400)}`,
  hex: ({ epoch }) => `${epoch}-0x${random(100)}`,
  zeros: ({ epoch }) => `${epoch}-00${random(100)}`,
  future: ({ epoch, kept }) => `${epoch}-${kept + 1e6 + random(1e6)}`,
  huge: ({ epoch }) => `${epoch}-${1 + random(9)}${digits(15 + random(300))}`,
  unsafe: ({ epoch }) =>
    `${epoch}-${pick(['9007199254740991', '9007199254740993', '18446744073709551615'])}`,
  otherEpoch: () => `${pick('abcxyz')}${letters(7)}-${random(1e6)}`,
  notAnEpoch: () => `${digits(1)}${letters(7)}-${random(1e6)}`,
  upperCase: ({ epoch }) => `${epoch.toUpperCase()}-${random(100)}`,
  redis: () => `${Date.now()}-${random(10)}`,
  longGone: ({ epoch, letGo }) => `${epoch}-${random(letGo)}`,
  usable: ({ epoch, kept }) => `${epoch}-${kept - random(20)}`,
  twoIds: ({ epoch, kept }) => `${epoch}-${kept}, ${epoch}-${kept}`,
  tail: ({ epoch, kept }) =>
    `${epoch}-${kept}${pick(['\t', ' ', '-', ':', 'x', '\u00a0', '\u00b2'])}x`,
  empty: () => '',
  fence: () => `${FENCE}${minutes() - random(1_000)}`,
  oldFence: () => `${FENCE}${minutes() - 1_441 - random(1e6)}`,
  futureFence: () => `${FENCE}${minutes() + 3 + random(1e6)}`,
  badFence: () =>
    FENCE + pick(['', '-1', `${minutes()}x`, 'x', '1e9', ` ${minutes()}`, digits(40)]),
  ours: () => pick(['fanline:reset', 'fanline:end', 'fanline:', 'fanline']),
  long: ({ epoch, kept }) =>
    pick([bytes(LONG), digits(LONG), `${epoch}-${kept}`.padEnd(LONG, '0')]),
  controls: ({ epoch, kept }) => `${epoch}-${kept}${pick(['\0', '\x01', '\x7f', '\0\0x'])}`,
};
const USUAL = Object.keys(KINDS).filter((kind) => kind !== 'long');

/** @returns {string} of bytes */
function hostileId(now) {
  return KINDS[random(100) === 0 ? 'long' : pick(USUAL)](now);
}

function isHonoured(id) {
  const stamp = id.slice(FENCE.length);
  if (!id.startsWith(FENCE) || !/^[0-9]{1,10}$/.test(stamp)) return false;
  return minutes() - Number(stamp) >= -1 && minutes() - Number(stamp) <= 24 * 60;
}

/**
 * What a connect with this id must lead to, found another way than the library does.
 * @returns {string|number} a status, 'new', 'replay', or the why of a reset
 */
function outcomeOf(id, { epoch, kept, letGo }) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: HTTP lets no such value through
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(id)) return 400;
  if (id === '') return 'new';
  if (isHonoured(id)) return 204;
  const dash = id.indexOf('-');
  const [head, tail] = dash < 0 ? [id, ''] : [id.slice(0, dash), id.slice(dash + 1)];
  if (!EPOCH.test(head) || !CANONICAL.test(tail) || tail.length > 16) return 'invalid';
  if (head !== epoch) return 'restart';
  if (BigInt(tail) > BigInt(kept)) return 'invalid';
  return Number(tail) < letGo ? 'expired' : 'replay';
}

/**
 * One connection with that id, until it has got an event named `tick`, or an answer that is no stream.
 * @param {string} header its name
 * @returns {Promise<{status: number, firstId: string|undefined, events: object[]}>}
 */
function attempt(port, header, id) {
  return new Promise((resolve, reject) => {
    const events = [];
    const socket = net.connect(port, '127.0.0.1');
    const stream = new RawStream((event) => events.push(event));
    const done = () => {
      socket.destroy();
      const status = Number(stream.head?.split(' ')[1]);
      resolve({ status, firstId: stream.parser.firstId, events });
    };
    socket.on('data', (read) => {
      try {
        stream.feed(read);
      } catch (err) {
        socket.destroy();
        reject(err);
        return;
      }
      if (stream.head !== null && !stream.head.startsWith('HTTP/1.1 200 ')) done();
      else if (events.some(({ event }) => event === 'tick')) done();
    });
    socket.on('error', reject);
    socket.on('close', done);
    socket.write(Buffer.from(`GET / HTTP/1.1\r\nHost: x\r\n${header}: ${id}\r\n\r\n`, 'latin1'));
  });
}

module.exports = { KINDS, attempt, hostileId, outcomeOf };
