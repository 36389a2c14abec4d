'use strict';

// The behaviour suite over Koa 2 and 3, which need no adapter: `ctx.respond = false`.

const Koa2 = require('koa2');
const Koa3 = require('koa');
const BEHAVIOURS = require('../../js/suite/all');
const { TRANSPORTS, combosOf, overMatrix } = require('../../js/suite/world');

const wrap = (Koa) => (_middleware, listener, onError) => {
  const app = new Koa();
  app.on('error', onError);
  app.use((ctx) => {
    ctx.respond = false;
    ctx.res.statusCode = 200; // Koa begins with 404, which the listeners' ordinary answers do not expect
    return new Promise((resolve, reject) => {
      ctx.res.on('close', resolve);
      listener(ctx.req, ctx.res, reject);
    });
  });
  return app.callback();
};

const KOAS = [
  { name: 'Koa 2', wrap: wrap(Koa2), kinds: ['http', 'http2'] },
  { name: 'Koa 3', wrap: wrap(Koa3), kinds: ['http', 'http2'] },
];

describe('behaviour', () => {
  const { opening, pressure, replay, sending } = BEHAVIOURS;
  const [fd, , , http2] = TRANSPORTS;
  const detached = { ...TRANSPORTS.find(({ name }) => name === 'detached'), without: undefined };
  overMatrix(Object.values(BEHAVIOURS), combosOf([fd], ...KOAS));
  overMatrix([opening, pressure, replay], combosOf([http2], KOAS[1]));
  overMatrix([sending, pressure, replay], combosOf([detached], ...KOAS));
});
