'use strict';

// The child process of resume-storm.js: wanderers, commanded by messages.

const { Plan } = require('./resume-plan');
const { Wanderer } = require('./resume-wanderer');

const ERRORS_MAX = 10;
let plan;
let wanderers = [];

function start({ seed, count, size, clients, spreadMs, ...how }) {
  plan = new Plan(seed, count, size);
  wanderers = Array.from(
    { length: clients },
    (_, number) => new Wanderer(plan, { number, ...how }),
  );
  for (const wanderer of wanderers) setTimeout(() => wanderer.connect(), Math.random() * spreadMs);
}

/** Nobody is cut off any more. Resolves when each has all, or when it is too late. */
async function settle({ ms }) {
  for (const wanderer of wanderers) wanderer.settle();
  const limit = Date.now() + ms;
  while (Date.now() < limit && !wanderers.every((wanderer) => wanderer.isThrough))
    await new Promise((resolve) => setTimeout(resolve, 20));
  for (const wanderer of wanderers) wanderer.close();
  return report();
}

function lacking({ number, kept }, expected) {
  return `client ${number} has got ${kept.length} events of ${expected.length}`;
}

function report() {
  const errors = wanderers.flatMap((wanderer) => wanderer.errors);
  const incomplete = wanderers
    .map((wanderer) => ({ wanderer, expected: wanderer.expected() }))
    .filter(({ wanderer, expected }) => {
      return !wanderer.isThrough || wanderer.kept.join() !== expected.join();
    })
    .map(({ wanderer, expected }) => lacking(wanderer, expected));
  const sum = (what) => wanderers.reduce((total, wanderer) => total + what(wanderer), 0);
  const byRooms = {};
  for (const { place, kept } of wanderers)
    byRooms[place.rooms.length] = (byRooms[place.rooms.length] ?? 0) + kept.length;
  return {
    errors: errors.slice(0, ERRORS_MAX),
    incomplete: incomplete.slice(0, ERRORS_MAX),
    connections: sum((wanderer) => wanderer.connections),
    kept: sum((wanderer) => wanderer.kept.length),
    passing: sum((wanderer) => wanderer.passing),
    own: sum((wanderer) => wanderer.own),
    cutInHead: sum(({ cuts }) => cuts.head),
    cutInBlock: sum(({ cuts }) => cuts.block),
    cutBetween: sum(({ cuts }) => cuts.between),
    byRooms,
  };
}

process.on('message', async ({ call, method, how }) => {
  const result = method === 'start' ? start(how) : await settle(how);
  process.send({ call, result });
});

process.on('disconnect', () => process.exit());
