// Why an attempt failed or a stream ended, as the `error` event that tells it.

export const DELAY_MAX = 2 ** 31 - 1; // ms: beyond it timers fire at once
const TRY_AGAIN = [408, 425, 429];

export class Failure extends Event {
  attempt = 0;
  status = 0;

  /**
   * @param {string} code without `ERR_FAN_`
   * @param {string} message
   * @param {number | null} delay ms to wait at least; null: there is no other attempt
   * @param {{ status?: number, error?: unknown }} [more]
   */
  constructor(code, message, delay, more) {
    super('error');
    Object.assign(this, { code: `ERR_FAN_${code}`, message, delay }, more);
  }
}

/** What is wrong with an answer; undefined: it is an event stream. */
export function problemOf({ status, headers }) {
  if (status !== 200) {
    const mayHelp = status >= 500 || TRY_AGAIN.includes(status);
    const after = headers.get('retry-after');
    const wait = Number(after) * 1_000 || Date.parse(after) - Date.now() || 0;
    return new Failure('STATUS', `Status ${status}`, mayHelp ? wait : null, { status });
  }
  const type = headers.get('content-type');
  if (/^text\/event-stream *(;|$)/i.test(type)) return undefined;
  return new Failure('TYPE', `Content-Type ${type}`, null, { status });
}

/**
 * How long to wait. Attempts that fail one after the other wait for a random time in a range that doubles, from `base` to
 * `max`, so that the readers of a server that was gone do not come back together.
 * @param {number} least ms: the answer's Retry-After
 * @param {number} base ms: what the server's `retry` says, or `retry.min`
 * @param {number} max ms
 * @param {number} attempt 1 is the first after a stream that was well
 * @returns {number} ms
 */
export function delayOf(least, base, max, attempt) {
  const range = Math.max(0, Math.min(max, (base || 1) * 2 ** attempt) - base);
  return Math.min(DELAY_MAX, Math.round(Math.max(base, least) + Math.random() * range));
}
