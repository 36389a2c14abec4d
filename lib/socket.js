'use strict';

// What must be known of the socket beneath a response, before anybody else writes to it. Looks only; Node's internals are named
// here and nowhere else.

/**
 * The descriptor of the socket that carries `res` and nothing else, as plain bytes.
 * @param {object} res an HTTP/1 response
 * @param {object|null} socket its socket
 * @returns {number} -1 where there is none that may be written to
 */
function ownDescriptor(res, socket) {
  const handle = socket?._handle;
  if (!handle || socket._httpMessage !== res) return -1;
  const kind = handle.constructor?.name;
  if (kind !== 'TCP' && kind !== 'Pipe') return -1;
  return Number.isInteger(handle.fd) ? handle.fd : -1;
}

/**
 * The descriptor beneath whatever connection this is (TLS, HTTP/2): good for socket options, never for writing.
 * @param {object|null} socket
 * @returns {number} or -1
 */
function anyDescriptor(socket) {
  const fd = socket?._handle?.fd;
  return Number.isInteger(fd) && fd >= 0 ? fd : -1;
}

/**
 * Why a response whose headers are out cannot be written to by descriptor.
 * @param {object} req
 * @param {object} res
 * @param {object|null} socket null for HTTP/2
 * @returns {'fetch'|'http2'|'tls'|'encoding'|'length'|'descriptor'|null} null: it can
 */
function relayCause(req, res, socket) {
  if (res.relayCause) return res.relayCause; // no response of Node's
  if (req.httpVersionMajor !== 1) return 'http2';
  if (!socket) return 'descriptor';
  if (socket.encrypted) return 'tls';
  const head = typeof res._header === 'string' ? res._header : '';
  if (/\r\ncontent-encoding:/i.test(head)) return 'encoding';
  if (/\r\ncontent-length:/i.test(head)) return 'length';
  return ownDescriptor(res, socket) < 0 ? 'descriptor' : null;
}

/**
 * Is this a response of Node's for which nobody has set a header yet, or wants to know of headers?
 * @param {object} res
 */
function isUntouched(res) {
  return (
    res.relayCause === undefined &&
    typeof res.getHeaderNames === 'function' &&
    ['writeHead', 'setHeader', 'flushHeaders'].every((name) => !Object.hasOwn(res, name)) &&
    res.getHeaderNames().length === 0
  );
}

/**
 * Has everything that went through Node reached the kernel?
 * @param {object} res an HTTP/1 response
 * @param {object} socket its socket
 */
function isFlushed(res, socket) {
  return (
    socket.writableLength === 0 &&
    socket.writableCorked === 0 &&
    res.writableLength === 0 &&
    !res.outputSize &&
    socket._handle?.writeQueueSize === 0
  );
}

/**
 * Has Node been told that the kernel reaches the peer no more? (Next door it has asked in vain who has the address.)
 * @param {object|null} socket
 */
function hasGivenUp(socket) {
  return ['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'].includes(socket?.errored?.code);
}

module.exports = {
  anyDescriptor,
  hasGivenUp,
  isFlushed,
  isUntouched,
  ownDescriptor,
  relayCause,
};
