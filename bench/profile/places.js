'use strict';

// Where a sample was taken, in words: the first rule that fits. `stack` are the symbols from the inside out, `object` is the file of the
// innermost one ('[kernel.kallsyms]', …/fanline.node, …/node).

const within = (...names) => {
  const any = new RegExp(`^(?:${names.join('|')})`);
  return ({ stack }) => stack.some((symbol) => any.test(symbol));
};
const inside = (pattern) => (sample) => pattern.test(sample.object);
const named = (pattern) => (sample) => pattern.test(sample.stack[0] ?? '');
const both = (a, b) => (sample) => a(sample) && b(sample);

const kernel = inside(/^\[/);
const ours = inside(/fanline\.node$/);

const PLACES = [
  ['kernel: waking the reader', both(kernel, within('sock_def_readable'))],
  [
    "kernel: the receiver's side of the loopback",
    both(kernel, within('__netif_receive_skb', 'process_backlog', 'net_rx_action')),
  ],
  [
    'kernel: TCP and IP, sending',
    both(kernel, within('tcp_sendmsg', 'tcp_push', '__release_sock')),
  ],
  [
    'kernel: the call itself (entry, descriptor, message, copying it)',
    both(
      kernel,
      within('__x64_sys_send', '__sys_send', '___sys_send', '__x64_sys_write', 'do_writev'),
    ),
  ],
  [
    'kernel: waiting and being woken (epoll, futex, eventfd)',
    both(kernel, within('.*epoll', 'ep_', '.*futex', 'eventfd', 'ksys_read', 'ksys_write')),
  ],
  ['kernel: the rest (scheduler, timers, memory)', kernel],
  [
    'fanline: writing (gather, advance, send)',
    both(ours, named(/write|slices|gather|advance|settle|unref/)),
  ],
  ['fanline: judging, clocks', both(ours, named(/flush|judge|note_report|refill|timer|wheel/))],
  [
    'fanline: fan-out (rooms, queues)',
    both(ours, named(/give|push|accept|fan_out|publish|mark_dirty|enqueue/)),
  ],
  ['fanline: the rest', ours],
  ['C library', inside(/libc|libpthread|vdso|ld-linux/)],
  [
    'V8: garbage collection',
    named(/v8::internal::.*(?:Mark|Scaveng|Sweep|Heap|Evacuat|GarbageCollect|BodyDescriptor)/),
  ],
  [
    'V8: compiling',
    named(/v8::internal::(?:compiler|maglev|baseline|interpreter|Parser|Ast|wasm)/),
  ],
  ['Node and V8: running JavaScript', () => true],
];

/** @returns {string} */
function placeOf(sample) {
  return PLACES.find(([, fits]) => fits(sample))[0];
}

const names = PLACES.map(([name]) => name);

module.exports = { names, placeOf };
