'use strict';

// Taking over a response: from the moment the headers are out, its bytes are the loop's. Three things keep Node's hands
// off: shadows of the response's own write and end (they speak through the client), a guard on the socket beneath them
// (whatever reaches it by another way is queued as a whole), and a way back that ends the response as Node would have.
// docs/architecture.md tells the order of the steps and why.

const { Detached, detachSoon } = require('./detached');
const { toBytes } = require('./gather');
const { posted, REASON } = require('./loop');
const { OwnWrites } = require('./own-writes');
const relaying = require('./relay');
const { StallWatch } = require('./stall');
const { hasGivenUp, isFlushed, isUntouched, ownDescriptor, relayCause } = require('./socket');

const kTakeover = Symbol('fanline.takeover');
const NGHTTP2_CANCEL = 8; // node:http2 is not there in every build
const LAST_WORD = 1_000; // ms
const USER_TIMEOUT_MARGIN = 5_000; // our own stall detection should come first

// ---- shared by all responses: state lies under a symbol, so that a client costs no closures ----

function shadowWrite(...args) {
  const takeover = this[kTakeover];
  return takeover.left ? takeover.found.write.apply(this, args) : takeover.write(this, ...args);
}

function shadowEnd(...args) {
  const takeover = this[kTakeover];
  if (takeover.left) return takeover.found.end.apply(this, args);
  takeover.end(this, ...args);
  return this;
}

/** The headers are out, and what follows them is not Node's: there is nothing to flush. */
function shadowFlushHeaders(...args) {
  const takeover = this[kTakeover];
  if (takeover.left) takeover.found.flushHeaders.apply(this, args);
}

function guardWrite(chunk, encoding, callback) {
  this[kTakeover].beneath([{ chunk, encoding }], callback);
}

function guardWritev(chunks, callback) {
  this[kTakeover].beneath(chunks, callback);
}

function onResponseClose() {
  this[kTakeover].cut();
}

function onSocketClose() {
  this[kTakeover]?.cut();
}

function onFinish() {
  this[kTakeover].finished();
}

/** Most responses of an app have the same functions: one record of them serves all. */
let lastFound = { write: undefined };

function functionsOf(res) {
  const { write, end, flushHeaders, flush } = res;
  const same =
    lastFound.write === write &&
    lastFound.end === end &&
    lastFound.flushHeaders === flushHeaders &&
    lastFound.flush === flush;
  if (!same) lastFound = { write, end, flushHeaders, flush };
  return lastFound;
}

class Takeover extends OwnWrites {
  /** @param {object} client whose response `res` is; the response is alive and has sent nothing */
  constructor(client, req, res) {
    super(client);
    this.req = req;
    this.res = res;
    this.socket = res.stream === undefined ? res.socket : null; // HTTP/2 streams share theirs
    if (res.stream) this.session = res.stream.session; // which a stream that has ended no longer knows
    this.transport = 'opening';
    this.found = null;
    this.left = false; // the shadows forward: the response is Node's again
    this.socketTimeout = null; // as it was, once it has been changed
  }

  /** Writes the headers, puts the shadows up and chooses the sink. */
  start(headers) {
    const { res, socket } = this;
    res[kTakeover] = this;
    res.on('close', onResponseClose);
    res.on('finish', onFinish);
    if (socket) {
      socket[kTakeover] = this;
      // Where Node has them together, the response tells; a listener more costs each socket 150 bytes.
      if (ownDescriptor(res, socket) < 0) socket.on('close', onSocketClose);
      this.socketTimeout = socket.timeout ?? 0;
      socket.setTimeout?.(0); // silence is no fault of a stream, and Node does not see what the loop writes
    }
    this._writeHead(headers);
    if (this.client.closed !== null) return; // by middleware that hooks into the headers
    this.found = functionsOf(res);
    res.write = shadowWrite;
    res.end = shadowEnd;
    res.flushHeaders = shadowFlushHeaders;
    this._watchBody();
    const cause = this.client._transport === 'relay' ? 'option' : relayCause(this.req, res, socket);
    if (cause) this._attachRelay(cause);
    else this._barrier();
  }

  _writeHead(headers) {
    const { res } = this;
    res.statusCode = 200;
    if (isUntouched(res) && !this._mayDetach()) {
      res.writeHead(200, headers); // Node then keeps no table of them beside the block it sends
    } else {
      this._setHeaders(headers);
    }
    res.flushHeaders();
  }

