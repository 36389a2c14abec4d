'use strict';

const { createHash } = require('node:crypto');
const { Random } = require('../../js/support/random');
const { LIBRARIES, Wired } = require('./wired');
const { redisAdapter } = require('fanline/redis');

const LETTERS = [
  ...'abcdefghij KLMNOP{}":,\\/<>&%',
  '\n',
  '\t',
  'ä',
  'ß',
  '€',
  '漢',
  '😀',
  '\u2028',
  '\ufeff',
];

const { library, port, room = 'x', redis, hub } = JSON.parse(process.argv[2]);
const { client } = LIBRARIES[library](port);
const wired = new Wired(redisAdapter(client, redis), hub);
const got = []; // what the client of this process got: { id, event, data }

const digest = (data) => createHash('sha1').update(data).digest('hex');

/** Text of so many bytes at least, of a seed. */
function textOf(seed, bytes) {
  const random = new Random(seed);
  let piece = '';
  while (piece.length < 1_000) piece += random.pick(LETTERS);
  const text = piece.repeat(Math.ceil(bytes / piece.length)).slice(0, bytes);
  return text.toWellFormed?.() ?? text;
}

const functions = {
  async listen() {
    await wired.listen();
    if (wired.state !== 'ready') await wired.until('ready');
    const stream = await wired.open(`/?room=${room}`, { timeout: 60_000 });
    (async () => {
      for await (const { id, event, data } of stream) got.push({ id, event, data });
    })();
  },

  /** Sends `<name> 1`, `<name> 2`, …, so many at a time. @returns {Promise<string[]>} the ids as accepted */
  async send(name, count, atATime) {
    const ids = [];
    let next = 0;
    async function go() {
      while (next < count) {
        const n = next++;
        ids[n] = await wired.hub.to(room).send(`${name} ${n + 1}`).accepted;
      }
    }
    await Promise.all(Array.from({ length: atATime }, go));
    return ids;
  },

  /** Text and bytes of each of these sizes. @returns {Promise<string[]>} digests of what was sent */
  async sendSizes(sizes, seed) {
    const digests = [];
    for (const [i, size] of sizes.entries()) {
      const text = textOf(seed + i, size);
      const data = i % 2 ? Buffer.from(text) : text;
      const { accepted } = wired.hub.to(room).send(data);
      if (i % 2) data.fill(0); // its memory is the application's
      await accepted;
      digests.push(digest(text));
    }
    return digests;
  },

  /** What it got, once that is so much. */
  async got(count) {
    while (got.length < count) await new Promise((go) => setTimeout(go, 5));
    return got.splice(0);
  },

  async gotDigests(count) {
    return (await functions.got(count)).map(({ data }) => digest(data));
  },

  async refused(bytes) {
    try {
      wired.hub.to(room).send('x'.repeat(bytes));
      return null;
    } catch (err) {
      return err.code;
    }
  },

  states: async () => wired.states.map(({ state }) => state),
};

process.on('unhandledRejection', (err) => {
  console.error(err);
  process.exit(1);
});
process.on('message', ({ number, name, args }) => {
  functions[name](...args).then(
    (answer) => process.send({ number, answer }),
    (err) => process.send({ number, error: err.stack }),
  );
});
process.on('disconnect', () => process.exit());
