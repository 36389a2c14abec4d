// Tokens come in bursts, as the network has them. Here they are shown at the pace of the screen: each frame shows a share of what
// waits, so that the text flows and is never more than a moment behind.

const BEHIND = 150; // ms
const calm = matchMedia('(prefers-reduced-motion: reduce)');

export class Typewriter {
  /** @param {(text: string) => void} show given what is to be added */
  constructor(show) {
    this._show = show;
    this._waiting = ''; // not yet shown
    this._frame = 0;
    this._last = 0;
    this._over = null; // resolves when the last of it is shown
  }

  add(text) {
    this._waiting += text;
    if (calm.matches || document.hidden)
      this._flush(); // a tab behind another has no frames
    else if (this._frame === 0 && this._waiting) this._ask();
  }

  /** Resolves once all has been shown. */
  end() {
    if (calm.matches || document.hidden) this._flush();
    if (!this._waiting) return Promise.resolve();
    return new Promise((resolve) => {
      this._over = resolve;
    });
  }

  _ask() {
    if (this._frame === 0) this._last = performance.now();
    this._frame = requestAnimationFrame((now) => this._paint(now));
  }

  _paint(now) {
    const share = Math.max(0, now - this._last) / BEHIND;
    this._last = now;
    let count = Math.min(this._waiting.length, Math.ceil(this._waiting.length * share));
    if (isFirstHalf(this._waiting.charCodeAt(count - 1))) count++; // both halves of a character, or none
    this._show(this._waiting.slice(0, count));
    this._waiting = this._waiting.slice(count);
    if (this._waiting && !document.hidden) this._ask();
    else this._flush();
  }

  _flush() {
    cancelAnimationFrame(this._frame);
    this._frame = 0;
    if (this._waiting) this._show(this._waiting);
    this._waiting = '';
    this._over?.();
    this._over = null;
  }
}

function isFirstHalf(unit) {
  return unit >= 0xd800 && unit < 0xdc00;
}
