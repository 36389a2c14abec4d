'use strict';

const HEADERS = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' };

/** @returns {string} an event of the stream, as one writes it by hand */
function eventOf(text, id) {
  return id === undefined ? `data: ${text}\n\n` : `id: ${id}\ndata: ${text}\n\n`;
}

module.exports = { HEADERS, eventOf };
