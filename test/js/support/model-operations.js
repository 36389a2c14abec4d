'use strict';

// The operations of a model run: each does the same to the hub and to the oracle, and compares their answers.

const assert = require('node:assert/strict');
const { commentPiece, eventPiece, retryPiece } = require('./oracle-stream');

// The same words for rooms and users: they must not be taken for one another.
const ROOMS = ['a', 'b', 'c', 'u'];
const USERS = ['u', 'v', 'a'];
const KEYS = ['k', 'l'];
const LARGE = 96 << 10; // bytes: a few are more than the kernel takes for a reader that does not read
const MINUTE = 60_000;

const NOBODY = { rooms: [], clients: [], addresses: [] };

// ---- random arguments ----

const few = (run, list) => run.random.some(list, Math.min(1, 2 / list.length));
const present = (run) => run.random.pick(run.present);

/** Data that no other event has, in one of its forms: `{ given, known }`, the latter what the oracle is told. */
function randomData(run) {
  const { random, setup } = run;
  const number = ++run.count;
  if (setup.large && random.chance(0.6)) {
    const text = `${number} `.padEnd(LARGE, 'x');
    return { given: text, known: text };
  }
  const text = random.pick([`${number}`, `${number}\nid: 1`, `\r\n${number}\r`, ` ${number}é\n\n`]);
  return random.pick([
    { given: text, known: text },
    { given: Buffer.from(text), known: text },
    { given: { text }, known: { text } },
  ]);
}

function eventName(run) {
  return run.random.chance(0.3) ? run.random.pick(['tick', 'é x']) : undefined;
}

/** Options of a send to a target. */
function sendOptions(run) {
  const { random, setup } = run;
  const opts = { event: eventName(run) };
  if (setup.keys && random.chance(0.4)) opts.key = random.pick(KEYS);
  else if (!run.hasHistory && random.chance(0.5)) opts.id = `own-${run.count}`;
  if (random.chance(0.2)) opts.history = false;
  return opts;
}

function randomAddress(run, depth = 0) {
  const { random } = run;
  const everyone = random.chance(depth === 0 ? 0.25 : 0.1);
  const twins = run.connections.map(({ twin }) => twin);
  const address = { everyone, rooms: [], users: [], clients: [], except: NOBODY };
  if (!everyone) {
    address.rooms = random.some([...ROOMS, 'empty'], 0.3);
    address.users = random.some(USERS, 0.2);
    if (random.chance(0.3)) address.clients = few(run, twins);
  }
  if (random.chance(0.4)) address.except = randomExceptions(run, twins, depth);
  return address;
}

function randomExceptions(run, twins, depth) {
  const { random } = run;
  return {
    rooms: random.some(ROOMS, 0.2),
    clients: random.chance(0.3) ? few(run, twins) : [],
    addresses: depth < 2 && random.chance(0.4) ? [randomAddress(run, depth + 1)] : [],
  };
}

/** The hub's Target of an address. */
function targetOf(run, { everyone, rooms, users, clients, except }) {
  const { hub } = run;
  const clientOf = ({ number }) =>
    run.connections.find(({ twin }) => twin.number === number).client;
  let target = everyone ? hub.except([]) : hub.client(clients.map((twin) => clientOf(twin).id));
  if (rooms.length > 0) target = target.to(rooms);
  if (users.length > 0) target = target.user(users);
  const exceptions = [
    ...except.rooms,
    ...except.clients.map(clientOf),
    ...except.addresses.map((address) => targetOf(run, address)),
  ];
  return exceptions.length > 0 ? target.except(exceptions) : target;
}

/** What a close sends, and its piece. */
function randomClose(run) {
  const { random } = run;
  const reconnect = random.chance(0.7);
  const { given, known } = randomData(run);
  const hasData = random.chance(0.6);
  const event = hasData ? eventName(run) : undefined;
  const opts = { reconnect, ...(hasData && { data: given, event }) };
  if (!hasData && reconnect) return { opts, piece: null };
  const text = typeof known === 'string' ? known : JSON.stringify(known);
  const id = reconnect ? undefined : `fanline:end:${Math.floor(Date.now() / MINUTE)}`;
  const last = hasData ? { event, text } : { event: 'fanline:end', text: 'fanline:end' };
  return { opts, piece: eventPiece({ id, ...last }) };
}

// ---- coming and going ----

/** A cursor: none, that of a reader that has left, an older or a newer one, that of another hub, or none at all. */
function randomCursor(run) {
  const { oracle, random } = run;
  const reader = random.pick(run.gone);
  return random.weighted({ none: 3, last: reader === undefined ? 0 : 8, other: 2 }) === 'last'
    ? reader.lastSeen
    : random.pick([
        undefined,
        undefined,
        oracle.idOf(random.below(oracle.seq + 1)),
        oracle.idOf(oracle.seq + 1 + random.below(20)),
        `abcdefgh-${random.below(9)}`,
        random.pick(['fanline:end:0', 'own-1', '-1', oracle.idOf('01'), 'x'.repeat(200)]),
      ]);
}

const connect = {
  async prepare(run) {
    const { random } = run;
    const id = randomCursor(run);
    const isOption = random.chance(0.2);
    return { arrival: await run.knock(isOption ? undefined : id), id, isOption };
  },
  act(run, { arrival, id, isOption }) {
    const { random } = run;
    const opts = {
      user: random.chance(0.6) ? random.pick(USERS) : undefined,
      rooms: random.some(ROOMS, 0.4),
      transport: random.pick(run.transports),
      lastEventId: isOption ? id : undefined,
    };
    const isFenced = !isOption && id !== undefined && /^fanline:end:[1-9]/.test(id);
    run.enter(arrival, opts, { user: opts.user, rooms: opts.rooms, id, isFenced });
  },
};

