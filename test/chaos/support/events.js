'use strict';

// What is sent, so that everybody who sees it can judge it: to whom, by whom, the how-manyeth, and filler of a known form.
//
// Rooms are bits: `in` are those an event is for (EVERYONE: whoever there is), `ex` those whose members do not get it.

const ROOMS = 20;
const EVERYONE = (1 << ROOMS) - 1;
const FILLER_MAX = 60_000;

const nameOf = (room) => `room-${room}`;

/** @returns {string[]} names of the rooms of a set of bits */
function namesOf(bits) {
  const names = [];
  for (let room = 0; room < ROOMS; room++) if (bits & (1 << room)) names.push(nameOf(room));
  return names;
}

/** The rooms of a client: each is in the room of its number, some are in one or two more. */
function roomsOf(client) {
  let bits = 1 << (client % ROOMS);
  if (client % 3 === 1) bits |= 1 << ((client * 7 + 3) % ROOMS);
  if (client % 9 === 4) bits |= 1 << ((client * 11 + 5) % ROOMS);
  return bits;
}

/** To whom the next one goes. */
function address(random) {
  const room = () => 1 << random.below(ROOMS);
  const [first, second, third] = [room(), room(), room()];
  switch (random.weighted({ one: 26, two: 6, three: 6, all: 1, most: 1 })) {
    case 'one':
      return { in: first, ex: 0 };
    case 'two':
      return { in: first | second, ex: 0 };
    case 'three':
      return { in: first | second | third, ex: second };
    case 'all':
      return { in: EVERYONE, ex: 0 };
    default:
      return { in: EVERYONE, ex: first | second };
  }
}

const isMeant = (to, rooms) => (to.in & rooms) !== 0 && (to.ex & rooms) === 0;

/** Most are small, some are larger than what a socket takes at once. */
function size(random) {
  return random.chance(0.01) ? random.below(FILLER_MAX) : random.below(600);
}

function filler(by, number, length) {
  return `${by}:${number} `.repeat(Math.ceil(length / 4)).slice(0, length);
}

/**
 * @param {string} by which life of which process
 * @param {number} number of its sends, from 1
 */
function encode(by, number, to, length) {
  return JSON.stringify({ by, number, ...to, text: filler(by, number, length) });
}

/** @throws {Error} it is not as it was sent */
function decode(data) {
  const { by, number, in: included, ex, text } = JSON.parse(data);
  if (text !== filler(by, number, text.length)) throw new Error(`${by}:${number} is damaged`);
  return { by, number, in: included, ex };
}

module.exports = { EVERYONE, ROOMS, address, decode, encode, isMeant, namesOf, roomsOf, size };
