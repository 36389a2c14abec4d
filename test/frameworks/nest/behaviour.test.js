'use strict';

// The behaviour suite over NestJS on Express. (On Fastify it is reply.sse(): see ../fastify.)

const { Catch } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { FanlineModule } = require('fanline/nest');
const BEHAVIOURS = require('../../js/suite/all');
const { TRANSPORTS, combosOf, overMatrix } = require('../../js/suite/world');
const { controller, moduleOf } = require('./support/controller');

async function wrap(_middleware, listener, onError, hub) {
  class Filter {
    catch(err, host) {
      onError(err);
      const res = host.switchToHttp().getResponse();
      res.status(err.status ?? 500).end();
    }
  }
  Catch()(Filter);
  const handle = (req, res) =>
    new Promise((resolve, reject) => {
      res.on('close', resolve);
      listener(req, res, reject);
    });
  const routes = controller(handle, { path: '*path', filters: [new Filter()] });
  const imports = [FanlineModule.forRoot({ hub, grace: false })];
  const app = await NestFactory.create(moduleOf(imports, [routes]), { logger: false });
  await app.init();
  return app.getHttpAdapter().getInstance();
}

const NEST = { name: 'NestJS', wrap, kinds: ['http', 'https'] };

describe('behaviour', () => {
  const { opening, pressure, replay } = BEHAVIOURS;
  const [fd, , https] = TRANSPORTS;
  overMatrix(Object.values(BEHAVIOURS), combosOf([fd], NEST));
  overMatrix([opening, pressure, replay], combosOf([https], NEST));
});
