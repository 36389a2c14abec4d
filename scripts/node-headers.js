'use strict';

// Finds Node's C headers beside the running binary, so that node-gyp never has to download them.

const fs = require('node:fs');
const path = require('node:path');

const OLDEST_MAJOR = 20;

function majorOf(versionHeader) {
  try {
    const text = fs.readFileSync(versionHeader, 'utf8');
    const match = /#define\s+NODE_MAJOR_VERSION\s+(\d+)/.exec(text);
    return match && Number(match[1]);
  } catch {
    return null;
  }
}

/** Every directory that may hold `include/node/node_api.h`, the most trustworthy first. */
function candidates(execPath = process.execPath, env = process.env) {
  const binaries = [execPath];
  try {
    binaries.push(fs.realpathSync(execPath));
  } catch {
    // A deleted binary still runs; its name is all there is to go by.
  }
  const dirs = binaries.flatMap((file) => [
    path.resolve(path.dirname(file), '..'), // <prefix>/bin/node
    path.dirname(file), // out/Release/node, node.exe
  ]);
  const prefix = process.config?.variables?.node_prefix;
  if (prefix) dirs.push(prefix);
  if (process.platform !== 'win32') dirs.push('/usr', '/usr/include/nodejs', '/usr/local');
  if (env.npm_config_nodedir) dirs.push(env.npm_config_nodedir);
  return [...new Set(dirs.map((dir) => path.resolve(dir)))];
}

/**
 * The `--nodedir` for node-gyp: headers of this very major version, else those of any Node that has our
 * Node-API version (the binary is the same). Throws an Error of one line when there are none.
 */
function findNodeDir({ execPath, env, version = process.versions.node } = {}) {
  const wanted = Number(version.split('.')[0]);
  const seen = [];
  let usable = null;
  for (const dir of candidates(execPath, env)) {
    const include = path.join(dir, 'include', 'node');
    if (!fs.existsSync(path.join(include, 'node_api.h'))) {
      seen.push(include);
      continue;
    }
    const major = majorOf(path.join(include, 'node_version.h'));
    if (major === wanted) return dir;
    if (major >= OLDEST_MAJOR) usable ??= dir;
    else seen.push(`${include} (of Node ${major})`);
  }
  if (usable) return usable;
  throw new Error(
    `the headers of Node ${version} (node_api.h) are not beside ${execPath ?? process.execPath}; ` +
      `looked in ${seen.join(', ')}. They come with Node's own archives, NodeSource, nvm and the official ` +
      "images; for Debian's own nodejs: apt-get install libnode-dev",
  );
}

module.exports = { candidates, findNodeDir };

if (require.main === module) {
  try {
    console.log(findNodeDir());
  } catch (err) {
    console.error(err.message);
    process.exitCode = 1;
  }
}
