'use strict';

// The end of a model run: everything that was sent has met its fate, and each reader is compared with its twin.

const assert = require('node:assert/strict');
const { isDeepStrictEqual } = require('node:util');
const { eventsOf, follow } = require('./oracle-stream');
const { when } = require('./stage');

const IN_ORDER = ['server', 'shutdown'];
const SHED = ['replaced', 'dropOldest', 'dropNewest'];

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/** Did its reader get all there was, up to the end of the response? It may have been too slow while it was being closed. */
function isWhole({ twin, drops, hasLeft, stream }) {
  if (hasLeft || !IN_ORDER.includes(twin.reason)) return false;
  if (twin.mayBeSlow && stream.ended !== 'end') return false;
  return !drops.some(({ reason }) => reason === 'slow');
}

/** By reason: what `drop` has told. */
function toldDrops(connections) {
  const told = {};
  for (const { reason, events, bytes } of connections.flatMap(({ drops }) => drops)) {
    told[reason] ??= { events: 0, bytes: 0 };
    told[reason].events += events;
    told[reason].bytes += bytes;
  }
  return told;
}

function checkStream(run, connection) {
  const { stream, twin } = connection;
  const isCut = !isWhole(connection);
  if (!isCut) assert.equal(stream.ended, 'end');
  else if (!connection.hasLeft) assert.notEqual(stream.ended, 'end');
  const found = follow(twin.pieces, stream.text, { isCut, isLossy: run.isLossy });
  const seen = stream.events.map(({ event, data, id }) => ({ event, data, id }));
  assert.deepEqual(seen, eventsOf(found.received));
  if (isCut) return { received: new Set(), isCut };
  checkDrops(connection, found);
  return { received: new Set(found.received), isCut };
}

/** What listeners were told of drops is what its reader misses. */
function checkDrops(connection, { replaced, missing }) {
  const told = toldDrops([connection]);
  const keys = connection.twin.forgone.map(({ key }) => key).filter((key) => key !== undefined);
  const replacedBehind = keys.length - new Set(keys).size;
  const shed = sum(SHED.map((reason) => told[reason]?.events ?? 0));
  assert.equal(shed, replaced + missing + replacedBehind, 'told of drops');
  const { length } = connection.twin.forgone;
  assert.equal(
    told[connection.twin.reason]?.events ?? 0,
    length - replacedBehind,
    'told of its end',
  );
}

function checkSnapshots({ snapshots, twin }) {
  const { snapshot, pieces } = twin;
  if (snapshot === null) assert.deepEqual(snapshots, []);
  else if (pieces.includes(twin.mark) || snapshots.length > 0)
    assert.deepEqual(snapshots, [snapshot]);
}

/** Each reference of the event is in one of the three sums, where the readers say it should be. */
function checkDelivery({ expected, delivery }, fates) {
  const { id, matched, written, dropped, closed } = delivery;
  const { piece, receivers } = expected;
  const known = receivers.map(({ number }) => fates[number]).filter(({ isCut }) => !isCut);
  const got = known.filter(({ received }) => received.has(piece)).length;
  const not = known.length - got;
  const unknown = receivers.length - known.length;
  assert.equal(id, expected.id);
  assert.equal(written + dropped + closed, matched);
  const within = (number, least, name) =>
    assert(number >= least && number <= least + unknown, `${name}: ${number}, at least ${least}`);
  within(matched, known.length, 'matched');
  within(written, got, 'written');
  within(dropped + closed, not, 'dropped or closed');
}

function checkStats(run, stats) {
  const { oracle, connections } = run;
  const nonzero = Object.entries(stats.disconnects).filter(([, count]) => count > 0);
  assert.deepEqual(Object.fromEntries(nonzero), oracle.disconnects);
  assert.deepEqual(stats.refused, oracle.refused);
  assert.equal(stats.events, oracle.sends + (run.hasHistory ? 0 : 1)); // the probe is in the oracle's history
  // What was cut may have come to its end on any of its pieces, or before the loop knew of it.
  const whole = connections.filter(isWhole);
  const within = (name, count) => {
    const [least, most] = [sum(whole.map(count)), sum(connections.map(count))];
    assert(stats[name] >= least && stats[name] <= most, `${name}: ${stats[name]} of ${most}`);
  };
  within('deliveries', ({ twin }) => twin.pieces.length + twin.forgone.length);
  within('replays', ({ twin }) => Number(twin.isReplayed));
  within('resets', ({ twin }) => Number(twin.isReset));
}

/** Ends the hub and compares all there is. */
async function finish(run) {
  const { hub, oracle, connections } = run;
  const alive = run.present.length;
  oracle.shutDown();
  const end = await hub.close({ grace: 0 });
  assert.deepEqual(end, { ended: alive, cut: 0 });
  await when(() => connections.every(({ stream }) => stream.ended !== null), 'all ends');
  const isTold = () => isDeepStrictEqual(hub.stats().drops, toldDrops(connections));
  await when(isTold, 'all drops told');
  const fates = connections.map((connection) => {
    try {
      assert.deepEqual(connection.log, connection.twin.log);
      checkSnapshots(connection);
      return checkStream(run, connection);
    } catch (err) {
      err.message = `connection ${connection.twin.number}: ${err.message}`;
      throw err;
    }
  });
  for (const delivery of await Promise.all(run.deliveries)) checkDelivery(delivery, fates);
  await Promise.all(run.accepted);
  checkStats(run, hub.stats());
  if (run.failure !== null) throw run.failure;
}

module.exports = { finish };
