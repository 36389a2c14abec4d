'use strict';

// Writes a log file as a busy shop would: orders, queries, jobs, now and then a warning or an error with its stack. Rotates
// it by size, so that it never grows without end.
//
//   node examples/logs/writer.js <file> [lines per second]

const fs = require('node:fs');
const path = require('node:path');

const TICK = 20; // ms
const ROTATE_AT = 8 << 20; // bytes; then <file> becomes <file>.1
const [file, rate = '20'] = process.argv.slice(2);

const pick = (...list) => list[Math.floor(Math.random() * list.length)];
const number = (least, most) => least + Math.floor(Math.random() * (most - least + 1));
const order = () => `A-${number(10_000, 99_999)}`;

const request = () =>
  `http   ${pick('GET', 'GET', 'POST')} ${pick('/cart', '/orders', '/search?q=lamp')} 200 in ${number(2, 80)} ms`;
const query = () =>
  `sql    select * from ${pick('orders', 'items', 'people')} took ${number(1, 30)} ms, ${number(0, 400)} rows`;
const step = () => `orders ${order()} ${pick('paid', 'packed', 'handed to the carrier')}`;
const cache = () => `cache  ${pick('hit', 'hit', 'miss')} price-list-${number(1, 40)}`;
const slow = () => `http   GET /search?q=lamp was slow: ${number(900, 4_000)} ms`;
const queue = () => `queue  ${number(200, 900)} jobs wait, the oldest for ${number(20, 90)} s`;

function failure() {
  const what = pick('the card was refused by the bank', 'no answer within 5,000 ms');
  const stack = ['charge (/srv/shop/payment.js:88:11)', 'checkout (/srv/shop/orders.js:142:5)'];
  const text = `orders ${order()} could not be paid: ${what}`;
  return [text, ...stack.map((at) => `    at ${at}`)].join('\n');
}

// [of a hundred lines, level, what it says]
const KINDS = [
  [45, 'INFO ', request],
  [25, 'DEBUG', query],
  [14, 'INFO ', step],
  [8, 'DEBUG', cache],
  [5, 'WARN ', slow],
  [2, 'WARN ', queue],
  [1, 'ERROR', failure],
];
const ALL = KINDS.flatMap(([share, ...kind]) => Array(share).fill(kind));

function line() {
  const [level, text] = pick(...ALL);
  return `${new Date().toISOString()} ${level} ${text()}\n`;
}

let perSecond = Number(rate);
let due = 0; // lines; fractions are kept for the next time
let size = 0;

setInterval(() => {
  due += (perSecond * TICK) / 1_000;
  const text = Array.from({ length: Math.floor(due) }, line).join('');
  due %= 1;
  if (!text) return;
  fs.appendFileSync(file, text);
  size += text.length;
  if (size > ROTATE_AT) {
    fs.renameSync(file, `${file}.1`);
    size = 0;
  }
}, TICK);

// As a child of the server: told how much to write; when the server is gone, so are the file and this process.
process.on('message', (message) => {
  perSecond = message.rate;
});
process.on('disconnect', () => {
  for (const each of [file, `${file}.1`]) fs.rmSync(each, { force: true });
  fs.rmdirSync(path.dirname(file));
  process.exit();
});
