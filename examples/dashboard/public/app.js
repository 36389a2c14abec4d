import { EventSource } from 'fanline/client';
import { Chart } from './chart.js';
import { bytes, count, ms, percent, perSecond } from './words.js';

const $ = (id) => document.getElementById(id);
let charts = null;
let history = null; // what the server sent, and the samples since
let source = null;
let isDue = false;

function state(name, text) {
  $('state').dataset.state = name;
  $('state').textContent = text;
}

function begin(told) {
  history = told;
  const { host, system, processors, node, memory, disk } = told.about;
  $('host').textContent = host;
  $('about').textContent = `${system}, ${processors} processors, ${bytes(memory)}, Node ${node}`;
  $('disk-fact').hidden = disk === null;
  charts ??= [
    { title: 'Processor', series: [['cpu', 'busy']], format: percent, most: 100 },
    {
      title: 'Memory',
      series: [['memory', 'in use']],
      format: bytes,
      most: memory,
      isBinary: true,
    },
    {
      title: 'Network',
      series: [
        ['received', 'in'],
        ['sent', 'out'],
      ],
      format: perSecond,
      isBinary: true,
    },
    { title: 'Event loop', series: [['lag', 'late by']], format: ms },
    { title: 'This process', series: [['rss', 'in memory']], format: bytes, isBinary: true },
    {
      title: 'fanline',
      series: [
        ['deliveries', 'deliveries/s'],
        ['clients', 'clients'],
      ],
      format: count,
    },
  ].map((chart) => new Chart($('charts'), chart));
  redraw();
}

function add(sample) {
  const { columns, kept, interval } = history;
  const last = columns.at?.at(-1) ?? sample.at;
  // While nobody watched there were no samples: no line leads over the gap.
  if (sample.at - last > 3 * interval)
    append(Object.fromEntries(Object.keys(sample).map((name) => [name, null])), last + 1);
  append(sample, sample.at);
  const old = columns.at.findIndex((at) => at > sample.at - kept);
  for (const column of Object.values(columns)) column.splice(0, old);
  redraw();
}

function append(sample, at) {
  for (const [name, value] of Object.entries({ ...sample, at })) {
    history.columns[name] ??= [];
    history.columns[name].push(value);
  }
}

/** Once a frame; never in a tab that nobody sees. */
function redraw() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    const { columns, about } = history;
    if (!columns.at?.length) return;
    for (const chart of charts) chart.show(columns);
    const last = (name) => columns[name].at(-1);
    $('clients').textContent = count(last('clients'));
    $('busy').textContent = percent(last('busy'));
    $('written').textContent = perSecond(last('written'));
    if (last('disk') === null) return;
    $('disk').textContent = `${bytes(last('disk'))} of ${bytes(about.disk)}`;
    $('disk-meter').value = last('disk') / about.disk;
  });
}

function connect() {
  state('connecting', 'Connecting');
  source = new EventSource('events', { parse: JSON.parse, silence: 45_000 });
  source.addEventListener('history', ({ data }) => begin(data));
  source.addEventListener('sample', ({ data }) => add(data));
  source.addEventListener('open', () => state('live', 'Live'));
  source.addEventListener('error', ({ delay, message }) => {
    if (delay === null) state('ended', message);
    else state('connecting', 'Connecting again');
  });
}

// A tab that nobody sees does not watch. When it is seen again, the last minutes are there at once.
document.addEventListener('visibilitychange', () => {
  source.close();
  if (document.visibilityState === 'visible') connect();
});

$('block').addEventListener('click', () => fetch('block', { method: 'POST' }));

connect();
