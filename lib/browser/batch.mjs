// What `target.batch()` of the server sends as one event: a JSON array of `{ event, data }`.

/**
 * @param {string} text an event's data
 * @returns {{ event?: string, data: unknown }[] | undefined} undefined: it is no batch, but an event of the same name
 */
export function itemsOf(text) {
  try {
    const items = JSON.parse(text);
    if (items.every(({ event = '', data }) => data !== undefined && typeof event === 'string')) {
      return items;
    }
  } catch {}
}
