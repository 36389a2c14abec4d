'use strict';

// What a client may ask for. Quick answers are JSON; a tool's answer is a stream: its progress, then its result.

const { CODES, failure, notification, result } = require('./rpc');
const { TOOLS, list } = require('./tools');

const VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26'];
const RUNNING_MAX = 50; // of a session
const PRIMED = '2025-11-25'; // from this version on a client takes an event without data

function welcome(version) {
  return {
    protocolVersion: version,
    capabilities: { tools: {}, logging: {} },
    serverInfo: { name: 'fanline-example', version: '1.0.0' },
  };
}

/** The client's version if we have it, else our latest: then the client decides. */
function versionFor(wanted) {
  return VERSIONS.includes(wanted) ? wanted : VERSIONS[0];
}

/** A request that needs no stream. */
function answerTo(session, { id, method, params }) {
  if (method === 'ping') return result(id, {});
  if (method === 'tools/list') return result(id, { tools: list() });
  if (method === 'logging/setLevel') {
    if (session.setLevel(params.level)) return result(id, {});
    return failure(id, CODES.invalidParams, 'No such level');
  }
  return failure(id, CODES.noMethod, `No such method: ${method}`);
}

/** A message that wants no answer. */
function hear(session, { method, params }) {
  if (method === 'notifications/cancelled') session.running.get(params.requestId)?.abort();
}

/** @returns {object|null} why a tool cannot be called, as the answer */
function refusalOf(session, { id, params }) {
  const tool = TOOLS.get(params.name);
  if (!tool) return failure(id, CODES.invalidParams, 'No such tool');
  if (session.running.has(id)) return failure(id, CODES.invalidRequest, 'This id is in use');
  if (session.running.size >= RUNNING_MAX) return failure(id, CODES.server, 'Too many at a time');
  const problem = tool.problemOf(params.arguments ?? {});
  return problem ? failure(id, CODES.invalidParams, problem) : null;
}

/**
 * Goes on whether or not the client is connected: in MCP, to leave is not to cancel. Never rejects. A tool that was cancelled
 * answers nothing.
 */
async function call(session, stream, { id, params }) {
  const tool = TOOLS.get(params.name);
  const token = params._meta?.progressToken;
  const abort = new AbortController();
  const { signal } = abort;
  const progress = (done, total, message) => {
    if (token === undefined) return;
    const how = { progressToken: token, progress: done, total, message };
    stream.send(notification('notifications/progress', how));
  };
  const answer = (text, isError) =>
    stream.send(result(id, { content: [{ type: 'text', text }], isError }));

  session.running.set(id, abort);
  try {
    answer(await tool.run(params.arguments ?? {}, { signal, progress }), false);
  } catch (err) {
    if (!signal.aborted) answer(err.message, true); // for the model to read
  }
  session.running.delete(id);
  stream.end();
}

module.exports = { PRIMED, VERSIONS, answerTo, call, hear, refusalOf, versionFor, welcome };
