// What the tests call in a page: `follow(name, url, options)` makes a source, and `log(name)` answers what it has told.

import { EventSource as Client } from '../../../lib/browser/client.mjs';

const OWN = ['open', 'error', 'message', 'fanline:reset', 'fanline:end'];
const sources = new Map();

/** @param {boolean} [isStock] the browser's own EventSource instead */
window.follow = (name, url, { names = [], isStock, ...options } = {}) => {
  const source = isStock ? new EventSource(url) : new Client(url, options);
  const log = [];
  for (const type of new Set([...OWN, ...names])) {
    source.addEventListener(type, (event) => {
      const { data, lastEventId, origin, code, status, attempt, delay } = event;
      const state = source.readyState;
      log.push({ type, data, lastEventId, origin, code, status, attempt, delay, state });
    });
  }
  sources.set(name, { source, log });
};
window.log = (name) => sources.get(name).log;
window.close_ = (name) => sources.get(name).source.close();
window.forget = () => sources.clear();
window.prototypeOfClient = Client.prototype;
window.isReady = true;
