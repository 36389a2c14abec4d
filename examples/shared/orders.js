'use strict';

// The small app behind the examples react, vue and angular: the orders of a café. Everything goes down the stream, and up by
// POST and DELETE.
//   orders   to one client: what is open, when it comes and when it has missed too much
//   order    to a room: a new one; done: the id of one that is

const express = require('express');
const { createHub } = require('fanline');

const ROOMS = ['kitchen', 'bar'];
const PIN = '1234'; // stands where your sessions are
const OPEN_MAX = 200;

function problem(status, message) {
  return Object.assign(new Error(message), { status });
}

function textOf(value, field, most) {
  const text = typeof value === 'string' ? value.trim() : '';
  if (text && text.length <= most) return text;
  throw problem(400, `"${field}" has 1 to ${most} characters`);
}

/** The kitchen and the bar see their own orders, the office sees all. null: 401. */
function roomsFor(req, isAllowed) {
  const { room } = req.params;
  if (room === 'office') return isAllowed(req.get('Authorization')) ? ROOMS : null;
  if (ROOMS.includes(room)) return [room];
  throw problem(404, `No such room. There are: ${ROOMS.join(', ')}, office`);
}

/**
 * @param {(authorization?: string) => boolean} [isAllowed] into the office
 * @returns {{ hub: import('fanline').Hub, router: import('express').Router }}
 */
module.exports = function cafe(isAllowed = (authorization) => authorization === `Bearer ${PIN}`) {
  const open = new Map(); // id → order
  let count = 0;

  const hub = createHub({
    retry: { min: 500, max: 1_000 }, // a few screens: they do not have to spread
    limits: { clients: 500 },
    snapshot: (client) => {
      const list = [...open.values()].filter(({ room }) => client.rooms.has(room));
      client.send(list, { event: 'orders' });
    },
  });

  const router = express.Router();
  const json = express.json({ limit: '2kb' });

  router.get(
    '/events/:room',
    hub.handler((req) => {
      const rooms = roomsFor(req, isAllowed);
      return rooms && { rooms };
    }),
  );

  router.post('/orders', json, (req, res) => {
    const { room, table, what } = req.body ?? {};
    if (!ROOMS.includes(room)) throw problem(400, `"room" is one of ${ROOMS.join(', ')}`);
    if (open.size >= OPEN_MAX) throw problem(503, 'Too many orders are open');
    const order = { room, table: textOf(table, 'table', 12), what: textOf(what, 'what', 60) };
    order.id = ++count;
    open.set(order.id, order);
    hub.to(room).send(order, { event: 'order' });
    res.status(201).json(order);
  });

  router.delete('/orders/:id', (req, res) => {
    const order = open.get(Number(req.params.id));
    if (!order) throw problem(404, 'No such order');
    open.delete(order.id);
    hub.to(order.room).send(order.id, { event: 'done' });
    res.json(order);
  });

  router.use((err, _req, res, next) => {
    if (res.headersSent) return next(err);
    const busy = err.code === 'ERR_FAN_FULL' || err.code === 'ERR_FAN_CLOSED';
    const status = busy ? 503 : (err.status ?? 500);
    if (status === 500) console.error(err);
    res.status(status).json({ error: err.status ? err.message : 'The server cannot do this now' });
  });

  return { hub, router };
};
