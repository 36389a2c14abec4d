// The EventSource, and what the page wants to know of it as messages: { state }, { notes }, { note }, { streams }.
// The worker has one for all tabs; a tab without SharedWorker has one of its own.

const STATES = ['connecting', 'live', 'ended'];

export function openSource(tell) {
  const source = new EventSource('/events');
  const tellState = () => tell({ state: STATES[source.readyState] });
  source.onopen = tellState;
  source.onerror = tellState;
  for (const name of ['notes', 'note', 'streams']) {
    source.addEventListener(name, ({ data }) => tell({ [name]: JSON.parse(data) }));
  }
  return source;
}
