'use strict';

// Density mode: once the handler is through, Node lets go of the connection, and the loop has it for itself. What Node kept of
// it (the socket, the request, the response and whatever middleware has hung on them) is collected; the client stays.
//
// setImmediate → the loop is asked → it begins to read what the peer sends, and says so → Node's socket is destroyed. From the
// loop's word on the end of the stream is the loop's to write: what it says of the client comes behind that word.

const { hold, posted, REASON, unhold } = require('./loop');
const { OwnWrites } = require('./own-writes');
const { isFlushed } = require('./socket');

const SOON = 1; // ms

/** Somebody reads the request, maybe with pauses, or it is still on its way: Node has to bring it. */
function isBeingRead(req) {
  return !req.complete || (req.readableFlowing !== null && !req.readableEnded);
}

function ask(takeover) {
  const { client, req, res, socket } = takeover;
  if (client._closing !== null || takeover.left) return; // it ends as any other
  if (isBeingRead(req)) req.once('end', () => setImmediate(ask, takeover));
  else if (isFlushed(res, socket)) {
    takeover.asked = true;
    client._hub._native.detach(client._number);
    posted();
  } else setTimeout(ask, SOON, takeover); // somebody has corked it
}

/** @param {object} takeover of a client that is on `fd` */
function detachSoon(takeover) {
  setImmediate(ask, takeover);
}

function over(detached) {
  detached.finish('server');
}

/** What a client has instead of a takeover. The response knows it, it does not know the response. */
class Detached extends OwnWrites {
  constructor(takeover) {
    super(takeover.client);
    this.gatherer = takeover.gatherer;
    this.waiting = takeover.waiting;
    this._holds = true; // as an open response would
    hold();
  }

  get transport() {
    return 'detached';
  }

  /** Node's functions have nothing to write to any more. */
  get left() {
    return false;
  }

  _onFinish(callback) {
    this.client.once('close', () => callback());
  }

  /** The loop has written everything, and the end. */
  released() {
    process.nextTick(over, this);
  }

  /** The loop has cut the connection, and says next why. */
  evicted() {
    this._free();
  }

  fail(reason) {
    this.client._kill(reason);
    this.finish(reason);
  }

  evict(reason) {
    const { client } = this;
    client._hub._native.evict(client._number, REASON[reason]);
    posted();
  }

  finish(reason) {
    this._free();
    this.client._finish(reason);
  }

  _free() {
    this.waiting = null;
    if (this._holds) unhold();
    this._holds = false;
  }
}

module.exports = { Detached, detachSoon };