const destroy = {
  act(run) {
    const connection = present(run);
    if (connection === undefined) return;
    connection.hasLeft = true;
    connection.stream.close();
  },
};

const pause = {
  act(run) {
    const connection = present(run);
    if (connection === undefined) return;
    connection.isPaused = true;
    connection.stream.pause();
  },
};

const close = {
  act(run) {
    const connection = present(run);
    if (connection === undefined) return;
    const { opts, piece } = randomClose(run);
    run.oracle.close(connection.twin, piece);
    connection.client.close(opts);
    assert.equal(connection.client.send('too late'), false);
  },
};

// ---- sending ----

const send = {
  act(run) {
    const address = randomAddress(run);
    const opts = sendOptions(run);
    const { given, known } = randomData(run);
    const expected = run.oracle.publish(address, known, opts);
    const receipt = targetOf(run, address).send(given, opts);
    assert.equal(receipt.matched, expected.matched);
    run.accepted.push(receipt.accepted.then((id) => assert.equal(id, expected.id)));
  },
};

const deliver = {
  act(run) {
    const address = randomAddress(run);
    const opts = sendOptions(run);
    const { given, known } = randomData(run);
    const expected = run.oracle.publish(address, known, opts);
    const delivered = targetOf(run, address).deliver(given, opts);
    run.deliveries.push(delivered.then((delivery) => ({ expected, delivery })));
  },
};

/** What is collected is one event, whose data is the array. */
const batch = {
  act(run) {
    const address = randomAddress(run);
    const event = eventName(run);
    const collected = targetOf(run, address).batch({ delay: 60_000, event });
    const items = Array.from({ length: run.random.below(4) }, () => {
      const item = { event: eventName(run), data: { n: ++run.count } };
      collected.send(item.data, item.event === undefined ? undefined : { event: item.event });
      return item;
    });
    const receipt = collected.flush();
    if (items.length === 0) {
      assert.equal(receipt, null);
      return;
    }
    const expected = run.oracle.publish(address, items, { event: event ?? 'batch' });
    assert.equal(receipt.matched, expected.matched);
  },
};

const sendPrivately = {
  act(run) {
    const connection = present(run);
    if (connection === undefined) return;
    const { given, known } = randomData(run);
    const { history, ...opts } = sendOptions(run);
    run.oracle.send(connection.twin, known, opts);
    connection.client.send(given, { ...opts, history });
  },
};

const comment = {
  act(run) {
    const connection = present(run);
    if (connection === undefined) return;
    const number = ++run.count;
    if (run.random.chance(0.5)) {
      run.oracle.tell(connection.twin, commentPiece(`comment ${number}`));
      connection.client.comment(`comment ${number}`);
    } else {
      run.oracle.tell(connection.twin, retryPiece(10_000 + number));
      connection.client.retry(10_000 + number);
    }
  },
};

// ---- rooms ----

const join = {
  act(run) {
    const connection = present(run);
    if (connection === undefined) return;
    const rooms = run.random.some(ROOMS, 0.4);
    run.oracle.join(connection.twin, rooms);
    connection.client.join(rooms);
  },
};

const leave = {
  act(run) {
    const connection = present(run);
    if (connection === undefined) return;
    const rooms = run.random.some(ROOMS, 0.4);
    run.oracle.leave(connection.twin, rooms);
    connection.client.leave(rooms);
  },
};

const joinMany = {
  act(run) {
    const address = randomAddress(run);
    const rooms = run.random.some(ROOMS, 0.3);
    for (const twin of run.oracle.members(address)) run.oracle.join(twin, rooms);
    targetOf(run, address).join(rooms);
  },
};

const leaveMany = {
  act(run) {
    const address = randomAddress(run);
    const rooms = run.random.some(ROOMS, 0.3);
    for (const twin of run.oracle.members(address)) run.oracle.leave(twin, rooms);
    targetOf(run, address).leave(rooms);
  },
};

const disconnectMany = {
  act(run) {
    const address = randomAddress(run);
    const { opts, piece } = randomClose(run);
    for (const twin of run.oracle.members(address)) run.oracle.close(twin, piece);
    targetOf(run, address).disconnect(opts);
  },
};

/** Who is meant at this moment. */
const lookUp = {
  act(run) {
    const address = randomAddress(run);
    const target = targetOf(run, address);
    const expected = run.oracle.members(address).map(({ number }) => number);
    const found = target.clients().map(({ data }) => data.twin.number);
    assert.deepEqual(
      found.sort((a, b) => a - b),
      expected,
    );
    assert.equal(target.size, expected.length);
  },
};

const OPERATIONS = {
  ...{ connect, destroy, pause, close },
  ...{ send, deliver, batch, sendPrivately, comment },
  ...{ join, leave, joinMany, leaveMany, disconnectMany, lookUp },
};

const WEIGHTS = {
  ...{ connect: 14, destroy: 5, pause: 4, close: 2 },
  ...{ send: 34, deliver: 6, batch: 3, sendPrivately: 8, comment: 3 },
  ...{ join: 5, leave: 4, joinMany: 2, leaveMany: 2, disconnectMany: 1, lookUp: 4 },
};

module.exports = { OPERATIONS, WEIGHTS };
