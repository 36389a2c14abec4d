'use strict';

// Stock clients of a page. `start(options)` runs there, and leaves `window.clients[key]`: `log` of `[type, data]`, `lastEventId`,
// `isOver`, `close()`. What the other words mean: test/clients/clients.js.

const NAMES = ['message', 'named', 'fanline:reset', 'fanline:end'];

function startEventSource({ key, names, url }) {
  const source = new EventSource(url);
  const client = { log: [], close: () => source.close() };
  for (const name of names)
    source.addEventListener(name, ({ type, data }) => client.log.push([type, data]));
  Object.defineProperty(client, 'isOver', { get: () => source.readyState === 2 });
  window.clients[key] = client;
}

async function startFetchEventSource({ key, url, lastEventId, endsOn, returnsAlways }) {
  const { fetchEventSource } = await import('/@microsoft/fetch-event-source/lib/esm/index.js');
  const controller = new AbortController();
  const client = { log: [], lastEventId, isOver: false, close: () => controller.abort() };
  const over = () => {
    client.isOver = true;
  };
  window.clients[key] = client;
  fetchEventSource(url, {
    signal: controller.signal,
    openWhenHidden: true, // by default it leaves a page that is not seen
    headers: lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId },
    onmessage({ event, data, id }) {
      client.log.push([event || 'message', data]);
      if (id) client.lastEventId = id;
      if (event !== '' && event === endsOn) controller.abort();
    },
    onclose() {
      if (returnsAlways) throw new Error('come back');
    },
  }).then(over, over);
}

async function startSseJs({ key, names, url, lastEventId, endsOn, returnsAlways }) {
  const { SSE } = await import('/sse.js/lib/sse.js');
  const headers = lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId };
  const source = new SSE(url, { headers, autoReconnect: returnsAlways });
  let isClosed = false;
  const client = { log: [], close: () => source.close() };
  for (const name of names) {
    source.addEventListener(name, ({ type, data }) => {
      client.log.push([type, data]);
      if (type !== endsOn) return;
      source.close(); // behind the end of the body its readyState stays OPEN
      isClosed = true;
    });
  }
  Object.defineProperty(client, 'lastEventId', { get: () => source.lastEventId || lastEventId });
  Object.defineProperty(client, 'isOver', {
    get: () => isClosed || (source.readyState === SSE.CLOSED && !source.autoReconnect),
  });
  window.clients[key] = client;
}

/** The extension of htmx 2, which uses EventSource. */
function startHtmx2({ key, names, url, endsOn }) {
  const { htmx } = window;
  const root = document.createElement('div');
  const client = { log: [] };
  window.clients[key] = client;
  window.sources ??= new Map();
  htmx.createEventSource = (address) => {
    const source = new EventSource(address);
    window.sources.set(address, source);
    return source;
  };
  client.close = () => {
    window.sources.get(url).close();
    root.remove();
  };
  Object.defineProperty(client, 'isOver', { get: () => window.sources.get(url).readyState === 2 });
  root.addEventListener('htmx:sseMessage', ({ detail: { type, data } }) =>
    client.log.push([type, data]),
  );
  const close = endsOn === undefined ? '' : `sse-close="${endsOn}"`;
  root.innerHTML = `<div hx-ext="sse" sse-connect="${url}" ${close}><pre sse-swap="${names}"></pre></div>`;
  document.body.append(root);
  htmx.process(root);
}

/** The extension that comes with htmx 4, which uses fetch. */
function startHtmx4({ key, url, endsOn }) {
  const { htmx } = window;
  const root = document.createElement('div');
  const client = { log: [], isOver: false, close: () => root.remove() };
  window.clients[key] = client;
  root.addEventListener('htmx:sse:after:message', ({ detail: { message } }) =>
    client.log.push([message.event || 'message', message.data]),
  );
  root.addEventListener('htmx:sse:close', () => {
    client.isOver = true;
  });
  const close = endsOn === undefined ? '' : `hx-sse:close="${endsOn}"`;
  root.innerHTML = `<pre hx-sse:connect="${url}" ${close}
    hx-config='{"sse": {"reconnectDelay": 30}}'></pre>`;
  document.body.append(root);
  htmx.process(root);
}

const HTMX_2 = ['/htmx.org/dist/htmx.js', '/htmx-ext-sse/sse.js'];
const HTMX_4 = ['/htmx4/dist/htmx.js', '/htmx4/dist/ext/hx-sse.js'];

const CLIENTS = [
  {
    name: 'Chromium EventSource',
    start: startEventSource,
    ended: 'returns',
    cut: 'returns',
    stays: 'server',
  },
  {
    name: 'fetch-event-source',
    start: startFetchEventSource,
    ended: 'app',
    cut: 'returns',
    stays: null,
  },
  {
    name: 'fetch-event-source, `onclose` throws',
    start: startFetchEventSource,
    options: { returnsAlways: true },
    ended: 'returns',
    cut: 'returns',
    stays: 'app',
  },
  { name: 'sse.js', start: startSseJs, ended: 'app', cut: 'app', stays: null },
  {
    name: 'sse.js, `autoReconnect`',
    start: startSseJs,
    options: { returnsAlways: true },
    ended: 'returns',
    cut: 'returns',
    stays: 'app',
  },
  {
    name: 'htmx 2 with htmx-ext-sse',
    start: startHtmx2,
    scripts: HTMX_2,
    ended: 'returns',
    cut: 'returns',
    stays: 'app',
  },
  {
    name: 'htmx 4 with hx-sse',
    start: startHtmx4,
    scripts: HTMX_4,
    ended: 'returns',
    cut: 'returns',
    stays: 'app',
  },
];

module.exports = { CLIENTS, NAMES };
