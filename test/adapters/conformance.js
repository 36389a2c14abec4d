'use strict';

// What every adapter must do. `conformance(engine)` defines the tests; each of them starts an engine of its own:
//
//   name                 what the tests are called by
//   start({ maxLen })    resolves with { adapter(), stop(), kill(adapter) }; maxLen: events that it shall keep, about
//     adapter()          a value for one more hub, as if in another process
//     stop()             the test is over, and every hub has been closed
//     kill(adapter)      its process dies without a word
//     mortal()           the same as adapter(), for kill(); leave it out if that can be done to all
//   dies                 false: kill() can't be done
//   slack                how many events beyond maxLen it may keep; default 0
//   silence              ms after which one that died is missing; default 1 000
//
// docs/adapters.md says how to run it against an adapter of yours.

const { definesEnds, definesPages, definesProcesses } = require('./suite/engine');
const { definesBytes, definesOrder, definesRepeats } = require('./suite/events');
const { definesHubs } = require('./suite/hubs');
const { Probe } = require('./support/probe');

/** @param {object} engine see above */
function conformance(engine) {
  describe(`${engine.name}: links`, function () {
    this.timeout(20_000);
    let world;
    let probes = [];

    async function begin(limits) {
      world = await engine.start({ maxLen: 10_000, ...limits });
    }

    const keep = (probe) => probes.push(probe);

    async function link(adapter = world.adapter()) {
      const probe = new Probe(adapter);
      keep(probe);
      return probe.ready();
    }

    async function links(count) {
      await begin();
      const all = [];
      while (all.length < count) all.push(await link());
      return all;
    }

    afterEach(async () => {
      const over = probes;
      probes = [];
      const closed = await Promise.allSettled(over.map((probe) => probe.close()));
      await world?.stop();
      world = undefined;
      for (const { reason } of closed) if (reason !== undefined) throw reason;
      for (const probe of over) probe.check();
    });

    const shared = { begin, engine, keep, link, links, world: () => world };
    definesOrder(shared);
    definesRepeats(shared);
    definesBytes(shared);
    definesPages(shared);
    definesProcesses(shared);
    definesEnds(shared);
  });
  definesHubs(engine);
}

module.exports = { conformance };
