// Counts what a tab has received. Each process numbers its messages, so a gap can be seen, and so can a message that came twice.

export class Tally {
  constructor() {
    this.received = 0;
    this.missing = 0;
    this.twice = 0;
    this.replayed = 0;
    this.begin(Infinity);
  }

  /** What was sent before `at` is not for this tab, and is not missed. */
  begin(at) {
    this._from = at;
    this._last = new Map(); // a run of a process → the number of its last message
  }

  /**
   * @param {{process: string, since: number, n: number}} message
   * @param {boolean} isReplayed
   * @returns {{missing: number, isTwice: boolean}} `missing`: how many before it
   */
  take({ process, since, n }, isReplayed) {
    const run = `${process} ${since}`;
    const first = since > this._from ? 1 : n; // of one that was there before, numbers begin anywhere
    const next = this._last.has(run) ? this._last.get(run) + 1 : first;
    const isTwice = n < next;
    const missing = Math.max(0, n - next);
    if (!isTwice) this._last.set(run, n);
    this.received += isTwice ? 0 : 1;
    this.twice += isTwice ? 1 : 0;
    this.missing += missing;
    this.replayed += isReplayed ? 1 : 0;
    return { missing, isTwice };
  }
}
