'use strict';

/** Takes all of a source and writes it once: what streams cost before anything is sent. */
module.exports = function driver() {
  return {
    stream(_req, res) {
      res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
      res.write(':\n\n');
      return async (source) => {
        let body = '';
        for await (const text of source) body += `data: ${text}\n\n`;
        res.end(body);
      };
    },
  };
};
