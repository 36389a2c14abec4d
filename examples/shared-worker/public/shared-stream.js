// The tab's side of the worker. Calls `take(message)` with what source.js names, and with { tabs }.

import { openSource } from './source.js';

export function listen(take) {
  if (!globalThis.SharedWorker || !navigator.locks) {
    listenAlone(take);
    return;
  }
  let leave;

  function arrive() {
    const { port } = new SharedWorker('/worker.js', { type: 'module', name: 'stream' });
    port.onmessage = ({ data }) => take(data);
    const name = crypto.randomUUID();
    navigator.locks.request(name, () => {
      port.postMessage({ hello: name }); // not before the lock is ours
      return new Promise((resolve) => {
        leave = resolve; // called, or not if this tab crashes: the lock is free either way
      });
    });
  }

  arrive();
  // A page that is left may be kept for the way back, and does not run meanwhile.
  addEventListener('pagehide', () => leave?.());
  addEventListener('pageshow', ({ persisted }) => persisted && arrive());
}

function listenAlone(take) {
  let source = openSource(take);
  addEventListener('pagehide', () => source.close());
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) source = openSource(take);
  });
}
