// The connection: an EventSource, and the three things it does not do by itself: notice a dead line, come
// back after an answer that is no stream (a proxy's error page), and tell the page how it stands.

const REFUSED_WAIT = 4_000;

export class Stream {
  live = false;
  everLive = false;
  tries = 0;
  lostAt = 0;
  asked = ''; // the query of the open stream: EventSource always comes back with the same one
  #options;
  #source = null;
  #heartbeat = 15_000;
  #lastSign = 0; // when the server was last heard: an event, or at least an error
  #later = null;

  // query() answers the query to ask with; handlers has a function for each event;
  // changed(why) is called when live or tries change; refused() when the server answered with an error.
  constructor(options) {
    this.#options = options;
    setInterval(() => this.#watchSilence(), 1_000);
  }

  connect() {
    clearTimeout(this.#later);
    this.#source?.close();
    this.#lastSign = Date.now();
    this.asked = this.#options.query();
    this.#source = new EventSource(`events?${this.asked}`);
    this.#source.addEventListener('error', () => this.#failed());
    for (const [event, handle] of Object.entries(this.#options.handlers)) {
      this.#source.addEventListener(event, ({ data }) => {
        this.#lastSign = Date.now();
        handle(JSON.parse(data));
      });
    }
    this.#source.addEventListener('heartbeat', () => {
      this.#lastSign = Date.now();
    });
  }

  // To be called when the first event has come. An open connection alone says little: a server that
  // shuts down accepts it, only to send the browser away.
  welcomed(heartbeat) {
    this.#heartbeat = heartbeat;
    this.live = true;
    this.everLive = true;
    this.tries = 0;
    this.#options.changed();
  }

  #failed() {
    this.#lastSign = Date.now();
    const refused = this.#source.readyState === EventSource.CLOSED;
    this.#lost(
      refused
        ? 'The server answered with an error. Trying again soon.'
        : 'The connection is lost. Your browser tries again by itself.',
    );
    if (!refused) return;
    this.#options.refused();
    this.#later = setTimeout(() => this.connect(), REFUSED_WAIT);
  }

  // A dead line makes no error. Only the heartbeats that do not come tell of it.
  #watchSilence() {
    const silence = Date.now() - this.#lastSign;
    if (!this.#source || silence < this.#heartbeat * 2.2) return;
    const heard = `Nothing heard from the server for ${Math.round(silence / 1000)} s.`;
    this.#lost(`${heard} Trying a new connection.`);
    this.connect();
  }

  #lost(why) {
    if (this.tries === 0) this.lostAt = Date.now();
    this.live = false;
    this.tries += 1;
    this.#options.changed(why);
  }
}

export async function send(method, url, body) {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(url, { method, headers, body: JSON.stringify(body) });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `The server answered ${response.status}`);
  return answer;
}