  _setHeaders(headers) {
    const { res } = this;
    res.removeHeader('Content-Length');
    for (const name in headers) res.setHeader(name, headers[name]);
    // Without Node nobody serves another request on this connection.
    if (this._mayDetach() && !res.hasHeader('Connection')) res.setHeader('Connection', 'close');
  }

  _mayDetach() {
    return (
      this.client._transport === 'detached' && relayCause(this.req, this.res, this.socket) === null
    );
  }

  /** Nobody has begun to read the request's body: as long as that is so, Node notices no peer that leaves. */
  _watchBody() {
    const { req } = this;
    const { stallTimeout } = this.client._hub._options.limits;
    const body = req.headers['transfer-encoding'] || Number(req.headers['content-length']) > 0;
    if (!body || !stallTimeout) return;
    this.bodyTimer = setTimeout(() => {
      if (req.readableFlowing === null && !req.readableEnded) req.resume();
    }, stallTimeout);
    this.bodyTimer.unref();
  }

  // ---- the sink ----

  _barrier() {
    if (this.client.closed !== null || this.socket.destroyed) return; // `close` tells the rest
    if (isFlushed(this.res, this.socket)) this._adopt();
    else this.socket.write('', this._passed.bind(this));
  }

  /** What is still there then (a corked response, say) needs the event loop to go on. */
  _passed() {
    if (isFlushed(this.res, this.socket)) this._barrier();
    else setTimeout(() => this._barrier(), 1);
  }

  _adopt() {
    const { client, res, socket } = this;
    if (res.writableEnded) {
      // Ended through a function taken before us: nothing may follow the terminator.
      this._abandon('server');
      return;
    }
    const fd = ownDescriptor(res, socket);
    const stall = client._hub._options.limits.stallTimeout;
    const timeout = stall ? stall + USER_TIMEOUT_MARGIN : 0;
    if (
      fd < 0 ||
      client._hub._native.attachFd(client._number, fd, !res.chunkedEncoding, timeout) < 0
    ) {
      this._attachRelay('descriptor');
      return;
    }
    posted();
    socket._write = guardWrite;
    socket._writev = guardWritev;
    this.transport = 'fd';
    // The end of chunks waits in the guard until the loop has let go; a body that is not chunked has no end to be written.
    if (res.chunkedEncoding) res.removeListener('finish', onFinish);
    if (client._transport === 'detached') detachSoon(this);
  }

  _attachRelay(cause) {
    const { client } = this;
    if (client._hub._native.attachRelay(client._number) < 0) {
      this.fail('error');
      return;
    }
    posted();
    this.transport = 'relay';
    this.relay = new relaying.Relay(this);
    client._hub._countRelay(cause);
  }

  // ---- what the application writes ----

  _onFinish(callback) {
    if (this.asked)
      this.client.once('close', () => callback()); // whoever writes the end by then
    else this.res.once('finish', callback); // as Node does; compression takes it for data
  }

  _emitDrain(res) {
    if (this.relay) this.relay.emitDrain();
    else res.emit('drain');
  }

  /** Bytes that reached the socket without passing the shadows: a function captured before us, an error handler. */
  beneath(chunks, callback) {
    // Node marks a response as ended only after it has written the end.
    process.nextTick(() => this._beneath({ chunks, callback }));
  }

  _beneath(written) {
    const { client, res } = this;
    const { chunks, callback } = written;
    if (this.left) {
      this._passBeneath(written);
    } else if (res.writableEnded || client._closing !== null) {
      // What comes last, or behind a close, waits here until the loop has let go.
      this.held = written;
      client._beginClose('server');
    } else {
      const bytes = Buffer.concat(chunks.map(({ chunk, encoding }) => toBytes(chunk, encoding)));
      callback(bytes.length > 0 ? client._sendVerbatim(bytes) : null);
    }
  }

  /** To Node's own function, the guard being gone. */
  _passBeneath({ chunks, callback }) {
    if (chunks.length === 1) this.socket._write(chunks[0].chunk, chunks[0].encoding, callback);
    else this.socket._writev(chunks, callback);
  }

  // ---- leaving ----

  /** The loop has drained the queue and let the socket go: the response is Node's again, and ends as Node ends it. */
  released() {
    const { found, held, res } = this;
    this.relay?.passAll();
    if (this.transport === 'fd' && res.chunkedEncoding) res.on('finish', onFinish);
    this._letGo();
    if (held) this._passBeneath(held);
    if (this.ended && !res.writableEnded) found.end.call(res);
    else if (!res.writableEnded) res.end(); // from the top, so that wrappers installed after us run
    this._watchEnd();
  }

