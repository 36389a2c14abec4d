'use strict';

const list = (object) =>
  Object.entries(object)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');

/** @param {object} counts of Chaos */
function sentence({ kills, reconnects, moved, cuts, events, deliveries, wrong, longest }) {
  const { redis, ...processes } = kills;
  return [
    `killed: Redis ${redis}, processes ${Object.values(processes).join(' + ')}; ${cuts} connections cut`,
    `${reconnects} reconnects (${moved} to another process)`,
    `events: ${list(events)}`,
    `${deliveries} deliveries checked: ${list(wrong)}`,
    `longest: ${longest.accepting} ms until an event was accepted again, ${longest.away} ms until a client had a stream again, ${longest.delivery} ms from send to receipt`,
  ].join('; ');
}

module.exports = { sentence };
