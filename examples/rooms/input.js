'use strict';

// What comes from outside becomes something to rely on, or an error with the HTTP status to answer.

const TOPICS = {
  lobby: 'Where everybody arrives',
  random: 'Anything goes',
  ops: 'Deploys, alarms and coffee',
  music: 'What are you listening to?',
};

function problem(status, message) {
  return Object.assign(new Error(message), { status });
}

/** One name or several, as a list of rooms that exist. */
function roomList(value) {
  const known = Object.keys(TOPICS);
  const rooms = [...new Set([value].flat())];
  if (rooms.every((room) => known.includes(room))) return rooms;
  throw problem(404, `No such room. There are: ${known.join(', ')}`);
}

function nameOf(value) {
  return (typeof value === 'string' && value.trim().slice(0, 40)) || 'guest';
}

/** From JSON, a form, or the bare words: curl -d 'hello' calls every body a form. */
function messageOf(req) {
  let fields = req.body ?? {};
  if (typeof fields === 'string') {
    const form = new URLSearchParams(req.is('urlencoded') ? fields : '');
    fields = form.has('text') ? Object.fromEntries(form) : { text: fields };
  }
  const text = typeof fields.text === 'string' ? fields.text.trim() : '';
  if (!text) throw problem(400, 'Say something: the field "text" is empty');
  return { name: nameOf(fields.name), text };
}

module.exports = { TOPICS, messageOf, nameOf, problem, roomList };
