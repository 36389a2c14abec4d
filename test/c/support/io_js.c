#define _POSIX_C_SOURCE 200809L
#include "io_js.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/sink_fd.h"
#include "io/sink_relay.h"

#define WATCHDOG_S 90

/* ---- around each test ---- */

static atomic_long live, fail_in;
static void (*current)(void);
static const char *current_name;

static bool fails(void) {
  if (atomic_load(&fail_in) == 0) return false;
  if (atomic_load(&fail_in) == 1) return true;
  atomic_fetch_sub(&fail_in, 1);
  return atomic_load(&fail_in) == 0;
}

void io_fail_allocations(long n) { atomic_store(&fail_in, n); }

static void *alloc(size_t bytes) {
  void *block = fails() ? NULL : malloc(bytes);
  if (!block) return NULL;
  memset(block, 0xa5, bytes < 256 ? bytes : 256); /* nobody may count on zeroes */
  atomic_fetch_add(&live, 1);
  return block;
}

static void *resize(void *block, size_t bytes) {
  if (!block) return alloc(bytes);
  return fails() ? NULL : realloc(block, bytes);
}

static void release(void *block) {
  if (block) atomic_fetch_sub(&live, 1);
  free(block);
}

static const fan_allocator shared = {alloc, resize, release};

static void on_alarm(int number) {
  static const char words[] = "\nwatchdog: this test hangs: ";
  (void)number;
  if (write(STDOUT_FILENO, words, sizeof words - 1) < 0) _exit(4);
  if (write(STDOUT_FILENO, current_name, strlen(current_name)) < 0) _exit(4);
  _exit(3);
}

static void run_current(void) {
  unsigned descriptors = net_descriptors();
  fan_mem_use(&shared);
  atomic_store(&live, 0);
  alarm(WATCHDOG_S);
  current();
  alarm(0);
  CHECK_EQ(atomic_load(&live), 0);
  CHECK_EQ(net_descriptors(), descriptors);
}

void io_run(const char *name, void (*test)(void)) {
  signal(SIGALRM, on_alarm);
  current = test;
  current_name = name;
  check_run(name, run_current);
}

/* ---- the loop ---- */

static void ring(void *context) {
  js_side *js = context;
  while (write(js->bell[1], "", 1) < 0) continue;
}

void js_init(js_side *js) {
  *js = (js_side){0};
  if (pipe(js->bell) != 0) abort();
  fcntl(js->bell[0], F_SETFL, O_NONBLOCK);
  js->loop = fan_loop_new(ring, js);
  if (!js->loop) abort();
}

void js_begin(js_side *js) {
  js_init(js);
  CHECK_EQ(fan_loop_start(js->loop), 0);
}

static void take(js_side *js) {
  const fan_letters *letters = fan_loop_take(js->loop);
  if (js->count + letters->count > js->capacity) {
    js->capacity = (js->count + letters->count) * 2;
    js->letters = realloc(js->letters, js->capacity * sizeof *js->letters);
    if (!js->letters) abort();
  }
  for (size_t i = 0; i < letters->count; i++) js->letters[js->count++] = letters->items[i];
}

void js_end(js_side *js) {
  fan_loop_stop(js->loop);
  fan_loop_free(js->loop);
  for (size_t i = 0; i < js->count; i++) fan_free(js->letters[i].data);
  free(js->letters);
  close(js->bell[0]);
  close(js->bell[1]);
}

fan_limits js_limits(void) { return (fan_limits){.queue_bytes = 8 << 20, .total_bytes = 64 << 20}; }

fan_port *js_open(js_side *js, const fan_limits *limits) {
  fan_port *port = fan_port_new(1, limits, NULL, NULL);
  if (!port) abort();
  js_post(js, port, FAN_OP_OPEN, 0, 0);
  return port;
}

void js_free(js_side *js, fan_port *port) { js_post(js, port, FAN_OP_FREE, 0, 0); }

/* ---- commands ---- */

static void post(js_side *js, const fan_command *command) {
  if (fan_loop_post(js->loop, command) != 0) abort();
}

void js_post(js_side *js, fan_port *port, uint8_t op, uint64_t client, uint64_t number) {
  post(js, &(fan_command){.op = op, .port = port, .client = client, .number = number});
}

static uint64_t next_id(void) {
  static uint64_t last = UINT64_C(1) << 32; /* wider than an int */
  return ++last;
}

uint64_t js_connect_with(js_side *js, fan_port *port, uint64_t room, uint32_t heartbeat_ms,
                         fan_buf *heartbeat) {
  uint64_t client = next_id();
  post(js, &(fan_command){.op = FAN_OP_CONNECT,
                          .port = port,
                          .client = client,
                          .number = heartbeat_ms,
                          .frame = heartbeat});
  if (room) js_post(js, port, FAN_OP_JOIN, client, room);
  return client;
}

