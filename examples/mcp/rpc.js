'use strict';

// JSON-RPC, as MCP uses it: one message at a time.

const CODES = { invalidRequest: -32600, noMethod: -32601, invalidParams: -32602, server: -32000 };

/** What is wrong with an HTTP request. */
function problem(status, message, code = CODES.server) {
  return Object.assign(new Error(message), { status, code });
}

const result = (id, value) => ({ jsonrpc: '2.0', id, result: value });
const failure = (id, code, message) => ({ jsonrpc: '2.0', id, error: { code, message } });
const notification = (method, params) => ({ jsonrpc: '2.0', method, params });

/** The message of a body: a request has a method and an id, a notification no id, an answer no method. */
function messageOf(body) {
  const { jsonrpc, method, id } = body ?? {};
  const isId = id === undefined || typeof id === 'string' || Number.isInteger(id);
  const isMethod = method === undefined ? id !== undefined : typeof method === 'string';
  if (jsonrpc === '2.0' && isId && isMethod) return { params: {}, ...body };
  throw problem(400, 'The body is no JSON-RPC message', CODES.invalidRequest);
}

const isRequest = ({ method, id }) => method !== undefined && id !== undefined;

module.exports = { CODES, failure, isRequest, messageOf, notification, problem, result };
