'use strict';

// A scenario is one question: bench/scenarios/<name>.js, which exports
//
//   title      'S1 paced broadcast'
//   what       one or two sentences for the report: what is done and what is measured
//   needs      capabilities (driver.js) without which a driver can't take part
//   able       optional, (has, settings) => boolean: whether a driver with these capabilities can take part in this variant; one that can't is
//              left out of its table
//   drivers    the names that `npm run bench` runs
//   more       names that only --full runs, or that are asked for by name (may be absent)
//   variants   { 'name': { clients: 4000, … } }: the settings of each; one table for each. A scenario without variants of its own has
//              one. --set clients=100 overrides a setting in all of them: everything that makes a run big must be a setting.
//   brief      optional, the variants of a run over everything that is not --full; absent: all
//   columns    [{ key, title, unit, digits }]: of what measure() resolves with; `unit` is shown with the title
//   measure    async (bench) => { key: number, … }: one measurement of one driver with one variant, in 2 to 4 s plus opening.
//              A key that a driver can't have is undefined. `series: { name: [[x, y], …] }` is kept beside the numbers.
//              An event lost, doubled or out of order throws.
//   work       { name: async (server, settings, streams) => any JSON }: what is done in the driver's process. `server` is the driver's
//              (driver.js), `streams` the array of what came by onStream. suite/work.js has broadcasts() and more.
//   flags      of node, for the driver's process (absent: none)
//   goals      [{ what, value, must, aim }]: see goal() below; the figures of DESIGN section 8 and issue 8
//   charts     [{ type, key, title, … }]: see suite/charts/index.js; absent: bars of the first column
//
// bench, what measure() gets:
//   driver, has(capability), settings (of the variant; `driver` has them after --set), seconds (the limit for one measurement)
//   start({ history, queueBytes, … }) => Promise<server>: the driver in a fresh process. It ends with the measurement.
//     server.port, server.tls, server.protocol
//     server.work(name, settings?) => Promise: runs work[name] over there, with the variant's settings and these
//     server.usage() => Promise<{ cpu_s, js_s, rss }>: totals of the operating system: all threads, the JavaScript thread (undefined
//       if the server is no Node process), resident bytes. Take it before and after: `used(before, after)` below.
//     server.gc() => Promise: collects garbage twice
//     server.stats() => Promise<object | undefined>
//   load(server) => Promise<Load>: the load in C in a fresh process, suite/load.js; it ends with the measurement
//   onEnd(function): called when the measurement has ended, in whatever way

const fs = require('node:fs');
const path = require('node:path');
const { CAPABILITIES } = require('./driver');

const FOLDER = path.join(__dirname, '..', 'scenarios');

function scenarioNames() {
  return fs
    .readdirSync(FOLDER)
    .filter((name) => name.endsWith('.js'))
    .map((name) => name.slice(0, -'.js'.length))
    .map((name) => ({ name, title: require(path.join(FOLDER, `${name}.js`)).title }))
    .sort((a, b) => a.title.localeCompare(b.title, 'en', { numeric: true }))
    .map(({ name }) => name);
}

function loadScenario(name) {
  const scenario = require(path.join(FOLDER, `${name}.js`));
  for (const key of ['title', 'what', 'needs', 'drivers', 'variants', 'columns', 'measure'])
    if (!(key in scenario)) throw new Error(`scenarios/${name}.js exports no ${key}`);
  for (const capability of scenario.needs)
    if (!(capability in CAPABILITIES))
      throw new Error(`scenarios/${name}.js: no capability ${capability}`);
  return { name, more: [], goals: [], work: {}, ...scenario };
}

/** What lies between two usage(): CPU in seconds. */
function used(before, after) {
  return {
    cpu_s: after.cpu_s - before.cpu_s,
    js_s: after.js_s === undefined ? undefined : after.js_s - before.js_s,
    rss: after.rss - before.rss,
  };
}

/**
 * A figure that is held against a limit. `value` gets `of`: of('fanline', 'cpu_us') is the median of that driver in the first
 * variant, of('fanline', 'cpu_us', 'burst') in another one; what was not measured makes the figure unknown.
 *
 *     goal('CPU per delivery: res.write', (of) => of('fanline', 'cpu_us') / of('res-write', 'cpu_us'), { must: '<= 0.62' })
 */
function goal(what, value, { must, aim, unit = '×', digits = 2 } = {}) {
  return { what, value, must, aim, unit, digits };
}

module.exports = { goal, loadScenario, scenarioNames, used };
