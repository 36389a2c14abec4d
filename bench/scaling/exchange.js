'use strict';

// Discrete events: sends that become batches, a Redis that does one thing at a time, a tail in each process, the JavaScript
// thread that takes a page apart and the I/O thread that writes to clients. Costs are the measured ones; arrivals are random.

const { Heap } = require('./heap');

const STEPS = 20_000; // of the simulation, at most
const BATCH = 256; // sends
const PAGE = 1_024; // events
const WARM = 0.1; // of the time that does not count

/** Poisson, by a normal distribution where it is large. */
function poisson(mean, random) {
  if (mean > 30) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal));
  }
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}

/** The value that a part of all weights is below. */
function weighted(samples, part) {
  samples.sort((a, b) => a.value - b.value);
  let rest = part * samples.reduce((sum, { weight }) => sum + weight, 0);
  for (const { value, weight } of samples) {
    rest -= weight;
    if (rest <= 0) return value;
  }
  return Number.NaN;
}

class Exchange {
  /**
   * @param {object} plan of one stream: processes, events a second, audience (clients that each is for), isRegular (or at random)
   * @param {object} cost µs of each kind of work, and of a way (measured.json)
   * @param {() => number} random
   */
  constructor(plan, cost, random) {
    this.plan = plan;
    this.cost = cost;
    this.random = random;
    this.heap = new Heap();
    this.now = 0;
    this.samples = [];
    this.busy = { redis: 0, js: 0, io: 0 };
    this.pages = 0;
    this.stream = { free: 0, sent: [] };
    this.processes = Array.from({ length: plan.processes }, () => ({
      js: 0, // when its JavaScript thread is free
      io: 0, // and its I/O thread
      cursor: 0,
      waiting: [], // to be sent
      isSending: false,
    }));
    this.blocked = [...this.processes]; // XREADs that wait
  }

  /** Work for something that does one thing at a time. @returns {number} when it is done */
  _work(kind, who, key, us) {
    who[key] = Math.max(who[key], this.now) + us;
    this.busy[kind] += us;
    return who[key];
  }

  _at(time, what) {
    this.heap.push(time, what);
  }

  /** @param {number} seconds of simulated time, less if there is much to simulate */
  run(seconds) {
    const { events, isRegular } = this.plan;
    const gap = 1e6 / events;
    const next = () => (isRegular ? gap : -Math.log(1 - this.random()) * gap);
    const arrive = () => {
      this._send();
      this._at(this.now + next(), arrive);
    };
    this._at(next(), arrive);
    for (let steps = 0; steps < STEPS && this.heap.first < seconds * 1e6; steps++) {
      const { time, what } = this.heap.pop();
      this.now = time;
      what();
    }
    return this._result();
  }

  _send() {
    const process = this.processes[Math.floor(this.random() * this.processes.length)];
    const handed = this._work('js', process, 'js', this.cost.send_us);
    process.waiting.push(this.now);
    this._at(handed, () => this._publish(process));
  }

  /** One batch is on its way at a time; the next one gathers meanwhile. */
  _publish(process) {
    if (process.isSending || process.waiting.length === 0) return;
    process.isSending = true;
    const batch = process.waiting.splice(0, BATCH);
    const handed = this._work('js', process, 'js', this.cost.batch_us);
    this._at(handed + this.cost.way_us, () => this._append(process, batch));
  }

  _append(process, batch) {
    const { stream } = this;
    const { redis_batch_us, redis_event_us, way_us } = this.cost;
    this._work('redis', stream, 'free', redis_batch_us + batch.length * redis_event_us);
    stream.sent.push(...batch);
    this._at(stream.free + way_us, () => {
      process.isSending = false;
      this._publish(process);
    });
    for (const reader of this.blocked.splice(0)) this._answer(reader);
  }

  _read(process) {
    if (process.cursor < this.stream.sent.length) this._answer(process);
    else this.blocked.push(process);
  }

  _answer(process) {
    const from = process.cursor;
    const to = Math.min(this.stream.sent.length, from + PAGE);
    process.cursor = to;
    const { redis_page_us, redis_entry_us, way_us } = this.cost;
    const us = redis_page_us + (to - from) * redis_entry_us;
    const done = this._work('redis', this.stream, 'free', us);
    this._at(done + way_us, () => this._take(process, from, to));
  }

  /** A page has come: its events are handed to the I/O thread together. */
  _take(process, from, to) {
    const { page_us, receive_us, unheard_us, delivery_us, way_us } = this.cost;
    const mean = this.plan.audience / this.plan.processes;
    const heard = [];
    let us = page_us;
    for (let at = from; at < to; at++) {
      const members = poisson(mean, this.random);
      us += members > 0 ? receive_us : unheard_us;
      if (members > 0) heard.push({ at, members });
    }
    const taken = this._work('js', process, 'js', us);
    this.pages++;
    // The rest of what a page costs comes after its events have been handed over.
    this._at(taken - page_us / 2, () => {
      for (const { at, members } of heard) {
        const begin = Math.max(process.io, this.now);
        this._work('io', process, 'io', members * delivery_us);
        const written = begin + this.random() * members * delivery_us;
        const value = written + way_us - this.stream.sent[at];
        this.samples.push({ value, weight: members, time: this.now });
      }
    });
    this._at(taken + way_us, () => this._read(process));
  }

  _result() {
    const us = this.now;
    const counted = this.samples.filter(({ time }) => time > us * WARM);
    const { processes } = this.plan;
    return {
      redis: this.busy.redis / us,
      js: this.busy.js / us / processes,
      io: this.busy.io / us / processes,
      perPage: (this.plan.events * us) / 1e6 / (this.pages / processes),
      p50_ms: weighted(counted, 0.5) / 1e3,
      p99_ms: weighted(counted, 0.99) / 1e3,
    };
  }
}

module.exports = { Exchange, poisson, weighted };
