'use strict';

/** Its message is all that the person at the command line needs. */
class UsageError extends Error {}

const ROUNDS = { short: 3, full: 5 };

const USAGE = `npm run bench [-- [options] [scenario …] [driver …]]
npm run bench -- check <results.json> …       the figures that must be reached: met or missed
npm run bench -- report <results.json> …      tables and charts again, without measuring (--docs: into docs/performance);
                                              several files are one run in pieces, or more rounds of the same
npm run bench -- profile …                    where the server's CPU goes, by perf: bench/profile/run.js
npm run bench -- distribution …               several processes and Redis: bench/distribution/run.js

  --rounds N       so many times each measurement (${ROUNDS.short}; with --full ${ROUNDS.full}); what is told is the median
  --full           every driver and variant of each scenario, not only those that matter most
  --set KEY=VALUE  another setting in all variants that have it: --set clients=100; may be given more than once
  --out FOLDER     where results and report go (bench/results)
  --help           this`;

const listed = (names) => names.join(' ');

function takeRounds(text) {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= 100) return rounds;
  throw new UsageError(`--rounds takes a whole number from 1 to 100, not ${text}`);
}

function takeSetting(text) {
  const [, key, value] = /^([a-z]\w*)=(.+)$/i.exec(text) ?? [];
  if (key === undefined) throw new UsageError(`--set takes KEY=VALUE, not ${text}`);
  return [key, Number.isNaN(Number(value)) ? value : Number(value)];
}

/** What stands at the command line, options and names apart. */
function split(args) {
  const found = {
    names: [],
    settings: {},
    full: false,
    help: false,
    rounds: undefined,
    out: undefined,
  };
  for (let i = 0; i < args.length; i++) {
    const [option, inline] = args[i].split(/=(.*)/s);
    const value = () => {
      const text = inline ?? args[++i];
      if (text === undefined) throw new UsageError(`${option} takes a value; see --help`);
      return text;
    };
    if (!option.startsWith('-')) found.names.push(args[i]);
    else if (option === '--rounds') found.rounds = takeRounds(value());
    else if (option === '--out') found.out = value();
    else if (option === '--full') found.full = true;
    else if (option === '--help' || option === '-h') found.help = true;
    else if (option === '--set') {
      const [key, set] = takeSetting(value());
      found.settings[key] = set;
    } else throw new UsageError(`no option ${option}; see --help`);
  }
  return found;
}

/** What no scenario of this run knows would be set in vain. */
function checkSettings(settings, scenarios) {
  const known = new Set(
    scenarios.flatMap(({ variants }) => Object.values(variants).flatMap(Object.keys)),
  );
  for (const key of Object.keys(settings)) {
    if (known.has(key)) continue;
    throw new UsageError(`no setting ${key}; there are ${listed([...known].sort())}`);
  }
}

/** The drivers of one scenario: all that were asked for and can take part, else those that it names. */
function driversOf(scenario, wanted, full) {
  const all = [...scenario.drivers, ...scenario.more];
  if (wanted.length > 0) return all.filter((name) => wanted.includes(name));
  return full ? all : scenario.drivers;
}

/** Which variants: the short run over everything leaves some out. */
function variantsOf(scenario, isBrief) {
  const all = Object.keys(scenario.variants);
  return isBrief ? all.filter((name) => scenario.brief?.includes(name) ?? true) : all;
}

/**
 * @param {string[]} args
 * @param {{ scenarios: object[], drivers: string[] }} there  loaded scenarios, in the order in which they run; names of drivers
 * @returns {{ help: boolean, full: boolean, rounds: number, settings: object, out?: string, chosen: { scenario: object, drivers: string[], variants: string[] }[] }}
 */
function parseOptions(args, { scenarios, drivers }) {
  const { names, settings, full, help, out, ...given } = split(args);
  const rounds = given.rounds ?? (full ? ROUNDS.full : ROUNDS.short);
  const unknown = names.filter(
    (name) => !drivers.includes(name) && !scenarios.some((scenario) => scenario.name === name),
  );
  if (unknown.length > 0) {
    const there = listed(scenarios.map(({ name }) => name));
    throw new UsageError(
      `there is no ${unknown.join(', no ')}\nscenarios: ${there}\ndrivers: ${listed(drivers)}`,
    );
  }
  const wanted = drivers.filter((name) => names.includes(name));
  const asked = scenarios.filter(({ name }) => names.includes(name));
  const chosen = (asked.length > 0 ? asked : scenarios)
    .map((scenario) => ({
      scenario,
      drivers: driversOf(scenario, wanted, full),
      variants: variantsOf(scenario, !full && names.length === 0),
    }))
    .filter((entry) => entry.drivers.length > 0);
  const idle = wanted.filter((name) => !chosen.some((entry) => entry.drivers.includes(name)));
  if (idle.length > 0) {
    throw new UsageError(`in ${listed(asked.map(({ name }) => name))} there is no ${listed(idle)}`);
  }
  checkSettings(
    settings,
    chosen.map(({ scenario }) => scenario),
  );
  return { help, full, rounds, settings, out, chosen };
}

module.exports = { USAGE, UsageError, parseOptions };
