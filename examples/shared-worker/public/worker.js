// A SharedWorker: one for all tabs of this origin, with one EventSource. The browser ends it when the last tab has gone.

import { openSource } from './source.js';

const KEPT = 50; // notes, for tabs that come later
const tabs = new Map(); // name → MessagePort
const known = { state: 'connecting', notes: [], streams: null }; // what a new tab is told

function tellAll(message) {
  for (const port of tabs.values()) port.postMessage(message);
}

function take(message) {
  if (message.note) known.notes = [...known.notes, message.note].slice(-KEPT);
  else Object.assign(known, message);
  tellAll(message);
}

let source = openSource(take);

function arrive(name, port) {
  tabs.set(name, port);
  port.postMessage(known);
  tellAll({ tabs: tabs.size });
  // The tab holds a lock of this name as long as it is there. That it is ours now means: closed, crashed or set aside by the
  // browser. A port does not tell, and a goodbye may never be sent.
  navigator.locks.request(name, () => leave(name));
  // Refused for good (401, say): with a new tab it is worth another try.
  if (source.readyState === EventSource.CLOSED) source = openSource(take);
}

function leave(name) {
  tabs.get(name).close();
  tabs.delete(name);
  tellAll({ tabs: tabs.size });
}

self.onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => arrive(data.hello, port);
};