uint64_t js_connect(js_side *js, fan_port *port, uint64_t room) {
  return js_connect_with(js, port, room, 0, NULL);
}

void js_attach(js_side *js, fan_port *port, uint64_t client, int fd, bool raw) {
  fan_sink *sink = NULL;
  if (!CHECK_EQ(fan_sink_fd_open(fd, 5000, raw, &sink), 0)) return;
  post(js, &(fan_command){.op = FAN_OP_ATTACH, .port = port, .client = client, .sink = sink});
}

void js_attach_relay(js_side *js, fan_port *port, uint64_t client) {
  fan_sink *sink = fan_sink_relay_new();
  post(js, &(fan_command){.op = FAN_OP_ATTACH, .port = port, .client = client, .sink = sink});
}

void js_publish(js_side *js, fan_port *port, uint64_t room, fan_buf *frame) {
  post(js, &(fan_command){.op = FAN_OP_PUBLISH, .port = port, .number = room, .frame = frame});
}

void js_send(js_side *js, fan_port *port, uint64_t client, fan_buf *frame) {
  post(js, &(fan_command){.op = FAN_OP_SEND, .port = port, .client = client, .frame = frame});
}

void js_credit(js_side *js, fan_port *port, uint64_t client, size_t bytes) {
  js_post(js, port, FAN_OP_CREDIT, client, bytes);
}

void js_end_client(js_side *js, fan_port *port, uint64_t client, bool kill) {
  post(js, &(fan_command){.op = kill ? FAN_OP_KILL : FAN_OP_CLOSE,
                          .reason = FAN_SERVER,
                          .port = port,
                          .client = client});
}

void js_flush(js_side *js) { fan_loop_flush(js->loop); }

uint64_t js_client(js_side *js, fan_port *port, uint64_t room, int fd, bool raw) {
  uint64_t client = js_connect(js, port, room);
  js_attach(js, port, client, fd, raw);
  js_flush(js);
  return client;
}

/* ---- letters ---- */

static bool fits(const fan_letter *letter, uint64_t client, uint8_t kind) {
  return (!client || letter->id == client) && (!kind || letter->kind == kind);
}

static size_t find(const js_side *js, uint64_t client, uint8_t kind) {
  size_t at = 0;
  while (at < js->count && !fits(&js->letters[at], client, kind)) at++;
  return at;
}

/* Waits for the bell, and takes only when it rang: a ring that was forgotten shows as a hang. */
static bool hear(js_side *js, int timeout_ms) {
  char rings[64];
  if (!net_readable(js->bell[0], timeout_ms)) return false;
  while (read(js->bell[0], rings, sizeof rings) > 0) continue;
  take(js);
  return true;
}

fan_letter js_await(js_side *js, uint64_t client, uint8_t kind) {
  uint64_t until = fan_clock_ms() + NET_PATIENCE_MS;
  size_t at;
  while ((at = find(js, client, kind)) == js->count)
    if (!CHECK(fan_clock_ms() < until && hear(js, NET_PATIENCE_MS)))
      return (fan_letter){.reason = FAN_NO_REASON};
  fan_letter letter = js->letters[at];
  memmove(&js->letters[at], &js->letters[at + 1], (--js->count - at) * sizeof letter);
  return letter;
}

bool js_has(js_side *js, uint64_t client, uint8_t kind) {
  hear(js, 0);
  return find(js, client, kind) < js->count;
}

/* A sink for nobody: the loop answers that it was cut, once everything before it has been carried out. */
void js_fence(js_side *js, fan_port *port) {
  uint64_t nobody = next_id();
  js_attach_relay(js, port, nobody);
  js_flush(js);
  CHECK_EQ(js_await(js, nobody, FAN_NOTICE_EVICTED).reason, FAN_ERROR);
}

fan_stats js_stats(js_side *js, fan_port *port) {
  fan_stats stats;
  fan_loop_stats(js->loop, port, &stats);
  return stats;
}

/* ---- bytes ---- */

fan_buf *expect_frame(net_bytes *bytes, fan_buf *frame, bool raw) {
  fan_slice slice = raw ? fan_buf_raw(frame) : fan_buf_chunked(frame);
  net_bytes_add(bytes, slice.data, slice.size);
  return frame;
}

void check_reads(int fd, const net_bytes *expected, const char *file, int line) {
  unsigned char *got = malloc(expected->size + 1);
  if (!got) abort();
  size_t size = net_read(fd, got, expected->size);
  check_bytes(got, size, expected->data, expected->size, "what the peer reads", file, line);
  free(got);
}
