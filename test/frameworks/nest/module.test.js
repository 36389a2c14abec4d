'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');
const { UnauthorizedException } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { FastifyAdapter } = require('@nestjs/platform-fastify');
const { createHub } = require('fanline');
const fanline = require('fanline/fastify');
const { FanlineHub, FanlineModule } = require('fanline/nest');
const { open } = require('../../js/support/open');
const { controller, moduleOf } = require('./support/controller');

const QUIET = { retry: false, heartbeat: false, history: false };
const QUICK = { hub: QUIET, grace: 0 };

const guard = {
  canActivate(context) {
    const { headers } = context.switchToHttp().getRequest();
    if (headers.authorization !== 'ann') throw new UnauthorizedException();
    return true;
  },
};

const urlOf = (app) => `http://127.0.0.1:${app.getHttpServer().address().port}/events`;

/** How a handler opens a stream on each platform. */
const PLATFORMS = [
  {
    name: 'Express',
    connect: (req, res, hub, opts) => hub.connect(req, res, opts),
  },
  {
    name: 'Fastify',
    adapter: () => new FastifyAdapter({ return503OnClosing: false }),
    prepare: (app) => app.register(fanline, { hub: app.get(FanlineHub), grace: false }),
    connect: (_request, reply, _hub, opts) => reply.sse(opts),
  },
];

