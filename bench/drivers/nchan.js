'use strict';

const { Nginx, missing, versions } = require('./support/nginx');
const { Publisher } = require('./support/publisher');

/** So many POSTs may be on their way: more would only lie in a socket. */
const WINDOW = 4;

async function create({ history }) {
  const nginx = await Nginx.start({ kept: history });
  const publisher = await Publisher.connect(nginx.port);
  let open = 0;
  let failed = null;
  const publish = (room, text) => {
    if (failed) throw failed;
    open++;
    const taken = publisher.publish(room, text).then(
      () => {
        open--;
      },
      (error) => {
        failed = error;
      },
    );
    if (open >= WINDOW) return taken;
  };
  return {
    listen: async () => nginx.port,
    pids: () => nginx.pids(),
    stop() {
      publisher.close();
      return nginx.stop();
    },
    broadcast: (text) => publish('all', text),
    toRoom: publish,
  };
}

module.exports = {
  what: "nchan in Debian's nginx, one worker: a channel for each room; published by POST from another process, whose CPU is not counted",
  versions,
  missing,
  has: ['broadcast', 'rooms', 'replay', 'ping'],
  create,
};
