'use strict';

// Clients of density mode: Node has let go of their connections.

const { once } = require('node:events');
const { createHub } = require('fanline');
const { openRaw } = require('../suite/raw');
const { Stage, when } = require('./stage');

const HUB = { transport: 'detached', retry: false, heartbeat: false, history: false };

/** @returns {Promise<Stage>} with a hub whose clients are detached; `stage.end()` closes both */
async function densityStage(options) {
  const stage = await Stage.on(createHub({ ...HUB, ...options }));
  stage.end = async () => {
    await stage.hub.close({ grace: 0 });
    await stage.close();
  };
  return stage;
}

/** Resolves when Node has let go of the connection. */
async function letGo(client) {
  await when(() => client.transport === 'detached', 'Node letting go of it');
  return client;
}

/**
 * A client, and what its peer reads byte for byte.
 * @param {Stage} stage
 * @param {{opts?: object, ask?: (path: string) => string, isLetGo?: boolean}} [how] `ask`: the request
 */
async function peer(stage, { opts, ask = get, isLetGo = true } = {}) {
  const { path, result } = stage.expect((req, res) => {
    const client = stage.hub.connect(req, res, opts);
    stage.clients.push(client);
    return { client, req, res };
  });
  const raw = openRaw(stage.url, ask(path));
  const { client, req, res } = await result;
  if (isLetGo) await letGo(client);
  return { client, raw, req, res };
}

const get = (path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

/** @returns {Promise<string>} why */
async function closed(client) {
  if (client.closed === null) await once(client, 'close');
  return client.closed;
}

module.exports = { closed, densityStage, get, letGo, peer };
