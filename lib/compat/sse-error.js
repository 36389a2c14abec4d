'use strict';

/** What better-sse throws for a mistake in its use. */
class SseError extends Error {
  constructor(message) {
    super(`fanline/compat/better-sse: ${message}`);
  }
}

module.exports = { SseError };