  /** The rest is Node's, but a peer that takes nothing more must not hold the client for ever. */
  _watchEnd() {
    if (this.client.closed !== null) return;
    const { stallTimeout } = this.client._hub._options.limits;
    this.endWatch = new StallWatch(
      () => this.unsent(),
      stallTimeout,
      () => this.fail('stalled'),
    );
    this.endWatch.start();
  }

  /** Bytes that Node has not passed to the kernel. */
  unsent() {
    return (this.res.stream ?? this.res).writableLength;
  }

  /** The loop has the connection for itself: Node's part of it goes, and nothing of ours holds on to that. */
  detach() {
    const { client, res, socket } = this;
    if (client.closed !== null) return;
    clearTimeout(this.lastWord);
    res.removeListener('close', onResponseClose);
    res.removeListener('finish', onFinish);
    this._letGo();
    client._takeover = new Detached(this);
    res[kTakeover] = client._takeover;
    client._hub._detached++;
    socket.destroy(); // end() would tell the peer
  }

  /** The loop has cut the connection. */
  evicted() {
    clearTimeout(this.lastWord);
    this._letGo();
    this._destroy();
  }

  /** Node says that the response or its socket has closed. */
  cut() {
    if (this.client.closed !== null) return;
    const abandon = () => this._abandon(hasGivenUp(this.socket) ? 'stalled' : 'client');
    if (this.transport !== 'fd' || this.left || this.socket.errored) return abandon();
    // The kernel tells an error once: where Node saw none, the loop may have. Its notice says so, and the process waits for it.
    this.lastWord ??= setTimeout(abandon, LAST_WORD);
    this.evict('client');
  }

  /** connect() has failed: nobody has seen this client, so nobody is told. */
  abort() {
    const { client, res } = this;
    res.removeListener('close', onResponseClose);
    res.removeListener('finish', onFinish);
    this._letGo();
    client._hub._native.kill(client._number, REASON.client); // what it was sent counts as nothing lost
    posted();
    client._discard();
  }

  finished() {
    const { client, socket, res } = this;
    this.over = true;
    if (client.closed === null) {
      this.endWatch?.stop();
      if (this.left) client._finish('server');
      // Ended beneath us; or an HTTP/2 stream that its peer has reset, which Node calls finished too.
      else this._abandon(res.writableEnded ? 'server' : 'client');
    }
    if (!client._endsConnection) return;
    // Else keep-alive would bring the browser back to a process that is going away.
    if (socket) socket.end();
    else this.session?.close();
  }

  /** Cuts the stream now. */
  fail(reason) {
    this._abandon(reason);
    this._destroy();
  }

  /** Has the loop cut the stream, which tells what is lost with it. */
  evict(reason) {
    const { client } = this;
    if (this.left) return this.fail(reason);
    client._hub._native.evict(client._number, REASON[reason]);
    posted();
  }

  /** The loop need not care any more. */
  _abandon(reason) {
    const { client } = this;
    if (client.closed !== null) return;
    this.endWatch?.stop();
    this._letGo();
    client._kill(reason);
    client._finish(reason);
  }

  /** Takes the guard away and forwards from now on. */
  _letGo() {
    const { socket } = this;
    if (this.left) return;
    this.left = true;
    clearTimeout(this.bodyTimer);
    this.relay?.stop();
    if (!socket) return;
    if (this.transport === 'fd') {
      delete socket._write;
      delete socket._writev;
    }
    // Behind `finish` it is Node's keep-alive timeout.
    if (this.socketTimeout !== null && !this.over) socket.setTimeout?.(this.socketTimeout);
    socket.removeListener('close', onSocketClose);
    if (socket[kTakeover] === this) socket[kTakeover] = undefined;
  }

  _destroy() {
    const { res, socket } = this;
    if (socket) socket.destroy();
    else if (res.stream) {
      res.stream.close(NGHTTP2_CANCEL); // else the reader would take it for an end in order
      res.stream.destroy();
    } else res.destroy?.();
  }
}

/** What most never need, or only at their end, is here until then: what is in each is a part of what a stream costs. */
Object.assign(Takeover.prototype, {
  session: null,
  cause: null, // why `relay`
  relay: null,
  asked: false, // the loop, for the connection
  held: null, // what came beneath us after the response had ended
  over: false, // the response has finished
  endWatch: null,
  bodyTimer: null,
  lastWord: null,
});

module.exports = { Takeover };
