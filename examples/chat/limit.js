'use strict';

// How often somebody may do something: `burst` times at once, and from then on `perSecond`.

const KEPT = 10_000; // names; the one that has been quiet longest goes first

/** @returns {(name: string) => number} counts one; answers the seconds to wait instead, 0: none */
function limiter({ burst, perSecond }) {
  const buckets = new Map(); // name → { left, at }
  return (name) => {
    const now = Date.now();
    const { left, at } = buckets.get(name) ?? { left: burst, at: now };
    const free = Math.min(burst, left + ((now - at) / 1000) * perSecond);
    buckets.delete(name);
    if (buckets.size === KEPT) buckets.delete(buckets.keys().next().value);
    buckets.set(name, { left: free < 1 ? free : free - 1, at: now });
    return free < 1 ? Math.ceil((1 - free) / perSecond) : 0;
  };
}

module.exports = { limiter };