for (const { name, adapter, prepare, connect } of PLATFORMS) {
  describe(`fanline/nest on ${name}`, () => {
    let apps = [];
    let streams = [];

    afterEach(async () => {
      for (const stream of streams) stream.close();
      await Promise.all(apps.map((app) => app.close()));
      apps = [];
      streams = [];
    });

    async function listen(Root) {
      const args = [Root, ...(adapter ? [adapter()] : []), { logger: false, abortOnError: false }];
      const app = await NestFactory.create(...args);
      apps.push(app);
      await prepare?.(app);
      await app.listen(0, '127.0.0.1');
      return app;
    }

    async function read(url, options) {
      const stream = await open(url, options);
      streams.push(stream);
      return stream;
    }

    const events = (options) => controller((...args) => void connect(...args), options);
    const appOf = (options, routes = events()) =>
      moduleOf([FanlineModule.forRoot({ ...QUICK, ...options })], [routes]);

    it('injects a hub, whose streams are written past Node', async () => {
      const app = await listen(appOf());
      const stream = await read(urlOf(app));
      const hub = app.get(FanlineHub);
      const [client] = hub.clients.values();
      assert.equal(client.transport, 'fd');
      assert.deepEqual(hub.broadcast('hello').matched, 1);
      assert.deepEqual(await stream.data(1), ['hello']);
      const gone = once(client, 'close');
      stream.close();
      assert.deepEqual(await gone, ['client']);
    });

    it('has guards answer before the stream: 401, and no client', async () => {
      const app = await listen(appOf({}, events({ guards: [guard] })));
      const hub = app.get(FanlineHub);
      hub.once('connect', () => assert.fail('a client'));
      const refused = await fetch(urlOf(app));
      assert.equal(refused.status, 401);
      assert.equal((await refused.json()).message, 'Unauthorized');
      hub.removeAllListeners('connect');
      const stream = await read(urlOf(app), { headers: { Authorization: 'ann' } });
      assert.equal(stream.status, 200);
      assert.equal(hub.size, 1);
    });

    it('has what connect() throws answered by Nest: 500, and no client', async () => {
      const routes = controller((req, res, hub) => connect(req, res, hub, { rooom: 'r' }));
      const app = await listen(appOf({}, routes));
      const refused = await fetch(urlOf(app));
      assert.equal(refused.status, 500);
      assert.equal((await refused.json()).message, 'Internal server error');
      assert.equal(app.get(FanlineHub).size, 0);
    });

    it('ends the streams in order at app.close(), behind every onModuleDestroy', async () => {
      const order = [];
      const service = (name) => ({
        provide: name,
        inject: [FanlineHub],
        useFactory: (hub) => ({
          async onModuleDestroy() {
            await sleep(20);
            order.push(`destroy ${hub.broadcast('goodbye').matched}`);
          },
          onApplicationShutdown: () => void order.push(`shutdown ${hub.size}`),
        }),
      });
      const fan = FanlineModule.forRoot({ hub: { ...QUIET, retry: 1_234 }, grace: 100 });
      const beside = { ...moduleOf([], [], [service('beside')]), global: true }; // Nest comes to it last
      const app = await listen(moduleOf([beside, fan], [events()], [service('root')]));
      const all = await Promise.all([1, 2, 3].map(() => read(urlOf(app))));
      const hub = app.get(FanlineHub);
      hub.on('disconnect', (_client, reason) => order.push(reason));
      await app.close();
      const ends = Array(3).fill('shutdown');
      assert.deepEqual(order, [
        ...['destroy 3', 'destroy 3'],
        ...ends,
        ...['shutdown 0', 'shutdown 0'],
      ]);
      for (const stream of all) {
        assert.equal(await stream.end(), 'end');
        assert.deepEqual(await stream.data(2), ['goodbye', 'goodbye']);
        assert.match(stream.text, /retry: 1234\n$/);
      }
    });

    it('sends newcomers away while it closes', async () => {
      const app = await listen(appOf({ grace: 400 }));
      await read(urlOf(app));
      await read(urlOf(app));
      const begun = once(app.get(FanlineHub), 'disconnect');
      const closed = app.close();
      await begun;
      const late = await read(urlOf(app));
      assert.equal(late.status, 200);
      assert.equal(await late.end(), 'end');
      assert.match(late.text, /^retry: \d+\n$/);
      await closed;
    });

    it('makes a hub for each application', async () => {
      const Root = appOf();
      const [a, b] = [await listen(Root), await listen(Root)];
      const stream = await read(urlOf(b));
      await a.close();
      assert.equal(b.get(FanlineHub).broadcast('still here').matched, 1);
      assert.deepEqual(await stream.data(1), ['still here']);
    });

    it('takes a hub that there is, and leaves it open with grace: false', async () => {
      const hub = createHub(QUIET);
      const app = await listen(appOf({ hub, grace: false }));
      assert.equal(app.get(FanlineHub), hub);
      await app.close();
      assert.equal(hub.broadcast('x').matched, 0);
      await hub.close();
    });

    it('forRootAsync() is given what it asks for', async () => {
      class Config {}
      const config = { module: Config, providers: [{ provide: 'RETRY', useValue: 77 }] };
      const fan = FanlineModule.forRootAsync({
        imports: [{ ...config, exports: ['RETRY'] }],
        inject: ['RETRY'],
        useFactory: async (retry) => ({ ...QUICK, hub: { ...QUIET, retry } }),
      });
      const app = await listen(moduleOf([fan], [events()]));
      const stream = await read(urlOf(app));
      await stream.until(() => stream.text === 'retry: 77\n');
    });

    it('is seen by modules that do not import it, unless isGlobal: false', async () => {
      const inner = moduleOf([], [events()]);
      const app = await listen(moduleOf([FanlineModule.forRoot(QUICK), inner], []));
      const stream = await read(urlOf(app));
      assert.equal(stream.status, 200);
      const own = FanlineModule.forRoot({ ...QUICK, isGlobal: false });
      await assert.rejects(listen(moduleOf([own, moduleOf([], [events()])], [])), /dependencies/);
    });

    it('refuses wrong options', async () => {
      const wrong = { code: 'ERR_FAN_OPTION' };
      const refused = (fan) => assert.rejects(listen(moduleOf([fan], [])), wrong);
      await refused(FanlineModule.forRoot({ gracee: 1 }));
      await refused(FanlineModule.forRoot({ hub: { heartbeet: 1 } }));
      await refused(FanlineModule.forRootAsync({ useFactory: () => ({ grace: 'x' }) }));
      await refused(FanlineModule.forRootAsync({ useFactory: () => null }));
      assert.throws(() => FanlineModule.forRootAsync({}), wrong);
      assert.throws(() => FanlineModule.forRootAsync({ useFactory() {}, injects: [] }), wrong);
    });
  });
}

describe('fanline/nest', () => {
  it('is the same when imported', async () => {
    const imported = await import('fanline/nest');
    assert.equal(imported.FanlineModule, FanlineModule);
    assert.equal(imported.FanlineHub, FanlineHub);
  });

  it('ends the stream in order where a handler throws behind its start, on Express', async () => {
    const routes = controller((req, res, hub) => {
      hub.connect(req, res).send('first');
      throw new Error('late');
    });
    const root = moduleOf([FanlineModule.forRoot(QUICK)], [routes]);
    const app = await NestFactory.create(root, { logger: false });
    await app.listen(0, '127.0.0.1');
    const stream = await open(urlOf(app));
    assert.equal(await stream.end(), 'end');
    assert.equal(stream.text, ':\ndata: first\n\n');
    await app.close();
  });
});
