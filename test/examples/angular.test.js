'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { when } = require('../js/support/stage');
const { Cafe, EXAMPLES, describeCafe } = require('./support/cafe');

const DIR = path.join(EXAMPLES, 'angular');
const BUILT = path.join(DIR, 'build', 'event-source.service.js');

describe('examples/angular', () => describeCafe('angular'));

describe('events() of EventSourceService of examples/angular', () => {
  let angular;
  let service;
  let place;
  const fileOf = (name) => pathToFileURL(require.resolve(name, { paths: [DIR] }));
  const events = ['orders', 'order'];

  /** The service in an injector, as for the given platform. */
  function serviceOn(platform) {
    const { Injector, PLATFORM_ID } = angular;
    const providers = [{ provide: PLATFORM_ID, useValue: platform }, { provide: service }];
    return Injector.create({ providers }).get(service);
  }

  /** Subscribes, and notes what it is told. */
  function follow(room, platform = 'browser') {
    const told = [];
    const url = `${place.url}/events/${room}`;
    const subscription = serviceOn(platform)
      .events(url, { events })
      .subscribe({
        next: ({ type, data }) => told.push([type, data]),
        error: ({ status }) => told.push(['error', status]),
        complete: () => told.push(['complete']),
      });
    return { told, subscription };
  }

  before(async function () {
    if (!fs.existsSync(BUILT)) this.skip(); // describeCafe has said so
    await import(fileOf('@angular/compiler')); // Angular's own packages come half compiled
    angular = await import(fileOf('@angular/core'));
    // By its name Node knows it for an ES module; from there it finds its packages.
    const file = path.join(DIR, 'node_modules', `.service-${process.pid}.mjs`);
    fs.copyFileSync(BUILT, file);
    ({ EventSourceService: service } = await import(pathToFileURL(file)));
    fs.rmSync(file);
  });
  beforeEach(async () => {
    place = new Cafe(DIR);
    await place.listen();
  });
  afterEach(() => place.close());

  it('tells every event, and closes when it is unsubscribed from', async () => {
    const { told, subscription } = follow('bar');
    await when(() => told.length === 1);
    const order = await place.order('bar', '4', 'Tea');
    await when(() => told.length === 2);
    assert.deepEqual(told, [
      ['orders', []],
      ['order', order],
    ]);
    subscription.unsubscribe();
    await when(() => place.hub.size === 0, 'the server sees it leave');
  });

  it('goes on after a cut, and says nothing of it', async () => {
    const { told, subscription } = follow('bar');
    await when(() => told.length === 1);
    await place.order('bar', '4', 'Tea');
    await when(() => told.length === 2);
    await place.fall();
    await place.listen();
    await place.order('bar', '4', 'Milk');
    await when(() => told.length === 3, 'the third', 10_000);
    assert.equal(told[2][1].what, 'Milk');
    subscription.unsubscribe();
  });

  it('fails with what the server refused, and completes when the server ends it', async () => {
    const office = follow('office');
    const bar = follow('bar');
    await when(() => office.told.length === 1 && bar.told.length === 1);
    assert.deepEqual(office.told, [['error', 401]]);
    place.hub.to('bar').disconnect({ reconnect: false });
    await when(() => bar.told.length === 2);
    assert.deepEqual(bar.told[1], ['complete']);
  });

  it('connects to nothing on a server', () => {
    const { told } = follow('bar', 'server');
    assert.deepEqual(told, [['complete']]);
    assert.equal(place.asked.length, 0);
  });
});
