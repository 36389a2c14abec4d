'use strict';

// What each function that the addon imports counts as. One that is named nowhere here fails a test: whoever lets the addon call
// something new says what it costs.

/** Group → imports: names, or patterns. One import may be in several. */
const GROUPS = {
  'calls of Node-API': [/^napi_/],
  'calls of JavaScript': ['napi_call_function', 'napi_make_callback'],
  // The loop tells JavaScript that there are notices.
  bells: ['napi_call_threadsafe_function'],
  // JavaScript tells the loop that there are commands: a write to its eventfd.
  'wake-ups': ['write'],
  'socket writes': ['send', 'sendmmsg', 'sendmsg', 'sendto', 'writev'],
  waits: ['epoll_pwait', 'epoll_pwait2', 'epoll_wait', 'poll', 'ppoll', 'select'],
  reads: ['read', 'readv', 'recv', 'recvfrom', 'recvmsg'],
  // For a descriptor and its options.
  'other system calls': [
    ...['accept4', 'close', 'dup', 'dup3', 'epoll_create1', 'epoll_ctl', 'eventfd', 'fcntl'],
    ...['fcntl64', 'getsockopt', 'ioctl', 'setsockopt', 'shutdown'],
  ],
  allocations: [
    ...['aligned_alloc', 'calloc', 'malloc', 'posix_memalign', 'realloc', 'strdup'],
    ...[/^_Zn[wa]/, /^_ZNSt7__cxx1112basic_string.*9_M_create/],
  ],
  locks: ['pthread_mutex_lock'],
  clocks: ['clock_gettime', 'gettimeofday', 'time'],
};

/** What needs no count: it takes no memory, waits for nobody, and what it does to bytes is in the totals of counters.c. */
const UNCOUNTED = [
  ...['__assert_fail', '__errno_location', '__stack_chk_fail', 'abort'],
  ...['bcmp', 'memchr', 'memcmp', 'memcpy', 'memmove', 'memset', 'strcmp', 'strlen'],
  ...['free', /^_Zd[la]/, /^_ZNKS/, /^_ZNS/, /^_ZSt\d+__throw_/], // texts that grow call _M_create or operator new
  // Once in the life of a loop.
  ...[/^pthread_(create|join|mutex_(init|destroy)|sigmask)$/, 'sigfillset'],
  'pthread_mutex_unlock', // as often as it is locked
];

/** Some systems have the compiler call __memcpy_chk for memcpy, and so on. */
const plain = (name) => /^__(\w+)_chk$/.exec(name)?.[1] ?? name;

const isIn = (list, name) =>
  list.some((each) => (typeof each === 'string' ? each === plain(name) : each.test(plain(name))));

/** The groups that an import counts for. */
function groupsOf(name) {
  return Object.keys(GROUPS).filter((group) => isIn(GROUPS[group], name));
}

/** Does anything here say what a call of it costs? */
function isKnown(name) {
  return isIn(UNCOUNTED, name) || groupsOf(name).length > 0;
}

module.exports = { GROUPS, groupsOf, isKnown };
