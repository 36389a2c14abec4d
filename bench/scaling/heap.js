'use strict';

/** What comes next, by time. */
class Heap {
  constructor() {
    this._items = [];
  }

  /** When the next one is. */
  get first() {
    return this._items[0]?.time ?? Number.POSITIVE_INFINITY;
  }

  push(time, what) {
    const items = this._items;
    let at = items.length;
    items.push(null);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (items[parent].time <= time) break;
      items[at] = items[parent];
      at = parent;
    }
    items[at] = { time, what };
  }

  pop() {
    const items = this._items;
    const [top] = items;
    const last = items.pop();
    if (items.length === 0) return top;
    let at = 0;
    for (let child = 1; child < items.length; child = 2 * at + 1) {
      if (child + 1 < items.length && items[child + 1].time < items[child].time) child++;
      if (items[child].time >= last.time) break;
      items[at] = items[child];
      at = child;
    }
    items[at] = last;
    return top;
  }
}

module.exports = { Heap };
