// The lines on the page. However fast they come, the page is touched once a frame, and has at most KEPT of them.

const KEPT = 5_000;

export class Lines {
  #list;
  #changed;
  #found;
  #query = ''; // lower case
  #isPaused = false;
  #waiting = []; // not on the page yet
  #dropped = 0; // have waited for so long that they would have left the page again
  #isDue = false;

  /**
   * @param {HTMLElement} list
   * @param {() => void} changed there is something new to say about the lines
   */
  constructor(list, changed) {
    this.#list = list;
    this.#changed = changed;
    this.#found = list.getElementsByClassName('found');
  }

  get isPaused() {
    return this.#isPaused;
  }

  get waiting() {
    return this.#waiting.length + this.#dropped;
  }

  /** How many lines have the words that are looked for; null: none are. */
  get found() {
    return this.#query ? this.#found.length : null;
  }

  add(entry) {
    this.#waiting.push(entry);
    // A page that is paused or not looked at has no frames, and must not grow for that.
    if (this.#waiting.length >= 2 * KEPT) {
      this.#waiting.splice(0, KEPT);
      this.#dropped += KEPT;
    }
    this.#render();
  }

  clear() {
    this.#waiting = [];
    this.#dropped = 0;
    this.#list.replaceChildren();
    this.#render();
  }

  pause(isPaused) {
    this.#isPaused = isPaused;
    this.#render();
  }

  /** What is there is looked through, and what comes. */
  search(words) {
    this.#query = words.toLowerCase();
    for (const line of this.#list.children) this.#mark(line);
    this.#render();
  }

  /** In the next frame. */
  #render() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      if (!this.#isPaused) this.#append();
      this.#changed();
    });
  }

  #append() {
    const lines = this.#waiting.slice(-KEPT).map((entry) => this.#line(entry));
    this.#waiting = [];
    this.#dropped = 0;
    const surplus = this.#list.childElementCount + lines.length - KEPT;
    for (let i = 0; i < surplus; i += 1) this.#list.firstElementChild.remove();
    this.#list.append(...lines);
  }

  #line({ level, text }) {
    const line = document.createElement('div');
    line.classList.add('line', level);
    line.textContent = text || ' ';
    this.#mark(line);
    return line;
  }

  /** Marks are made of nodes, never of markup: a line is text, whatever it contains. */
  #mark(line) {
    const text = line.textContent;
    const lower = text.toLowerCase();
    const { length } = this.#query;
    const parts = [];
    let from = 0;
    for (let at = this.#at(lower, 0); at >= 0; at = this.#at(lower, from)) {
      const mark = document.createElement('mark');
      mark.textContent = text.slice(at, at + length);
      parts.push(text.slice(from, at), mark);
      from = at + length;
    }
    const isFound = parts.length > 0;
    line.classList.toggle('found', isFound);
    if (isFound || line.childElementCount > 0) line.replaceChildren(...parts, text.slice(from));
  }

  #at(text, from) {
    return this.#query ? text.indexOf(this.#query, from) : -1;
  }
}
