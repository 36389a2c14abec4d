// Messages on their way to the server. Each is sent until it is acknowledged, always with the same id, so that the server takes
// it once however often it arrives. One after the other: what was written first is said first.

const PAUSE = 2_000; // ms until the next try when there was no answer

export class Outbox {
  #waiting = [];
  #isBusy = false;
  #timer;
  #changed;

  /** changed(id, { sent: true, at } | { refused } | { delay }) tells what has become of a message. */
  constructor(changed) {
    this.#changed = changed;
  }

  add(message) {
    this.#waiting.push(message);
    this.#next();
  }

  /** The stream has brought a message of ours: that is an acknowledgement, too. */
  confirm(id) {
    this.#waiting = this.#waiting.filter((message) => message.id !== id);
  }

  /** Now is a good moment: the connection is back. */
  wake() {
    clearTimeout(this.#timer);
    this.#next();
  }

  async #next() {
    const [message] = this.#waiting;
    if (this.#isBusy || !message) return;
    this.#isBusy = true;
    const delay = await this.#post(message);
    this.#isBusy = false;
    if (delay === 0) return this.#next();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#next(), delay);
  }

  /** Answers ms to wait before the next try; 0: this one is done. */
  async #post({ id, room, text }) {
    const done = (what) => {
      this.confirm(id);
      this.#changed(id, what);
      return 0;
    };
    const later = (delay) => {
      if (this.#waiting[0]?.id === id) this.#changed(id, { delay });
      return delay;
    };
    try {
      const response = await fetch(`rooms/${room}/messages`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ id, text }),
      });
      if (response.status === 429) return later(1000 * response.headers.get('Retry-After'));
      if (response.status >= 500) return later(PAUSE);
      const answer = await response.json();
      return done(response.ok ? { sent: true, at: answer.at } : { refused: answer.error });
    } catch {
      return later(PAUSE);
    }
  }
}
