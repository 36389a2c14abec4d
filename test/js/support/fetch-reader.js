'use strict';

// What a test does with a Response in place of a server: asks, and reads its body as slowly as it likes.

const assert = require('node:assert/strict');
const { once } = require('node:events');

/** A GET of the Fetch API, and the way to abort it. */
function asked({ signal, ...init } = {}) {
  const abort = new AbortController();
  const request = new Request('http://localhost/events', { signal: abort.signal, ...init });
  return { request, abort };
}

/** A client of the hub, its Response, and, as soon as it is asked for, whoever reads that. */
function openOn(hub, opts, init) {
  const { request, abort } = asked(init);
  let client;
  const response = hub.response(request, opts, (opened) => {
    client = opened;
  });
  let reader;
  return {
    ...{ request, abort, response, client },
    get reader() {
      reader ??= new BodyReader(response);
      return reader;
    },
  };
}

class BodyReader {
  constructor(response) {
    this.text = '';
    this.isOver = false;
    this._reader = response.body.getReader();
    this._decoder = new TextDecoder();
  }

  /** One read. @returns {Promise<boolean>} is there more? */
  async read() {
    const { done, value } = await this._reader.read();
    if (done) this.isOver = true;
    else this.text += this._decoder.decode(value, { stream: true });
    return !done;
  }

  /** Reads until `condition(text)` holds. */
  async until(condition) {
    while (!condition(this.text)) {
      assert(await this.read(), `the body ended after ${JSON.stringify(this.text.slice(-300))}`);
    }
  }

  /** All that is still to come. */
  async rest() {
    while (await this.read());
    return this.text;
  }

  cancel(reason) {
    return this._reader.cancel(reason);
  }
}

/** The data of the events in a stream's text, one line each. */
function dataOf(text) {
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => data);
}

/** The reason of a client's end, once it is there. */
async function ended(client) {
  if (client.closed === null) await once(client, 'close');
  return client.closed;
}

module.exports = { BodyReader, asked, dataOf, ended, openOn };
