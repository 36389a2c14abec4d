// Ten EventSources, one for each station, and an ordinary request beside them.

const $ = (id) => document.getElementById(id);
const SHOWN = 40; // readings in a curve
const [WIDTH, HEIGHT] = [120, 40]; // of the curve, as index.html has it
const LEAST_SPAN = 4; // m/s from its lowest to its highest point

// Asked before the streams are opened: over HTTP/1.1 it would wait behind them.
const { protocol, ports, stations } = await (await fetch('/about')).json();

const cards = stations.map((station) => {
  const card = $('station').content.cloneNode(true).firstElementChild;
  card.querySelector('h2').textContent = station;
  $('stations').append(card);
  return new Station(station, card);
});

function Station(name, card) {
  const state = card.querySelector('.state');
  const value = card.querySelector('.value');
  const curve = card.querySelector('polyline');
  const area = card.querySelector('polygon');
  const toggle = card.querySelector('.toggle');
  let readings = [];
  let source = null;

  const draw = (next) => {
    readings = next.slice(-SHOWN);
    value.textContent = readings.at(-1).toFixed(1);
    const low = Math.min(...readings);
    const span = Math.max(LEAST_SPAN, Math.max(...readings) - low);
    const points = readings.map((speed, i) => {
      return `${(i * WIDTH) / (SHOWN - 1)},${HEIGHT - 3 - ((HEIGHT - 6) * (speed - low)) / span}`;
    });
    curve.setAttribute('points', points.join(' '));
    area.setAttribute('points', `0,${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`);
  };

  const show = (what, word) => {
    card.dataset.state = what;
    state.dataset.state = what;
    state.textContent = word;
    toggle.textContent = source ? 'Close' : 'Open';
    toggle.setAttribute('aria-label', `${toggle.textContent} ${name}`);
    showAll();
  };

  this.isOpen = () => source?.readyState === EventSource.OPEN;
  this.isWanted = () => source !== null;

  this.open = () => {
    source = new EventSource(`/events?station=${encodeURIComponent(name)}`);
    source.onopen = () => show('live', 'Live');
    source.onerror = () => show('connecting', 'Waits');
    source.addEventListener('past', ({ data }) => draw(JSON.parse(data)));
    source.addEventListener('wind', ({ data }) => draw([...readings, Number(data)]));
    source.addEventListener('connections', ({ data }) => {
      $('connections').textContent = JSON.parse(data).connections;
    });
    show('connecting', 'Waits');
  };

  this.close = () => {
    source.close();
    source = null;
    show('ended', 'Closed');
  };

  toggle.addEventListener('click', () => (source ? this.close() : this.open()));
}

function showAll() {
  const open = cards.filter((card) => card.isOpen()).length;
  $('open').textContent = `${open} of ${stations.length}`;
  $('state').dataset.state = open === stations.length ? 'live' : 'connecting';
  $('state').textContent =
    open === stations.length ? 'All live' : `${open} of ${stations.length} live`;
}

// ---- The words, by protocol --------------------------------------------------------------------

$('protocol').textContent = protocol;
$('explain').textContent =
  protocol === 'HTTP/2'
    ? 'All of them share one connection, and other requests do too.'
    : 'Each holds a connection, the browser opens six, and the rest waits: streams, requests, other tabs, even a reload. Close one, and the next takes its place.';

const other = protocol === 'HTTP/2' ? 'HTTP/1.1' : 'HTTP/2';
const link = document.createElement('a');
link.href = `${other === 'HTTP/2' ? 'https' : 'http'}://${location.hostname}:${ports[other]}/`;
link.textContent = `The same page over ${other}`;
$('other').append(
  link,
  other === 'HTTP/2' ? ': the browser asks whether you trust a certificate that is made here.' : '',
);
$('other').hidden = false;

// ---- An ordinary request -----------------------------------------------------------------------

$('ask').addEventListener('click', async () => {
  $('ask').disabled = true;
  const begun = performance.now();
  const seconds = () => ((performance.now() - begun) / 1000).toFixed(1);
  const ticking = setInterval(() => {
    $('answer').textContent = `Waits for a connection: ${seconds()} s`;
  }, 100);
  try {
    const { now } = await (await fetch('/time', { cache: 'no-store' })).json();
    const ms = Math.round(performance.now() - begun);
    $('answer').textContent = `${new Date(now).toLocaleTimeString('en-GB')}, after ${ms} ms`;
  } catch {
    $('answer').textContent = 'No answer';
  } finally {
    clearInterval(ticking);
    $('ask').disabled = false;
  }
});

// ---- From the first to the last moment of the page -----------------------------------------------

for (const card of cards) card.open();

// A browser may keep a page that was left, with its streams, for the way back. They would hold their connections meanwhile.
let paused = [];
addEventListener('pagehide', () => {
  paused = cards.filter((card) => card.isWanted());
  for (const card of paused) card.close();
});
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) for (const card of paused) card.open();
});
